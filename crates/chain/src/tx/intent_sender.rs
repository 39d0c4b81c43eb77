//! Sends what intents ask for.

use crate::{
    call::ContractCall,
    calls::PermitRequest,
    client::{Client, NextBlock, PermitAsset},
    error::{Error, Result},
    rejection::Rejection,
    sender::Checks,
    tx::{
        account::{Account, TRANSFER_GAS},
        fees::{FeePolicy, Fees},
        intended::{contract_call, does_the_same, fallback_call, withholds},
        journal::{Journal, JournalError, JournaledTransaction},
        nonce_use::{FINALITY, Mined, NonceUse, Version},
        report::{TxEvent, TxReport},
    },
};
use alloy_consensus::{Transaction, TxEip1559};
use alloy_eips::BlockId;
use alloy_network::{FullSigner, TransactionResponse};
use alloy_primitives::{Address, B256, Signature};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_transport::RpcError;
use canon_protocol::{BlockNumber, Timestamp};
use canon_views::{BlockView, Completion, IntendedAction, Intent, IntentId};
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// Every so many blocks without a receipt a transaction is replaced by one that offers more: it may be
/// stuck, or lost.
const RENEWAL: u64 = 8;

/// After so many refusals in a row, in words that aren't known, a transaction lets others have its nonce.
const MAX_REFUSALS: u32 = 8;

/// A key that sends what intents ask for, one transaction for each.
pub struct IntentSender {
    account: Account,
    fees: FeePolicy,
    checks: Checks,
    journal: Box<dyn Journal>,
    /// All nonces whose use isn't final.
    nonces: BTreeMap<u64, NonceUse>,
    /// Intents that are done for good and that only the journal knows to be.
    done: BTreeSet<IntentId>,
    /// The block for which it is settled what became of them; `None` if that failed.
    head: Option<BlockView>,
    /// The last block for which it was settled.
    settled: Option<B256>,
    /// The number of transactions of the account up to that block; up to an earlier one if there were none
    /// to settle.
    count: u64,
    /// What a new transaction has to offer after one was refused as offering too little, and when that
    /// was.
    floor: Option<(Fees, BlockNumber)>,
    /// Failures that were reported and last.
    reported: BTreeMap<Option<IntentId>, String>,
}

/// What is known and found out for one block.
struct Pass {
    head: BlockView,
    next: NextBlock,
    reports: Vec<TxReport>,
    /// The first nonce that the pool doesn't have.
    pool: Option<u64>,
    /// The first nonce that nothing else has, as far as refusals in this pass say.
    unused_from: u64,
}

impl Pass {
    const fn new(head: BlockView, next: NextBlock) -> Self {
        Self { head, next, reports: Vec::new(), pool: None, unused_from: 0 }
    }

    fn report(&mut self, intent: Option<IntentId>, event: TxEvent) {
        self.reports.push(TxReport { intent, event });
    }

    fn fail(&mut self, intent: Option<IntentId>, error: impl Into<Error>) {
        self.report(intent, TxEvent::Failed(error.into()));
    }
}

impl IntentSender {
    /// Goes on where the journal ends.
    ///
    /// # Errors
    ///
    /// If the journal can't be read, or has transactions of another account or chain.
    pub fn new(
        client: Client,
        key: impl FullSigner<Signature> + Send + Sync + 'static,
        fees: FeePolicy,
        journal: impl Journal + 'static,
    ) -> Result<Self> {
        let account = Account::new(client, key);
        let contents = journal.load()?;
        let mut nonces: BTreeMap<u64, NonceUse> = BTreeMap::new();
        for journaled in contents.transactions {
            let (version, signer) = Version::restore(journaled)?;
            if signer != account.address() {
                return Err(Error::OtherAccount { expected: signer, found: account.address() });
            }
            let (expected, found) = (version.tx.chain_id, account.client().chain_id());
            if expected != found {
                return Err(Error::OtherChain { expected, found });
            }
            nonces.entry(version.tx.nonce).or_default().push(version);
        }
        Ok(Self {
            account,
            fees,
            checks: Checks::Full,
            journal: Box::new(journal),
            nonces,
            done: contents.confirmed.into_iter().collect(),
            head: None,
            settled: None,
            count: 0,
            floor: None,
            reported: BTreeMap::new(),
        })
    }

