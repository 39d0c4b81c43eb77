//! Finding the transaction that used a nonce, if no receipt shows it.

use super::{IntentSender, Pass};
use crate::{
    error::{Error, Result},
    tx::{
        intended::is_call_for,
        nonce_use::{Effect, FINALITY, Mined, NonceUse, Version},
        report::TxEvent,
    },
    view::{BatchedRequest, decode_reply},
};
use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_eips::{BlockId, BlockNumberOrTag, eip2718::Encodable2718};
use alloy_network::TransactionResponse;
use alloy_primitives::{Address, B256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Block, Transaction, TransactionReceipt};
use alloy_transport::RpcError;
use canon_protocol::BlockNumber;
use canon_views::{Completion, Intent};

/// The number of blocks that one search reads, with all their transactions.
const SEARCHED_AT_ONCE: u64 = 32;

/// The transaction that used a nonce.
struct NonceUser {
    tx: Transaction,
    block: BlockNumber,
    block_hash: B256,
}

impl NonceUser {
    fn find(block: Block, account: Address, nonce: u64) -> Option<Self> {
        let (number, block_hash) = (block.header.number, block.header.hash);
        let mut transactions = block.into_transactions_vec().into_iter();
        let tx = transactions.find(|tx| tx.from() == account && tx.nonce() == nonce)?;
        Some(Self { tx, block: BlockNumber::of(number), block_hash })
    }

    /// The transaction as a version of its nonce, if it makes the call of one of the intents: a wallet with the
    /// same key can replace a stuck transaction by the same call with higher fees.
    fn version<'a>(&self, mut intents: impl Iterator<Item = &'a Intent>) -> Option<Version> {
        let Self { tx, block, .. } = self;
        let envelope = tx.inner.inner();
        let to = envelope.to().filter(|_| envelope.value().is_zero())?;
        let intent = intents.find(|intent| is_call_for(intent, to, envelope.input()))?;
        let fields = TxEip1559 {
            chain_id: intent.set.chain_id,
            nonce: envelope.nonce(),
            gas_limit: envelope.gas_limit(),
            max_fee_per_gas: envelope.max_fee_per_gas(),
            max_priority_fee_per_gas: envelope.priority_fee_or_price(),
            to: to.into(),
            value: envelope.value(),
            access_list: Default::default(),
            input: envelope.input().clone(),
        };
        Some(Version {
            hash: tx.tx_hash(),
            raw: envelope.encoded_2718().into(),
            tx: fields,
            intent: Some(intent.clone()),
            since: *block,
            mined_in: None,
            is_taken: true,
        })
    }
}

impl NonceUse {
    /// The first block that can contain one of the versions.
    fn first_block(&self) -> BlockNumber {
        let since = self.versions.first().map_or(BlockNumber::ZERO, |version| version.since);
        // The blocks up to `since` may have been replaced.
        BlockNumber::of(since.get().saturating_sub(FINALITY))
    }
}

impl IntentSender {
    /// Finds the transaction that used a nonce, if the chain has used it and no version has a receipt.
    pub(super) async fn find_user(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get(&nonce) else { return };
        let intent = used.current().and_then(Version::id);
        let user = match self.user_of(nonce, used.first_block(), pass).await {
            Ok(user) => user,
            // The endpoint may not have states that old. In that case the use of the nonce is final.
            Err(error) => {
                if !matches!(self.is_used_for_good(nonce, pass).await, Ok(true)) {
                    return pass.fail(intent, error);
                }
                // A used nonce doesn't prove that none of its own transactions was mined.
                let Some(transaction) = self.only_in_journal(nonce) else {
                    self.report_superseded(nonce, None, pass);
                    return self.forget(nonce, pass);
                };
                match self.search(nonce, pass).await {
                    Ok(None) => {
                        let used = self.nonces.get(&nonce);
                        let unsearched = used.and_then(|used| used.unsearched).unwrap_or_default();
                        let searched = BlockNumber::of(unsearched.get().saturating_sub(1));
                        let by = BlockNumber::of(pass.head.number.get().saturating_sub(FINALITY));
                        let error = Error::NonceUserUnknown { transaction, nonce, searched, by };
                        return pass.fail(intent, error);
                    }
                    Ok(user) => user,
                    Err(error) => return pass.fail(intent, error),
                }
            }
        };
        // If none is found, the endpoint is at another block.
        if let Some(user) = user {
            self.note_user(nonce, &user, pass).await;
        }
    }

