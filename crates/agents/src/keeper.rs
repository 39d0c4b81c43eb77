//! A keeper. It does what anyone may do: it pushes, executes, drops, records seeds and pays out.

mod price;
mod turns;

pub use price::PriceLimit;
pub use turns::Turns;

use crate::agent::{AgentRole, Deadline, Part};
use alloy_primitives::Address;
use canon_views::{
    Duty, Intent, IntentId, IntentProgress, PayOut, Question, SetView, Window, payload_of, windows,
};
use std::collections::BTreeSet;

/// A keeper, which takes the steps that anyone may take: see [`canon_views::keeper`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeper {
    /// Whether it also pays out amounts that are due to others. It knows of all of them if the views have
    /// the history.
    pub pay_out: PayOut,
    /// The rollups whose seeds it records, in addition to the canonical one.
    pub rollups: BTreeSet<Address>,
    /// The payloads that it pushes, and whose proposals it executes and drops; `None` for all. Seeds and payments don't
    /// depend on it.
    pub payloads: Option<BTreeSet<Address>>,
    /// The highest price that it pays; `None` for the cap of the sender's policy.
    pub price_limit: Option<PriceLimit>,
    /// The keepers with which it takes turns.
    pub turns: Turns,
}

impl Keeper {
    /// Whether an intent is about a payload that isn't among its own.
    pub fn leaves_out(&self, view: &SetView, intent: &Intent) -> bool {
        let payload = payload_of(&view.present, intent);
        self.payloads.as_ref().zip(payload).is_some_and(|(own, payload)| !own.contains(&payload))
    }
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
        let mut intents = canon_views::keeper(view, self.pay_out);
        intents.retain(|intent| !self.leaves_out(view, intent));
        Duty { status: (), intents }
    }

    fn deadlines(&self, view: &SetView) -> Vec<Deadline> {
        let deadline = |window: Window| {
            let part = match self.leaves_out(view, &window.intent) {
                true => Part::LeftOut,
                false => Part::Own,
            };
            Deadline { window, part }
        };
        windows(view).into_iter().map(deadline).collect()
    }

    fn may_begin(&self, account: Address, view: &SetView, intent: &Intent) -> bool {
        let left = intent.until.map(|until| until.since(view.present.next).unwrap_or_default());
        self.turns.is_turn_of(account, view.present.block.number, left)
    }

    fn price_limit(&self, view: &SetView, intent: &Intent) -> Option<u128> {
        let limit = self.price_limit?;
        let window = windows(view).into_iter().find(|one| one.intent.id() == intent.id());
        Some(limit.at(window.as_ref(), view.present.next))
    }
}
