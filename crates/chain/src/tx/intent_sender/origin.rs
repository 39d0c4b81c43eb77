//! Whether the transactions and completed intents of a journal belong to this chain.
//!
//! Forks share the chain id and the accounts of the chain from which they start, and a signed transaction
//! is valid on all of them. Only their blocks differ. A reorganization replaces blocks too. Once a process
//! has found the blocks of a transaction, it knows that the chain is the same from then on. A process that
//! starts and doesn't find them can't know, and doesn't send the transaction.

use super::{IntentSender, Pass};
use crate::{
    error::{Error, Result},
    tx::{
        fees::Fees,
        journal::{CompletedIntent, SeenBlock},
        nonce_use::{FINALITY, NonceUse, Version},
    },
    view::{BatchedRequest, decode_reply},
};
use alloy_eips::BlockNumberOrTag;
use alloy_network::TransactionResponse;
use alloy_primitives::B256;
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Header, Transaction};
use alloy_transport::{RpcError, TransportError};
use canon_protocol::BlockNumber;
use canon_views::{BlockView, Intent, IntentId};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction of the journal that isn't known to belong to this chain.
#[derive(Clone, Debug)]
pub(super) struct Unproven {
    pub(super) version: Version,
    recorded: Recorded,
}

/// An intent that is done for good according to the journal, but isn't known to be done on this chain.
#[derive(Clone, Debug)]
pub(super) struct DoneElsewhere {
    id: IntentId,
    recorded: Recorded,
}

/// A transaction in the journal, with what is known of its chain.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    transaction: B256,
    /// A block of its chain.
    block: SeenBlock,
    origin: Origin,
}

/// The chain of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// This chain has the recorded block, or has the transaction in another block.
    ThisChain,
    /// The transaction is in a pool of this chain.
    Pool,
    /// The recorded block was never on this chain, or was replaced long ago.
    OtherChain,
    Unknown,
}

/// A transaction of the journal that isn't known to belong to this chain, but could be mined on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnprovenTransaction {
    /// The hash of the transaction.
    pub hash: B256,
    /// The nonce of the transaction.
    pub nonce: u64,
    /// The intent of the transaction; `None` if it only uses its nonce.
    pub intent: Option<Intent>,
    /// The newest block at the time of signing, on the transaction's chain.
    pub since: BlockNumber,
    /// The block of its chain that contains it; `None` if none was seen.
    pub mined_in: Option<SeenBlock>,
}

impl Unproven {
    pub(super) const fn new(version: Version, block: SeenBlock) -> Self {
        let transaction = version.hash;
        Self { version, recorded: Recorded { transaction, block, origin: Origin::Unknown } }
    }

    /// Whether the transaction may belong to this chain.
    pub(super) const fn is_unknown(&self) -> bool {
        self.recorded.is_unknown()
    }
}

impl DoneElsewhere {
    pub(super) const fn new(completed: CompletedIntent) -> Self {
        let CompletedIntent { intent: id, transaction, block } = completed;
        Self { id, recorded: Recorded { transaction, block, origin: Origin::Unknown } }
    }

    pub(super) const fn id(&self) -> &IntentId {
        &self.id
    }
}

impl Recorded {
    /// Whether the transaction may belong to this chain but isn't known to be in one of its blocks.
    const fn is_unknown(&self) -> bool {
        matches!(self.origin, Origin::Unknown | Origin::Pool)
    }
}

impl IntentSender {
    /// The transactions of the journal that aren't known to belong to this chain, but could be mined on it,
    /// as of the block that was [settled](Self::settle) last. They aren't sent, and their intents are sent
    /// only under the same nonces.
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

