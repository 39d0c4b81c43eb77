//! A mover: it moves a stake to the next rollup.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_views::{Duty, IntentId, IntentProgress, MovePhase, MovePlan, Question, SetView};

/// The withdrawer of an attester whose stake moves: see [`canon_views::mover`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mover {
    /// The stake and its target. The withdrawer must be the key's address.
    pub plan: MovePlan,
}

impl AgentRole for Mover {
    type Status = MovePhase;

    fn required_account(&self) -> Option<Address> {
        Some(self.plan.withdrawer)
    }

    fn extend(&self, question: &mut Question) {
        question.add_move(&self.plan);
    }

    fn duty(&self, view: &SetView, _: &dyn Fn(&IntentId) -> IntentProgress) -> Duty<MovePhase> {
        canon_views::mover(&view.present, &self.plan)
    }
}