    /// What is checked before a transaction is sent. Default: everything.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The chain it sends to.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Whether an intent is done, as of the block that was [settled](Self::settle) last. Intents that are
    /// [completed by the state](Completion::State) are forgotten after 64 blocks, others never.
    pub fn is_done(&self, id: &IntentId) -> bool {
        let mut mined = self.nonces.values().filter_map(|used| used.mined.as_ref());
        self.done.contains(id) || mined.any(|mined| mined.done.as_ref() == Some(id))
    }

    /// Whether an intent is done, or its nonce was used and the endpoint didn't say by what. What follows
    /// from its not being done mustn't be done then.
    pub fn may_be_done(&self, id: &IntentId) -> bool {
        self.is_done(id) || self.nonce_of(id).is_some_and(|nonce| nonce < self.count)
    }

    /// The transactions that aren't mined, by nonce: the newest version of each, and what it is for;
    /// `None` if it only uses the nonce.
    pub fn in_flight(&self) -> impl Iterator<Item = (u64, B256, Option<IntentId>)> {
        let undecided = self.nonces.iter().filter(|(_, used)| used.mined.is_none());
        undecided.filter_map(|(nonce, used)| {
            used.current().map(|version| (*nonce, version.hash, version.id()))
        })
    }

    /// Finds out what became of all transactions up to `head`. Call it for every block, or less often,
    /// before it is decided what is due: that can depend on what [is done](Self::is_done).
    ///
    /// What fails is reported, and tried again at the next call. If nothing is in flight, and `head` follows
    /// the block of the last call, nothing is asked.
    pub async fn settle(&mut self, head: BlockView) -> Vec<TxReport> {
        let mut pass = Pass::new(head, NextBlock::after(&head, head.timestamp));
        self.head = None;
        if self.nonces.values().any(|used| !self.is_settled(used, &head)) {
            match self.account.transaction_count(head.hash.into()).await {
                Ok(count) => {
                    self.decide_all(count, &mut pass).await;
                    self.count = count;
                }
                Err(error) => {
                    pass.fail(None, error);
                    return pass.reports;
                }
            }
        }
        (self.settled, self.head) = (Some(head.hash), Some(head));
        pass.reports
    }

    /// Sends what is wanted and isn't sent yet, sends again what may be lost or stuck, and gives up what
    /// isn't wanted any more, in a block that is expected at `next` and follows the one that was
    /// [settled](Self::settle). If that failed it does nothing.
    ///
    /// `intents` are all that are due according to the state after the settled block: what is mined by
    /// then and due all the same is sent once more, unless its [completion](Intent::completion) is the
    /// journal's. Those whose time is over at `next` count as not wanted.
    ///
    /// What fails is reported, and tried again at the next call; one failure doesn't keep anything else
    /// from being tried. A refusal that lasts is reported once.
    pub async fn pursue(&mut self, intents: &[Intent], next: Timestamp) -> Vec<TxReport> {
        let Some(head) = self.head else { return Vec::new() };
        let mut pass = Pass::new(head, NextBlock::after(&head, next));
        let wanted = self.wanted(intents, next, &mut pass);
        let mut free = self.carry_on(&wanted, &mut pass).await;
        for intent in &wanted {
            self.start(intent, &wanted, &mut free, &mut pass).await;
        }
        for nonce in free {
            self.use_up(nonce, &mut pass).await;
        }
        self.fill_gaps(&mut pass).await;
        self.forget_what_is_final(&mut pass);
        self.unless_reported(pass.reports)
    }

    /// Whether it is known what became of a nonce by `head`.
    fn is_settled(&self, used: &NonceUse, head: &BlockView) -> bool {
        let continues = [head.hash, head.parent];
        let is_continued = self.settled.is_some_and(|settled| continues.contains(&settled));
        // What is final is looked at once more: the endpoint may have answered from another fork.
        let is_settled = |mined: &Mined| !mined.is_unsure && !mined.is_final(head.number);
        is_continued && used.mined.as_ref().is_some_and(is_settled)
    }

