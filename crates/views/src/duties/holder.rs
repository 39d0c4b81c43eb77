//! Locks, votes, withdraws, claims.
//!
//! The state decides whether an order is done. A ballot is there or it isn't; a withdrawal was paid or it
//! wasn't. Tokens that were locked and power that was given up look the same whichever order did it, so
//! such an order is done when the journal of intents says so: its intents
//! carry its number and are [completed by the journal](crate::Completion::Journal).

use super::{Duty, keeper::pay_withdrawal};
use crate::{
    intent::{IntendedAction, Intent, IntentId, IntentProgress, IntentSubject, PermitTerms},
    present::{HolderView, Present, SetView},
};
use alloy_primitives::Address;
use canon_protocol::{Amount, ProposalId, ProposalState, Seconds, Support, Timestamp, text};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of an order. A holder never uses one twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The amount that an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAmount {
    /// All that is available.
    All,
    /// This amount.
    Exactly(Amount),
}

/// An order of a holder. It waits until it can be fulfilled.
///
/// Of the orders that change tokens or power, locks and withdrawals, one acts in a block: the first that
/// can. An order that lacks tokens or power is passed over, not waited for: an order after it may bring
/// what it lacks, and giving power up mustn't depend on tokens that may never come. It acts once it can,
/// even after orders with higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Locks tokens as power of its own.
    Lock {
        /// The amount.
        amount: Amount,
        /// The way in which Governance is allowed to take them.
        method: LockMethod,
    },
    /// Casts power on a proposal once it is Active, or against it also in the first half of its execution
    /// delay: all that isn't used, or until that amount is cast on that side, whichever orders cast it.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
        /// The power on that side in all.
        amount: OrderAmount,
    },
    /// Gives power up.
    Withdraw {
        /// The amount.
        amount: OrderAmount,
        /// The recipient of the asset; not 0, nor Governance.
        #[serde(with = "text::address")]
        to: Address,
    },
}

impl Order {
    /// The subject under which the [journal](crate::Completion::Journal) has this order of `holder`, with
    /// number `number`. `None` for ballots, which the state shows.
    pub const fn subject(&self, holder: Address, number: OrderId) -> Option<IntentSubject> {
        let order = number;
        match self {
            Self::Lock { .. } => Some(IntentSubject::Lock { holder, order }),
            Self::Withdraw { .. } => Some(IntentSubject::Withdraw { holder, order }),
            Self::Vote { .. } => None,
        }
    }
}

/// The way in which Governance is allowed to take tokens that are locked, where the allowance doesn't suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMethod {
    /// By a signed permit: one transaction.
    Permit,
    /// By an approval: a transaction before.
    Approval,
}

/// The status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
        /// The amount that the order needs.
        needed: Amount,
        /// The amount that the holder has.
        available: Amount,
    },
    /// There is no power for it.
    NoPower,
    /// The view wasn't asked for what it depends on.
    Unknown,
    /// Its nonce was used, and the endpoint doesn't say yet by which transaction.
    Unconfirmed,
}

/// The event that an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The proposal, which isn't there yet.
    Proposal,
    /// The first second in which ballots are taken.
    Voting(Timestamp),
    /// An order with a lower number that changes tokens or power in the next block.
    Order(OrderId),
}

/// For how long a permit can be used. It is signed anew for every block, so any time does in which a
/// transaction is mined.
const PERMIT_VALIDITY: Seconds = Seconds::DAY;

/// The duty of a holder in the next block: payments first, then orders by number. The view must have been
/// [asked](crate::Question::add_holder) for `orders`. `progress` is what the journal of intents knows of an
/// order that the state doesn't show: one that is done, or may be, is left alone.
///
/// Withdrawals of the holder, or to it, are paid as soon as they unlock: all of them if the history is
/// known, otherwise those that the view was asked for.
pub fn holder(
    view: &SetView,
    holder: Address,
    orders: &BTreeMap<OrderId, Order>,
    progress: impl Fn(&IntentId) -> IntentProgress,
) -> Duty<BTreeMap<OrderId, OrderStatus>> {
    let present = &view.present;
    let mut evaluation = present.holders.get(&holder).map(|view| OrderEvaluation {
        present,
        holder,
        view,
        moves_power: None,
        intents: Vec::new(),
    });
    let statuses = orders.iter().map(|(number, order)| {
        let subject = order.subject(holder, *number);
        let id = subject.map(|subject| IntentId { set: present.set_id(), subject });
        let progress = id.map_or(IntentProgress::Open, |id| progress(&id));
        let status = match (progress, &mut evaluation) {
            (IntentProgress::Done, _) => OrderStatus::Done,
            (IntentProgress::Unconfirmed, _) => OrderStatus::Unconfirmed,
            (IntentProgress::Open, Some(evaluation)) => evaluation.evaluate(*number, order),
            (IntentProgress::Open, None) => OrderStatus::Unknown,
        };
        (*number, status)
    });
    let status = statuses.collect();
    let mut intents = claims(view, holder);
    intents.extend(evaluation.into_iter().flat_map(|evaluation| evaluation.intents));
    Duty { status, intents }
}

fn claims(view: &SetView, holder: Address) -> Vec<Intent> {
    let present = &view.present;
    let due = view.withdrawals().filter(|withdrawal| {
        let is_own = withdrawal.holder == Some(holder) || withdrawal.view.recipient == holder;
        is_own && withdrawal.view.is_payable(present.next)
    });
    due.map(|withdrawal| pay_withdrawal(present, withdrawal.id)).collect()
}

