//! Locks, votes, withdraws, claims.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_chain::IntentSender;
use canon_views::{Duty, IntentId, Order, OrderId, OrderStatus, Question, SetId, SetView};
use std::collections::BTreeMap;

/// Somebody with tokens, and what it wants: see [`canon_views::holder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The key's address.
    pub holder: Address,
    /// Its orders. A number is never used twice.
    pub orders: BTreeMap<OrderId, Order>,
}

impl Holder {
    /// A holder that wants nothing yet but to be paid what is due to it.
    pub const fn new(holder: Address) -> Self {
        Self { holder, orders: BTreeMap::new() }
    }

    /// Adds an order under the next number.
    pub fn add(&mut self, order: Order) -> OrderId {
        let last = self.orders.last_key_value().map(|(number, _)| number.0);
        let number = OrderId(last.map_or(0, |last| last + 1));
        self.orders.insert(number, order);
        number
    }
}

impl AgentRole for Holder {
    type Status = BTreeMap<OrderId, OrderStatus>;

    fn required_account(&self) -> Option<Address> {
        Some(self.holder)
    }

    fn ask(&self, question: &mut Question) {
        question.add_holder(self.holder, &self.orders);
    }

    fn duty(&self, view: &SetView, sender: &IntentSender) -> Duty<Self::Status> {
        let present = &view.present;
        let (chain_id, governance) = (present.chain_id, present.addresses.governance);
        let set = SetId { chain_id, governance };
        let id = |order: &OrderId| {
            let subject = self.orders.get(order)?.subject(self.holder, *order)?;
            Some(IntentId { set, subject })
        };
        let mut open = self.orders.clone();
        open.retain(|order, _| !id(order).is_some_and(|id| sender.may_be_done(&id)));
        let mut duty = canon_views::holder(view, self.holder, &open);
        for order in self.orders.keys().filter(|order| !open.contains_key(order)) {
            let is_done = id(order).is_some_and(|id| sender.is_done(&id));
            let status = if is_done { OrderStatus::Done } else { OrderStatus::Unconfirmed };
            duty.status.insert(*order, status);
        }
        duty
    }
}
