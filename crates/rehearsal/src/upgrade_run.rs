//! The state of a rehearsal while it runs.

use std::{fmt, ops::Range};

use alloy_primitives::Address;
use canon_chain::{Confirmed, ContractCall, Sender, calls};
use canon_protocol::{
    Amount, BlockNumber, Epoch, Proposal, ProposalId, ProposalState, PushWindow, RollupBlock,
    Seconds, SetState, Tabulation, Tally, Timestamp,
};
use canon_views::{Question, SetView};

use crate::{
    chain_driver::ChainDriver,
    error::{Error, Result},
    followed_set::{DeployedRollup, FollowedSet},
    participants::Participants,
    refusal::ObservedRefusal,
    scenario::{End, ProposalPlan, Reason, Scenario},
    steps::Signaling,
    timeline::{Chapter, Entry, Spent, Timeline, TimelineEvent, Who},
};

/// A rehearsal in progress: the chain, the set, the participants and the timeline so far.
///
/// Every method that mines blocks ends with an [update](Self::update), so that the [state](Self::state) is always
/// that of the newest block.
pub(crate) struct UpgradeRun<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) driver: ChainDriver<'a>,
    pub(crate) set: FollowedSet,
    pub(crate) participants: Participants,
    /// A track for each proposal of the scenario, in the same order.
    pub(crate) tracks: Vec<ProposalTrack>,
    pub(crate) signaling: Signaling,
    pub(crate) timeline: Timeline,
}

/// The progress of a proposal of the scenario.
#[derive(Clone, Debug)]
pub(crate) struct ProposalTrack {
    pub(crate) plan: ProposalPlan,
    pub(crate) payload: Address,
    /// The contract that it puts in force.
    pub(crate) replacement: Replacement,
    pub(crate) gate: Option<Address>,
    /// The block that the sequencers' rollup must have before they signal.
    pub(crate) height: RollupBlock,
    pub(crate) rounds_tried: u64,
    /// The number of attempts to execute it.
    pub(crate) tries: u64,
    pub(crate) executed_in: Option<BlockNumber>,
    /// The numbers of the withdrawals that were started right after the ballots on the proposal.
    pub(crate) left: Range<usize>,
    /// The names of its refusals, in order, each once.
    pub(crate) refusals: Vec<String>,
    /// The number of times that the last refusal was repeated without an event of its own.
    pub(crate) repeated: u64,
}

/// The contract that a proposal puts in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// A rollup, by its index.
    Rollup(usize),
    /// A Proposals contract.
    Proposals(Address),
}

impl ProposalTrack {
    /// The id of the proposal that its payload became, if it did.
    pub(crate) fn id(&self, state: &SetState) -> Option<ProposalId> {
        let mut proposals = (0..).zip(state.governance().proposals());
        let own = proposals.find(|(_, proposal)| proposal.payload() == self.payload);
        own.and_then(|(id, _)| ProposalId::new(id))
    }

    /// The index of the rollup that it makes canonical, if it is an upgrade.
    pub(crate) const fn rollup(&self) -> Option<usize> {
        match self.replacement {
            Replacement::Rollup(index) => Some(index),
            Replacement::Proposals(_) => None,
        }
    }
}

const RECORDING: &str = "record a seed";

