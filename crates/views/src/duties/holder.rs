//! The duty of a holder: it locks, votes, withdraws, and collects payments.
//!
//! The state shows whether a ballot was cast and whether a withdrawal was paid. It doesn't show which order
//! locked tokens or gave power up, so whether such an order is done is in the journal of intents: its
//! intents contain its number and are [completed by the journal](crate::Completion::Journal).

use super::{Duty, keeper::pay_withdrawal};
use crate::{
    intent::{
        IntendedAction, Intent, IntentId, IntentProgress, IntentSubject, PermitTerms, RequestId,
    },
    present::{HolderView, Present, SetView},
};
use alloy_primitives::{Address, B256};
use canon_protocol::{Amount, ProposalId, ProposalState, Seconds, Support, Timestamp, text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The amount of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderAmount {
    /// The whole available amount.
    All,
    /// This amount.
    Exactly(Amount),
}

/// An order of a holder. It waits until it can be fulfilled.
///
/// Only one lock or withdrawal acts in a block, since these change tokens or power: the first that can. An
/// order that lacks tokens or power is skipped and doesn't block later ones: one of them may supply what it
/// lacks, and giving power up must not depend on tokens that may never come. It acts as soon as it can,
/// even after orders with higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Locks the holder's tokens as its own power.
    Lock {
        /// The amount.
        amount: Amount,
        /// The way in which Governance is allowed to take them.
        method: LockMethod,
    },
    /// Casts power on a proposal while it is Active, or against it also in the first half of its execution
    /// delay. It casts all power that is left, or as much as is missing until the amount is cast on that
    /// side, by whichever orders.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// The hash of the actions that the holder has read, as in `ProposalFrozen`. A number alone names another
        /// proposal after a reorganization, or if somebody else proposes first.
        actions_hash: B256,
        /// The side of the ballot: for or against.
        support: Support,
        /// The total power to cast on that side.
        amount: OrderAmount,
    },
    /// Gives power up.
    Withdraw {
        /// The amount.
        amount: OrderAmount,
        /// The recipient of the asset. It can be neither 0 nor Governance.
        #[serde(with = "text::address")]
        to: Address,
    },
}

impl Order {
    /// The subject of this order of `holder`, with number `request`, in the
    /// [journal](crate::Completion::Journal). `None` for ballots, which are part of the state.
    pub const fn subject(&self, holder: Address, request: RequestId) -> Option<IntentSubject> {
        match self {
            Self::Lock { .. } => Some(IntentSubject::Lock { holder, request }),
            Self::Withdraw { .. } => Some(IntentSubject::Withdraw { holder, request }),
            Self::Vote { .. } => None,
        }
    }
}

/// The way in which Governance gets an allowance for the tokens to lock, if there isn't a sufficient one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMethod {
    /// A signed permit, which takes one transaction.
    Permit,
    /// An approval, which takes a transaction before.
    Approval,
}

/// The status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// It acts in the next block.
    Due,
    /// It has to wait.
    Waiting(WaitsFor),
    /// It is fulfilled.
    Done,
    /// It came too late: the ballots it needs aren't taken any more.
    TooLate,
    /// The proposal with this number has other actions than the order. No ballot is cast on it.
    ActionsChanged {
        /// The hash of the proposal's actions.
        found: B256,
    },
    /// The holder has less than the order needs.
    Short {
        /// The amount that the order needs.
        needed: Amount,
        /// The amount that the holder has.
        available: Amount,
    },
    /// The holder has no power for it.
    NoPower,
    /// The view wasn't asked for the facts that it depends on.
    Unknown,
    /// Its nonce was used, but the endpoint doesn't report yet by which transaction.
    Unconfirmed,
}

/// The event that an order waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The proposal, which doesn't exist yet.
    Proposal,
    /// The first second in which ballots are taken.
    Voting(Timestamp),
    /// The finality of the block in which the proposal was created.
    Finality,
    /// An order with a lower number that changes tokens or power in the next block.
    Order(RequestId),
}

