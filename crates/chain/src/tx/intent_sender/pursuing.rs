//! Choosing what is sent, sent again, or given up, and under which nonce.

use super::{IntentSender, Pass, RENEWAL};
use crate::{
    call::ContractCall,
    calls::PermitRequest,
    client::PermitAsset,
    error::{Error, Result},
    rejection::Rejection,
    sender::Checks,
    tx::{
        account::TRANSFER_GAS,
        fees::Fees,
        intended::{contract_call, does_the_same, fallback_call, withholds},
        report::TxEvent,
    },
};
use alloy_eips::BlockId;
use alloy_transport::RpcError;
use canon_protocol::Timestamp;
use canon_views::{Completion, IntendedAction, Intent};
use std::collections::BTreeSet;

/// After so many refusals in a row, in words that aren't known, a transaction lets others have its nonce.
const MAX_REFUSALS: u32 = 8;

impl IntentSender {
    /// What is to be in flight, in order.
    pub(super) fn wanted<'a>(
        &self,
        intents: &'a [Intent],
        next: Timestamp,
        pass: &mut Pass,
    ) -> Vec<&'a Intent> {
        let found = self.client().chain_id();
        let mut seen = BTreeSet::new();
        let mut wanted = Vec::new();
        for intent in intents {
            let id = intent.id();
            let expected = intent.set.chain_id;
            if expected != found {
                pass.fail(Some(id), Error::OtherChain { expected, found });
                continue;
            }
            let is_done = intent.completion() == Completion::Journal && self.is_done(&id);
            if intent.is_useful_at(next) && !is_done && seen.insert(id) {
                wanted.push(intent);
            }
        }
        wanted
    }

    /// Goes on with what is in flight. The nonces whose transactions aren't wanted any more.
    pub(super) async fn carry_on(&mut self, wanted: &[&Intent], pass: &mut Pass) -> BTreeSet<u64> {
        let mut free = BTreeSet::new();
        let undecided = self.nonces.range(self.count..).map(|(nonce, _)| *nonce);
        for nonce in undecided.collect::<Vec<_>>() {
            if self.is_wanted(nonce, wanted) {
                self.send_again(nonce, pass).await;
            } else {
                free.insert(nonce);
            }
        }
        free
    }

    /// Whether the newest version of a nonce is still what should be mined.
    fn is_wanted(&self, nonce: u64, wanted: &[&Intent]) -> bool {
        let Some(used) = self.nonces.get(&nonce) else { return false };
        let is_bound = |intent: &&&Intent| {
            let id = intent.id();
            used.is_for(&id) && self.nonce_of(&id) == Some(nonce)
        };
        let Some(sent) = used.current().and_then(|version| version.intent.as_ref()) else {
            // Given up; unless it is wanted again.
            return used.is_stuck || !wanted.iter().any(|intent| is_bound(&intent));
        };
        wanted.iter().find(|intent| intent.id() == sent.id()).is_some_and(|intent| {
            !used.is_stuck && is_bound(&intent) && does_the_same(&sent.action, &intent.action)
        })
    }

    /// Sends the newest version again if no node has answered, or one that offers more if it is time.
    async fn send_again(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get(&nonce) else { return };
        let Some(version) = used.current().cloned() else { return };
        let age = pass.head.number.steps_since(version.since).unwrap_or_default();
        if used.is_outbid || age >= RENEWAL {
            let (intent, tx, what) = (version.intent.clone(), version.tx.clone(), version.what());
            if self.send(nonce, intent, tx, what, pass).await {
                return;
            }
        }
        if version.is_taken && !(age > 0 && age.is_multiple_of(RENEWAL)) {
            return;
        }
        let sent = self.account.broadcast(version.what(), &version.raw).await;
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        // A version that offers more may have been recorded above.
        let Some(last) = used.versions.iter_mut().find(|one| one.hash == version.hash) else {
            return;
        };
        match sent {
            Ok(()) => {
                if !core::mem::replace(&mut last.is_taken, true) {
                    let transaction = version.hash;
                    pass.report(version.id(), TxEvent::Sent { transaction, nonce });
                }
                used.refusals = 0;
            }
            Err(error) => {
                match error.rejection() {
                    // It is mined, or something else is: the next block's state says.
                    Some(Rejection::NonceTooLow) => return,
                    Some(Rejection::Underpriced | Rejection::ReplacementUnderpriced) => {
                        used.is_outbid = true;
                    }
                    Some(
                        Rejection::InsufficientFunds | Rejection::GasCap | Rejection::Unacceptable,
                    ) => used.is_stuck = true,
                    _ if is_answer(&error) && !error.is_rate_limit() => {
                        used.refusals += 1;
                        used.is_stuck |= used.refusals >= MAX_REFUSALS;
                    }
                    _ => {}
                }
                pass.fail(version.id(), error);
            }
        }
    }

    /// Sends the first transaction for an intent, under its nonce if it has one, otherwise under one
    /// that is free or new.
    pub(super) async fn start(
        &mut self,
        intent: &Intent,
        wanted: &[&Intent],
        free: &mut BTreeSet<u64>,
        pass: &mut Pass,
    ) {
        let id = intent.id();
        let own = self.nonce_of(&id);
        let is_stuck = |nonce| self.nonces.get(&nonce).is_some_and(|used| used.is_stuck);
        if own.is_some_and(|nonce| !free.contains(&nonce) || is_stuck(nonce)) {
            // It is in flight, or has to wait until something else has used its nonce.
            return;
        }
        let (call, gas_limit) = match self.check(intent, pass).await {
            Ok(checked) => checked,
            Err(error) => return pass.fail(Some(id), error),
        };
        let nonce = match own.or_else(|| self.unclaimed(free, wanted)) {
            Some(nonce) => nonce,
            None => match self.new_nonce(pass).await {
                Ok(nonce) => nonce,
                Err(error) => return pass.fail(Some(id), error),
            },
        };
        let tx = self.account.transaction(&call, nonce, gas_limit, Fees::default());
        if self.send(nonce, Some(intent.clone()), tx, call.what(), pass).await {
            free.remove(&nonce);
        }
    }

    /// A free nonce that no wanted intent is bound to.
    fn unclaimed(&self, free: &BTreeSet<u64>, wanted: &[&Intent]) -> Option<u64> {
        let claimed: BTreeSet<_> =
            wanted.iter().filter_map(|intent| self.nonce_of(&intent.id())).collect();
        free.difference(&claimed).next().copied()
    }

    /// The first nonce that neither the chain nor a transaction in flight has, whoever sent it.
    async fn new_nonce(&self, pass: &mut Pass) -> Result<u64> {
        let pool = self.pool_nonce(pass).await?;
        let first = self.count.max(pass.unused_from).max(pool);
        Ok((first..).find(|nonce| !self.nonces.contains_key(nonce)).unwrap_or(first))
    }

    async fn pool_nonce(&self, pass: &mut Pass) -> Result<u64> {
        if let Some(nonce) = pass.pool {
            return Ok(nonce);
        }
        let nonce = self.account.transaction_count(BlockId::pending()).await?;
        pass.pool = Some(nonce);
        Ok(nonce)
    }

    /// The call that does what an intent asks for, as it succeeds now, and its gas limit.
    async fn check(&self, intent: &Intent, pass: &Pass) -> Result<(ContractCall, u64)> {
        let call = self.call(intent, pass).await?;
        match self.checks {
            Checks::Full => {}
            Checks::AtReceipt { gas_limit } => return Ok((call, gas_limit)),
        }
        let error = match self.account.check(&call, pass.next).await {
            Ok(gas_limit) => return Ok((call, gas_limit)),
            Err(error) => error,
        };
        // A payload can also withhold its list by using up the gas.
        let may_withhold =
            matches!(error, Error::TooMuchGas { .. }) || error.as_revert().is_some_and(withholds);
        let Some(call) = fallback_call(intent).filter(|_| may_withhold) else { return Err(error) };
        let gas_limit = self.account.check(&call, pass.next).await?;
        Ok((call, gas_limit))
    }

    async fn call(&self, intent: &Intent, pass: &Pass) -> Result<ContractCall> {
        let owner = self.address();
        if let Some(expected) = intent.action.required_sender()
            && expected != owner
        {
            return Err(Error::OtherAccount { expected, found: owner });
        }
        let IntendedAction::Lock { amount, permit: Some(terms), .. } = intent.action else {
            return Ok(contract_call(intent, None));
        };
        let spender = intent.set.governance;
        let asset = self.client().permit_asset(pass.head.hash.into(), spender).await?;
        let PermitAsset { address: asset, name: asset_name } = asset;
        let nonce = terms.nonce.to_word();
        let deadline = terms.deadline;
        let request = PermitRequest { asset_name, asset, owner, spender, amount, nonce, deadline };
        let hash = request.signing_hash(self.client().chain_id());
        let permit = self.account.sign_hash("the permit", hash).await?;
        Ok(contract_call(intent, Some(&permit)))
    }

    /// Gives a nonce up: a transfer of nothing takes the place of its transactions.
    pub(super) async fn use_up(&mut self, nonce: u64, pass: &mut Pass) {
        let nothing = self.account.nothing();
        let tx = self.account.transaction(&nothing, nonce, TRANSFER_GAS, Fees::default());
        self.send(nonce, None, tx, nothing.what(), pass).await;
    }

    /// Uses up the nonces below those in flight that nothing has any more.
    pub(super) async fn fill_gaps(&mut self, pass: &mut Pass) {
        let Some(last) = self.nonces.last_key_value().map(|(nonce, _)| *nonce) else { return };
        let in_flight = self.nonces.range(self.count..).count() as u64;
        if self.count + in_flight > last {
            return;
        }
        let pool = match self.pool_nonce(pass).await {
            Ok(pool) => pool,
            Err(error) => return pass.fail(None, error),
        };
        for nonce in pool.max(self.count)..last {
            if !self.nonces.contains_key(&nonce) {
                self.use_up(nonce, pass).await;
            }
        }
    }
}

/// Whether an endpoint answered, and said no.
const fn is_answer(error: &Error) -> bool {
    matches!(error, Error::Rpc { source: RpcError::ErrorResp(_), .. })
}
