//! Does what anyone may do: pushes, executes, drops, records seeds, pays out.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_chain::IntentSender;
use canon_views::{Duty, PayOut, Question, SetView};
use std::collections::BTreeSet;

/// Keeps proposals going: see [`canon_views::keeper`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    /// Whether it also pays out what others are due. It knows of all that is due if the views have the
    /// history.
    pub pay_out: PayOut,
    /// Rollups beside the canonical one whose seeds it records.
    pub rollups: BTreeSet<Address>,
}

impl AgentRole for Keeper {
    type Status = ();

    fn required_account(&self) -> Option<Address> {
        None
    }

    fn ask(&self, question: &mut Question) {
        for rollup in &self.rollups {
            question.rollups.entry(*rollup).or_default();
        }
    }

    fn duty(&self, view: &SetView, _: &IntentSender) -> Duty<()> {
        Duty { status: (), intents: canon_views::keeper(view, self.pay_out) }
    }
}