    /// Records the transaction that used a nonce. If it is one of the versions or makes the call of one, its
    /// receipt is read with those of its block, because an endpoint may have no index of old transactions.
    /// Until that succeeds, it isn't known whether the intent is done.
    async fn note_user(&mut self, nonce: u64, user: &NonceUser, pass: &mut Pass) {
        let (hash, block, block_hash) = (user.tx.tx_hash(), user.block, user.block_hash);
        let unproven = self.unproven.iter().map(|one| &one.version);
        let unproven = unproven.filter(|version| version.tx.nonce == nonce);
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let is_known = |used: &NonceUse| used.hashes().contains(&hash);
        if !is_known(used) {
            let versions = used.versions.iter().rev().chain(unproven);
            if let Some(version) = user.version(versions.filter_map(|one| one.intent.as_ref())) {
                used.restore(version);
            }
        }
        if is_known(used) {
            let intent = used.current().and_then(Version::id);
            match self.receipt_in(block_hash, hash).await {
                Ok(receipt) => self.note_mined(nonce, &receipt, pass).await,
                Err(error) => pass.fail(intent, error),
            }
            return;
        }
        // Until the use is final, a reorganization can let a version be mined instead.
        let (effect, block_hash) = (Effect::Nothing, Some(block_hash));
        used.mined = Some(Mined { hash, block, block_hash, effect, is_unsure: false });
        self.report_superseded(nonce, Some(hash), pass);
    }

    /// Reads the receipt of a transaction among those of its block.
    async fn receipt_in(&self, block: B256, transaction: B256) -> Result<TransactionReceipt> {
        let receipts = self.client().receipts(block.into()).await?;
        let mut receipts = receipts.into_iter();
        let receipt = receipts.find(|receipt| receipt.transaction_hash == transaction);
        receipt.ok_or_else(|| Error::rpc("eth_getBlockReceipts", RpcError::NullResp))
    }

    fn report_superseded(&self, nonce: u64, by: Option<B256>, pass: &mut Pass) {
        for intent in self.nonces.get(&nonce).into_iter().flat_map(NonceUse::intents) {
            pass.report(Some(intent), TxEvent::Superseded { by });
        }
    }

    /// The newest transaction of a nonce for an intent that only the journal can show to be done, if the
    /// journal doesn't show it.
    fn only_in_journal(&self, nonce: u64) -> Option<B256> {
        let is_open = |intent: &Intent| {
            intent.completion() == Completion::Journal && !self.is_done(&intent.id())
        };
        let mut versions = self.nonces.get(&nonce)?.versions.iter().rev();
        let version = versions.find(|version| version.intent.as_ref().is_some_and(is_open))?;
        Some(version.hash)
    }

    /// Whether the nonce was already used in the newest final block.
    async fn is_used_for_good(&self, nonce: u64, pass: &Pass) -> Result<bool> {
        let Some(number) = pass.head.number.get().checked_sub(FINALITY) else { return Ok(false) };
        Ok(self.account.transaction_count(BlockId::number(number)).await? > nonce)
    }

    /// Finds the transaction that used a nonce, in the blocks from `first` to the pass's block, by the
    /// transaction counts in their states.
    async fn user_of(
        &self,
        nonce: u64,
        first: BlockNumber,
        pass: &Pass,
    ) -> Result<Option<NonceUser>> {
        let mut low = first.get();
        let mut high = pass.head.number.get();
        while low < high {
            let middle = low + (high - low) / 2;
            let count = self.account.transaction_count(BlockId::number(middle)).await?;
            if count > nonce { high = middle } else { low = middle + 1 }
        }
        let block = self.client().provider().get_block(BlockId::number(high)).full().await;
        let block = block.map_err(|source| Error::rpc("eth_getBlockByNumber", source))?;
        Ok(block.and_then(|block| NonceUser::find(block, self.address(), nonce)))
    }

    /// Searches the next final blocks for the transaction that used a nonce. This needs no states.
    async fn search(&mut self, nonce: u64, pass: &Pass) -> Result<Option<NonceUser>> {
        const WHAT: &str = "eth_getBlockByNumber";
        let Some(used) = self.nonces.get(&nonce) else { return Ok(None) };
        let first = used.unsearched.unwrap_or_else(|| used.first_block()).get();
        let end = pass.head.number.get().saturating_sub(FINALITY).saturating_add(1);
        let end = end.min(first.saturating_add(SEARCHED_AT_ONCE));
        let requests = (first..end)
            .map(|number| BatchedRequest::new(WHAT, (BlockNumberOrTag::Number(number), true)));
        let requests = requests.collect::<Result<Vec<_>>>()?;
        for (number, reply) in (first..end).zip(self.client().batch(&requests).await?) {
            let block = decode_reply::<Option<Block>>(WHAT, reply)?;
            let block = block.ok_or_else(|| Error::rpc(WHAT, RpcError::NullResp))?;
            if let Some(user) = NonceUser::find(block, self.address(), nonce) {
                return Ok(Some(user));
            }
            if let Some(used) = self.nonces.get_mut(&nonce) {
                used.unsearched = Some(BlockNumber::of(number + 1));
            }
        }
        Ok(None)
    }
}
