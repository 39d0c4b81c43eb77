//! The payload of a signal and the slots of its proposer, at the newest block.

use alloy_primitives::{Address, B256};
use canon_follow::OpenedSet;
use canon_protocol::{
    AttesterStatus, CodeKind, Member, Slot, Timestamp, actions_hash,
    text::{Time, grouped},
};
use canon_views::{
    BlockDuty, HopelessRule, PayloadStatus, PayloadView, Present, Question, RollupView, SeedStatus,
    SequencerIdentity, SetAddresses, SetView, SignalDecision, SignalPlan, SignalingView,
    StatusRule, sequencer,
};
use eyre::eyre;

use super::{ExpectedSignal, ShownSignal, WantedSignal, wait::missed};
use crate::{
    answer,
    chain::Chain,
    commands::{proposal::in_words_or_data, stake::draws_later},
    exit::Failure,
    page::{lasts, until},
};

const SEE_AGAIN: &str = "run it again to see what it is now";
const SEE_STATUS: &str = "`canon status` shows where signals stand";
pub(super) const SEE_STAKES: &str = "`canon stake status` shows attesters and their proposers";

/// A payload at the newest block.
#[derive(Debug)]
pub(super) struct SignalSubject {
    pub(super) view: SetView,
    pub(super) payload: Address,
    seen: PayloadView,
    actions_hash: B256,
    /// The actions that the payload lists, in words.
    actions: Vec<String>,
}

impl SignalSubject {
    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// If there is no contract at the address, or it lists no actions, others than expected, or one that can never
    /// be executed.
    pub(super) async fn read(chain: &Chain, wanted: &WantedSignal) -> Result<Self, Failure> {
        let payload = wanted.payload;
        let question = Question { payloads: [payload].into(), ..Question::default() };
        let OpenedSet { view, .. } = chain.history(question).await?;
        let seen = answer::payload(&view.present, payload)?;
        if seen.code.kind != CodeKind::Contract {
            let report = eyre!("there is no contract at the payload {payload}");
            return Err(Failure::refused(report, "check the payload's address"));
        }
        let actions = chain
            .payload_actions(view.present.block.hash, view.present.addresses.governance, payload)
            .await?;
        let found = actions_hash(&actions);
        require(wanted.expected, &shown_signal(&view.present, found))?;
        let actions = in_words_or_data(chain, &view, &actions).await?;
        if wanted.status == StatusRule::Respect {
            actions.require_possible(
                "don't signal for it: `canon payload upgrade` deploys a payload for a new rollup",
            )?;
        }
        Ok(Self { view, payload, seen, actions_hash: found, actions: actions.lines })
    }

    pub(super) const fn present(&self) -> &Present {
        &self.view.present
    }

    /// What is wanted from now on, after the user was shown this signal.
    pub(super) const fn bound(&self, wanted: &WantedSignal) -> WantedSignal {
        let expected = ExpectedSignal::Shown(shown_signal(self.present(), self.actions_hash));
        WantedSignal { expected, ..*wanted }
    }

    /// The canonical rollup, and the state of signaling.
    ///
    /// # Errors
    ///
    /// If either doesn't answer.
    pub(super) fn signaling(&self) -> Result<(&RollupView, &SignalingView), Failure> {
        signaling(self.present())
    }

    /// Decides whether `proposer` can signal in the next block.
    pub(super) fn decide(&self, wanted: &WantedSignal, proposer: Address) -> SignalDecision {
        let present = self.present();
        let rollup = present.addresses.rollup;
        let identity = SequencerIdentity { proposer, rollup, blocks: BlockDuty::Skip };
        let plan = SignalPlan {
            status: wanted.status,
            hopeless: HopelessRule::Signal,
            ..SignalPlan::new(self.payload, self.seen.code.hash, self.actions_hash)
        };
        sequencer(present, &identity, Some(&plan)).status
    }

