//! The accounts, payloads and withdrawals that a view covers.

use crate::{
    duties::{MovePlan, Order},
    intent::RequestId,
};
use alloy_primitives::Address;
use canon_protocol::{Payment, ProposalId, SetState, WithdrawalId};
use std::collections::{BTreeMap, BTreeSet};

/// The accounts, payloads and withdrawals that a view covers in addition to the parts that every view has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The rollups asked for, with the attesters asked for. Every view has the canonical rollup.
    pub rollups: BTreeMap<Address, BTreeSet<Address>>,
    /// The payloads asked for.
    pub payloads: BTreeSet<Address>,
    /// The holders asked for, with the proposals on which their ballots are asked for even if no ballots
    /// are taken any more.
    pub holders: BTreeMap<Address, BTreeSet<ProposalId>>,
    /// The withdrawals asked for.
    pub withdrawals: BTreeSet<WithdrawalId>,
}

impl Question {
    /// A question for everything in `state`: every rollup and registered attester, every payload that was
    /// signaled for or proposed, every holder, and every withdrawal that wasn't paid.
    pub fn everything(state: &SetState) -> Self {
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
            rollups: rollups.collect(),
            payloads: signaled.chain(proposed).collect(),
            holders: governance.holders().map(|(holder, _)| (holder, BTreeSet::new())).collect(),
            withdrawals: unpaid.filter_map(|(id, _)| WithdrawalId::new(id)).collect(),
        }
    }

    /// Whether this question includes all of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        fn all<K: Ord, V: Ord>(
            asked: &BTreeMap<K, BTreeSet<V>>,
            other: &BTreeMap<K, BTreeSet<V>>,
        ) -> bool {
            let mut others = other.iter();
            others.all(|(key, some)| asked.get(key).is_some_and(|all| all.is_superset(some)))
        }
        all(&self.rollups, &other.rollups)
            && all(&self.holders, &other.holders)
            && self.payloads.is_superset(&other.payloads)
            && self.withdrawals.is_superset(&other.withdrawals)
    }

    /// Adds the facts that the [`holder`](crate::holder) duty needs.
    pub fn add_holder(&mut self, holder: Address, orders: &BTreeMap<RequestId, Order>) {
        let voted = orders.values().filter_map(|order| match order {
            Order::Vote { id, .. } => Some(*id),
            Order::Lock { .. } | Order::Withdraw { .. } => None,
        });
        self.holders.entry(holder).or_default().extend(voted);
    }

    /// Adds the facts that the [`mover`](crate::mover) duty needs.
    pub fn add_move(&mut self, plan: &MovePlan) {
        self.rollups.entry(plan.from).or_default().insert(plan.attester);
        self.rollups.entry(plan.to).or_default().extend([plan.attester, plan.spare]);
    }
}
