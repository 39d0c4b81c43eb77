//! Everything that a rehearsal knows while it is played.

use std::{collections::BTreeMap, fmt};

use alloy_primitives::{Address, Bytes, map::AddressMap};
use canon_abi::Governance;
use canon_agents::{View, Watcher};
use canon_chain::{
    Deployment, calls,
    deploy::{DEPLOYMENT_PROXY, DeployedSet},
};
use canon_protocol::{
    Amount, BlockNumber, Create2, Deadlines, Epoch, ProposalId, RollupBlock, Round, Slot,
    SlotClock, Tabulation, Tally, Timestamp, WithdrawalId,
};

use crate::{
    chain_driver::ChainDriver,
    error::{During, Error, Result},
    keys,
    participants::Participants,
    refusal::Refusal,
    scenario::{End, ProposalPlan, Reason, Scenario},
    steps::Count,
    timeline::{Chapter, Entry, Event, Spent, Timeline, Who},
};

/// The chain, the participants and the timeline so far.
pub(crate) struct UpgradeRun<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) driver: ChainDriver<'a>,
    pub(crate) watcher: Watcher,
    pub(crate) cast: Participants,
    pub(crate) set: Set,
    /// In the order of their deployment; the first is canonical from the beginning.
    pub(crate) rollups: Vec<RollupState>,
    /// One for each proposal of the scenario, in its order.
    pub(crate) tracks: Vec<ProposalTrack>,
    pub(crate) withdrawals: Vec<Leave>,
    /// When the announced moves can be finished.
    pub(crate) moves_ready: Timestamp,
    /// What the sequencers are set to signal for.
    pub(crate) campaign: Option<usize>,
    /// Whether somebody tried to signal in a slot of another.
    pub(crate) out_of_turn_tried: bool,
    /// Epochs of silence that are still to come.
    pub(crate) silent_epochs: u64,
    /// Until when nobody calls the canonical rollup, if anybody ever doesn't.
    pub(crate) silent_until: Option<Timestamp>,
    /// The present round of signals.
    pub(crate) count: Count,
    pub(crate) timeline: Timeline,
    /// Who proposes for which address.
    proposers: AddressMap<usize>,
    /// The nonce of the next contract that is assembled from opcodes.
    deploy_nonce: u64,
}

/// Addresses of the set; `proposals` is the one in force.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) asset: Address,
    pub(crate) registry: Address,
    pub(crate) governance: Address,
    pub(crate) proposals: Address,
    pub(crate) issuer: Address,
    pub(crate) distributor: Address,
    pub(crate) expect: Address,
    /// Names of all contracts that were deployed, for people.
    pub(crate) names: BTreeMap<Address, String>,
    /// Every Proposals contract, the first one first.
    pub(crate) all_proposals: Vec<Address>,
}

/// A rollup and what it should have done so far.
#[derive(Clone, Debug)]
pub(crate) struct RollupState {
    /// What people call it: the version that it has, or would have as the next one.
    pub(crate) label: u64,
    pub(crate) address: Address,
    /// What it is said to come from.
    pub(crate) create2: Create2,
    /// Whether it comes from something else.
    pub(crate) forged: bool,
    pub(crate) clock: SlotClock,
    /// The newest epoch whose seed is known to be recorded.
    pub(crate) seeded: Epoch,
    pub(crate) canonical: bool,
    /// Stakers by rights.
    pub(crate) stakers: u64,
    pub(crate) blocks: u64,
    pub(crate) earned: Amount,
}

/// A proposal on its way.
#[derive(Clone, Debug)]
pub(crate) struct ProposalTrack {
    pub(crate) plan: ProposalPlan,
    pub(crate) payload: Address,
    /// The rollup that it makes canonical, as an index.
    pub(crate) rollup: Option<usize>,
    /// The Proposals contract that it puts in force.
    pub(crate) proposals: Option<Address>,
    pub(crate) gate: Option<Address>,
    /// Sequencers don't signal before their rollup has this block.
    pub(crate) height: RollupBlock,
    pub(crate) rounds_tried: u64,
    /// The round that it won.
    pub(crate) won: Option<Won>,
    pub(crate) live: Option<Live>,
    pub(crate) end: Option<End>,
    /// How often somebody tried to execute it.
    pub(crate) tries: u64,
    pub(crate) executed_in: Option<BlockNumber>,
    /// Names of the refusals met, in order, each once.
    pub(crate) refusals: Vec<String>,
    /// How often the last refusal was met again, without saying so.
    pub(crate) repeated: u64,
}