/// The evaluation of a holder's orders, one after the other.
struct OrderEvaluation<'a> {
    present: &'a Present,
    holder: Address,
    view: &'a HolderView,
    /// The order before this one that changes tokens or power in the next block.
    moves_power: Option<OrderId>,
    /// The intents for the next block.
    intents: Vec<Intent>,
}

impl OrderEvaluation<'_> {
    /// Returns the status of `order`. Adds what is done for it in the next block.
    fn evaluate(&mut self, number: OrderId, order: &Order) -> OrderStatus {
        match *order {
            Order::Vote { id, support, amount } => self.vote(id, support, amount),
            Order::Lock { amount, method } => {
                self.in_turn(number, |evaluation| evaluation.lock(number, amount, method))
            }
            Order::Withdraw { amount, to } => {
                self.in_turn(number, |evaluation| evaluation.withdraw(number, amount, to))
            }
        }
    }

    /// Evaluates an order that changes tokens or power, unless one before it does so in the next block.
    fn in_turn(
        &mut self,
        number: OrderId,
        evaluate: impl FnOnce(&mut Self) -> OrderStatus,
    ) -> OrderStatus {
        if let Some(earlier) = self.moves_power {
            return OrderStatus::Waiting(WaitsFor::Order(earlier));
        }
        let status = evaluate(self);
        if status == OrderStatus::Due {
            self.moves_power = Some(number);
        }
        status
    }

    fn lock(&mut self, order: OrderId, amount: Amount, method: LockMethod) -> OrderStatus {
        let (holder, asset) = (self.holder, self.present.addresses.asset);
        let available = self.view.balance;
        if amount.is_zero() {
            return OrderStatus::Done;
        }
        if amount > available {
            return OrderStatus::Short { needed: amount, available };
        }
        let is_allowed = self.view.allowance >= amount.to_word();
        let action = match method {
            LockMethod::Approval if !is_allowed => {
                IntendedAction::Approve { holder, order, asset, amount }
            }
            _ => {
                let nonce = self.view.permit_nonce;
                let deadline = self.present.next + PERMIT_VALIDITY;
                let permit = (!is_allowed).then_some(PermitTerms { nonce, deadline });
                IntendedAction::Lock { holder, order, beneficiary: None, amount, permit }
            }
        };
        self.due(action, None)
    }

    fn withdraw(&mut self, order: OrderId, amount: OrderAmount, to: Address) -> OrderStatus {
        let (holder, available) = (self.holder, self.view.power);
        let amount = match amount {
            OrderAmount::All if available.is_zero() => return OrderStatus::NoPower,
            OrderAmount::All => available,
            OrderAmount::Exactly(Amount::ZERO) => return OrderStatus::Done,
            OrderAmount::Exactly(amount) => amount,
        };
        if amount > available {
            return OrderStatus::Short { needed: amount, available };
        }
        self.due(IntendedAction::Withdraw { holder, order, to, amount }, None)
    }

    fn vote(&mut self, id: ProposalId, support: Support, amount: OrderAmount) -> OrderStatus {
        let Some(proposal) = self.present.proposal(id) else {
            return OrderStatus::Waiting(WaitsFor::Proposal);
        };
        let Some(ballot) = self.view.ballots.get(&id) else { return OrderStatus::Unknown };
        let next = self.present.next;
        if proposal.state_at(next) == ProposalState::Pending {
            return OrderStatus::Waiting(WaitsFor::Voting(proposal.deadlines().voting_starts()));
        }
        let (cast, other_side) = match support {
            Support::Yea => (ballot.cast.yea, Support::Nea),
            Support::Nea => (ballot.cast.nea, Support::Yea),
        };
        let planned = self.planned(id, support);
        let left = ballot.left().saturating_sub(planned);
        let left = left.saturating_sub(self.planned(id, other_side));
        let (missing, is_done) = match amount {
            OrderAmount::All => (left, left.is_zero() && planned.is_zero() && !cast.is_zero()),
            OrderAmount::Exactly(amount) => {
                (amount.saturating_sub(cast).saturating_sub(planned), amount <= cast)
            }
        };
        if is_done {
            return OrderStatus::Done;
        }
        if !proposal.takes_ballots(support, next) {
            return OrderStatus::TooLate;
        }
        if missing.is_zero() {
            // Unless the ballot of orders before this one fulfills it as well.
            return if planned.is_zero() { OrderStatus::NoPower } else { OrderStatus::Due };
        }
        if missing > left {
            return OrderStatus::Short { needed: missing, available: left };
        }
        if let Some(amount) = self.ballot(id, support) {
            *amount = amount.checked_add(missing).unwrap_or(Amount::MAX);
            return OrderStatus::Due;
        }
        let action = IntendedAction::Vote { holder: self.holder, id, support, amount: missing };
        self.due(action, Some(proposal.deadlines().ballots_until(support)))
    }

    /// The power that orders before this one cast on a side of a proposal in the next block.
    fn planned(&mut self, id: ProposalId, support: Support) -> Amount {
        self.ballot(id, support).copied().unwrap_or_default()
    }

    /// The amount of the next block's ballot on a side of a proposal, if there is one. Orders for the
    /// same side share it, since a second one would have the same identity.
    fn ballot(&mut self, id: ProposalId, support: Support) -> Option<&mut Amount> {
        self.intents.iter_mut().find_map(|intent| match &mut intent.action {
            IntendedAction::Vote { id: on, support: side, amount, .. }
                if (*on, *side) == (id, support) =>
            {
                Some(amount)
            }
            _ => None,
        })
    }

    /// Adds what is due for an order.
    fn due(&mut self, action: IntendedAction, until: Option<Timestamp>) -> OrderStatus {
        self.intents.push(Intent::new(self.present, action, until));
        OrderStatus::Due
    }
}