impl<'a> UpgradeRun<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        driver: ChainDriver<'a>,
        participants: Participants,
        mut set: FollowedSet,
    ) -> Self {
        set.names.insert(participants.authors.address(), "the authors".to_owned());
        Self {
            scenario,
            driver,
            set,
            participants,
            tracks: Vec::new(),
            signaling: Signaling::new(scenario.signaling.silent_epochs),
            timeline: Timeline::new(),
        }
    }

    /// The state of the set at the newest block.
    pub(crate) fn state(&self) -> &SetState {
        self.set.state()
    }

    /// Updates the state to the newest block.
    pub(crate) async fn update(&mut self) -> Result<()> {
        self.set.update().await
    }

    /// The set at the newest block, with the additions of `ask` to the question. The next block is expected at
    /// `next`.
    pub(crate) async fn view(
        &self,
        next: Timestamp,
        ask: impl FnOnce(&Participants, &mut Question),
    ) -> Result<SetView> {
        let mut question = Question::default();
        ask(&self.participants, &mut question);
        // No next block is expected before the newest one.
        let block_time = next.since(self.driver.now()).unwrap_or(Seconds::ZERO);
        self.set.view(&question, block_time).await
    }

    /// Records an event of the newest block in the timeline.
    pub(crate) fn record_event(&mut self, who: Who, what: TimelineEvent, spent: Option<Spent>) {
        let (time, l1_block) = (self.driver.now(), self.driver.block());
        let chapter = self.driver.report.chapter;
        self.timeline.push(Entry { chapter, time, l1_block, who, what, spent });
    }

    /// Records an event that isn't in a block, such as an attempt, at the time of the next block.
    pub(crate) fn record_attempt(&mut self, who: Who, what: TimelineEvent) {
        let (time, l1_block) = (self.driver.next_time(), self.driver.block());
        let chapter = self.driver.report.chapter;
        self.timeline.push(Entry { chapter, time, l1_block, who, what, spent: None });
    }

    /// Begins a chapter.
    pub(crate) const fn begin_chapter(&mut self, chapter: Chapter) {
        self.driver.report.chapter = chapter;
    }

    /// Reports the progress.
    pub(crate) fn progress(&mut self, doing: &'static str, done: u64, of: u64) {
        self.driver.report.update(doing, done, of);
    }

    /// Sends a transaction that must succeed, and mines it.
    pub(crate) async fn send(
        &mut self,
        act: &'static str,
        sender: impl FnOnce(&mut Participants) -> &mut Sender,
        call: ContractCall,
    ) -> Result<Confirmed> {
        let confirmed = self.driver.send(act, sender(&mut self.participants), call).await?;
        self.update().await?;
        Ok(confirmed)
    }

    /// Mines blocks until no transaction waits, but at least one.
    pub(crate) async fn mine_all(&mut self) -> Result<()> {
        self.driver.mine_all()?;
        self.update().await
    }

    /// Mines empty blocks until the next block is at `time`.
    pub(crate) async fn pass_until(&mut self, time: Timestamp) -> Result<()> {
        self.driver.wait_until(time)?;
        self.update().await
    }

    /// Mines blocks until the next block is at `time`, and records an event if that is long. The seeds that are
    /// due meanwhile are recorded, as the blocks that aren't simulated would do.
    pub(crate) async fn wait_until(&mut self, time: Timestamp, until: &str) -> Result<()> {
        let (from, first) = (self.driver.now(), self.driver.block());
        let seeds = self.record_seeds_until(time).await?;
        self.pass_until(time).await?;
        let seconds = self.driver.now().since(from).unwrap_or_default();
        let blocks = self.driver.block().steps_since(first).unwrap_or_default() - seeds;
        // Shorter times pass between most events anyway.
        if seconds.get() > 60 {
            let until = until.to_owned();
            self.record_event(
                Who::Time,
                TimelineEvent::Quiet { seconds, blocks, seeds, until },
                None,
            );
        }
        Ok(())
    }

    /// Records the seeds of all rollups that are due before the next block is at `time`: in the second slot of
    /// each epoch, unless a block has recorded them. Returns their number.
    async fn record_seeds_until(&mut self, time: Timestamp) -> Result<u64> {
        let mut recorded = 0;
        while let Some((index, epoch, due)) = self.next_seed()?.filter(|(.., due)| *due < time) {
            self.pass_until(due).await?;
            let call = calls::setup_epoch(self.set.rollups[index].address);
            let confirmed =
                self.send(RECORDING, |participants| &mut participants.anyone, call).await?;
            recorded += 1;
            self.break_silence(index, epoch, confirmed.gas_used)?;
        }
        Ok(recorded)
    }

    /// Ends a silence of the canonical rollup by recording its seed.
    fn break_silence(&mut self, rollup: usize, epoch: Epoch, gas: u64) -> Result<()> {
        if rollup == self.set.canonical()? && self.signaling.silent_until.take().is_some() {
            let event =
                TimelineEvent::SeedRecorded { rollup: self.set.rollups[rollup].label, epoch };
            self.record_event(Who::Anyone, event, Some(Spent { transactions: 1, gas }));
        }
        Ok(())
    }

    /// The rollup whose next seed is due first: its index, the epoch that the seed draws, and the first
    /// second in which it can be recorded.
    fn next_seed(&self) -> Result<Option<(usize, Epoch, Timestamp)>> {
        let (next, canonical) = (self.driver.next_time(), self.set.canonical()?);
        let silent_until = self.signaling.silent_until.unwrap_or_default();
        let due = |(index, rollup): (usize, &DeployedRollup)| {
            let from = if index == canonical { next.max(silent_until) } else { next };
            // Seeds of rollups that don't belong to the set aren't recorded.
            let (epoch, due) = self.state().rollup(rollup.address)?.next_seed(from)?;
            Some((index, epoch, due))
        };
        let rollups = self.set.rollups.iter().enumerate();
        Ok(rollups.filter_map(due).min_by_key(|(.., due)| *due))
    }

    /// Records a refusal in the timeline and on the track of its proposal.
    pub(crate) fn refused(
        &mut self,
        track: usize,
        who: Who,
        tried: String,
        refusal: ObservedRefusal,
    ) {
        let names = &mut self.tracks[track].refusals;
        if !names.contains(&refusal.name) {
            names.push(refusal.name.clone());
        }
        self.record_attempt(who, TimelineEvent::Refused { tried, refusal });
    }

    /// The index of the track of a proposal of Governance.
    pub(crate) fn track_of(&self, id: ProposalId) -> Result<usize> {
        let proposal = self.state().governance().proposal(id.to_word()).ok();
        let payload = proposal.map(|(_, proposal)| proposal.payload());
        let position = self.tracks.iter().position(|track| Some(track.payload) == payload);
        position.ok_or_else(|| Error::Unexpected(format!("nobody made proposal {id}")))
    }

    /// The proposal of a track, which must have become one by now.
    pub(crate) fn proposal(&self, track: usize) -> Result<(ProposalId, &Proposal)> {
        let track = &self.tracks[track];
        let known = track.id(self.state()).and_then(|id| {
            let (id, proposal) = self.state().governance().proposal(id.to_word()).ok()?;
            Some((id, proposal))
        });
        known.ok_or_else(|| Error::Unexpected(format!("{} isn't a proposal yet", track.plan.azip)))
    }

    /// The end of a proposal of the scenario; `None` if it isn't over.
    pub(crate) fn end(&self, track: &ProposalTrack) -> Option<End> {
        let (state, now) = (self.state(), self.driver.now());
        let Some(id) = track.id(state) else { return self.end_of_signaling(track) };
        match state.governance().state_of(id, now)? {
            ProposalState::Executed => Some(End::Executed),
            ProposalState::Rejected => Some(End::Rejected),
            ProposalState::Expired => Some(End::Expired),
            ProposalState::Dropped => Some(End::Dropped),
            ProposalState::Pending
            | ProposalState::Active
            | ProposalState::Queued
            | ProposalState::Executable => None,
        }
    }

    /// The end of the signaling for a payload that never became a proposal; `None` if it isn't over.
    fn end_of_signaling(&self, track: &ProposalTrack) -> Option<End> {
        let state = self.state();
        let Some(won) = state.round_won_by(track.payload) else {
            let is_given_up = track.rounds_tried >= self.scenario.signaling.patience;
            return is_given_up.then_some(End::NoQuorum);
        };
        let window = state.push_window(&won, self.driver.now());
        (window == Some(PushWindow::Expired)).then_some(End::RoundExpired)
    }

    /// Makes the sequencers stop signaling for a proposal that is over. Otherwise their clients would signal
    /// again for a payload whose proposal was rejected, expired or dropped.
    pub(crate) fn end_campaign(&mut self, track: usize) {
        if self.signaling.campaign == Some(track) {
            self.signaling.campaign = None;
            for sequencer in &mut self.participants.sequencers {
                sequencer.agent.role.plan = None;
            }
        }
    }

    /// Records the end of a proposal, which must be over by now.
    pub(crate) fn over(&mut self, track: usize) -> Result<()> {
        self.end_campaign(track);
        let azip = self.tracks[track].plan.azip.clone();
        let end = self.end(&self.tracks[track]);
        let end = end.ok_or_else(|| Error::Unexpected(format!("{azip} isn't over yet")))?;
        self.record_event(Who::Time, TimelineEvent::Over { azip, end }, None);
        Ok(())
    }

    /// The power of a holder now.
    pub(crate) fn power(&self, holder: usize) -> Amount {
        self.state().governance().power(self.participants.holders[holder].agent.address())
    }

    /// The power of a holder at the end of a past second.
    pub(crate) fn power_at(&self, holder: usize, time: Timestamp) -> Amount {
        let holder = self.participants.holders[holder].agent.address();
        let power = self.state().governance().power_at(holder, time, self.driver.now());
        power.unwrap_or_default()
    }
}

impl fmt::Debug for UpgradeRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeRun").field("driver", &self.driver).finish_non_exhaustive()
    }
}

/// The sum of amounts that are parts of one supply.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| {
        sum.checked_add(amount).expect("amounts of one supply add up to less than 2^96")
    })
}

/// The reason of a lost vote; `None` if it wasn't lost.
pub(crate) const fn rejection(result: Tabulation, tally: Tally) -> Option<Reason> {
    match result {
        Tabulation::Accepted => None,
        Tabulation::TooLittlePower { .. } => Some(Reason::MinimumVotes),
        Tabulation::QuorumMissed { .. } => Some(Reason::Turnout),
        Tabulation::Outvoted { .. } if tally.yea.get() == tally.nea.get() => Some(Reason::Tie),
        Tabulation::Outvoted { .. } => Some(Reason::Against),
    }
}