/// A round that was won, of one rollup at one Proposals contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Won {
    pub(crate) round: Round,
    pub(crate) instance: Address,
    pub(crate) proposals: Address,
}

impl ProposalTrack {
    pub(crate) fn has_won(&self, round: Round) -> bool {
        self.won.is_some_and(|won| won.round == round)
    }
}

/// The part of a track that exists once there is a proposal.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) id: ProposalId,
    pub(crate) deadlines: Deadlines,
    /// The list that was published when it was created.
    pub(crate) frozen: Vec<Governance::Action>,
    /// Who pushed it: a Proposals contract, or Governance for the lock.
    pub(crate) proposer: Address,
    pub(crate) tally: Tally,
    /// How the vote ended, by the protocol's own rules.
    pub(crate) result: Option<Tabulation>,
}

/// Power that was given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leave {
    pub(crate) id: WithdrawalId,
    pub(crate) holder: usize,
    pub(crate) amount: Amount,
    pub(crate) at: Timestamp,
    pub(crate) unlocks_at: Timestamp,
    /// The first second at which the proposal voted on could be executed, for those who leave
    /// after a ballot.
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) claimed: bool,
}

const RECORDING: &str = "record a seed";

impl<'a> UpgradeRun<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        driver: ChainDriver<'a>,
        cast: Participants,
        set: Set,
        first: RollupState,
    ) -> Self {
        let proposers = cast
            .sequencers
            .iter()
            .enumerate()
            .map(|(index, sequencer)| (sequencer.proposer.address(), index))
            .collect();
        let mut set = set;
        set.names.insert(cast.authors.address(), "the authors".to_owned());
        let mut watcher = Watcher::new(driver.client().clone(), set.registry);
        watcher.watch_rollup(first.address);
        Self {
            scenario,
            driver,
            watcher,
            cast,
            set,
            rollups: vec![first],
            tracks: Vec::new(),
            withdrawals: Vec::new(),
            moves_ready: Timestamp::ZERO,
            campaign: None,
            out_of_turn_tried: false,
            silent_epochs: scenario.signaling.silent_epochs,
            silent_until: None,
            count: Count::default(),
            deploy_nonce: 0,
            timeline: Timeline::new(),
            proposers,
        }
    }

    /// Adds something that happened in the newest block.
    pub(crate) fn tell(&mut self, who: Who, what: Event, spent: Option<Spent>) {
        let (time, l1_block) = (self.driver.now(), self.driver.block());
        let chapter = self.driver.report.chapter;
        self.timeline.push(Entry { chapter, time, l1_block, who, what, spent });
    }

    /// Adds something that happened, or was tried, where the next block would be: nothing of it is
    /// in any block.
    pub(crate) fn tell_off_chain(&mut self, who: Who, what: Event) {
        let (time, l1_block) = (self.driver.next_time(), self.driver.block());
        let chapter = self.driver.report.chapter;
        self.timeline.push(Entry { chapter, time, l1_block, who, what, spent: None });
    }

    /// Begins a chapter.
    pub(crate) const fn turn_to(&mut self, chapter: Chapter) {
        self.driver.report.chapter = chapter;
    }

    /// Reports the progress.
    pub(crate) fn progress(&mut self, doing: &'static str, done: u64, of: u64) {
        self.driver.report.tell(doing, done, of);
    }

    /// Lets time pass until the next block is at `time`, and says so if it is long. Meanwhile somebody
    /// records seeds, as blocks would that aren't shown.
    pub(crate) async fn wait_until(&mut self, time: Timestamp, until: &str) -> Result<()> {
        let (from, first) = (self.driver.now(), self.driver.block());
        let seeds = self.record_seeds_until(time).await?;
        self.driver.wait_until(time)?;
        let seconds = self.driver.now().since(from).unwrap_or_default();
        let blocks = self.driver.block().steps_since(first).unwrap_or_default() - seeds;
        // A minute is what happens between two lines anyway.
        if seconds.get() > 60 {
            let until = until.to_owned();
            self.tell(Who::Time, Event::Quiet { seconds, blocks, seeds, until }, None);
        }
        Ok(())
    }

    /// Records the seeds of all rollups that are due before the next block is at `time`: in the second
    /// slot of each epoch, unless a block did. Returns their number.
    async fn record_seeds_until(&mut self, time: Timestamp) -> Result<u64> {
        let mut recorded = 0;
        while let Some((index, epoch, due)) = self.next_seed().filter(|(.., due)| *due < time) {
            self.driver.wait_until(due)?;
            let (client, head) = (self.driver.client(), self.driver.head());
            let (rollup, next) = (self.rollups[index].address, epoch.next());
            let known = client.is_seed_recorded(head, rollup, next).await;
            if !known.during(RECORDING)? {
                let call = calls::setup_epoch(rollup);
                let confirmed = self.driver.send(RECORDING, &mut self.cast.anyone, call).await?;
                recorded += 1;
                self.break_silence(index, next, confirmed.gas_used);
            }
            self.rollups[index].seeded = next;
        }
        Ok(recorded)
    }

    /// Says who ends a silence of the canonical rollup.
    fn break_silence(&mut self, rollup: usize, epoch: Epoch, gas: u64) {
        if rollup == self.canonical() && self.silent_until.take().is_some() {
            let event = Event::SeedRecorded { rollup: self.rollups[rollup].label, epoch };
            self.tell(Who::Anyone, event, Some(Spent { transactions: 1, gas }));
        }
    }

    /// The rollup whose next seed is due first: its index, the epoch in which it can be recorded, and
    /// from when on.
    fn next_seed(&self) -> Option<(usize, Epoch, Timestamp)> {
        let now = self.driver.next_time();
        let silent_until = self.silent_until.unwrap_or_default();
        let due = |(index, rollup): (usize, &RollupState)| {
            let now = if rollup.canonical { now.max(silent_until) } else { now };
            let epoch = rollup.clock.epoch_at(now)?.max(rollup.seeded);
            let second_slot = rollup.clock.first_slot(epoch)?.next();
            Some((index, epoch, rollup.clock.slot_start(second_slot)?.max(now)))
        };
        self.rollups.iter().enumerate().filter_map(due).min_by_key(|(.., due)| *due)
    }

    /// What the chain says now, for agents.
    pub(crate) async fn look(&mut self) -> Result<View> {
        let next = self.driver.next_time();
        self.watcher.look(next).await.during("looking at the chain")
    }

    /// The canonical rollup, by the story so far.
    pub(crate) fn canonical(&self) -> usize {
        self.rollups.iter().position(|rollup| rollup.canonical).unwrap_or_default()
    }

    /// Whose address proposes.
    pub(crate) fn sequencer_of(&self, proposer: Address) -> Option<usize> {
        self.proposers.get(&proposer).copied()
    }

    /// A contract's name, or its address.
    pub(crate) fn name(&self, address: Address) -> String {
        self.set.names.get(&address).cloned().unwrap_or_else(|| address.to_checksum(None))
    }

    /// Notes a refusal as part of the story of a proposal.
    pub(crate) fn refused(&mut self, track: usize, who: Who, tried: String, refusal: Refusal) {
        let names = &mut self.tracks[track].refusals;
        if !names.contains(&refusal.name) {
            names.push(refusal.name.clone());
        }
        self.tell_off_chain(who, Event::Refused { tried, refusal });
    }

    /// The track of a proposal of Governance.
    pub(crate) fn track_of(&self, id: ProposalId) -> Result<usize> {
        let position = self
            .tracks
            .iter()
            .position(|track| track.live.as_ref().is_some_and(|live| live.id == id));
        position.ok_or_else(|| Error::Unexpected(format!("nobody made proposal {id}")))
    }

    /// The live part of a track that must have one by now.
    pub(crate) fn live(&self, track: usize) -> Result<&Live> {
        let track = &self.tracks[track];
        track
            .live
            .as_ref()
            .ok_or_else(|| Error::Unexpected(format!("{} isn't a proposal yet", track.plan.azip)))
    }

    /// Nothing can change a proposal's fate any more. Operators who signaled for it stop: left
    /// alone, their clients would signal again for what was rejected, expired or dropped.
    pub(crate) fn decide(&mut self, track: usize, end: End) {
        self.tracks[track].end = Some(end);
        if self.campaign == Some(track) {
            self.campaign = None;
            for sequencer in &mut self.cast.sequencers {
                sequencer.agent.set_plan(None);
            }
        }
    }

    /// The same, reported as an event of its own.
    pub(crate) fn over(&mut self, track: usize, end: End) {
        self.decide(track, end);
        let azip = self.tracks[track].plan.azip.clone();
        self.tell(Who::Time, Event::Over { azip, end }, None);
    }

    /// One holder by its number, or how many they are.
    pub(crate) fn these_holders(&self, holders: &[usize]) -> Who {
        match holders {
            [holder] => Who::Holder(self.cast.holders[*holder].number),
            _ => Who::Holders(holders.len() as u64),
        }
    }

    /// Power that a holder has by rights now: what it locked, less what it gave up.
    pub(crate) fn power(&self, holder: usize) -> Amount {
        self.power_at(holder, Timestamp::MAX)
    }

    /// Power that a holder had by rights at the end of a second after the locks.
    pub(crate) fn power_at(&self, holder: usize, time: Timestamp) -> Amount {
        let locked = self.cast.holders[holder].tokens;
        let given_up = self.withdrawals.iter().filter(|leave| leave.holder == holder);
        let given_up = given_up.filter(|leave| leave.at <= time);
        given_up.fold(locked, |power, leave| power.saturating_sub(leave.amount))
    }

    /// All power by rights at the end of a second after the locks.
    pub(crate) fn total_power_at(&self, time: Timestamp) -> Amount {
        let locked = self.cast.holders.iter().map(|holder| holder.tokens);
        let given_up = self.withdrawals.iter().filter(|leave| leave.at <= time);
        sum(locked).saturating_sub(sum(given_up.map(|leave| leave.amount)))
    }

    /// The addresses of the set as they are found from the Registry now.
    pub(crate) async fn deployment(&self) -> Result<Deployment> {
        let (client, head) = (self.driver.client(), self.driver.head());
        Deployment::at(client, self.set.registry, head).await.during("finding the set")
    }

    /// Deploys a contract that is assembled from opcodes, from an account of its own.
    pub(crate) async fn create(
        &mut self,
        act: &'static str,
        code: Bytes,
    ) -> Result<(Address, u64)> {
        let key = keys::key(self.scenario.seed, keys::BYTECODE_DEPLOYER, 0);
        let created = self.driver.create(act, &key, self.deploy_nonce, code).await?;
        self.deploy_nonce += 1;
        Ok(created)
    }
}

