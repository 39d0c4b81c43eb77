//! Finding out which transaction has used a nonce, and forgetting what is final.

use super::{IntentSender, Pass};
use crate::{
    error::{Error, Result},
    tx::{
        journal::{JournalError, SeenBlock},
        nonce_use::{FINALITY, Mined, NonceUse, Version},
        report::TxEvent,
    },
};
use alloy_consensus::Transaction;
use alloy_eips::BlockId;
use alloy_network::TransactionResponse;
use alloy_primitives::B256;
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionReceipt;
use canon_protocol::BlockNumber;
use canon_views::{BlockView, Completion, Intent};

impl IntentSender {
    /// Whether it is known what became of a nonce by `head`.
    pub(super) fn is_settled(&self, used: &NonceUse, head: &BlockView) -> bool {
        let continues = [head.hash, head.parent];
        let is_continued = self.settled.is_some_and(|settled| continues.contains(&settled));
        // What is final is looked at once more: the endpoint may have answered from another fork.
        let is_settled = |mined: &Mined| !mined.is_unsure && !mined.is_final(head.number);
        is_continued && used.mined.as_ref().is_some_and(is_settled)
    }

    pub(super) async fn decide_all(&mut self, count: u64, pass: &mut Pass) {
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

    /// Takes back the settlement of a nonce whose transaction isn't mined any more.
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
            pass.report(Some(other), TxEvent::Superseded { by: Some(hash) });
        }
        let number = BlockNumber::of(receipt.block_number.unwrap_or_default());
        let block = receipt.block_hash.map(|hash| SeenBlock { number, hash });
        let mut versions = used.versions.iter_mut();
        if let Some(version) = versions.find(|version| version.hash == hash)
            && let Some(block) = block
            && version.mined_in.replace(block) != Some(block)
            && let Err(error) = self.journal.mined(hash, block)
        {
            pass.fail(intent, error);
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
        let by = match self.user_of(nonce, since, pass).await {
            Ok(Some(hash)) if !used.hashes().contains(&hash) => Some(hash),
            // The endpoint doesn't know the receipt yet.
            Ok(_) => return,
            // It can be too long ago for the endpoint's states: then it is final.
            Err(error) => {
                if !matches!(self.is_used_for_good(nonce, pass).await, Ok(true)) {
                    return pass.fail(used.current().and_then(Version::id), error);
                }
                None
            }
        };
        for intent in used.intents() {
            pass.report(Some(intent), TxEvent::Superseded { by });
        }
        self.forget(nonce, pass);
    }

    /// Whether the chain had used a nonce by the newest block that can't be taken back.
    async fn is_used_for_good(&self, nonce: u64, pass: &Pass) -> Result<bool> {
        let Some(number) = pass.head.number.get().checked_sub(FINALITY) else { return Ok(false) };
        Ok(self.account.transaction_count(BlockId::number(number)).await? > nonce)
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
        let block = block.map_err(|source| Error::rpc("eth_getBlockByNumber", source))?;
        let Some(block) = block else { return Ok(None) };
        let mut transactions = block.into_transactions_vec().into_iter();
        let user = transactions.find(|tx| tx.from() == self.address() && tx.nonce() == nonce);
        Ok(user.map(|tx| tx.tx_hash()))
    }

    /// Forgets transactions that can't be taken back any more.
    pub(super) async fn forget_what_is_final(&mut self, pass: &mut Pass) {
        let head = pass.head.number;
        let is_final = |mined: &Mined| !mined.is_unsure && mined.is_final(head);
        let all = self.nonces.iter();
        let over: Vec<_> = all
            .filter_map(|(nonce, used)| Some((*nonce, used.mined.clone().filter(is_final)?)))
            .collect();
        if over.is_empty() {
            return;
        }
        // The head's number alone says that they are final.
        if let Err(error) = self.check_number(&pass.head).await {
            self.newest = None;
            return pass.fail(None, error);
        }
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
            self.journal.completed(&id, mined.hash)?;
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
}
