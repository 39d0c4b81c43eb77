//! Locks, votes, withdraws.

use crate::{
    outbox::Outbox,
    outcome::{Act, Outcome, Skipped},
    view::View,
};
use alloy_primitives::{Address, U256};
use canon_abi::{Asset, Governance};
use canon_chain::{Checks, PermitRequest, Result, Sender, calls};
use canon_protocol::{Amount, ProposalId, ProposalState, Support, Timestamp, WithdrawalId};
use std::{collections::VecDeque, sync::Arc};

/// How much of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All that isn't used yet.
    All,
    /// This much.
    Exactly(Amount),
}

impl Share {
    const fn least(self) -> Amount {
        match self {
            Self::All => Amount::ZERO,
            Self::Exactly(amount) => amount,
        }
    }
}

/// What a holder is to do. Each order waits until it can be fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Locks tokens as power of its own, with a permit: one transaction.
    LockWithPermit(Amount),
    /// Locks tokens with an approval: two transactions.
    LockWithApproval(Amount),
    /// Casts power on a proposal once that is Active, or against it also in the first half of its
    /// execution delay; by default all that counts and isn't used.
    Vote {
        /// The proposal.
        id: ProposalId,
        /// For or against.
        support: Support,
        /// How much.
        share: Share,
    },
    /// Gives power up.
    Withdraw(Share),
}

/// Somebody with tokens.
#[derive(Debug)]
pub struct Holder {
    outbox: Outbox,
    checks: Checks,
    orders: VecDeque<Order>,
    withdrawals: Vec<(WithdrawalId, Timestamp)>,
    asset: Option<Arc<AssetFacts>>,
}

/// What a permit needs to know of the token. The same for all holders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetFacts {
    /// `name()`, which names the domain of permits.
    pub name: String,
}

impl Holder {
    /// The holder whose key `sender` has. It wants nothing yet.
    pub const fn new(sender: Sender) -> Self {
        Self {
            outbox: Outbox::new(sender),
            checks: Checks::Full,
            orders: VecDeque::new(),
            withdrawals: Vec::new(),
            asset: None,
        }
    }

    /// What is checked before a transaction is sent. Default: everything.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// Spares it a question about the token.
    #[must_use]
    pub fn with_asset(mut self, asset: Arc<AssetFacts>) -> Self {
        self.asset = Some(asset);
        self
    }

    /// Adds an order. Orders are fulfilled in order, but one that has to wait lets others pass.
    pub fn queue(&mut self, order: Order) {
        self.orders.push_back(order);
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.outbox.sender().address()
    }

    /// What it still wants.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    /// Whether it has nothing in flight, wants nothing and is due nothing.
    pub fn is_idle(&self) -> bool {
        self.outbox.is_idle() && self.orders.is_empty() && self.withdrawals.is_empty()
    }

    /// Settles what is in flight and fulfils what can be fulfilled in the next block. Call it once
    /// per block. Costs nothing while there is nothing to do.
    ///
    /// # Errors
    ///
    /// If the endpoint fails. It goes on at the next call.
    pub async fn tick(&mut self, view: &View) -> Result<Vec<Outcome>> {
        if self.is_idle() {
            return Ok(Vec::new());
        }
        let mut outcomes = self.outbox.settle(view, |_| false).await?;
        self.note(view, &outcomes);
        self.claim(view, &mut outcomes).await?;
        for _ in 0..self.orders.len() {
            // What depends on power has to wait for what changes power.
            let Some(order) = self.orders.pop_front() else { break };
            match self.fulfill(order, view).await {
                Ok(Some(done)) => outcomes.extend(done),
                Ok(None) => self.orders.push_back(order),
                Err(error) => {
                    self.orders.push_front(order);
                    return Err(error);
                }
            }
        }
        Ok(outcomes)
    }