    /// Refuses a signal unless the decision is to signal in the next block.
    ///
    /// # Errors
    ///
    /// If it isn't, or the answer lacks the slot.
    pub(super) fn require(
        &self,
        decision: SignalDecision,
        proposer: Address,
    ) -> Result<(), Failure> {
        let payload = self.payload;
        Err(match decision {
            SignalDecision::Signal => return Ok(()),
            SignalDecision::OtherSlot | SignalDecision::SlotUsed => {
                let report = self.whose_slot(decision, proposer)?;
                match self.next_slot_of(proposer) {
                    NextSlot::At { .. } => Failure::nothing_to_do(
                        report,
                        "with --wait, the command waits for that slot",
                    ),
                    NextSlot::NotDrawn => Failure::nothing_to_do(
                        report,
                        "run it again after the next draw: `canon stake status` shows from when on",
                    ),
                    NextSlot::NoAttester => Failure::refused(report, SEE_STAKES),
                    NextSlot::Unknown => {
                        Failure::nothing_to_do(report, "use an endpoint that has the set's logs")
                    }
                }
            }
            SignalDecision::Status(status) => {
                let report = eyre!("a signal for {payload} can't help: {}", why(status));
                Failure::refused(report, advice(status))
            }
            SignalDecision::NoPayload
            | SignalDecision::NotCanonical
            | SignalDecision::Unknown
            | SignalDecision::CodeChanged { .. }
            | SignalDecision::ActionsChanged { .. }
            | SignalDecision::ActionsUnread
            | SignalDecision::TooEarly { .. }
            | SignalDecision::Hopeless => {
                let report = eyre!("{payload} can't be signaled for: {}", obstacle(decision));
                Failure::refused(report, SEE_STATUS)
            }
        })
    }

    /// The owner of the current slot, and the start of the proposer's next slot.
    fn whose_slot(
        &self,
        decision: SignalDecision,
        proposer: Address,
    ) -> Result<eyre::Report, Failure> {
        let present = self.present();
        let (rollup, _) = self.signaling()?;
        let slot = answer::slot(rollup)?;
        let now = match (decision, rollup.proposer) {
            (SignalDecision::SlotUsed, _) => format!("slot {slot} has its signal"),
            (_, Some(other)) => format!("slot {slot} is {other}'s"),
            (_, None) => without_proposer(rollup, slot) + &recordable_seed(rollup),
        };
        let later = match self.next_slot_of(proposer) {
            NextSlot::At { slot, start } => {
                let left = until(present.block.timestamp, start);
                eyre!("the next slot of {proposer} is {slot}, at {} ({left})", Time(start))
            }
            NextSlot::NotDrawn if rollup.next_set_size == Some(0) => {
                let from = draws_later(&rollup.clock, present.block.timestamp);
                let from = from.map(|(epoch, start)| {
                    let left = until(present.block.timestamp, start);
                    format!(
                        ": who is staked now can be drawn from epoch {epoch} on, {} ({left})",
                        Time(start)
                    )
                });
                eyre!("the set of the next epoch is empty, too{}", from.unwrap_or_default())
            }
            NextSlot::NotDrawn => eyre!(
                "{proposer} has no slot in the epochs that are drawn: this one, and the next one once its seed is \
                 recorded"
            ),
            // No later slot is as good.
            NextSlot::NoAttester => {
                let report =
                    eyre!("{proposer} is the proposer of no attester of the canonical rollup");
                return Ok(report.wrap_err(now));
            }
            NextSlot::Unknown => {
                eyre!("whose the later slots are isn't known without the set's history")
            }
        };
        Ok(later.wrap_err(missed(now)))
    }

