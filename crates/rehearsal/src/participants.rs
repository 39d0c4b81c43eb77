//! Who plays: accounts with keys of their own, and what the scenario makes them do.

use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use canon_agents::{Holder as HolderAgent, Keeper, Mover, Sequencer as SequencerAgent};
use canon_chain::{Checks, Client, Sender};
use canon_protocol::Amount;

use crate::{
    keys,
    scenario::{BallotPlan, Scenario},
    timeline::Who,
};

/// Everybody.
#[derive(Debug)]
pub(crate) struct Participants {
    pub(crate) deployer: Sender,
    pub(crate) authors: Sender,
    pub(crate) keeper: Keeper,
    pub(crate) anyone: Sender,
    /// Registers attesters of others.
    pub(crate) squatter: Sender,
    /// First those of the old rollup, then the pioneers.
    pub(crate) sequencers: Vec<Sequencer>,
    pub(crate) holders: Vec<Holder>,
}

/// A staker: an attester, a proposer and a withdrawer.
#[derive(Debug)]
pub(crate) struct Sequencer {
    /// Counted from 1, among the old rollup's or among the pioneers.
    pub(crate) number: u64,
    pub(crate) attester: Address,
    /// The proposer's key, for asking only: the agent counts its nonces.
    pub(crate) proposer: Sender,
    /// Signals and proposes blocks.
    pub(crate) agent: SequencerAgent,
    /// Owns the stake and decides about it, until a mover takes that over.
    pub(crate) withdrawer: Sender,
    pub(crate) mover: Option<Mover>,
    pub(crate) conduct: Conduct,
    /// Whether it stakes on the new rollup only.
    pub(crate) pioneer: bool,
    /// Whether it goes to the new rollup.
    pub(crate) moves: bool,
    /// The rollup that it announced to move to, as an index.
    pub(crate) moving_to: Option<usize>,
}

/// What a sequencer does in its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// Proposes blocks and signals.
    Diligent,
    /// Proposes blocks, never signals.
    Silent,
    /// Nothing.
    Offline,
}

/// Somebody who locks tokens.
#[derive(Debug)]
pub(crate) struct Holder {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Its key; it asks for its nonce anew each time, since the agent counts its own.
    pub(crate) sender: Sender,
    pub(crate) agent: HolderAgent,
    pub(crate) tokens: Amount,
    pub(crate) ballot: BallotPlan,
    pub(crate) leaves: bool,
    /// Whether it votes in the last block that counts.
    pub(crate) late: bool,
}

impl Sequencer {
    pub(crate) const fn who(&self) -> Who {
        if self.pioneer { Who::Pioneer(self.number) } else { Who::Sequencer(self.number) }
    }

    /// Whether it does anything at all.
    pub(crate) fn online(&self) -> bool {
        self.conduct != Conduct::Offline
    }
}

/// The keys of everybody, before there is a chain to use them on.
#[derive(Debug)]
pub(crate) struct Keys {
    roles: [PrivateKeySigner; 5],
    /// Proposer and withdrawer.
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

    /// Everybody who sends transactions.
    pub(crate) fn accounts(&self) -> Vec<Address> {
        let keys = self.roles.iter().chain(self.sequencers.iter().flatten()).chain(&self.holders);
        keys.map(PrivateKeySigner::address).chain([self.bytecode_deployer]).collect()
    }
}

/// Of everything that holders send. The dearest is the first lock with a permit.
const HOLDER_GAS: u64 = 300_000;
/// Of announcing and of finishing a move.
pub(crate) const MOVER_GAS: u64 = 600_000;

impl Participants {
    /// Gives everybody a part. `rollup` is the old one.
    pub(crate) fn new(scenario: &Scenario, keys: Keys, client: &Client) -> Self {
        let fresh = |key| Sender::new(client.clone(), key).with_nonce(0);
        let [deployer, authors, keeper, anyone, squatter] = keys.roles.map(fresh);
        let conduct = conducts(scenario);
        let plan = scenario.sequencers;
        let sequencers = keys
            .sequencers
            .into_iter()
            .zip(0_u64..)
            .map(|([proposer, withdrawer], index)| {
                let pioneer = index >= plan.count;
                let old = usize::try_from(index).ok().and_then(|index| conduct.get(index));
                let (conduct, moves) = old.copied().unwrap_or((Conduct::Diligent, false));
                let proposer = fresh(proposer);
                Sequencer {
                    number: 1 + if pioneer { index - plan.count } else { index },
                    attester: keys::address(scenario.seed, "attester", index),
                    // Its rollup isn't deployed yet.
                    agent: SequencerAgent::new(proposer.clone(), Address::ZERO),
                    proposer,
                    withdrawer: fresh(withdrawer),
                    mover: None,
                    conduct,
                    pioneer,
                    moves,
                    moving_to: None,
                }
            })
            .collect();
        let groups = scenario.holders.iter();
        let roles = groups.flat_map(|group| (0..group.count).map(move |_| group));
        let holders = keys
            .holders
            .into_iter()
            .zip(roles)
            .zip(0_u64..)
            .map(|((key, group), index)| Holder {
                number: index + 1,
                agent: holder(fresh(key.clone())),
                sender: Sender::new(client.clone(), key),
                tokens: keys::amount(scenario.seed, index, group.least, group.most),
                ballot: group.ballot,
                leaves: group.leave,
                late: group.late,
            })
            .collect();
        let keeper = Keeper::new(keeper);
        Self { deployer, authors, keeper, anyone, squatter, sequencers, holders }
    }
}

/// Holders send by the thousand, so what they send is checked at its receipt.
pub(crate) const fn holder(sender: Sender) -> HolderAgent {
    HolderAgent::new(sender).with_checks(Checks::AtReceipt { gas_limit: HOLDER_GAS })
}

/// Who of the old rollup's sequencers does what, and who moves.
fn conducts(scenario: &Scenario) -> Vec<(Conduct, bool)> {
    let plan = scenario.sequencers;
    let mut conducts = vec![(Conduct::Diligent, true); usize::try_from(plan.count).unwrap_or(0)];
    let order = keys::shuffled(scenario.seed, "conduct", plan.count);
    let order = order.into_iter().filter_map(|index| usize::try_from(index).ok());
    for (rank, index) in (0_u64..).zip(order) {
        conducts[index] = if rank < plan.offline {
            (Conduct::Offline, false)
        } else if rank < plan.offline + plan.silent {
            // Those who stay are counted from the other end, where the diligent ones are.
            (Conduct::Silent, rank < plan.count - plan.stay)
        } else {
            (Conduct::Diligent, rank < plan.count - plan.stay)
        };
    }
    conducts
}