    async fn decide_all(&mut self, count: u64, pass: &mut Pass) {
        let nonces: Vec<_> = self.nonces.keys().copied().collect();
        for nonce in nonces {
            if nonce >= count {
                self.take_back(nonce, pass);
                continue;
            }
            let is_settled = |used: &NonceUse| self.is_settled(used, &pass.head);
            if !self.nonces.get(&nonce).is_some_and(is_settled) {
                self.decide(nonce, pass).await;
            }
        }
    }

    /// What was mined isn't any more.
    fn take_back(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let Some(mined) = used.mined.take() else { return };
        let version = used.versions.iter().find(|version| version.hash == mined.hash);
        let intent = version.and_then(Version::id);
        // No pool need have any of them.
        used.versions.iter_mut().for_each(|version| version.is_taken = false);
        pass.report(intent, TxEvent::TakenBack { transaction: mined.hash });
    }

    /// Finds out which version of a nonce is mined, where one is.
    async fn decide(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get(&nonce) else { return };
        let mut failure = None;
        for hash in used.hashes() {
            match self.receipt(hash, pass).await {
                Ok(Some(receipt)) => return self.note_mined(nonce, &receipt, pass).await,
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        if let Some(error) = failure {
            if let Some(mined) = &mut used.mined {
                mined.is_unsure = true;
            }
            let intent = used.current().and_then(Version::id);
            return pass.fail(intent, error);
        }
        self.take_back(nonce, pass);
        self.find_other(nonce, pass).await;
    }

    /// The receipt of a transaction, if it was mined by the pass's block.
    async fn receipt(&self, hash: B256, pass: &Pass) -> Result<Option<TransactionReceipt>> {
        let receipt = self.client().provider().get_transaction_receipt(hash).await;
        let receipt = receipt.map_err(|source| Error::rpc("eth_getTransactionReceipt", source))?;
        let head = pass.head.number.get();
        Ok(receipt.filter(|receipt| receipt.block_number.is_some_and(|number| number <= head)))
    }

    async fn note_mined(&mut self, nonce: u64, receipt: &TransactionReceipt, pass: &mut Pass) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let hash = receipt.transaction_hash;
        if let Some(mined) = &mut used.mined
            && (mined.hash, mined.block_hash) == (hash, receipt.block_hash)
        {
            mined.is_unsure = false;
            return;
        }
        let Some(version) = used.versions.iter().find(|version| version.hash == hash) else {
            return;
        };
        let intent = version.id();
        let checked = self.account.client().check(&version.pending(&self.account), receipt).await;
        used.mined = Some(Mined {
            hash,
            block: BlockNumber::of(receipt.block_number.unwrap_or_default()),
            block_hash: receipt.block_hash,
            done: intent.filter(|_| checked.is_ok()),
            is_unsure: false,
        });
        for other in used.intents().into_iter().filter(|other| Some(*other) != intent) {
            pass.report(Some(other), TxEvent::Superseded { by: hash });
        }
        match checked {
            Ok(confirmed) if intent.is_some() => {
                pass.report(intent, TxEvent::Confirmed(confirmed));
            }
            Ok(_) => {}
            Err(error) => pass.fail(intent, error),
        }
    }

    /// The chain has used the nonce, and no version has a receipt: looks for what else did.
    async fn find_other(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get(&nonce) else { return };
        let since = used.versions.first().map_or(BlockNumber::ZERO, |version| version.since);
        match self.user_of(nonce, since, pass).await {
            Ok(Some(hash)) if !used.hashes().contains(&hash) => {
                for intent in used.intents() {
                    pass.report(Some(intent), TxEvent::Superseded { by: hash });
                }
                self.forget(nonce, pass);
            }
            // The endpoint doesn't know the receipt yet.
            Ok(_) => {}
            Err(error) => {
                let intent = used.current().and_then(Version::id);
                pass.fail(intent, error);
            }
        }
    }

    /// The transaction that used a nonce after the block `since`, if there is one by the pass's block.
    async fn user_of(&self, nonce: u64, since: BlockNumber, pass: &Pass) -> Result<Option<B256>> {
        let mut low = since.get().saturating_sub(FINALITY);
        let mut high = pass.head.number.get();
        while low < high {
            let middle = low + (high - low) / 2;
            let count = self.account.transaction_count(BlockId::number(middle)).await?;
            if count > nonce { high = middle } else { low = middle + 1 }
        }
        let block = self.client().provider().get_block(BlockId::number(high)).full().await;
        let block = block.map_err(|source| Error::rpc("eth_getBlock", source))?;
        let Some(block) = block else { return Ok(None) };
        let mut transactions = block.into_transactions_vec().into_iter();
        let user = transactions.find(|tx| tx.from() == self.address() && tx.nonce() == nonce);
        Ok(user.map(|tx| tx.tx_hash()))
    }

    /// What is to be in flight, in order.
    fn wanted<'a>(
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

    /// The nonce that isn't used yet and that an intent is bound to.
    fn nonce_of(&self, id: &IntentId) -> Option<u64> {
        let mut undecided = self.nonces.iter().filter(|(_, used)| used.mined.is_none());
        undecided.find(|(_, used)| used.is_for(id)).map(|(nonce, _)| *nonce)
    }

    /// Goes on with what is in flight. The nonces whose transactions aren't wanted any more.
    async fn carry_on(&mut self, wanted: &[&Intent], pass: &mut Pass) -> BTreeSet<u64> {
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
    async fn start(
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

    /// Signs, records and sends a transaction under a nonce: with what it takes to replace those that
    /// have it. Whether it may be out.
    async fn send(
        &mut self,
        nonce: u64,
        intent: Option<Intent>,
        mut tx: TxEip1559,
        what: &'static str,
        pass: &mut Pass,
    ) -> bool {
        let id = intent.as_ref().map(Intent::id);
        let version = match self.sign(nonce, intent, &mut tx, what, pass).await {
            Ok(version) => version,
            Err(error) => {
                pass.fail(id, error);
                return false;
            }
        };
        let (transaction, raw) = (version.hash, version.raw.clone());
        let used = self.nonces.entry(nonce).or_default();
        let to_beat = used.to_beat;
        used.push(version);
        match self.account.broadcast(what, &raw).await {
            Ok(()) => {
                let used = self.nonces.get_mut(&nonce);
                if let Some(last) = used.and_then(|used| used.versions.last_mut()) {
                    last.is_taken = true;
                }
                self.floor = None;
                pass.report(id, TxEvent::Sent { transaction, nonce });
                true
            }
            Err(error) => {
                let is_out = match error.rejection() {
                    // It doesn't say that this one wasn't mined: on the way to the node it may have been
                    // doubled.
                    None | Some(Rejection::NonceTooLow) => true,
                    Some(rejection) => {
                        self.retract(nonce, rejection, to_beat, pass);
                        if let Err(error) = self.journal.forgotten(transaction) {
                            pass.fail(None, error);
                        }
                        false
                    }
                };
                pass.fail(id, error);
                is_out
            }
        }
    }

    async fn sign(
        &mut self,
        nonce: u64,
        intent: Option<Intent>,
        tx: &mut TxEip1559,
        what: &'static str,
        pass: &Pass,
    ) -> Result<Version> {
        let base_fee = pass.next.base_fee;
        let fees = match self.nonces.get(&nonce) {
            Some(used) => self.fees.replacement(used.to_beat, base_fee)?,
            None => {
                let is_recent = |(_, since): &(Fees, BlockNumber)| {
                    pass.head.number.steps_since(*since).is_some_and(|age| age < RENEWAL)
                };
                let floor = self.floor.filter(is_recent).map(|(floor, _)| floor);
                self.fees.offer(base_fee, floor)?
            }
        };
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (fees.max_fee, fees.tip);
        let signed = self.account.sign(what, tx).await?;
        let since = pass.head.number;
        let journaled = JournaledTransaction { raw: signed.raw, intent, since };
        self.journal.record(&journaled)?;
        let JournaledTransaction { raw, intent, since } = journaled;
        Ok(Version { hash: signed.hash, raw, tx: tx.clone(), intent, since, is_taken: false })
    }

    /// A node refused the newest version of a nonce when it was sent for the first time, so it isn't out.
    /// `to_beat` is what was to beat before it.
    fn retract(&mut self, nonce: u64, rejection: Rejection, to_beat: Fees, pass: &mut Pass) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let offered = used.versions.pop().map(|version| version.fees()).unwrap_or_default();
        let is_only = used.versions.is_empty();
        let is_outbid =
            matches!(rejection, Rejection::Underpriced | Rejection::ReplacementUnderpriced);
        if is_outbid {
            used.is_outbid = true;
        } else {
            used.to_beat = to_beat;
        }
        if is_only {
            self.nonces.remove(&nonce);
        }
        match rejection {
            Rejection::Underpriced if is_only => {
                self.floor = Some((self.fees.outbid(offered), pass.head.number));
            }
            // The pool has a transaction that isn't known here.
            Rejection::ReplacementUnderpriced if is_only => pass.unused_from = nonce + 1,
            _ => {}
        }
    }

    /// Gives a nonce up: a transfer of nothing takes the place of its transactions.
    async fn use_up(&mut self, nonce: u64, pass: &mut Pass) {
        let nothing = self.account.nothing();
        let tx = self.account.transaction(&nothing, nonce, TRANSFER_GAS, Fees::default());
        self.send(nonce, None, tx, nothing.what(), pass).await;
    }

    /// Uses up the nonces below those in flight that nothing has any more.
    async fn fill_gaps(&mut self, pass: &mut Pass) {
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

    /// Forgets transactions that can't be taken back any more.
    fn forget_what_is_final(&mut self, pass: &mut Pass) {
        let head = pass.head.number;
        let is_final = |mined: &Mined| !mined.is_unsure && mined.is_final(head);
        let all = self.nonces.iter();
        let over: Vec<_> = all
            .filter_map(|(nonce, used)| Some((*nonce, used.mined.clone().filter(is_final)?)))
            .collect();
        for (nonce, mined) in over {
            if let Err(error) = self.keep_in_mind(nonce, &mined) {
                pass.fail(None, error);
                continue;
            }
            self.forget(nonce, pass);
        }
    }

    /// Remembers for good what only the journal knows to be done.
    fn keep_in_mind(&mut self, nonce: u64, mined: &Mined) -> Result<(), JournalError> {
        let versions = self.nonces.get(&nonce).map_or(&[][..], |used| &used.versions);
        let mined_version = versions.iter().find(|version| version.hash == mined.hash);
        let intent = mined_version.and_then(|version| version.intent.as_ref());
        if let (Some(id), Some(Completion::Journal)) = (mined.done, intent.map(Intent::completion))
        {
            self.journal.confirmed(&id, mined.hash)?;
            self.done.insert(id);
        }
        Ok(())
    }

    fn forget(&mut self, nonce: u64, pass: &mut Pass) {
        for version in self.nonces.remove(&nonce).into_iter().flat_map(|used| used.versions) {
            if let Err(error) = self.journal.forgotten(version.hash) {
                pass.fail(None, error);
            }
        }
    }

    /// The reports, without refusals that were reported before and last.
    fn unless_reported(&mut self, reports: Vec<TxReport>) -> Vec<TxReport> {
        let mut lasting = BTreeMap::new();
        let mut news = Vec::new();
        for report in reports {
            if let TxEvent::Failed(error) = &report.event
                && let Some(why) = lasting_reason(error)
            {
                let is_known = self.reported.get(&report.intent) == Some(&why);
                lasting.insert(report.intent, why);
                if is_known {
                    continue;
                }
            }
            news.push(report);
        }
        self.reported = lasting;
        news
    }
}

/// What is the same in every block for which the same failure lasts: balances and fees aren't.
fn lasting_reason(error: &Error) -> Option<String> {
    match error {
        Error::AboveCap(above) => Some(format!("above {}", above.cap)),
        error if error.is_temporary() => None,
        Error::Rejected { what, rejection, .. } => Some(format!("{what}: {rejection}")),
        error => Some(error.to_string()),
    }
}

/// Whether an endpoint answered, and said no.
const fn is_answer(error: &Error) -> bool {
    matches!(error, Error::Rpc { source: RpcError::ErrorResp(_), .. })
}

impl fmt::Debug for IntentSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntentSender")
            .field("address", &self.address())
            .field("nonces", &self.nonces)
            .finish_non_exhaustive()
    }
}
