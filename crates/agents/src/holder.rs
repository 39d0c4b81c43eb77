//! A holder: it locks, votes, withdraws, and collects payments.

use crate::agent::{AgentRole, Recheck};
use alloy_primitives::Address;
use canon_chain::Client;
use canon_protocol::ProposalId;
use canon_views::{
    Duty, IntendedAction, Intent, IntentId, IntentProgress, Order, OrderStatus, Question,
    RequestId, SetView, WaitsFor,
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

    /// Casts no ballot before the block in which its proposal was created is final. A ballot names the proposal
    /// by its number alone, and after a reorganization the number can be another proposal's.
    async fn recheck(
        &self,
        client: &Client,
        view: &SetView,
        duty: &mut Duty<Self::Status>,
        is_in_flight: &(dyn Fn(&IntentId) -> bool + Sync),
    ) -> Recheck {
        let is_new = |intent: &Intent| voted_on(intent).is_some() && !is_in_flight(&intent.id());
        if !duty.intents.iter().any(is_new) {
            return Recheck::NotMade;
        }
        let (until, recheck) = match client.final_block().await {
            Ok(block) => (block.map(|block| block.timestamp), Recheck::Passed),
            Err(error) => {
                (None, Recheck::Failed { contract: view.present.addresses.governance, error })
            }
        };
        let is_final = |id| {
            let proposal = view.present.proposal(id);
            proposal.zip(until).is_some_and(|(proposal, until)| proposal.creation <= until)
        };
        let waits =
            |intent: &Intent| voted_on(intent).filter(|id| is_new(intent) && !is_final(*id));
        for id in duty.intents.iter().filter_map(waits) {
            for (request, order) in &self.orders {
                let is_of_it = matches!(order, Order::Vote { id: voted, .. } if *voted == id);
                if let Some(status @ OrderStatus::Due) = duty.status.get_mut(request)
                    && is_of_it
                {
                    *status = OrderStatus::Waiting(WaitsFor::Finality);
                }
            }
        }
        duty.intents.retain(|intent| waits(intent).is_none());
        recheck
    }
}

/// The proposal on which an intent casts a ballot.
const fn voted_on(intent: &Intent) -> Option<ProposalId> {
    match intent.action {
        IntendedAction::Vote { id, .. } => Some(id),
        _ => None,
    }
}
