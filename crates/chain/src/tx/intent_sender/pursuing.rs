//! Choosing which transactions are sent, resent or given up, and under which nonces.

use super::{IntentSender, Pass, RENEWAL, sending::Recording};
use crate::{
    call::ContractCall,
    calls::PermitRequest,
    client::{L1_SLOT, PermitAsset},
    error::{Error, Result},
    tx::{
        account::TRANSFER_GAS,
        fees::Fees,
        intended::{contract_call, fallback_call, withholds},
        nonce_use::{Effect, Mined, NonceUse, Version},
    },
};
use alloy_eips::BlockId;
use alloy_primitives::Signature;
use canon_abi::Revert;
use canon_protocol::{GovernanceRefusal, Refusal, Timestamp};
use canon_views::{Completion, IntendedAction, Intent, IntentId};
use std::collections::BTreeSet;

/// The highest number of missing nonces that are used up at once. If more are missing, the endpoint's answer is
/// wrong.
const MAX_MISSING: usize = 16;

impl IntentSender {
    /// The intents that should be in flight, in order. Those in flight are given up by the time of the newest
    /// block, since the time expected for the next one can be wrong.
    pub(super) fn wanted<'a>(
        &self,
        intents: &'a [Intent],
        next: Timestamp,
        pass: &mut Pass,
    ) -> Vec<&'a Intent> {
        let found = self.client().chain_id();
        let soonest = next.min(pass.head.timestamp + L1_SLOT);
        let mut seen = BTreeSet::new();
        let mut wanted = Vec::new();
        for intent in intents {
            let id = intent.id();
            let expected = intent.set.chain_id;
            if expected != found {
                pass.fail(Some(id), Error::OtherChain { expected, found });
                continue;
            }
            // An intent that may be done is neither resent nor given up.
            let is_journaled = intent.completion() == Completion::Journal;
            if let Some(version) = self.may_have_done(&id).filter(|_| is_journaled) {
                pass.fail(Some(id), version.unproven());
                continue;
            }
            if let Some(error) = self.may_be_completed(&id).filter(|_| is_journaled) {
                pass.fail(Some(id), error);
                continue;
            }
            let may_be_done = self.is_done(&id) || self.has_effect(Effect::Unclear(id));
            let is_over = is_journaled && may_be_done;
            if is_journaled
                && !may_be_done
                && let Some(error) = self.superseded_recently(&id)
            {
                pass.fail(Some(id), error);
                continue;
            }
            let time = if self.nonce_of(&id).is_some() { soonest } else { next };
            if intent.is_useful_at(time) && !is_over && seen.insert(id) {
                wanted.push(intent);
            }
        }
        wanted
    }

    /// The reason to wait if a nonce of an intent was used without doing it, and that use isn't final. A
    /// reorganization can let the intent's transaction be mined after all, in addition to one that is sent
    /// now.
    fn superseded_recently(&self, id: &IntentId) -> Option<Error> {
        let (nonce, mined) = self.recently_lost(id).next()?;
        let (by, block, until) = (mined.hash, mined.block, mined.final_by());
        Some(Error::NonceUseNotFinal { by, nonce, block, until })
    }

    /// The nonces of an intent that were used without doing it, where that isn't final.
    fn recently_lost<'a>(&'a self, id: &'a IntentId) -> impl Iterator<Item = (u64, &'a Mined)> {
        self.nonces.iter().filter_map(move |(nonce, used)| {
            let mined = used.mined.as_ref()?;
            let is_of = used.is_for(id) || self.is_unproven(*nonce, id);
            let is_lost = ![Effect::Done(*id), Effect::Unclear(*id)].contains(&mined.effect);
            (is_of && is_lost).then_some((*nonce, mined))
        })
    }

    /// Checks that a ballot can't be counted beside an earlier transaction for it that a reorganization can still
    /// let be mined: both together cast more power than is left.
    async fn check_counted_once(&self, intent: &Intent, pass: &Pass) -> Result<()> {
        let IntendedAction::Vote { holder, id, support, amount } = intent.action else {
            return Ok(());
        };
        let intent_id = intent.id();
        let unproven = self.may_have_done(&intent_id);
        let superseded = self.superseded_recently(&intent_id);
        let Some(wait) = superseded.or_else(|| unproven.map(Version::unproven)) else {
            return Ok(());
        };
        let lost = self.recently_lost(&intent_id);
        let versions = lost.flat_map(|(nonce, _)| self.versions_of(nonce)).chain(unproven);
        let earlier = versions.filter_map(|version| match version.intent.as_ref()?.action {
            IntendedAction::Vote { amount, .. } if version.id() == Some(intent_id) => Some(amount),
            _ => None,
        });
        let both = amount.checked_add(earlier.min().unwrap_or_default());
        let Some(amount) = both else { return Ok(()) };
        let action = IntendedAction::Vote { holder, id, support, amount };
        let both = signed(&Intent { action, ..intent.clone() }, None)?;
        match self.account.gas_limit(&both, pass.next).await {
            Ok(_) => Err(wait),
            Err(error) if error.as_revert().is_some_and(lacks_power) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Continues with the transactions in flight. Returns the nonces that other intents may use: those of
    /// transactions that are stuck or no longer wanted.
    pub(super) async fn carry_on(&mut self, wanted: &[&Intent], pass: &mut Pass) -> BTreeSet<u64> {
        let mut free = BTreeSet::new();
        let undecided = self.nonces.range(self.count..).map(|(nonce, _)| *nonce);
        for nonce in undecided.collect::<Vec<_>>() {
            let is_wanted = self.is_wanted(nonce, wanted);
            if is_wanted {
                self.send_again(nonce, pass).await;
            }
            if !is_wanted || self.is_stuck(nonce) {
                free.insert(nonce);
            }
        }
        free
    }

    /// Whether the newest version of a nonce is stuck, so that other intents may use the nonce.
    fn is_stuck(&self, nonce: u64) -> bool {
        let is_open = |used: &NonceUse| {
            used.is_stuck && used.current().is_some_and(|one| one.intent.is_some())
        };
        self.nonces.get(&nonce).is_some_and(is_open)
    }

    /// Whether the newest version of a nonce should still be mined.
    fn is_wanted(&self, nonce: u64, wanted: &[&Intent]) -> bool {
        let Some(used) = self.nonces.get(&nonce) else { return false };
        let is_bound = |intent: &&&Intent| {
            let id = intent.id();
            used.is_for(&id) && self.nonce_of(&id) == Some(nonce)
        };
        let Some(sent) = used.current().and_then(|version| version.intent.as_ref()) else {
            // It was given up, unless its intent is wanted again.
            return used.is_stuck || !wanted.iter().any(|intent| is_bound(&intent));
        };
        wanted
            .iter()
            .find(|intent| intent.id() == sent.id())
            .is_some_and(|intent| is_bound(&intent) && sent.action.does_the_same(&intent.action))
    }

    /// Resends the newest version if no node has confirmed that it has it. Replaces it by one with higher
    /// fees when that is due.
    async fn send_again(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get(&nonce) else { return };
        let Some(version) = used.current().cloned() else { return };
        let age = pass.head.number.steps_since(version.since).unwrap_or_default();
        if used.is_outbid && age > 0 || age >= RENEWAL {
            let (intent, tx, what) = (version.intent.clone(), version.tx.clone(), version.what());
            // At the cap, nothing outbids what was offered, and it is sent again as it is.
            let id = version.id();
            let offer = self.offer(nonce, id.as_ref(), pass);
            let is_most = offer.is_ok_and(|fees| fees == version.fees());
            if !is_most && self.send(nonce, intent, tx, what, pass).await == Recording::Recorded {
                return;
            }
        }
        if !version.is_taken || age > 0 && age.is_multiple_of(RENEWAL) {
            self.broadcast(nonce, &version, pass).await;
        }
    }

    /// Sends the first transaction for an intent, under its own nonce if it has one, otherwise under a free
    /// or a new one.
    pub(super) async fn start(
        &mut self,
        intent: &Intent,
        wanted: &[&Intent],
        free: &mut BTreeSet<u64>,
        pass: &mut Pass,
    ) {
        let id = intent.id();
        let own = self.nonce_of(&id);
        let gave_way = |nonce| self.nonces.get(&nonce).is_some_and(|used| used.is_stuck);
        if own.is_some_and(|nonce| !free.contains(&nonce) || gave_way(nonce)) {
            // It is in flight, or must wait until another transaction has used its nonce.
            return;
        }
        let (call, gas_limit) = match self.check(intent, pass).await {
            Ok(checked) => checked,
            Err(error) => return pass.fail(Some(id), error),
        };
        if let Err(error) = self.check_counted_once(intent, pass).await {
            return pass.fail(Some(id), error);
        }
        let nonce = match (own, self.unproven_of(&id)) {
            (Some(nonce), _) => Ok(nonce),
            (None, Some(unproven)) => self.nonce_beside(&unproven, pass).await,
            (None, None) => match self.unclaimed(free, wanted) {
                Some(nonce) => Ok(nonce),
                None => self.new_nonce(pass).await,
            },
        };
        let nonce = match nonce {
            Ok(nonce) => nonce,
            Err(error) => return pass.fail(Some(id), error),
        };
        let tx = self.account.transaction(&call, nonce, gas_limit, Fees::default());
        let recording = self.send(nonce, Some(intent.clone()), tx, call.what(), pass).await;
        if recording == Recording::Recorded {
            free.remove(&nonce);
        }
        if self.is_stuck(nonce) {
            free.insert(nonce);
        }
    }

    /// A free nonce to which no wanted intent is bound, unless its transaction is stuck.
    fn unclaimed(&self, free: &BTreeSet<u64>, wanted: &[&Intent]) -> Option<u64> {
        let bound = wanted.iter().filter_map(|intent| self.nonce_of(&intent.id()));
        let claimed: BTreeSet<_> = bound.filter(|nonce| !self.is_stuck(*nonce)).collect();
        free.difference(&claimed).next().copied()
    }

    /// The first nonce that neither the chain nor a transaction in flight has used. An error if a pool has
    /// transactions that this sender doesn't know.
    pub(super) async fn new_nonce(&mut self, pass: &mut Pass) -> Result<u64> {
        let found = self.pool_nonce(pass).await?;
        if found > self.next_nonce() {
            // The recorded count can be that of an earlier block.
            self.count = self.account.transaction_count(pass.head.hash.into()).await?;
        }
        let expected = self.next_nonce();
        if found > expected {
            return Err(Error::UnexpectedNonce { expected, found });
        }
        Ok(expected)
    }

    fn next_nonce(&self) -> u64 {
        let is_unused = |nonce: &u64| !self.nonces.contains_key(nonce);
        (self.count..=u64::MAX).find(is_unused).unwrap_or(u64::MAX)
    }

    async fn pool_nonce(&self, pass: &mut Pass) -> Result<u64> {
        if let Some(nonce) = pass.pool {
            return Ok(nonce);
        }
        let nonce = self.account.transaction_count(BlockId::pending()).await?;
        pass.pool = Some(nonce);
        Ok(nonce)
    }

    /// The call that carries out an intent and succeeds now, with its gas limit.
    pub(super) async fn check(&self, intent: &Intent, pass: &Pass) -> Result<(ContractCall, u64)> {
        let call = self.call(intent, pass).await?;
        let most = self.gas_limits.get(&intent.id()).copied();
        let Some(fallback) = fallback_call(intent) else {
            let gas_limit = self.account.check(&call, None, most, pass.next).await?;
            return Ok((call, gas_limit));
        };
        // A payload can choose to withhold its actions if it sees who pays for the gas.
        let fees = Some(self.policy(Some(&intent.id())).offer(pass.next.base_fee, None)?);
        let has_failed = self.has_failed(&intent.id());
        let (first, second) = if has_failed { (fallback, call) } else { (call, fallback) };
        let error = match self.account.check(&first, fees, most, pass.next).await {
            Ok(gas_limit) => return Ok((first, gas_limit)),
            Err(error) => error,
        };
        // It can also withhold them by using up the gas.
        let may_withhold = matches!(error, Error::TooMuchGas { .. } | Error::MoreGas { .. })
            || error.as_revert().is_some_and(withholds);
        if !(has_failed || may_withhold) {
            return Err(error);
        }
        let gas_limit = self.account.check(&second, fees, most, pass.next).await?;
        Ok((second, gas_limit))
    }

    /// Whether a transaction for an intent was mined within the last 64 blocks without doing the intent.
    fn has_failed(&self, id: &IntentId) -> bool {
        self.nonces.values().any(|used| {
            let failed = used.mined.as_ref().filter(|mined| mined.effect == Effect::Nothing);
            failed.is_some_and(|mined| {
                let mut versions = used.versions.iter();
                versions.any(|version| version.hash == mined.hash && version.id() == Some(*id))
            })
        })
    }

    async fn call(&self, intent: &Intent, pass: &Pass) -> Result<ContractCall> {
        let owner = self.address();
        if let Some(expected) = intent.action.required_sender()
            && expected != owner
        {
            return Err(Error::OtherAccount { expected, found: owner });
        }
        let IntendedAction::Lock { amount, permit: Some(terms), .. } = intent.action else {
            return signed(intent, None);
        };
        let spender = intent.set.governance;
        let asset = self.client().permit_asset(pass.head.hash.into(), spender).await?;
        let PermitAsset { address: asset, name: asset_name } = asset;
        let nonce = terms.nonce.to_word();
        let deadline = terms.deadline;
        let request = PermitRequest { asset_name, asset, owner, spender, amount, nonce, deadline };
        let hash = request.signing_hash(self.client().chain_id());
        let permit = self.account.sign_hash("the permit", hash).await?;
        signed(intent, Some(&permit))
    }

    /// Gives up the unused nonces. A stuck one is kept while no later transaction waits for it; it is sent
    /// as soon as a node accepts it.
    pub(super) async fn give_up(&mut self, free: BTreeSet<u64>, pass: &mut Pass) {
        for nonce in free {
            let is_last = self.nonces.last_key_value().is_none_or(|(last, _)| *last == nonce);
            if !(is_last && self.is_stuck(nonce)) {
                self.use_up(nonce, pass).await;
            }
        }
    }

    /// Uses up a nonce: an empty transfer replaces its transactions.
    async fn use_up(&mut self, nonce: u64, pass: &mut Pass) {
        let nothing = self.account.nothing();
        let tx = self.account.transaction(&nothing, nonce, TRANSFER_GAS, Fees::default());
        self.send(nonce, None, tx, nothing.what(), pass).await;
    }

    /// Uses up the nonces below those in flight for which no transaction exists any more.
    pub(super) async fn fill_gaps(&mut self, pass: &mut Pass) {
        let Some(last) = self.nonces.last_key_value().map(|(nonce, _)| *nonce) else { return };
        let in_flight = self.nonces.range(self.count..).count() as u64;
        if self.count.saturating_add(in_flight) > last {
            return;
        }
        let pool = match self.pool_nonce(pass).await {
            Ok(pool) => pool,
            Err(error) => return pass.fail(None, error),
        };
        let found = pool.max(self.count);
        let missing = (found..last).filter(|nonce| !self.nonces.contains_key(nonce));
        let missing: Vec<_> = missing.take(MAX_MISSING + 1).collect();
        if missing.len() > MAX_MISSING {
            return pass.fail(None, Error::UnexpectedNonce { expected: last, found });
        }
        for nonce in missing {
            self.use_up(nonce, pass).await;
        }
    }
}

/// Whether a ballot was refused because it casts more power than is left.
fn lacks_power(revert: &Revert) -> bool {
    matches!(revert.refusal(), Refusal::Governance(GovernanceRefusal::InsufficientPower { .. }))
}

/// The call that carries out an intent.
///
/// # Errors
///
/// [`Error::Signing`] if it needs a permit and there is none.
fn signed(intent: &Intent, permit: Option<&Signature>) -> Result<ContractCall> {
    contract_call(intent, permit).ok_or_else(|| Error::Signing {
        what: "the permit",
        source: alloy_signer::Error::other("it has no signature"),
    })
}
