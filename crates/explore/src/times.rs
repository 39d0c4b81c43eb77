//! The seconds in which a step becomes possible or impossible.

use crate::{
    accounts::ROLLUPS,
    scope::{Kind, Scope},
    state::State,
};
use canon_protocol::{Payment, Seconds, Timestamp};

/// The next second after the present one in which the possible steps may change. Such seconds are the
/// last one of a proposal's state and of the ballots against it, and the one after each; the first one
/// in which a withdrawal can be paid, a move can be completed or a slot begins; and the last one in
/// which replaced configurations delay withdrawals, and the one after it.
pub(crate) fn next_time(scope: &Scope, state: &State) -> Option<Timestamp> {
    let mut next: Option<Timestamp> = None;
    let mut consider = |time: Timestamp| {
        if time > state.now && next.is_none_or(|known| time < known) {
            next = Some(time);
        }
    };
    for proposal in state.open_proposals() {
        let deadlines = proposal.deadlines();
        for last in [
            deadlines.pending,
            deadlines.active,
            deadlines.objections_until,
            deadlines.queued,
            deadlines.executable,
        ] {
            consider(last);
            consider(last + Seconds::SECOND);
        }
    }
    let governance = state.governance();
    for withdrawal in governance.withdrawals() {
        if withdrawal.payment == Payment::Due {
            consider(withdrawal.unlocks_at);
        }
    }
    if scope.allows(Kind::Withdraw) || scope.allows(Kind::Propose) {
        consider(governance.exit_floor().until);
        consider(governance.exit_floor().until + Seconds::SECOND);
    }
    if scope.has_slots() {
        for rollup in ROLLUPS.iter().filter_map(|rollup| state.set.rollup(*rollup)) {
            let clock = rollup.clock();
            let slot = clock.slot_at(state.now).map(canon_protocol::Slot::next);
            slot.and_then(|slot| clock.slot_start(slot)).into_iter().for_each(&mut consider);
            for member in rollup.registrations() {
                member.moving().into_iter().for_each(|moving| consider(moving.ready_at));
            }
        }
    }
    next
}