    /// The proposer's next drawn slot in which a signal is possible.
    pub(super) fn next_slot_of(&self, proposer: Address) -> NextSlot {
        let present = self.present();
        let rollup = self.view.history.as_ref();
        let rollup = rollup.and_then(|history| history.rollup(present.addresses.rollup));
        let (Some(rollup), Some(signaling)) = (rollup, &present.signaling) else {
            return NextSlot::Unknown;
        };
        let (now, clock) = (present.block.timestamp, rollup.clock());
        let Some(epoch) = clock.epoch_at(now) else { return NextSlot::NotDrawn };
        let first = clock.slot_at(present.next).unwrap_or_default();
        let slots = [epoch, epoch.next()]
            .into_iter()
            .filter_map(|epoch| rollup.slots_of(proposer, epoch, now).ok());
        let mut slots =
            slots.flatten().filter(|slot| *slot >= first && signaling.status.is_free(*slot));
        if let Some((slot, start)) = slots.find_map(|slot| Some((slot, clock.slot_start(slot)?))) {
            return NextSlot::At { slot, start };
        }
        let is_proposer = |member: &Member| {
            member.proposer() == proposer && member.status() == AttesterStatus::Validating
        };
        match rollup.registrations().iter().any(is_proposer) {
            true => NextSlot::NotDrawn,
            false => NextSlot::NoAttester,
        }
    }

    /// The description of the signal, which must be the same when it is shown and when it is sent
    /// or signed.
    pub(super) fn words(&self, slot: Slot) -> Result<Vec<String>, Failure> {
        let (_, signaling) = self.signaling()?;
        let round = signaling.rules.round_of(slot);
        let addresses = &self.present().addresses;
        let mut words = vec![
            format!("Signal for a payload in slot {slot} of round {round}"),
            format!("payload    {}", self.payload),
            format!("rollup     {}", addresses.rollup),
            format!("Proposals  {}", addresses.proposals),
            "actions that it lists, with hash".to_owned(),
            format!("{}:", self.actions_hash),
        ];
        words.extend(self.actions.iter().map(|action| format!("  {action}")));
        Ok(words)
    }

    /// The number of signals that the payload has, and the last second of the slot.
    pub(super) fn details(&self, slot: Slot) -> Vec<String> {
        let Ok((rollup, signaling)) = self.signaling() else { return Vec::new() };
        let round = signaling.rules.round_of(slot);
        let counted = if self.seen.round == Some(round) { self.seen.signals } else { 0 };
        let mut details = vec![format!(
            "it has {} of the {} signals that win",
            grouped(counted),
            grouped(signaling.rules.n())
        )];
        if !signaling.rules.can_win(counted, round, slot) {
            details.push("warning: it can't win this round any more".to_owned());
        }
        if let Some(last) = rollup.clock.slot_end(slot) {
            details.push(format!("the slot lasts {}", lasts(self.present().block.timestamp, last)));
        }
        details
    }
}

const fn shown_signal(present: &Present, actions_hash: B256) -> ShownSignal {
    let SetAddresses { rollup, proposals, .. } = present.addresses;
    ShownSignal { actions_hash, rollup, proposals }
}

/// Refuses a signal other than the expected one.
fn require(expected: ExpectedSignal, found: &ShownSignal) -> Result<(), Failure> {
    let ShownSignal { actions_hash: hash, rollup, proposals } = *found;
    let (report, next) = match expected {
        ExpectedSignal::Typed(expected) if expected != hash => (
            eyre!(
                "--actions-hash: expected {expected}, found {hash}: the payload lists other actions"
            ),
            "check the payload's address",
        ),
        ExpectedSignal::Shown(shown) if shown.actions_hash != hash => (
            eyre!(
                "the payload lists other actions than were shown: expected the hash {}, found {hash}",
                shown.actions_hash
            ),
            SEE_AGAIN,
        ),
        ExpectedSignal::Shown(shown) if shown != *found => (
            eyre!(
                "expected rollup {} and Proposals {}, which were shown, found {rollup} and {proposals}",
                shown.rollup,
                shown.proposals
            ),
            SEE_AGAIN,
        ),
        ExpectedSignal::Any | ExpectedSignal::Typed(_) | ExpectedSignal::Shown(_) => return Ok(()),
    };
    Err(Failure::refused(report, next))
}

