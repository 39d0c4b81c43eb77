//! A holder: it locks, votes, withdraws, and collects payments.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_views::{
    Duty, IntentId, IntentProgress, Order, OrderStatus, Question, RequestId, SetView,
};
use std::collections::BTreeMap;

/// A holder of tokens and its orders: see [`canon_views::holder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The key's address.
    pub holder: Address,
    /// Its orders. Each number is used only once.
    pub orders: BTreeMap<RequestId, Order>,
}

impl Holder {
    /// A holder without orders, which only collects the payments that are due to it.
    pub const fn new(holder: Address) -> Self {
        Self { holder, orders: BTreeMap::new() }
    }

    /// Adds an order under the first number from `unused` on that is after those of all its orders. `unused` is
    /// the sender's [next number](canon_chain::IntentSender::next_request): its journal has the orders of
    /// earlier runs, and an order with the number of one that was carried out would count as done.
    pub fn add(&mut self, order: Order, unused: RequestId) -> RequestId {
        let last = self.orders.last_key_value();
        let number = last.map_or(unused, |(last, _)| last.next().max(unused));
        self.orders.insert(number, order);
        number
    }
}

impl AgentRole for Holder {
    type Status = BTreeMap<RequestId, OrderStatus>;

    fn required_account(&self) -> Option<Address> {
        Some(self.holder)
    }

    fn extend(&self, question: &mut Question) {
        question.add_holder(self.holder, &self.orders);
    }

    fn duty(
        &self,
        view: &SetView,
        progress: &dyn Fn(&IntentId) -> IntentProgress,
    ) -> Duty<Self::Status> {
        canon_views::holder(view, self.holder, &self.orders, progress)
    }
}
