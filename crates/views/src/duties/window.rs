//! The windows of steps that anyone may take and that are no longer possible later.

use super::keeper::{endings, pushes};
use super::sequencer::record_seed;
use crate::{
    intent::{IntendedAction, Intent},
    present::{Present, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};

/// A step that anyone may take in the next block, and the time in which it is possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The step.
    pub intent: Intent,
    /// The first second in which it was possible.
    pub opens: Timestamp,
    /// The last second in which it is possible.
    pub closes: Timestamp,
}

impl Window {
    /// The time in which the step is possible.
    pub fn length(&self) -> Seconds {
        self.closes.since(self.opens).unwrap_or_default()
    }

    /// The time that is left in the block at `now`; nothing after the last second.
    pub fn left(&self, now: Timestamp) -> Seconds {
        self.closes.since(now).unwrap_or_default()
    }

    /// Whether the last part of the window has begun: the last `most`, but never more than its last quarter, since a
    /// short window would begin in it.
    pub fn is_closing(&self, now: Timestamp, most: Seconds) -> bool {
        self.left(now) <= most.min(Seconds::of(self.length().get() / 4))
    }
}

/// The windows that are open in the next block: of rounds that can be pushed, proposals that can be executed, and
/// seeds that can be recorded. Those whose first or last second isn't known are left out.
pub fn windows(view: &SetView) -> Vec<Window> {
    let present = &view.present;
    let seeds = present.rollups.iter().filter(|(_, rollup)| rollup.next_set_size != Some(0));
    let seeds = seeds.filter_map(|(address, rollup)| record_seed(present, *address, rollup));
    let intents = pushes(present).into_iter().chain(endings(view)).chain(seeds);
    let windows = intents.filter_map(|intent| {
        let (opens, closes) = (opens(present, &intent)?, intent.until?);
        Some(Window { intent, opens, closes })
    });
    windows.collect()
}

/// The first second in which an intent was possible.
fn opens(present: &Present, intent: &Intent) -> Option<Timestamp> {
    match &intent.action {
        IntendedAction::Push { rollup, round, .. } => {
            let (rules, clock) = (present.signaling.as_ref()?.rules, present.rollups.get(rollup)?);
            clock.clock.slot_start(rules.push_slots(*round).0)
        }
        IntendedAction::Execute { id, .. } => {
            Some(present.proposal(*id)?.deadlines().earliest_execution())
        }
        IntendedAction::RecordSeed { rollup, epoch } => {
            present.rollups.get(rollup)?.clock.seed_recording_start(epoch.previous()?)
        }
        _ => None,
    }
}

/// The payload that an intent is about: that of the round, or of the proposal. `None` if it is about none.
pub fn payload_of(present: &Present, intent: &Intent) -> Option<Address> {
    match &intent.action {
        IntendedAction::Push { payload, .. } => Some(*payload),
        IntendedAction::Execute { id, .. } | IntendedAction::Drop { id } => {
            Some(present.proposal(*id)?.payload)
        }
        _ => None,
    }
}