    /// Determines which parts of the journal belong to the chain of `head`, in at most three round trips.
    pub(super) async fn prove(&mut self, head: &BlockView) -> Result<()> {
        let all = self.unproven.iter().map(|one| one.recorded);
        let all = all.chain(self.elsewhere.iter().map(|one| one.recorded));
        let unknown = all.filter(Recorded::is_unknown).collect();
        let mut origins = self.origins(unknown, head).await?.into_iter();
        let mut note_origin = |recorded: &mut Recorded| {
            if recorded.is_unknown() {
                recorded.origin = origins.next().unwrap_or(Origin::Unknown);
            }
            recorded.origin
        };
        for mut one in core::mem::take(&mut self.unproven) {
            match note_origin(&mut one.recorded) {
                Origin::ThisChain | Origin::Pool => {
                    self.nonces.entry(one.version.tx.nonce).or_default().restore(one.version);
                }
                Origin::OtherChain | Origin::Unknown => self.unproven.push(one),
            }
        }
        for mut one in core::mem::take(&mut self.elsewhere) {
            match note_origin(&mut one.recorded) {
                Origin::ThisChain => drop(self.done.insert(one.id)),
                Origin::Pool | Origin::OtherChain | Origin::Unknown => self.elsewhere.push(one),
            }
        }
        Ok(())
    }

    /// The chains of the transactions, in the same order.
    async fn origins(&self, all: Vec<Recorded>, head: &BlockView) -> Result<Vec<Origin>> {
        let mut chain = BTreeMap::from([(head.number, head.hash)]);
        let blocks = all.iter().map(|one| one.block.number);
        self.read_hashes(blocks, head, &mut chain).await?;
        let is_on = |chain: &BTreeMap<_, _>, block: &SeenBlock| {
            chain.get(&block.number) == Some(&block.hash)
        };
        let is_seen = |one: &Recorded| is_on(&chain, &one.block);
        let not_seen = all.iter().filter(|one| !is_seen(one)).map(|one| one.transaction);
        let places = self.places(not_seen.collect()).await?;
        let numbers = places.values().filter_map(|place| Some(place.as_ref()?.number));
        let mut here = chain.clone();
        self.read_hashes(numbers, head, &mut here).await?;
        let origin = |one: &Recorded| {
            let is_of_other = || {
                let age = head.number.steps_since(one.block.number).unwrap_or_default();
                age >= FINALITY && chain.contains_key(&one.block.number)
            };
            match places.get(&one.transaction) {
                _ if is_seen(one) => Origin::ThisChain,
                // Somebody sent it on this chain.
                Some(None) => Origin::Pool,
                // A fork may return transactions of the chain from which it started.
                Some(Some(place)) if is_on(&here, place) => Origin::ThisChain,
                _ if is_of_other() => Origin::OtherChain,
                _ => Origin::Unknown,
            }
        };
        Ok(all.iter().map(origin).collect())
    }

    /// Adds to `chain` the hashes of the missing blocks with these numbers, if the chain of `head` has
    /// them.
    async fn read_hashes(
        &self,
        numbers: impl Iterator<Item = BlockNumber>,
        head: &BlockView,
        chain: &mut BTreeMap<BlockNumber, B256>,
    ) -> Result<()> {
        const METHOD: &str = "eth_getBlockByNumber";
        let is_wanted = |number: &BlockNumber| *number < head.number && !chain.contains_key(number);
        let numbers: BTreeSet<_> = numbers.filter(is_wanted).collect();
        let request = |number: &BlockNumber| {
            BatchedRequest::new(METHOD, (BlockNumberOrTag::Number(number.get()), false))
        };
        let requests = numbers.iter().map(request).collect::<Result<Vec<_>>>()?;
        for (number, reply) in numbers.into_iter().zip(self.client().batch(&requests).await?) {
            let header: Option<Header> = match reply {
                Err(error) if is_pruned(&error) => continue,
                reply => decode_reply(METHOD, reply)?,
            };
            chain.extend(header.map(|header| (number, header.hash)));
        }
        Ok(())
    }

    /// The blocks that contain these transactions; `None` for transactions in a pool. Transactions that no
    /// node has are left out.
    async fn places(&self, transactions: Vec<B256>) -> Result<BTreeMap<B256, Option<SeenBlock>>> {
        const METHOD: &str = "eth_getTransactionByHash";
        let request = |hash: &B256| BatchedRequest::new(METHOD, (hash,));
        let requests = transactions.iter().map(request).collect::<Result<Vec<_>>>()?;
        let mut places = BTreeMap::new();
        for (hash, reply) in transactions.into_iter().zip(self.client().batch(&requests).await?) {
            let Some(found): Option<Transaction> = decode_reply(METHOD, reply)? else { continue };
            let place = found.block_number().zip(found.block_hash());
            let place =
                place.map(|(number, hash)| SeenBlock { number: BlockNumber::of(number), hash });
            places.insert(hash, place);
        }
        Ok(places)
    }

