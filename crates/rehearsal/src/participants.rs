//! The participants: accounts with keys of their own, and the conduct that the scenario gives them.

use alloy_primitives::{Address, keccak256};
use alloy_signer_local::PrivateKeySigner;
use canon_agents::{self as roles, Agent};
use canon_chain::{
    Client, IntentSender, Sender,
    tx::{FeePolicy, MemoryJournal},
};
use canon_protocol::Amount;
use canon_views::{BlockDuty, MovePlan, Order, SequencerIdentity};

use crate::{
    error::{During, Result},
    keys,
    scenario::{BallotPlan, BallotTime, HolderGroup, Scenario},
    timeline::Who,
};

/// All accounts that act.
#[derive(Debug)]
pub(crate) struct Participants {
    pub(crate) deployer: Sender,
    pub(crate) authors: Sender,
    pub(crate) keeper: Agent<roles::Keeper>,
    pub(crate) anyone: Sender,
    /// Registers other stakers' attesters on the new rollup.
    pub(crate) squatter: Sender,
    /// The stakers of the old rollup, followed by the pioneers.
    pub(crate) sequencers: Vec<ScenarioSequencer>,
    pub(crate) holders: Vec<ScenarioHolder>,
}

/// A staker, with an attester, a proposer and a withdrawer.
#[derive(Debug)]
pub(crate) struct ScenarioSequencer {
    /// The number, counted from 1 among the stakers of the old rollup or among the pioneers.
    pub(crate) number: u64,
    pub(crate) attester: Address,
    /// The proposer, which signals and proposes blocks.
    pub(crate) agent: Agent<roles::Sequencer>,
    /// The withdrawer, which owns the stake and decides about it.
    pub(crate) withdrawer: Sender,
    pub(crate) mover: Option<Agent<roles::Mover>>,
    pub(crate) conduct: Conduct,
    pub(crate) staking: Staking,
}

/// The rollups that a sequencer stakes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staking {
    /// The old rollup, to the end.
    Stays,
    /// The old rollup, and the new one from the switch on.
    Moves,
    /// The new rollup only, already before the switch.
    Pioneer,
}

/// The conduct of a sequencer in its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// Proposes blocks and signals.
    Diligent,
    /// Proposes blocks and never signals.
    Silent,
    /// Sends nothing.
    Offline,
}

/// A participant that locks tokens.
#[derive(Debug)]
pub(crate) struct ScenarioHolder {
    /// The number, counted from 1.
    pub(crate) number: u64,
    pub(crate) agent: Agent<roles::Holder>,
    pub(crate) tokens: Amount,
    pub(crate) ballot: BallotPlan,
    pub(crate) leaves: bool,
    pub(crate) ballot_time: BallotTime,
}

impl ScenarioHolder {
    /// A sender for calls that the agent doesn't make. It reads its nonce from the chain, because
    /// the agent uses the same key.
    pub(crate) fn sender(&self) -> Sender {
        self.agent.sender().sender()
    }

    /// Gives the agent an order.
    pub(crate) fn order(&mut self, order: Order) {
        let unused = self.agent.sender().next_request();
        self.agent.role.add(order, unused);
    }
}

impl ScenarioSequencer {
    pub(crate) const fn who(&self) -> Who {
        match self.staking {
            Staking::Pioneer => Who::Pioneer(self.number),
            Staking::Stays | Staking::Moves => Who::Sequencer(self.number),
        }
    }

    /// The proposer as a sender, only for simulated calls.
    pub(crate) fn proposer(&self) -> Sender {
        self.agent.sender().sender()
    }

    /// Gives the sequencer a mover, which moves its stake to the rollup at `to`.
    pub(crate) fn start_to_move(&mut self, to: Address) -> Result<()> {
        let from = self.agent.role.identity.rollup;
        let (withdrawer, attester) = (self.withdrawer.address(), self.attester);
        let plan = MovePlan { withdrawer, attester, from, to, spare: withdrawer };
        let sender = intent_sender(&self.withdrawer)?;
        self.mover = Some(Agent::new(roles::Mover { plan }, sender).during(MAKING)?);
        Ok(())
    }

    /// Whether its stake is to move to the rollup at `to`.
    pub(crate) fn moves_to(&self, to: Address) -> bool {
        self.mover.as_ref().is_some_and(|mover| mover.role.plan.to == to)
    }

    /// Whether it acts in its slots.
    pub(crate) fn online(&self) -> bool {
        self.conduct != Conduct::Offline
    }
}

/// The keys of all participants, before there is a chain to use them on.
#[derive(Debug)]
pub(crate) struct Keys {
    roles: [PrivateKeySigner; 5],
    /// The proposer and the withdrawer of each sequencer.
    sequencers: Vec<[PrivateKeySigner; 2]>,
    holders: Vec<PrivateKeySigner>,
    bytecode_deployer: Address,
}

