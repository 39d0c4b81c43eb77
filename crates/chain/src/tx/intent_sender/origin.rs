//! Whether the transactions of a journal, and what it says is done, belong to this chain.
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

/// An intent that the journal says is done for good, and that isn't known to be done on this chain.
#[derive(Clone, Debug)]
pub(super) struct DoneElsewhere {
    id: IntentId,
    recorded: Recorded,
}

/// A transaction as the journal has it.
#[derive(Clone, Copy, Debug)]
struct Recorded {
    transaction: B256,
    /// A block that its chain has, if one is known.
    block: Option<SeenBlock>,
    origin: Origin,
}

/// Where a transaction belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The chain has its block, or another one with it.
    ThisChain,
    /// It waits in a pool of this chain.
    Pool,
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
        let transaction = version.hash;
        Self { version, recorded: Recorded { transaction, block, origin: Origin::Unknown } }
    }

    /// Whether it may belong to this chain.
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
    /// Whether it may belong to this chain, and may not be in a block of it.
    const fn is_unknown(&self) -> bool {
        matches!(self.origin, Origin::Unknown | Origin::Pool)
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

    /// Finds out what of the journal belongs to the chain of `head`, in at most three round trips however much there
    /// is.
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

    /// Where transactions belong, in their order.
    async fn origins(&self, all: Vec<Recorded>, head: &BlockView) -> Result<Vec<Origin>> {
        let mut chain = BTreeMap::from([(head.number, head.hash)]);
        let blocks = all.iter().filter_map(|one| one.block).map(|block| block.number);
        self.read_hashes(blocks, head, &mut chain).await?;
        let is_on = |chain: &BTreeMap<_, _>, block: &SeenBlock| {
            chain.get(&block.number) == Some(&block.hash)
        };
        let is_seen = |one: &Recorded| one.block.is_some_and(|block| is_on(&chain, &block));
        let not_seen = all.iter().filter(|one| !is_seen(one)).map(|one| one.transaction);
        let places = self.places(not_seen.collect()).await?;
        let numbers = places.values().filter_map(|place| Some(place.as_ref()?.number));
        let mut here = chain.clone();
        self.read_hashes(numbers, head, &mut here).await?;
        let origin = |one: &Recorded| {
            let is_of_other = || {
                one.block.is_some_and(|block| {
                    let age = head.number.steps_since(block.number).unwrap_or_default();
                    age >= FINALITY && chain.contains_key(&block.number)
                })
            };
            match places.get(&one.transaction) {
                _ if is_seen(one) => Origin::ThisChain,
                // Somebody sent it here.
                Some(None) => Origin::Pool,
                // A fork may answer with what the chain that it began with has.
                Some(Some(place)) if is_on(&here, place) => Origin::ThisChain,
                _ if is_of_other() => Origin::OtherChain,
                _ => Origin::Unknown,
            }
        };
        Ok(all.iter().map(origin).collect())
    }

    /// Adds to `chain` the hashes of the blocks of these numbers that aren't there yet, as far as the chain of
    /// `head` has them.
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

    /// The blocks that have these transactions, `None` for those that are in a pool. Those that no node has are
    /// left out.
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

    /// The reason not to send what the journal says is done, unless it is known that it isn't done on this chain.
    pub(super) fn may_be_completed(&self, id: &IntentId) -> Option<Error> {
        if self.done.contains(id) {
            return None;
        }
        let mut unknown = self.elsewhere.iter().filter(|one| one.recorded.is_unknown());
        let Recorded { transaction, block, .. } = unknown.find(|one| one.id == *id)?.recorded;
        Some(Error::CompletionUnproven { transaction, block: block.map(|block| block.number) })
    }

    /// Whether it may belong to this chain, and its nonce isn't used here yet.
    fn is_open(&self, one: &Unproven) -> bool {
        one.is_unknown() && one.version.tx.nonce >= self.count
    }

    /// The transaction that may have done an intent here: its nonce is used, not by another transaction that is
    /// known, and it isn't known whether it belongs here.
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

    /// Whether a transaction for an intent has a nonce, and isn't known to belong here.
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

/// Whether an endpoint doesn't have a block any more since it is too old (EIP-4444).
fn is_pruned(error: &TransportError) -> bool {
    const PRUNED: i64 = 4444;
    matches!(error, RpcError::ErrorResp(error) if error.code == PRUNED)
}