    /// The reason not to send an intent that is done according to the journal; `None` if it is known that
    /// it isn't done on this chain.
    pub(super) fn may_be_completed(&self, id: &IntentId) -> Option<Error> {
        if self.done.contains(id) {
            return None;
        }
        let mut unknown = self.elsewhere.iter().filter(|one| one.recorded.is_unknown());
        let Recorded { transaction, block, .. } = unknown.find(|one| one.id == *id)?.recorded;
        Some(Error::CompletionUnproven { transaction, block: block.number })
    }

    /// Whether the transaction may belong to this chain and its nonce isn't used on it yet.
    const fn is_open(&self, one: &Unproven) -> bool {
        one.is_unknown() && one.version.tx.nonce >= self.count
    }

    /// The transaction that may have done an intent on this chain: its nonce is used, no known transaction
    /// used it, and its chain is unknown.
    pub(super) fn may_have_done(&self, id: &IntentId) -> Option<&Version> {
        let is_mined = |used: &NonceUse| used.mined.is_some();
        let mut unknown = self.unproven.iter().filter(|one| one.is_unknown());
        let found = unknown.find(|Unproven { version, .. }| {
            let nonce = version.tx.nonce;
            let is_used_by_other = self.nonces.get(&nonce).is_some_and(is_mined);
            nonce < self.count && version.id().as_ref() == Some(id) && !is_used_by_other
        });
        found.map(|one| &one.version)
    }

    /// Whether a transaction for an intent has this nonce and isn't known to belong to this chain.
    pub(super) fn is_unproven(&self, nonce: u64, id: &IntentId) -> bool {
        let mut unknown = self.unproven.iter().filter(|one| one.is_unknown());
        unknown.any(|Unproven { version, .. }| {
            version.tx.nonce == nonce && version.id().as_ref() == Some(id)
        })
    }

    /// All transactions of a nonce, also those that aren't known to belong here.
    pub(super) fn versions_of(&self, nonce: u64) -> impl Iterator<Item = &Version> {
        let known = self.nonces.get(&nonce).into_iter().flat_map(|used| &used.versions);
        let unknown = self.unproven.iter().filter(|one| one.is_unknown());
        let unknown = unknown.map(|one| &one.version).filter(move |one| one.tx.nonce == nonce);
        known.chain(unknown)
    }

    /// The transaction for an intent that could be mined on this chain but isn't known to belong to it.
    pub(super) fn unproven_of(&self, id: &IntentId) -> Option<Version> {
        let mut open = self.unproven.iter().filter(|one| self.is_open(one));
        let found = open.find(|one| one.version.id().as_ref() == Some(id));
        found.map(|one| one.version.clone())
    }

    /// The highest fees, under a nonce, of transactions that could be mined on this chain but aren't known
    /// to belong to it.
    pub(super) fn unproven_fees(&self, nonce: u64) -> Option<Fees> {
        let open = self.unproven.iter().filter(|one| self.is_open(one));
        let same = open.filter(|one| one.version.tx.nonce == nonce);
        same.map(|one| one.version.fees()).reduce(Fees::max)
    }

    /// The nonce under which an intent may be sent although an unproven transaction for it could be mined.
    /// It is that transaction's own nonce, so that only one of the two can be mined. Lower nonces may be
    /// missing only if unproven transactions had them; those transactions are given up.
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
        Err(unproven.unproven())
    }
}

/// Whether an endpoint no longer has a block because the block is too old (EIP-4444).
const fn is_pruned(error: &TransportError) -> bool {
    const PRUNED: i64 = 4444;
    matches!(error, RpcError::ErrorResp(error) if error.code == PRUNED)
}
