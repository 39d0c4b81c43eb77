//! The times of steps: often the very second in which something changes.

use super::{Director, Rate};
use canon_protocol::{Deadlines, Payment, Seconds, SetState, Timestamp};

/// The number of newest entries that are considered. Older ones rarely change any more.
const RECENT: usize = 8;

/// Half the range of the times that Governance can store.
const LONG_AFTERWARDS: Seconds = Seconds::of(1 << 31);

impl Director {
    pub(super) fn wait(&mut self, set: &SetState, now: Timestamp) -> Seconds {
        let shared = self.rate == Rate::SharedBlocks;
        if self.rng.chance(1, 4000) {
            return LONG_AFTERWARDS;
        }
        let seconds = match self.rng.below(100) {
            0..20 if shared => 0,
            0..45 => self.rng.between(1, 12),
            45..84 => until_next_slot(set, now) + self.rng.below(4),
            84..98 => self.until_change(set, now),
            _ => self.rng.between(100, 600),
        };
        Seconds::of(seconds).max(self.min_wait())
    }

    /// The least time between two steps.
    pub(super) const fn min_wait(&self) -> Seconds {
        match self.rate {
            Rate::SharedBlocks => Seconds::ZERO,
            Rate::OneCallPerBlock => Seconds::SECOND,
        }
    }

    /// The seconds until one of the next changes, or one more.
    fn until_change(&mut self, set: &SetState, now: Timestamp) -> u64 {
        let mut changes = changes_after(set, now);
        changes.sort_unstable();
        changes.truncate(6);
        let Some(change) = self.rng.pick(&changes).copied() else { return 1 };
        change.since(now).unwrap_or_default().get() + self.rng.below(2)
    }
}

fn until_next_slot(set: &SetState, now: Timestamp) -> u64 {
    let next = set.canonical_rollup().and_then(|(_, rollup)| {
        let clock = rollup.clock();
        clock.slot_start(clock.slot_at(now)?.next())?.since(now)
    });
    next.map_or(1, Seconds::get)
}

/// The last seconds before changes, all after `now`.
fn changes_after(set: &SetState, now: Timestamp) -> Vec<Timestamp> {
    let governance = set.governance();
    let deadlines = governance.proposals().iter().rev().take(RECENT).flat_map(|proposal| {
        let deadlines = proposal.deadlines();
        let Deadlines { pending, active, objections_until, queued, executable } = deadlines;
        [pending, active, objections_until, queued, executable]
    });
    let withdrawals = governance.withdrawals().iter().rev().take(RECENT);
    let unlocks = withdrawals
        .filter(|withdrawal| withdrawal.payment == Payment::Due)
        .map(|withdrawal| before(withdrawal.unlocks_at));
    let members = set.rollups().flat_map(|(_, rollup)| rollup.registrations().iter());
    let exits = members.filter_map(|member| {
        let exit = member.exit().map(|exit| exit.exitable_at);
        exit.or_else(|| member.moving().map(|moving| moving.ready_at)).map(before)
    });
    let epochs = set.rollups().flat_map(|(_, rollup)| {
        let clock = rollup.clock();
        let present = clock.epoch_at(now);
        let next = present.and_then(|epoch| clock.epoch_start(epoch.next()));
        let recording = present.and_then(|epoch| clock.seed_recording_start(epoch));
        [next, recording].into_iter().flatten().map(before)
    });
    let floor = [governance.exit_floor().until];
    deadlines
        .chain(unlocks)
        .chain(exits)
        .chain(epochs)
        .chain(floor)
        .filter(|at| *at > now)
        .collect()
}

/// The second before `time`.
fn before(time: Timestamp) -> Timestamp {
    Timestamp::new(time.get().saturating_sub(1)).unwrap_or_default()
}
