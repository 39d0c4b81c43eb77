//! The rounds of one rollup.

use alloy_primitives::Address;
use canon_protocol::{PushCandidate, PushWindow, Round, RoundRules, SlotClock};
use canon_views::{SetView, SignalingView};

/// The rounds of the canonical rollup, or of one that was canonical before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollupRounds<'a> {
    /// The set as it is at the block.
    pub(super) view: &'a SetView,
    /// The rollup to which the slots belong.
    pub(super) rollup: Address,
    /// The contract that counted its signals.
    pub(super) proposals: Address,
    pub(super) rules: RoundRules,
    /// The rollup's slots; `None` if they aren't known.
    pub(super) clock: Option<&'a SlotClock>,
    /// The running round, and those that aren't too old to be pushed; `None` if the rollup isn't canonical any more.
    /// Then no round is running, and all are too old.
    pub(super) running: Option<&'a SignalingView>,
}

impl<'a> RollupRounds<'a> {
    /// The rounds of the canonical rollup.
    pub(crate) fn canonical(view: &'a SetView, signaling: &'a SignalingView) -> Self {
        let present = &view.present;
        Self {
            view,
            rollup: present.addresses.rollup,
            proposals: present.addresses.proposals,
            rules: signaling.rules,
            clock: present.canonical_clock(),
            running: Some(signaling),
        }
    }

    /// Whether a round is over, and whether it isn't too old to be pushed.
    pub(super) fn push_window(&self, round: Round) -> PushWindow {
        self.running.map_or(PushWindow::Expired, |signaling| {
            self.rules.push_window(round, signaling.status.round)
        })
    }

    /// The round, if it had signals, wasn't pushed and isn't too old.
    pub(super) fn candidate(&self, round: Round) -> Option<&'a PushCandidate> {
        self.running?.rounds.iter().find(|candidate| candidate.round == round)
    }
}
