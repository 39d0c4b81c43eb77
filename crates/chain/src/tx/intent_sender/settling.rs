//! Settling which transactions used nonces, and forgetting those that are final.

use super::{IntentSender, Pass};
use crate::{
    confirm::block_of,
    error::{Error, Result},
    tx::{
        journal::{CompletedIntent, JournalError, SeenBlock},
        nonce_use::{Effect, Mined, NonceUse, Version},
        report::TxEvent,
    },
    view::{BatchedRequest, decode_reply},
};
use alloy_eips::BlockId;
use alloy_primitives::B256;
use alloy_rpc_types_eth::TransactionReceipt;
use canon_views::{BlockView, Completion, Intent};

impl IntentSender {
    /// Whether the use of a nonce by `head` is already known.
    pub(super) fn is_settled(&self, used: &NonceUse, head: &BlockView) -> bool {
        let continues = [head.hash, head.parent];
        let is_continued = self.settled.is_some_and(|settled| continues.contains(&settled));
        // A final use is checked once more, because the endpoint may have answered from another fork.
        let is_settled = |mined: &Mined| !mined.is_unsure && !mined.is_final(head.number);
        is_continued && used.mined.as_ref().is_some_and(is_settled)
    }

    /// Determines the use of all nonces for which it isn't known. Their receipts are requested in one
    /// batch: a process that starts again has many, and with single requests it would rarely get all of
    /// them from an unreliable endpoint.
    pub(super) async fn decide_all(&mut self, count: u64, pass: &mut Pass) {
        let nonces: Vec<_> = self.nonces.keys().copied().collect();
        let (used, unused): (Vec<_>, Vec<_>) = nonces.into_iter().partition(|nonce| *nonce < count);
        for nonce in unused {
            self.take_back(nonce, pass);
        }
        let undecided = used.into_iter().filter_map(|nonce| {
            let used = self.nonces.get(&nonce).filter(|used| !self.is_settled(used, &pass.head))?;
            Some((nonce, used.hashes()))
        });
        let undecided: Vec<_> = undecided.collect();
        let asked = undecided.iter().flat_map(|(_, hashes)| hashes);
        let mut receipts = match self.receipts(asked, pass).await {
            Ok(receipts) => receipts.into_iter(),
            Err(error) => {
                let nonces: Vec<_> = undecided.into_iter().map(|(nonce, _)| nonce).collect();
                return self.note_unknown(&nonces, error, pass);
            }
        };
        for (nonce, hashes) in undecided {
            let receipts: Vec<_> = receipts.by_ref().take(hashes.len()).collect();
            self.decide(nonce, receipts, pass).await;
        }
    }

