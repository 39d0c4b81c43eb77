//! The calendar: changes that happen just by time passing.

use crate::present::{KnownStake, Present, SetView};
use alloy_primitives::Address;
use canon_protocol::{Epoch, Payment, ProposalId, Round, Seconds, Timestamp, WithdrawalId, text};
use serde::{Deserialize, Serialize};

/// A future change, if nothing else happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CalendarEntry {
    /// The first second after the change.
    pub time: Timestamp,
    /// The change.
    pub event: CalendarEvent,
}

/// A change that happens just by time passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarEvent {
    /// Ballots are taken on a proposal.
    VotingStarts {
        /// The proposal.
        id: ProposalId,
    },
    /// From now on only ballots against it are taken if it is accepted; otherwise it is rejected.
    VotingEnds {
        /// The proposal.
        id: ProposalId,
    },
    /// No more ballots are taken on a proposal that was accepted until then: its result is final.
    ObjectionsEnd {
        /// The proposal.
        id: ProposalId,
    },
    /// Anyone may execute a proposal, if it was accepted.
    Executable {
        /// The proposal.
        id: ProposalId,
    },
    /// A proposal that was accepted can't be executed any more.
    Expires {
        /// The proposal.
        id: ProposalId,
    },
    /// A round of the canonical rollup is over. Its winner, if there is one, can be pushed.
    RoundEnds {
        /// The round.
        round: Round,
    },
    /// The winner of a round can't be pushed any more.
    PushExpires {
        /// The round.
        round: Round,
    },
    /// An epoch of a rollup begins.
    EpochStarts {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch.
        epoch: Epoch,
    },
    /// The first epoch of a rollup begins whose slots can have proposers. Its set is empty until then.
    DrawsStart {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch.
        epoch: Epoch,
    },
    /// The seed of an epoch can be recorded.
    SeedRecordable {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The epoch that the seed is for.
        epoch: Epoch,
    },
    /// A withdrawal can be paid.
    WithdrawalUnlocks {
        /// The withdrawal.
        id: WithdrawalId,
    },
    /// The stake of an exiting attester can be paid.
    ExitUnlocks {
        /// The rollup.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// The stake of an attester can move, if the target is canonical then.
    MoveReady {
        /// The rollup that it leaves.
        #[serde(with = "text::address")]
        rollup: Address,
        /// The attester.
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// Withdrawals aren't delayed by replaced configurations any more.
    ExitFloorEnds,
}

/// All changes after the block that happen just by time passing, earliest first. A proposal has all its dates as
/// long as it may still be executed: those after its vote count only if it is accepted. Withdrawals, exits and
/// moves are all that exist if the history is known, otherwise those that the view was asked for.
pub fn calendar(view: &SetView) -> Vec<CalendarEntry> {
    let present = &view.present;
    let mut entries = proposals(present);
    entries.extend(rounds(present));
    entries.extend(epochs(present));
    entries.extend(payments(view));
    entries.push((after(present.governance.exit_floor.until), CalendarEvent::ExitFloorEnds));
    let to_come = entries.into_iter().filter(|(time, _)| *time > present.block.timestamp);
    let mut entries: Vec<_> = to_come.map(|(time, event)| CalendarEntry { time, event }).collect();
    entries.sort_unstable();
    entries
}

/// The second after `time`.
fn after(time: Timestamp) -> Timestamp {
    time + Seconds::SECOND
}

/// All dates of the proposals that may still be executed. Until a vote ends, nobody knows its result.
fn proposals(view: &Present) -> Vec<(Timestamp, CalendarEvent)> {
    let now = view.block.timestamp;
    let open = view.governance.proposals.iter().filter(|proposal| proposal.state_at(now).is_live());
    let dates = open.flat_map(|proposal| {
        let (id, dates) = (proposal.id, proposal.dates());
        [
            (dates.voting_starts, CalendarEvent::VotingStarts { id }),
            (dates.voting_ends, CalendarEvent::VotingEnds { id }),
            (dates.objections_end, CalendarEvent::ObjectionsEnd { id }),
            (dates.executable, CalendarEvent::Executable { id }),
            (dates.expires, CalendarEvent::Expires { id }),
        ]
    });
    dates.collect()
}

fn rounds(view: &Present) -> Vec<(Timestamp, CalendarEvent)> {
    let (Some(signaling), Some(clock)) = (&view.signaling, view.canonical_clock()) else {
        return Vec::new();
    };
    let round = signaling.status.round;
    let next = clock.slot_start(signaling.rules.first_slot(round.next()));
    let mut entries = Vec::from_iter(next.map(|time| (time, CalendarEvent::RoundEnds { round })));
    for pushable in view.pushable_at(view.block.timestamp) {
        let round = pushable.round;
        let until = pushable.until;
        entries.extend(until.map(|until| (after(until), CalendarEvent::PushExpires { round })));
    }
    entries
}

/// The start of the next epoch of each rollup, which before genesis is the first, the start of its draws, and its next
/// chance to record a seed that can draw somebody.
fn epochs(view: &Present) -> impl Iterator<Item = (Timestamp, CalendarEvent)> {
    view.rollups.iter().flat_map(|(rollup, seen)| {
        let (rollup, clock) = (*rollup, seen.clock);
        let current = clock.epoch_at(view.block.timestamp);
        let epoch = current.map_or(Epoch::ZERO, Epoch::next);
        let start = clock.epoch_start(epoch);
        let start = start.map(|time| (time, CalendarEvent::EpochStarts { rollup, epoch }));
        let first = seen.first_draw();
        let draws = first.and_then(|epoch| {
            Some((clock.epoch_start(epoch)?, CalendarEvent::DrawsStart { rollup, epoch }))
        });
        // In each epoch, the seed of the next one can be recorded from the second slot on.
        let recording = current.unwrap_or(Epoch::ZERO);
        let mut seeds = [recording, recording.next()].into_iter().filter_map(move |recording| {
            let (time, epoch) = (clock.seed_recording_start(recording)?, recording.next());
            let draws = first.is_none_or(|first| epoch >= first);
            draws.then_some((time, CalendarEvent::SeedRecordable { rollup, epoch }))
        });
        let seed = seeds.find(|(time, _)| *time > view.block.timestamp);
        start.into_iter().chain(draws).chain(seed)
    })
}

fn payments(view: &SetView) -> impl Iterator<Item = (Timestamp, CalendarEvent)> {
    let unpaid = view.withdrawals().filter(|one| one.view.payment == Payment::Due);
    let withdrawals =
        unpaid.map(|one| (one.view.unlocks_at, CalendarEvent::WithdrawalUnlocks { id: one.id }));
    let stakes = view.stakes().flat_map(|KnownStake { rollup, attester, view, .. }| {
        let exit = view.exit.map(|exit| exit.exitable_at);
        let exit = exit.map(|time| (time, CalendarEvent::ExitUnlocks { rollup, attester }));
        let ready = view.moving.map(|moving| moving.ready_at);
        let ready = ready.map(|time| (time, CalendarEvent::MoveReady { rollup, attester }));
        exit.into_iter().chain(ready)
    });
    withdrawals.chain(stakes)
}
