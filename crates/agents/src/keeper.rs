//! A keeper. It does what anyone may do: it pushes, executes, drops, records seeds and pays out.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_views::{Duty, IntentId, IntentProgress, PayOut, Question, SetView};
use std::collections::BTreeSet;

/// A keeper, which takes the steps that anyone may take: see [`canon_views::keeper`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    /// Whether it also pays out amounts that are due to others. It knows of all of them if the views have
    /// the history.
    pub pay_out: PayOut,
    /// The rollups whose seeds it records, in addition to the canonical one.
    pub rollups: BTreeSet<Address>,
}

impl AgentRole for Keeper {
    type Status = ();

    fn required_account(&self) -> Option<Address> {
        None
    }

    fn extend(&self, question: &mut Question) {
        for rollup in &self.rollups {
            question.rollups.entry(*rollup).or_default();
        }
    }

    fn duty(&self, view: &SetView, _: &dyn Fn(&IntentId) -> IntentProgress) -> Duty<()> {
        Duty { status: (), intents: canon_views::keeper(view, self.pay_out) }
    }
}
