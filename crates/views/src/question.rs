//! The accounts, payloads and withdrawals that a view covers.

use crate::duties::{MovePlan, Order, OrderId};
use alloy_primitives::Address;
use canon_protocol::{Payment, ProposalId, SetState, Timestamp, WithdrawalId};
use std::collections::{BTreeMap, BTreeSet};

/// The accounts, payloads and withdrawals that a view covers beside the parts that every view has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The expected time of the next block. Slots and proposers are given for it.
    pub next: Timestamp,
    /// Rollups beside the canonical one, with the attesters asked for.
    pub rollups: BTreeMap<Address, BTreeSet<Address>>,
    /// Payloads.
    pub payloads: BTreeSet<Address>,
    /// Holders, with proposals on which their ballots are asked for whether or not those take ballots.
    pub holders: BTreeMap<Address, BTreeSet<ProposalId>>,
    /// Withdrawals.
    pub withdrawals: BTreeSet<WithdrawalId>,
}

impl Question {
    /// A question for the parts that every view has; the next block is expected at `next`.
    pub fn new(next: Timestamp) -> Self {
        Self { next, ..Self::default() }
    }

    /// All that `state` knows: every rollup and registered attester, every payload that was signaled for
    /// or proposed, every holder, and every withdrawal that wasn't paid.
    pub fn everything(state: &SetState, next: Timestamp) -> Self {
        let governance = state.governance();
        let rollups = state.rollups().map(|(address, rollup)| {
            let attesters = rollup.registrations().iter().map(|member| member.attester());
            (address, attesters.collect())
        });
        let signaled = state.all_proposals().flat_map(|(_, proposals)| {
            let rounds = proposals.instances().flat_map(|instance| proposals.rounds(instance));
            rounds.flat_map(|(_, tally)| tally.payloads.keys().copied())
        });
        let proposed = governance.proposals().iter().map(|proposal| proposal.payload());
        let withdrawals = (0..).zip(governance.withdrawals());
        let unpaid = withdrawals.filter(|(_, withdrawal)| withdrawal.payment == Payment::Due);
        Self {
            next,
            rollups: rollups.collect(),
            payloads: signaled.chain(proposed).collect(),
            holders: governance.holders().map(|(holder, _)| (holder, BTreeSet::new())).collect(),
            withdrawals: unpaid.filter_map(|(id, _)| WithdrawalId::new(id)).collect(),
        }
    }

    /// Adds what the [`holder`](crate::holder) duty needs to know.
    pub fn add_holder(&mut self, holder: Address, orders: &BTreeMap<OrderId, Order>) {
        let voted = orders.values().filter_map(|order| match order {
            Order::Vote { id, .. } => Some(*id),
            Order::Lock { .. } | Order::Withdraw { .. } => None,
        });
        self.holders.entry(holder).or_default().extend(voted);
    }

    /// Adds what the [`mover`](crate::mover) duty needs to know.
    pub fn add_move(&mut self, plan: &MovePlan) {
        self.rollups.entry(plan.from).or_default().insert(plan.attester);
        self.rollups.entry(plan.to).or_default().extend([plan.attester, plan.spare]);
    }
}
