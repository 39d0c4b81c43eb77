//! The transactions that a sender knows.

use super::{IntentSender, origin::DoneElsewhere};
use crate::tx::fees::Fees;
use alloy_primitives::B256;
use canon_protocol::BlockNumber;
use canon_views::{Intent, IntentId, RequestId};

/// A pending transaction: the newest version of its nonce.
#[derive(Clone, Copy, Debug)]
pub struct InFlight<'a> {
    /// The hash of the transaction.
    pub hash: B256,
    /// The nonce of the transaction.
    pub nonce: u64,
    /// The intent of the transaction; `None` if it only uses its nonce.
    pub intent: Option<&'a Intent>,
}

impl IntentSender {
    /// The pending transactions, by nonce, as of the block that was [settled](Self::settle) last.
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight<'_>> {
        let undecided = self.nonces.iter().filter(|(_, used)| used.mined.is_none());
        undecided.filter_map(|(nonce, used)| {
            let version = used.current()?;
            let (hash, nonce, intent) = (version.hash, *nonce, version.intent.as_ref());
            Some(InFlight { hash, nonce, intent })
        })
    }

    /// The fees with which somebody can [replace by hand](Fees::replaced_by_hand) what the sender knows of a nonce;
    /// `None` if that is nothing.
    pub fn fees_by_hand(&self, nonce: u64) -> Option<Fees> {
        let known = self.nonces.get(&nonce).map(|used| used.to_beat);
        let to_beat = known.into_iter().chain(self.unproven_fees(nonce)).reduce(Fees::max)?;
        Some(to_beat.replaced_by_hand(self.newest.map_or(0, |block| block.base_fee)))
    }

    /// The request number after the highest one that the sender knows.
    pub fn next_request(&self) -> RequestId {
        let unproven = self.unproven.iter().filter_map(|one| one.version.intent.as_ref());
        let sent = self.transactions().filter_map(|(_, intent)| intent).chain(unproven);
        let sent = sent.filter_map(|intent| intent.action.subject().request());
        let done = self.done.iter().chain(self.elsewhere.iter().map(DoneElsewhere::id));
        let done = done.filter_map(|id| id.subject.request());
        let last = sent.chain(done).max();
        last.map_or_else(RequestId::default, RequestId::next)
    }

    /// All transactions that aren't forgotten: the hash of each, and its intent, or `None` if it only uses
    /// its nonce.
    pub fn transactions(&self) -> impl Iterator<Item = (B256, Option<&Intent>)> {
        let versions = self.nonces.values().flat_map(|used| &used.versions);
        versions.map(|version| (version.hash, version.intent.as_ref()))
    }

    /// The number of the block that contains a transaction, as of the block that was [settled](Self::settle)
    /// last; `None` if no block does, or the transaction is forgotten.
    pub fn mined_in(&self, transaction: B256) -> Option<BlockNumber> {
        let mut mined = self.nonces.values().filter_map(|used| used.mined.as_ref());
        Some(mined.find(|mined| mined.hash == transaction)?.block)
    }

    /// The nonce of an intent's newest transaction, and the transaction of another program that was mined under it, as
    /// of the block that was [settled](Self::settle) last; `None` if that isn't so.
    pub fn displaced(&self, id: &IntentId) -> Option<(u64, B256)> {
        let (nonce, used) = self.nonces.iter().rev().find(|(_, used)| used.is_for(id))?;
        let mined = used.mined.as_ref()?;
        let is_own = used.versions.iter().any(|version| version.hash == mined.hash);
        (!is_own).then_some((*nonce, mined.hash))
    }

    /// Whether a transaction of an intent can still be mined, as of the block that was
    /// [settled](Self::settle) last.
    pub fn may_be_mined(&self, id: &IntentId) -> bool {
        self.nonce_of(id).is_some()
    }
}