    /// Reverts the settlement of a nonce whose transaction is no longer mined.
    fn take_back(&mut self, nonce: u64, pass: &mut Pass) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let Some(mined) = used.mined.take() else { return };
        let version = used.versions.iter().find(|version| version.hash == mined.hash);
        let intent = version.and_then(Version::id);
        // Possibly no pool has any of the versions.
        used.versions.iter_mut().for_each(|version| version.is_taken = false);
        pass.report(intent, TxEvent::TakenBack { transaction: mined.hash });
    }

    /// Determines from the receipts of its versions which version of a nonce is mined, if any.
    async fn decide(
        &mut self,
        nonce: u64,
        receipts: Vec<Result<Option<TransactionReceipt>>>,
        pass: &mut Pass,
    ) {
        let mut failure = None;
        for receipt in receipts {
            match receipt {
                Ok(Some(receipt)) => return self.note_mined(nonce, &receipt, pass).await,
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = failure {
            return self.note_unknown(&[nonce], error, pass);
        }
        self.take_back(nonce, pass);
        self.find_user(nonce, pass).await;
    }

    /// Records that the use of these nonces couldn't be determined.
    fn note_unknown(&mut self, nonces: &[u64], error: Error, pass: &mut Pass) {
        for nonce in nonces {
            let used = self.nonces.get_mut(nonce);
            if let Some(mined) = used.and_then(|used| used.mined.as_mut()) {
                mined.is_unsure = true;
            }
        }
        let used = match nonces {
            [nonce] => self.nonces.get(nonce),
            _ => None,
        };
        let intent = used.and_then(NonceUse::current).and_then(Version::id);
        pass.fail(intent, error);
    }

    /// The receipts of transactions, in the same order; `None` for those not mined by the pass's block.
    async fn receipts(
        &self,
        transactions: impl Iterator<Item = &B256>,
        pass: &Pass,
    ) -> Result<Vec<Result<Option<TransactionReceipt>>>> {
        const METHOD: &str = "eth_getTransactionReceipt";
        let requests = transactions.map(|hash| BatchedRequest::new(METHOD, (hash,)));
        let requests = requests.collect::<Result<Vec<_>>>()?;
        let head = pass.head.number.get();
        let is_mined = |receipt: &TransactionReceipt| {
            receipt.block_number.is_some_and(|number| number <= head)
        };
        let receipt = |reply| {
            let receipt: Option<TransactionReceipt> = decode_reply(METHOD, reply)?;
            Ok(receipt.filter(is_mined))
        };
        Ok(self.client().batch(&requests).await?.into_iter().map(receipt).collect())
    }

    /// Records the transaction that used a nonce: one of its versions, or another one.
    pub(super) async fn note_mined(
        &mut self,
        nonce: u64,
        receipt: &TransactionReceipt,
        pass: &mut Pass,
    ) {
        let block = match block_of(receipt) {
            Ok(block) => block,
            Err(error) => return self.note_unknown(&[nonce], error, pass),
        };
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let hash = receipt.transaction_hash;
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
        let client = self.account.client();
        let checked = client.check_effects(&pending, receipt, pass.head.hash.into()).await;
        let effect = match (intent, &checked) {
            (Some(id), Ok(_)) => Effect::Done(id),
            (Some(id), Err(error)) if error.mined_transaction().is_none() => Effect::Unclear(id),
            _ => Effect::Nothing,
        };
        // The receipt is read again for the next block.
        let is_unsure = matches!(effect, Effect::Unclear(_));
        let before = used.mined.replace(Mined { hash, block, block_hash, effect, is_unsure });
        let is_news = before.is_none_or(|before| before.hash != hash);
        for other in used.intents().into_iter().filter(|other| is_news && Some(*other) != intent) {
            pass.report(Some(other), TxEvent::Superseded { by: Some(hash) });
        }
        match checked {
            Ok(confirmed) if intent.is_some() => {
                pass.report(intent, TxEvent::Confirmed(confirmed));
            }
            Ok(_) => {}
            Err(error) => pass.fail(intent, error),
        }
    }

    /// Writes to the journal which blocks have the mined versions, as far as it doesn't say so yet.
    pub(super) fn journal_blocks(&mut self, pass: &mut Pass) {
        for NonceUse { versions, mined, .. } in self.nonces.values_mut() {
            let Some(Mined { hash, block: number, block_hash: Some(block_hash), .. }) = *mined
            else {
                continue;
            };
            let block = SeenBlock { number, hash: block_hash };
            let is_open =
                |version: &&mut Version| version.hash == hash && version.mined_in != Some(block);
            let Some(version) = versions.iter_mut().find(is_open) else { continue };
            match self.journal.mined(hash, block) {
                Ok(()) => version.mined_in = Some(block),
                Err(error) => pass.fail(version.id(), error),
            }
        }
    }

    /// Forgets transactions whose blocks are final.
    pub(super) async fn forget_what_is_final(&mut self, pass: &mut Pass) {
        let head = pass.head.number;
        let is_kept = |mined: &Mined| matches!(mined.effect, Effect::Done(intent) if self.kept.contains(&intent));
        let is_final = |mined: &Mined| !mined.is_unsure && mined.is_final(head) && !is_kept(mined);
        let all = self.nonces.iter();
        let over: Vec<_> = all
            .filter_map(|(nonce, used)| Some((*nonce, used.mined.clone().filter(is_final)?)))
            .collect();
        if over.is_empty() {
            return;
        }
        // Whether they are final depends on the head's number alone.
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
            if let Err(error) = self.record_completion(nonce, &mined, block) {
                pass.fail(None, error);
                continue;
            }
            self.forget(nonce, pass);
        }
    }

    /// The block of a receipt, after checking that the chain has it under the receipt's number.
    async fn block_on_chain(&self, mined: &Mined) -> Result<SeenBlock> {
        let (transaction, number, block) = (mined.hash, mined.block, mined.block_hash);
        let hash = self.client().block(BlockId::number(number.get())).await?.hash;
        if block == Some(hash) {
            Ok(SeenBlock { number, hash })
        } else {
            Err(Error::NotCanonical { transaction, number, block })
        }
    }

    /// Records for good that an intent is done, if only the journal can show it.
    fn record_completion(
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
            let transaction = mined.hash;
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
