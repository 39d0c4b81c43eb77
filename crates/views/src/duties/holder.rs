//! Locks, votes, withdraws, claims.
//!
//! What the state shows decides what is done. A ballot is there or it isn't; a withdrawal was paid or it
//! wasn't. Tokens that were locked and power that was given up look the same whichever order did it, so
//! such an order stays in the plan until the journal of intents says that it is confirmed: its intents
//! carry its number and are [completed by the journal](crate::Completion::Journal).

use super::keeper::pay_withdrawal;
use crate::{
    intent::{IntendedAction, Intent, PermitTerms},
    present::{HolderView, Present, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{
    Amount, ProposalId, ProposalState, Seconds, Support, Timestamp, WithdrawalId, text,
};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of an order. A holder never uses one twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How much of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// All that isn't used yet.
    All,
    /// This much.
    Exactly(Amount),
}

/// What a holder wants. Each order waits until it can be fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Order {
    /// Locks tokens as power of its own.
    Lock {
        /// How many.
        amount: Amount,
        /// How Governance is allowed to take them.
        method: LockMethod,
    },
    /// Casts power on a proposal once it is Active, or against it also in the first half of its execution
    /// delay: all that isn't used, or until this much stands on that side.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
        /// How much in all.
        share: Share,
    },
    /// Gives power up. Waits for orders with lower numbers that change power.
    Withdraw {
        /// How much.
        share: Share,
        /// Who gets the asset; not 0, nor Governance.
        #[serde(with = "text::address")]
        to: Address,
    },
}

/// How Governance is allowed to take what is locked, where the allowance doesn't suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMethod {
    /// By a signed permit: one transaction.
    Permit,
    /// By an approval: a transaction before.
    Approval,
}

/// What a holder does in the next block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderDuty {
    /// Where its orders stand.
    pub orders: BTreeMap<OrderId, OrderStatus>,
    /// What it does: payments first, then orders by number.
    pub intents: Vec<Intent>,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderStatus {
    /// Something is done for it in the next block.
    Due,
    /// It has to wait.
    Waiting(WaitsFor),
    /// It is fulfilled.
    Done,
    /// Its time is over.
    TooLate,
    /// There isn't enough.
    Short {
        /// What it takes.
        needed: Amount,
        /// What there is.
        available: Amount,
    },
    /// There is no power for it.
    NoPower,
    /// The view wasn't asked for what it depends on.
    Unknown,
}

/// What an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The proposal, which isn't there yet.
    Proposal,
    /// The first second in which ballots are taken.
    Voting(Timestamp),
    /// An order with a lower number that changes the same tokens or power.
    Order(OrderId),
}

/// For how long a permit can be used. It is signed anew for every block, so any time does in which a
/// transaction is mined.
const PERMIT_VALIDITY: Seconds = Seconds::DAY;

/// What a holder does in the next block. `orders` are those that the journal of intents doesn't say are
/// done; the view must have been [asked](crate::Question::add_holder) for them.
///
/// Withdrawals of the holder, or to it, are paid as soon as they unlock: all of them if the history is
/// known, otherwise those that the view was asked for.
pub fn holder(view: &SetView, holder: Address, orders: &BTreeMap<OrderId, Order>) -> HolderDuty {
    let mut intents = claims(view, holder);
    let present = &view.present;
    let Some(stands) = present.holders.get(&holder) else {
        let orders = orders.keys().map(|number| (*number, OrderStatus::Unknown)).collect();
        return HolderDuty { orders, intents };
    };
    let mut clerk =
        Clerk { view: present, holder, stands, moves_power: None, used: BTreeMap::new() };
    let mut statuses = BTreeMap::new();
    for (number, order) in orders {
        let (status, action) = clerk.judge(*number, order);
        statuses.insert(*number, status);
        intents.extend(action);
    }
    HolderDuty { orders: statuses, intents }
}

fn claims(view: &SetView, holder: Address) -> Vec<Intent> {
    let present = &view.present;
    match &view.history {
        Some(history) => {
            let all = (0..).zip(history.governance().withdrawals());
            let due = all.filter(|(_, withdrawal)| {
                [withdrawal.holder, withdrawal.recipient].contains(&holder)
                    && withdrawal.is_payable(present.next)
            });
            let due = due.filter_map(|(id, _)| WithdrawalId::new(id));
            due.map(|id| pay_withdrawal(present, id)).collect()
        }
        None => {
            let due = present.withdrawals.iter().filter(|(_, withdrawal)| {
                withdrawal.recipient == holder && withdrawal.is_payable(present.next)
            });
            due.map(|(id, _)| pay_withdrawal(present, *id)).collect()
        }
    }
}

