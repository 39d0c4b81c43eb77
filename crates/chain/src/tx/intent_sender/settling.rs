//! Finding out which transaction has used a nonce, and forgetting what is final.

use super::{IntentSender, Pass};
use crate::{
    error::{Error, Result},
    tx::{
        journal::{CompletedIntent, JournalError, SeenBlock},
        nonce_use::{Effect, Mined, NonceUse, Version},
        report::TxEvent,
    },
};
use alloy_eips::BlockId;
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
        self.find_user(nonce, pass).await;
    }

    /// The receipt of a transaction, if it was mined by the pass's block.
    async fn receipt(&self, hash: B256, pass: &Pass) -> Result<Option<TransactionReceipt>> {
        let receipt = self.client().provider().get_transaction_receipt(hash).await;
        let receipt = receipt.map_err(|source| Error::rpc("eth_getTransactionReceipt", source))?;
        let head = pass.head.number.get();
        Ok(receipt.filter(|receipt| receipt.block_number.is_some_and(|number| number <= head)))
    }

    /// Notes that a version of a nonce was mined, or what else used it.
    pub(super) async fn note_mined(
        &mut self,
        nonce: u64,
        receipt: &TransactionReceipt,
        pass: &mut Pass,
    ) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let hash = receipt.transaction_hash;
        let block = BlockNumber::of(receipt.block_number.unwrap_or_default());
        let block_hash = receipt.block_hash;
        let is_other = !used.versions.iter().any(|version| version.hash == hash);
        if let Some(mined) = used.mined.as_mut().filter(|mined| mined.hash == hash) {
            let is_same = (mined.block, mined.block_hash) == (block, block_hash);
            if is_other || is_same && !matches!(mined.effect, Effect::Unclear(_)) {
                (mined.block, mined.block_hash, mined.is_unsure) = (block, block_hash, false);
                return;
            }
        }
        let Some(version) = used.versions.iter().find(|version| version.hash == hash) else {
            return;
        };
        let intent = version.id();
        let pending = version.pending(&self.account);
        let checked = self.account.client().check_with_blooms(&pending, receipt).await;
        let effect = match (intent, &checked) {
            (Some(id), Ok(_)) => Effect::Done(id),
            (Some(id), Err(Error::LogsMissing { .. })) => Effect::Unclear(id),
            _ => Effect::Nothing,
        };
        // Asked again for the next block.
        let is_unsure = matches!(effect, Effect::Unclear(_));
        let before = used.mined.replace(Mined { hash, block, block_hash, effect, is_unsure });
        let is_news = before.is_none_or(|before| before.hash != hash);
        for other in used.intents().into_iter().filter(|other| is_news && Some(*other) != intent) {
            pass.report(Some(other), TxEvent::Superseded { by: Some(hash) });
        }
        let block = block_hash.map(|hash| SeenBlock { number: block, hash });
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
            let block = match self.block_on_chain(&mined).await {
                Ok(block) => block,
                Err(error) => {
                    if let Some(mined) =
                        self.nonces.get_mut(&nonce).and_then(|used| used.mined.as_mut())
                    {
                        mined.is_unsure = true;
                    }
                    pass.fail(None, error);
                    continue;
                }
            };
            if let Err(error) = self.keep_in_mind(nonce, &mined, block) {
                pass.fail(None, error);
                continue;
            }
            self.forget(nonce, pass);
        }
    }

    /// The block of a receipt, which the chain must have by the receipt's number.
    async fn block_on_chain(&self, mined: &Mined) -> Result<SeenBlock> {
        let (transaction, number, block) = (mined.hash, mined.block, mined.block_hash);
        let hash = self.client().block(BlockId::number(number.get())).await?.hash;
        if block == Some(hash) {
            Ok(SeenBlock { number, hash })
        } else {
            Err(Error::NotCanonical { transaction, number, block })
        }
    }

    /// Remembers for good what only the journal knows to be done.
    fn keep_in_mind(
        &mut self,
        nonce: u64,
        mined: &Mined,
        block: SeenBlock,
    ) -> Result<(), JournalError> {
        let versions = self.nonces.get(&nonce).map_or(&[][..], |used| &used.versions);
        let mined_version = versions.iter().find(|version| version.hash == mined.hash);
        let intent = mined_version.and_then(|version| version.intent.as_ref());
        if let (Effect::Done(id), Some(Completion::Journal)) =
            (mined.effect, intent.map(Intent::completion))
        {
            let (transaction, block) = (mined.hash, Some(block));
            self.journal.completed(&CompletedIntent { intent: id, transaction, block })?;
            self.done.insert(id);
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, nonce: u64, pass: &mut Pass) {
        for version in self.nonces.remove(&nonce).into_iter().flat_map(|used| used.versions) {
            if let Err(error) = self.journal.forgotten(version.hash) {
                pass.fail(None, error);
            }
        }
    }
}