impl fmt::Debug for UpgradeRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeRun").field("driver", &self.driver).finish_non_exhaustive()
    }
}

/// The sum of amounts that together are part of one supply.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| {
        sum.checked_add(amount).expect("amounts of one supply add up to less than 2^96")
    })
}

/// Why a vote was lost, if it was.
pub(crate) const fn rejection(result: Tabulation, tally: Tally) -> Option<Reason> {
    match result {
        Tabulation::Accepted => None,
        Tabulation::TooLittlePower { .. } => Some(Reason::MinimumVotes),
        Tabulation::QuorumMissed { .. } => Some(Reason::Turnout),
        Tabulation::Outvoted { .. } if tally.yea.get() == tally.nea.get() => Some(Reason::Tie),
        Tabulation::Outvoted { .. } => Some(Reason::Against),
    }
}

impl RollupState {
    /// Notes a block and what it has to earn.
    pub(crate) fn add_block(&mut self, reward: Amount) -> RollupBlock {
        self.blocks += 1;
        self.earned = sum([self.earned, reward]);
        RollupBlock::of(self.blocks)
    }

    /// The first slot that stakes deposited at `time` can draw: two epochs later, the set is
    /// closed and has them.
    pub(crate) fn first_slot_after(&self, time: Timestamp) -> Slot {
        let epoch = self.clock.epoch_at(time).unwrap_or_default();
        self.clock.first_slot(epoch.next().next()).unwrap_or(Slot::MAX)
    }
}

impl Set {
    pub(crate) fn new(deployed: &DeployedSet) -> Self {
        let (found, expect) = (&deployed.deployment, deployed.expect);
        let names = [
            (found.asset, "Asset"),
            (found.registry, "Registry"),
            (found.governance, "Governance"),
            (found.proposals, "Proposals"),
            (found.issuer, "Issuer"),
            (deployed.reward_distributor, "RewardDistributor"),
            (expect, "Expect"),
            (found.rollup, "rollup 1"),
            (DEPLOYMENT_PROXY, "deployment proxy"),
        ];
        Self {
            asset: found.asset,
            registry: found.registry,
            governance: found.governance,
            proposals: found.proposals,
            issuer: found.issuer,
            distributor: deployed.reward_distributor,
            expect,
            names: names.map(|(address, name)| (address, name.to_owned())).into(),
            all_proposals: vec![found.proposals],
        }
    }
}