/// Judges a holder's orders one after the other.
struct Clerk<'a> {
    view: &'a Present,
    holder: Address,
    stands: &'a HolderView,
    /// An order before this one that changes tokens or power.
    moves_power: Option<OrderId>,
    /// Power that orders before this one cast in the next block.
    used: BTreeMap<ProposalId, Amount>,
}

impl Clerk<'_> {
    /// Where `order` stands, and what is done for it in the next block.
    fn judge(&mut self, number: OrderId, order: &Order) -> (OrderStatus, Option<Intent>) {
        match *order {
            Order::Vote { id, support, share } => self.vote(id, support, share),
            Order::Lock { amount, method } => {
                self.in_turn(number, |clerk| clerk.lock(number, amount, method))
            }
            Order::Withdraw { share, to } => {
                self.in_turn(number, |clerk| clerk.withdraw(number, share, to))
            }
        }
    }

    /// Judges an order that changes tokens or power, unless one before it does.
    fn in_turn(
        &mut self,
        number: OrderId,
        judge: impl FnOnce(&Self) -> (OrderStatus, Option<Intent>),
    ) -> (OrderStatus, Option<Intent>) {
        if let Some(earlier) = self.moves_power {
            return (OrderStatus::Waiting(WaitsFor::Order(earlier)), None);
        }
        self.moves_power = Some(number);
        judge(self)
    }

    fn lock(
        &self,
        order: OrderId,
        amount: Amount,
        method: LockMethod,
    ) -> (OrderStatus, Option<Intent>) {
        let (holder, asset) = (self.holder, self.view.addresses.asset);
        let available = self.stands.balance;
        if amount.is_zero() {
            return (OrderStatus::Done, None);
        }
        if amount > available {
            return (OrderStatus::Short { needed: amount, available }, None);
        }
        let is_allowed = self.stands.allowance >= amount.to_word();
        let action = match method {
            LockMethod::Approval if !is_allowed => {
                IntendedAction::Approve { holder, order, asset, amount }
            }
            _ => {
                let nonce = self.stands.permit_nonce;
                let deadline = self.view.next + PERMIT_VALIDITY;
                let permit = (!is_allowed).then_some(PermitTerms { nonce, deadline });
                IntendedAction::Lock { holder, order, amount, permit }
            }
        };
        self.due(action, None)
    }

    fn withdraw(&self, order: OrderId, share: Share, to: Address) -> (OrderStatus, Option<Intent>) {
        let (holder, available) = (self.holder, self.stands.power);
        let amount = match share {
            Share::All => available,
            Share::Exactly(amount) => amount,
        };
        if amount.is_zero() {
            let status = if share == Share::All { OrderStatus::NoPower } else { OrderStatus::Done };
            return (status, None);
        }
        if amount > available {
            return (OrderStatus::Short { needed: amount, available }, None);
        }
        self.due(IntendedAction::Withdraw { holder, order, to, amount }, None)
    }

    fn vote(
        &mut self,
        id: ProposalId,
        support: Support,
        share: Share,
    ) -> (OrderStatus, Option<Intent>) {
        let Some(proposal) = self.view.proposal(id) else {
            return (OrderStatus::Waiting(WaitsFor::Proposal), None);
        };
        let Some(ballot) = self.stands.ballots.get(&id) else {
            return (OrderStatus::Unknown, None);
        };
        let used = self.used.get(&id).copied().unwrap_or_default();
        let left = ballot.left().saturating_sub(used);
        let cast = match support {
            Support::Yea => ballot.cast.yea,
            Support::Nea => ballot.cast.nea,
        };
        let next = self.view.next;
        let is_taken = proposal.takes_ballots(support, next);
        if proposal.state_at(next) == ProposalState::Pending {
            let from = proposal.deadlines().voting_starts();
            return (OrderStatus::Waiting(WaitsFor::Voting(from)), None);
        }
        let (missing, is_done) = match share {
            Share::All => (left, left.is_zero() && !cast.is_zero()),
            Share::Exactly(amount) => (amount.saturating_sub(cast), amount <= cast),
        };
        if is_done {
            return (OrderStatus::Done, None);
        }
        if !is_taken {
            return (OrderStatus::TooLate, None);
        }
        if missing.is_zero() {
            return (OrderStatus::NoPower, None);
        }
        if missing > left {
            return (OrderStatus::Short { needed: missing, available: left }, None);
        }
        self.used.insert(id, used.checked_add(missing).unwrap_or(Amount::MAX));
        let action = IntendedAction::Vote { holder: self.holder, id, support, amount: missing };
        self.due(action, Some(proposal.deadlines().ballots_until(support)))
    }

    const fn due(
        &self,
        action: IntendedAction,
        until: Option<Timestamp>,
    ) -> (OrderStatus, Option<Intent>) {
        (OrderStatus::Due, Some(Intent::new(self.view, action, until)))
    }
}