impl Keys {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let seed = scenario.seed;
        let stakers = scenario.sequencers.count + scenario.sequencers.pioneers;
        Self {
            roles: ["deployer", "authors", "keeper", "anyone", "squatter"]
                .map(|role| keys::key(seed, role, 0)),
            sequencers: (0..stakers)
                .map(|n| ["proposer", "withdrawer"].map(|role| keys::key(seed, role, n)))
                .collect(),
            holders: (0..scenario.holder_count()).map(|n| keys::key(seed, "holder", n)).collect(),
            bytecode_deployer: keys::key(seed, keys::BYTECODE_DEPLOYER, 0).address(),
        }
    }

    /// The accounts that send transactions.
    pub(crate) fn accounts(&self) -> Vec<Address> {
        let keys = self.roles.iter().chain(self.sequencers.iter().flatten()).chain(&self.holders);
        keys.map(PrivateKeySigner::address).chain([self.bytecode_deployer]).collect()
    }
}

/// The step in errors of creating an agent.
const MAKING: &str = "making an agent";

impl Participants {
    /// The participants of a scenario. The sequencers have no rollup yet.
    pub(crate) fn new(scenario: &Scenario, keys: Keys, client: &Client) -> Result<Self> {
        let fresh = |key| Sender::new(client.clone(), key).with_nonce(0);
        let [deployer, authors, keeper, anyone, squatter] = keys.roles;
        let conduct = conducts(scenario);
        let plan = scenario.sequencers;
        let sequencer = |([proposer, withdrawer], index): ([PrivateKeySigner; 2], u64)| {
            let old = usize::try_from(index).ok().and_then(|index| conduct.get(index));
            let (conduct, staking) = old.copied().unwrap_or((Conduct::Diligent, Staking::Pioneer));
            let before = if staking == Staking::Pioneer { plan.count } else { 0 };
            // Its rollup isn't deployed yet.
            let identity = SequencerIdentity {
                proposer: proposer.address(),
                rollup: Address::ZERO,
                // Nobody builds blocks: the hash is made up.
                blocks: BlockDuty::Propose(keccak256(proposer.address())),
            };
            let role = roles::Sequencer { identity, plan: None };
            Ok(ScenarioSequencer {
                number: 1 + index - before,
                attester: keys::address(scenario.seed, "attester", index),
                agent: Agent::new(role, intent_sender(&fresh(proposer))?).during(MAKING)?,
                withdrawer: fresh(withdrawer),
                mover: None,
                conduct,
                staking,
            })
        };
        let sequencers = keys.sequencers.into_iter().zip(0..).map(sequencer);
        let groups = scenario.holders.iter();
        let parts = groups.flat_map(|group| (0..group.count).map(move |_| group));
        let holder = |((key, group), index): ((PrivateKeySigner, &HolderGroup), u64)| {
            let sender = intent_sender(&fresh(key))?;
            let role = roles::Holder::new(sender.address());
            Ok(ScenarioHolder {
                number: index + 1,
                agent: Agent::new(role, sender).during(MAKING)?,
                tokens: keys::amount(scenario.seed, index, group.least, group.most),
                ballot: group.ballot,
                leaves: group.leave,
                ballot_time: group.ballot_time,
            })
        };
        let holders = keys.holders.into_iter().zip(parts).zip(0..).map(holder);
        Ok(Self {
            deployer: fresh(deployer),
            authors: fresh(authors),
            keeper: Agent::new(roles::Keeper::default(), intent_sender(&fresh(keeper))?)
                .during(MAKING)?,
            anyone: fresh(anyone),
            squatter: fresh(squatter),
            sequencers: sequencers.collect::<Result<_>>()?,
            holders: holders.collect::<Result<_>>()?,
        })
    }

    /// The index of the sequencer whose proposer has this address.
    pub(crate) fn sequencer_of(&self, proposer: Address) -> Option<usize> {
        self.sequencers.iter().position(|one| one.agent.address() == proposer)
    }

    /// A single holder with its number, or several holders with their count.
    pub(crate) fn these_holders(&self, holders: &[usize]) -> Who {
        match holders {
            [holder] => Who::Holder(self.holders[*holder].number),
            _ => Who::Holders(holders.len() as u64),
        }
    }
}

/// A sender with an empty journal.
pub(crate) fn intent_sender(sender: &Sender) -> Result<IntentSender> {
    sender.intent_sender(FeePolicy::default(), MemoryJournal::default()).during(MAKING)
}

/// The conduct and the staking of each sequencer of the old rollup.
fn conducts(scenario: &Scenario) -> Vec<(Conduct, Staking)> {
    let plan = scenario.sequencers;
    let count = usize::try_from(plan.count).unwrap_or(0);
    let mut conducts = vec![(Conduct::Diligent, Staking::Moves); count];
    let order = keys::shuffled(scenario.seed, "conduct", plan.count);
    let order = order.into_iter().filter_map(|index| usize::try_from(index).ok());
    for (rank, index) in (0_u64..).zip(order) {
        // The sequencers that stay are counted from the other end, where the diligent ones are.
        let moves = rank < plan.count - plan.stay;
        let staking = if moves { Staking::Moves } else { Staking::Stays };
        conducts[index] = if rank < plan.offline {
            (Conduct::Offline, Staking::Stays)
        } else if rank < plan.offline + plan.silent {
            (Conduct::Silent, staking)
        } else {
            (Conduct::Diligent, staking)
        };
    }
    conducts
}