/// The reason why the slot of the next block has no proposer.
pub(super) fn without_proposer(rollup: &RollupView, slot: Slot) -> String {
    let reason = match rollup.set_size {
        Some(0) => "the set of its epoch is empty",
        Some(_) => "its epoch has no seed",
        None => "its epoch has no seed, or its set is empty",
    };
    format!("slot {slot} has no proposer: {reason}")
}

/// How the seed of the next epoch is recorded, if that is possible and draws anybody; otherwise empty.
fn recordable_seed(rollup: &RollupView) -> String {
    let SeedStatus::Missing(epoch) = rollup.seed else { return String::new() };
    match rollup.clock.epoch_start(epoch) {
        Some(start) if rollup.next_set_size != Some(0) => {
            let before = Time(start);
            format!("; `canon setup-epoch` records that of epoch {epoch}, before {before}")
        }
        _ => String::new(),
    }
}

/// The next slot of a proposer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextSlot {
    /// This slot was drawn.
    At { slot: Slot, start: Timestamp },
    /// The proposer has no slot in the epochs that are drawn.
    NotDrawn,
    /// The account is the proposer of no attester, and has no slot either.
    NoAttester,
    /// The draw isn't known without the history.
    Unknown,
}

/// The canonical rollup, and the state of signaling.
///
/// # Errors
///
/// If either doesn't answer.
pub(super) fn signaling(present: &Present) -> Result<(&RollupView, &SignalingView), Failure> {
    let rollup = present.addresses.rollup;
    present.canonical_rollup().zip(present.signaling.as_ref()).ok_or_else(|| {
        let report = eyre!("the canonical rollup {rollup} or Proposals doesn't answer");
        Failure::refused(report, SEE_STATUS)
    })
}

/// The obstacle to a signal that neither waiting nor a flag removes.
const fn obstacle(decision: SignalDecision) -> &'static str {
    match decision {
        SignalDecision::NoPayload => "no payload is set",
        SignalDecision::NotCanonical => "the rollup isn't canonical",
        SignalDecision::Unknown => "the canonical rollup or Proposals doesn't answer",
        SignalDecision::CodeChanged { .. } => "its code is another than the one that was checked",
        SignalDecision::ActionsChanged { .. } => "it lists other actions than those checked",
        SignalDecision::ActionsUnread => "its actions can't be read",
        SignalDecision::TooEarly { .. } => "the rollup hasn't reached the agreed block",
        SignalDecision::Hopeless => "it can't win this round any more",
        SignalDecision::Signal
        | SignalDecision::SlotUsed
        | SignalDecision::OtherSlot
        | SignalDecision::Status(_) => "it is another proposer's turn",
    }
}

/// The next step if a signal for a payload with this status can't help.
const fn advice(status: PayloadStatus) -> &'static str {
    match status {
        PayloadStatus::QuorumReached { .. } => {
            "no more signals are needed: `canon push` makes it a proposal once the round is over"
        }
        _ => "add --force to signal all the same",
    }
}

/// The reason why a signal for a payload with this status can't help.
fn why(status: PayloadStatus) -> String {
    match status {
        PayloadStatus::QuorumReached { round } => format!("it has won round {round}"),
        PayloadStatus::Live { id, state } => format!("its proposal {id} is {state}"),
        PayloadStatus::Executed { id } => format!("its proposal {id} was executed"),
        PayloadStatus::Rejected { id } => format!("its proposal {id} was rejected"),
        PayloadStatus::Expired { id } => format!("its proposal {id} expired"),
        PayloadStatus::Dropped { id } => format!("its proposal {id} was dropped"),
        PayloadStatus::None | PayloadStatus::Signaling { .. } => "no round was won".to_owned(),
    }
}
