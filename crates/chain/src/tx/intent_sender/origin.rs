//! Whether the transactions of a journal belong to this chain.
//!
//! Forks share the chain id and the accounts of the chain that they began with, and a signed transaction is valid
//! on all of them. What tells them apart are their blocks. A reorganization replaces blocks too: a process that has
//! found the blocks of a transaction once knows that the chain is the same from then on; one that starts and
//! doesn't find them knows nothing, and sends nothing of it.

use super::{IntentSender, Pass};
use crate::{
    error::{Error, Result},
    tx::{
        fees::Fees,
        journal::SeenBlock,
        nonce_use::{FINALITY, Version},
    },
};
use alloy_eips::BlockId;
use alloy_network::TransactionResponse;
use alloy_primitives::B256;
use alloy_provider::Provider;
use canon_protocol::BlockNumber;
use canon_views::{BlockView, Intent, IntentId};
use std::collections::BTreeMap;

/// A transaction of the journal that isn't known to belong to this chain.
#[derive(Clone, Debug)]
pub(super) struct Unproven {
    pub(super) version: Version,
    /// A block that its chain has, if one is known.
    block: Option<SeenBlock>,
    origin: Origin,
}

/// Where a transaction belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    ThisChain,
    /// Its block was never on this chain, or was replaced long ago.
    OtherChain,
    Unknown,
}

/// A transaction of the journal that isn't known to belong to this chain, and could be mined on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnprovenTransaction {
    /// Its hash.
    pub hash: B256,
    /// Its nonce.
    pub nonce: u64,
    /// What it is for; `None` if it only uses its nonce.
    pub intent: Option<Intent>,
    /// The newest block when it was signed, on its chain.
    pub since: BlockNumber,
    /// The block of its chain that has it; `None` if none was seen.
    pub mined_in: Option<SeenBlock>,
}

impl Unproven {
    pub(super) const fn new(version: Version, block: Option<SeenBlock>) -> Self {
        Self { version, block, origin: Origin::Unknown }
    }

    /// Whether it may belong to this chain.
    pub(super) fn is_unknown(&self) -> bool {
        self.origin == Origin::Unknown
    }
}

impl IntentSender {
    /// The transactions of the journal that aren't known to belong to this chain, and could be mined on it, as
    /// of the block that was [settled](Self::settle) last. They aren't sent, and what they are for is sent
    /// only under their nonces.
    pub fn unproven(&self) -> impl Iterator<Item = UnprovenTransaction> {
        let open = self.unproven.iter().filter(|one| self.is_open(one));
        open.map(|Unproven { version, .. }| UnprovenTransaction {
            hash: version.hash,
            nonce: version.tx.nonce,
            intent: version.intent.clone(),
            since: version.since,
            mined_in: version.mined_in,
        })
    }

    /// Whether a node of this chain has a transaction, in a block or in its pool.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn is_known(&self, transaction: B256) -> Result<bool> {
        let found = self.client().provider().get_transaction_by_hash(transaction).await;
        let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
        Ok(found.is_some())
    }

    /// Finds out which transactions of the journal belong to the chain of `head`.
    pub(super) async fn prove(&mut self, head: &BlockView) -> Result<()> {
        let mut chain = BTreeMap::from([(head.number, Some(head.hash))]);
        let mut next = 0;
        // What is found out is kept when a later request fails.
        while let Some(one) = self.unproven.get(next) {
            let origin = match one.origin {
                Origin::Unknown => self.origin(one, head, &mut chain).await?,
                known => known,
            };
            if origin == Origin::ThisChain {
                let Unproven { version, .. } = self.unproven.remove(next);
                self.nonces.entry(version.tx.nonce).or_default().restore(version);
                continue;
            }
            if let Some(one) = self.unproven.get_mut(next) {
                one.origin = origin;
            }
            next += 1;
        }
        Ok(())
    }

    /// Where a transaction belongs. `chain` has the hashes of blocks that were asked for.
    async fn origin(
        &self,
        one: &Unproven,
        head: &BlockView,
        chain: &mut BTreeMap<BlockNumber, Option<B256>>,
    ) -> Result<Origin> {
        let mut is_of_other = false;
        if let Some(block) = one.block {
            let found = self.hash_at(block.number, head, chain).await?;
            if found == Some(block.hash) {
                return Ok(Origin::ThisChain);
            }
            let age = head.number.steps_since(block.number).unwrap_or_default();
            is_of_other = age >= FINALITY && found.is_some();
        }
        let hash = one.version.hash;
        let found = self.client().provider().get_transaction_by_hash(hash).await;
        let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
        let is_here = match found.map(|found| (found.block_number(), found.block_hash())) {
            None => false,
            Some((Some(number), block)) => {
                // A fork may answer with what the chain that it began with has.
                let number = BlockNumber::of(number);
                block.is_some() && self.hash_at(number, head, chain).await? == block
            }
            // Somebody sent it here.
            Some((None, _)) => true,
        };
        Ok(match (is_here, is_of_other) {
            (true, _) => Origin::ThisChain,
            (false, true) => Origin::OtherChain,
            (false, false) => Origin::Unknown,
        })
    }

    /// The hash of a block of the chain of `head`; `None` if it has no block of this number yet.
    async fn hash_at(
        &self,
        number: BlockNumber,
        head: &BlockView,
        chain: &mut BTreeMap<BlockNumber, Option<B256>>,
    ) -> Result<Option<B256>> {
        if number > head.number {
            return Ok(None);
        }
        if let Some(found) = chain.get(&number) {
            return Ok(*found);
        }
        let found = self.client().block(BlockId::number(number.get())).await?.hash;
        chain.insert(number, Some(found));
        Ok(Some(found))
    }

    /// Whether it may belong to this chain, and its nonce isn't used here yet.
    fn is_open(&self, one: &Unproven) -> bool {
        one.is_unknown() && one.version.tx.nonce >= self.count
    }

    /// The transaction for an intent that could be mined here and isn't known to belong here.
    pub(super) fn unproven_of(&self, id: &IntentId) -> Option<Version> {
        let mut open = self.unproven.iter().filter(|one| self.is_open(one));
        let found = open.find(|one| one.version.id().as_ref() == Some(id));
        found.map(|one| one.version.clone())
    }

    /// The most that is offered under a nonce by what could be mined here and isn't known to belong here.
    pub(super) fn unproven_fees(&self, nonce: u64) -> Option<Fees> {
        let open = self.unproven.iter().filter(|one| self.is_open(one));
        let same = open.filter(|one| one.version.tx.nonce == nonce);
        same.map(|one| one.version.fees()).reduce(Fees::max)
    }

    /// The nonce under which an intent may be sent although an unproven transaction for it could be mined: that
    /// transaction's own, so that only one of both is. The nonces below it may be missing only where unproven
    /// transactions had them: those are given up.
    pub(super) async fn nonce_beside(
        &mut self,
        unproven: &Version,
        pass: &mut Pass,
    ) -> Result<u64> {
        let next = self.new_nonce(pass).await?;
        let nonce = unproven.tx.nonce;
        let is_taken = |nonce: &u64| {
            let mut unproven = self.unproven.iter().filter(|one| self.is_open(one));
            self.nonces.contains_key(nonce) || unproven.any(|one| one.version.tx.nonce == *nonce)
        };
        if !self.nonces.contains_key(&nonce) && (next..nonce).all(|nonce| is_taken(&nonce)) {
            return Ok(nonce);
        }
        let (transaction, since) = (unproven.hash, unproven.since);
        Err(Error::Unproven { transaction, nonce, since })
    }
}