/// The time for which a permit can be used. A permit is signed again for every block, so it only has to
/// outlast the mining of a transaction.
const PERMIT_VALIDITY: Seconds = Seconds::DAY;

/// The number of withdrawals that a holder claims in a block. Whoever makes many due to it doesn't delay its
/// ballots.
const MAX_CLAIMS: usize = 4;

/// The duty of a holder in the next block: payments first, then orders by number. The view must have been
/// [asked](crate::Question::add_holder) for `orders`. `progress` returns the progress of an order that the
/// state doesn't show, from the journal of intents. An order that is or may be done isn't sent again.
///
/// Withdrawals of the holder, or to it, are paid as soon as they unlock, at most 4 in a block: all
/// except [dust](crate::WithdrawalView::is_dust_for) if the history is known, otherwise those that the view was asked
/// for.
pub fn holder(
    view: &SetView,
    holder: Address,
    orders: &BTreeMap<RequestId, Order>,
    progress: impl Fn(&IntentId) -> IntentProgress,
) -> Duty<BTreeMap<RequestId, OrderStatus>> {
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
        let is_dust = withdrawal.view.is_dust_for(holder, withdrawal.holder);
        is_own && !is_dust && withdrawal.view.is_payable(present.next)
    });
    due.take(MAX_CLAIMS).map(|withdrawal| pay_withdrawal(present, withdrawal.id)).collect()
}

/// The evaluation of a holder's orders, one after the other.
struct OrderEvaluation<'a> {
    present: &'a Present,
    holder: Address,
    view: &'a HolderView,
    /// An earlier order that changes tokens or power in the next block.
    moves_power: Option<RequestId>,
    /// The intents for the next block.
    intents: Vec<Intent>,
}

impl OrderEvaluation<'_> {
    /// Returns the status of `order`. Adds its intent for the next block, if it has one.
    fn evaluate(&mut self, number: RequestId, order: &Order) -> OrderStatus {
        match *order {
            Order::Vote { id, actions_hash, support, amount } => {
                self.vote(id, actions_hash, support, amount)
            }
            Order::Lock { amount, method } => {
                self.in_turn(number, |evaluation| evaluation.lock(number, amount, method))
            }
            Order::Withdraw { amount, to } => {
                self.in_turn(number, |evaluation| evaluation.withdraw(number, amount, to))
            }
        }
    }

    /// Evaluates an order that changes tokens or power, unless an earlier one does so in the next block.
    fn in_turn(
        &mut self,
        number: RequestId,
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

    fn lock(&mut self, request: RequestId, amount: Amount, method: LockMethod) -> OrderStatus {
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
                IntendedAction::Approve { holder, request, asset, amount }
            }
            _ => {
                let nonce = self.view.permit_nonce;
                let deadline = self.present.next + PERMIT_VALIDITY;
                let permit = (!is_allowed).then_some(PermitTerms { nonce, deadline });
                IntendedAction::Lock { holder, request, beneficiary: None, amount, permit }
            }
        };
        self.due(action, None)
    }

    fn withdraw(&mut self, request: RequestId, amount: OrderAmount, to: Address) -> OrderStatus {
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
        self.due(IntendedAction::Withdraw { holder, request, to, amount }, None)
    }

    fn vote(
        &mut self,
        id: ProposalId,
        actions_hash: B256,
        support: Support,
        amount: OrderAmount,
    ) -> OrderStatus {
        let Some(proposal) = self.present.proposal(id) else {
            return OrderStatus::Waiting(WaitsFor::Proposal);
        };
        if proposal.actions_hash != actions_hash {
            return OrderStatus::ActionsChanged { found: proposal.actions_hash };
        }
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
            // The ballot of earlier orders may fulfill this one as well.
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

    /// The power that earlier orders cast on a side of a proposal in the next block.
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

    /// Adds the intent of an order.
    fn due(&mut self, action: IntendedAction, until: Option<Timestamp>) -> OrderStatus {
        self.intents.push(Intent::new(self.present, action, until));
        OrderStatus::Due
    }
}