    /// `None` if it has to wait.
    async fn fulfill(&mut self, order: Order, view: &View) -> Result<Option<Vec<Outcome>>> {
        let governance = view.deployment().governance;
        match order {
            Order::LockWithPermit(amount) => {
                let call = self.permit(amount, view).await?;
                let act = Act::Lock { amount };
                Ok(Some(vec![self.outbox.submit(act, call, self.checks, view).await?]))
            }
            Order::LockWithApproval(amount) => {
                let act = Act::Approve { amount };
                let call = calls::approve(view.deployment().asset, governance, amount);
                let approved = self.outbox.submit(act, call, self.checks, view).await?;
                if matches!(approved, Outcome::Failed { .. }) {
                    return Ok(Some(vec![approved]));
                }
                // The allowance isn't there yet, so nothing can be estimated.
                let call = calls::lock(governance, self.address(), amount);
                let checks = Checks::AtReceipt { gas_limit: LOCK_GAS };
                let locked = self.outbox.submit(Act::Lock { amount }, call, checks, view).await?;
                Ok(Some(vec![approved, locked]))
            }
            Order::Vote { id, support, share } => {
                let Some(proposal) = view.proposal(id) else { return Ok(None) };
                match view.state_at_next(proposal) {
                    Some(ProposalState::Active) => {}
                    Some(ProposalState::Pending) => return Ok(None),
                    // Objections are taken for a while after the vote; first it has to be counted.
                    Some(ProposalState::Queued)
                        if support == Support::Nea
                            && view.next() <= proposal.deadlines().objections_until => {}
                    None if support == Support::Nea => return Ok(None),
                    _ => {
                        let act = Act::Vote { id, amount: share.least(), support };
                        return Ok(Some(vec![Outcome::Skipped { act, why: Skipped::TooLate }]));
                    }
                }
                let snapshot = proposal.deadlines().pending;
                if view.head().timestamp <= snapshot {
                    // The power at the snapshot is known only after it.
                    return Ok(None);
                }
                let amount = match share {
                    Share::Exactly(amount) => amount,
                    Share::All => self.unused(view, id, snapshot).await?,
                };
                let act = Act::Vote { id, amount, support };
                if amount.is_zero() {
                    return Ok(Some(vec![Outcome::Skipped { act, why: Skipped::NoPower }]));
                }
                let call = calls::vote(governance, id, amount, support);
                Ok(Some(vec![self.outbox.submit(act, call, self.checks, view).await?]))
            }
            Order::Withdraw(share) => {
                if self.outbox.has(|act| matches!(act, Act::Lock { .. } | Act::Withdraw { .. })) {
                    return Ok(None);
                }
                let amount = match share {
                    Share::Exactly(amount) => amount,
                    Share::All => {
                        let (head, owner) = (view.head(), self.address());
                        let client = self.outbox.sender().client();
                        client.power(head.hash.into(), governance, owner, head.timestamp).await?
                    }
                };
                let act = Act::Withdraw { amount };
                if amount.is_zero() {
                    return Ok(Some(vec![Outcome::Skipped { act, why: Skipped::NoPower }]));
                }
                let call = calls::withdraw(governance, self.address(), amount);
                Ok(Some(vec![self.outbox.submit(act, call, self.checks, view).await?]))
            }
        }
    }

    /// Power at the snapshot, less what was cast.
    async fn unused(&self, view: &View, id: ProposalId, snapshot: Timestamp) -> Result<Amount> {
        let (client, at) = (self.outbox.sender().client(), view.head().hash.into());
        let (governance, owner) = (view.deployment().governance, self.address());
        let power = client.power(at, governance, owner, snapshot).await?;
        let cast = client.ballots(at, governance, id, owner).await?;
        Ok(power.saturating_sub(cast.cast().unwrap_or(Amount::MAX)))
    }

    async fn permit(&mut self, amount: Amount, view: &View) -> Result<canon_chain::ContractCall> {
        let (client, at) = (self.outbox.sender().client().clone(), view.head().hash.into());
        let set = view.deployment();
        let asset = match &self.asset {
            Some(asset) => asset.clone(),
            None => {
                let name = client.read(at, set.asset, Asset::nameCall {}).await?;
                self.asset.insert(Arc::new(AssetFacts { name })).clone()
            }
        };
        let owner = self.address();
        let nonce: U256 = client.read(at, set.asset, Asset::noncesCall { owner }).await?;
        let request = PermitRequest {
            asset_name: asset.name.clone(),
            asset: set.asset,
            owner,
            spender: set.governance,
            amount,
            nonce,
            deadline: PermitRequest::deadline_after(view.next()),
        };
        let hash = request.signing_hash(client.chain_id());
        let permit = self.outbox.sender().sign_hash("the permit", hash).await?;
        Ok(calls::lock_with_permit(set.governance, owner, amount, request.deadline, &permit))
    }

    /// Remembers withdrawals that were mined.
    fn note(&mut self, view: &View, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let Outcome::Done { act: Act::Withdraw { .. }, confirmed } = outcome else { continue };
            let queued =
                confirmed.event::<Governance::WithdrawalQueued>(view.deployment().governance);
            if let Some(event) = queued
                && let (Ok(id), Ok(time)) = (event.id.try_into(), event.unlocksAt.try_into())
            {
                self.withdrawals.push((id, time));
            }
        }
    }

    /// Takes what unlocked.
    async fn claim(&mut self, view: &View, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let governance = view.deployment().governance;
        while let Some(at) = self.withdrawals.iter().position(|(_, time)| *time <= view.next()) {
            let (id, _) = self.withdrawals[at];
            let act = Act::FinaliseWithdrawal { id };
            let call = calls::finalise_withdrawal(governance, id);
            outcomes.push(self.outbox.submit(act, call, self.checks, view).await?);
            self.withdrawals.swap_remove(at);
        }
        Ok(())
    }
}

/// More than a first deposit costs (about 97,000).
const LOCK_GAS: u64 = 250_000;
