//! A nonce, with the transactions that compete for it.

use crate::{
    call::ContractCall,
    confirm::Pending,
    error::Error,
    tx::{
        account::{Account, EMPTY_TRANSFER},
        fees::Fees,
        intended::{is_call_for, sent_call},
        journal::{JournalError, JournaledTransaction, SeenBlock},
    },
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes};
use canon_protocol::BlockNumber;
use canon_views::{Intent, IntentId};

/// The number of blocks after which a block is no longer replaced. Finality takes two epochs of 32 blocks.
pub const FINALITY: u64 = 64;

/// A transaction signed for a nonce.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
    pub(super) tx: TxEip1559,
    /// The intent that it carries out; `None` if it only uses the nonce.
    pub(super) intent: Option<Intent>,
    /// The newest block at the time of signing.
    pub(super) since: BlockNumber,
    /// The block that contains the transaction according to the journal.
    pub(super) mined_in: Option<SeenBlock>,
    /// Whether a node has confirmed that it has the transaction.
    pub(super) is_taken: bool,
}

/// The transaction that was mined under a nonce: one of the versions, or one that another holder of the key
/// sent.
#[derive(Clone, Debug)]
pub(super) struct Mined {
    pub(super) hash: B256,
    pub(super) block: BlockNumber,
    pub(super) block_hash: Option<B256>,
    pub(super) effect: Effect,
    /// Whether its receipt couldn't be read again when needed, or is of a block that isn't on the chain.
    pub(super) is_unsure: bool,
}

/// The effect of a mined transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It did its intent.
    Done(IntentId),
    /// It succeeded, but the endpoint doesn't return all its logs, or doesn't say whether the contract that it creates
    /// has code. It may have done its intent.
    Unclear(IntentId),
    /// It did nothing for an intent.
    Nothing,
}

/// A nonce, with all versions that may be in a pool or in a block.
#[derive(Clone, Debug, Default)]
pub(super) struct NonceUse {
    /// At least one version, in the order of signing.
    pub(super) versions: Vec<Version>,
    /// The highest fees that any version offered, refused versions included.
    pub(super) to_beat: Fees,
    pub(super) mined: Option<Mined>,
    /// The first block not yet searched for the transaction that used the nonce; `None` before the first
    /// search.
    pub(super) unsearched: Option<BlockNumber>,
    /// Whether a node refused the newest version because of too low fees.
    pub(super) is_outbid: bool,
    /// Whether a node says that a version can't be mined. An empty transfer then uses up the nonce, so that
    /// later transactions can be mined.
    pub(super) is_stuck: bool,
    /// The number of consecutive refusals of the newest version in unknown words.
    pub(super) refusals: u32,
}

impl Version {
    pub(super) fn id(&self) -> Option<IntentId> {
        self.intent.as_ref().map(Intent::id)
    }

    pub(super) const fn fees(&self) -> Fees {
        Fees { max_fee: self.tx.max_fee_per_gas, tip: self.tx.max_priority_fee_per_gas }
    }

    /// The name of the transaction in errors.
    pub(super) fn what(&self) -> &'static str {
        self.call().map_or(EMPTY_TRANSFER, |call| call.what())
    }

    /// The reason to wait for it if it isn't known to belong to this chain.
    pub(super) const fn unproven(&self) -> Error {
        Error::Unproven { transaction: self.hash, nonce: self.tx.nonce, since: self.since }
    }

    /// The call of the transaction for its intent; `None` if it only uses the nonce.
    fn call(&self) -> Option<ContractCall> {
        call_of(self.intent.as_ref()?, &self.tx)
    }

    /// The version of a journal's entry, and the account that signed it.
    pub(super) fn restore(
        journaled: JournaledTransaction,
        journal: &str,
    ) -> Result<(Self, Address), JournalError> {
        let (tx, signer) = journaled.decode(journal)?;
        let hash = journaled.hash();
        let JournaledTransaction { raw, intent, since, mined_in, .. } = journaled;
        let is_as_intended = tx.to.to().is_some_and(|to| match &intent {
            Some(intent) => is_call_for(intent, *to, &tx.input),
            None => *to == signer && tx.input.is_empty(),
        });
        if !is_as_intended || !tx.value.is_zero() {
            return Err(JournalError::OtherAction {
                journal: journal.to_owned(),
                transaction: hash,
            });
        }
        Ok((Self { hash, raw, tx, intent, since, mined_in, is_taken: false }, signer))
    }

    /// The transaction, with the events that its receipt must have.
    pub(super) fn pending(&self, account: &Account) -> Pending {
        let call = self.call().unwrap_or_else(|| account.nothing());
        Pending::new(self.hash, account.address(), call, self.tx.clone())
    }
}

/// The call of a transaction for an intent; `None` if no intent makes such a call.
fn call_of(intent: &Intent, tx: &TxEip1559) -> Option<ContractCall> {
    sent_call(intent, *tx.to.to()?, tx.input.clone())
}

impl Mined {
    /// Whether the block of the transaction is final, with `head` as the newest block.
    pub(super) fn is_final(&self, head: BlockNumber) -> bool {
        head.steps_since(self.block).is_some_and(|age| age >= FINALITY)
    }

    /// The first head for which the transaction is final.
    pub(super) const fn final_by(&self) -> BlockNumber {
        BlockNumber::of(self.block.get().saturating_add(FINALITY))
    }
}

impl NonceUse {
    /// The version that should be mined.
    pub(super) fn current(&self) -> Option<&Version> {
        self.versions.last()
    }

    pub(super) fn push(&mut self, version: Version) {
        self.to_beat = self.to_beat.max(version.fees());
        (self.is_outbid, self.refusals) = (false, 0);
        self.versions.push(version);
    }

    /// Adds a version that an earlier process signed.
    pub(super) fn restore(&mut self, version: Version) {
        self.to_beat = self.to_beat.max(version.fees());
        let newer = self.versions.partition_point(|one| one.since <= version.since);
        self.versions.insert(newer, version);
    }

    /// Whether one of the versions is for an intent.
    pub(super) fn is_for(&self, id: &IntentId) -> bool {
        self.versions.iter().any(|version| version.id().as_ref() == Some(id))
    }

    /// The intents of all versions.
    pub(super) fn intents(&self) -> Vec<IntentId> {
        let mut intents: Vec<_> = self.versions.iter().filter_map(Version::id).collect();
        intents.sort_unstable();
        intents.dedup();
        intents
    }

    /// The hashes of all versions, the mined one first and then from the newest to the oldest.
    pub(super) fn hashes(&self) -> Vec<B256> {
        let newest_first = self.versions.iter().rev().map(|version| version.hash);
        let mined = self.mined.as_ref().map(|mined| mined.hash);
        let others = newest_first.filter(|hash| Some(*hash) != mined);
        mined.into_iter().chain(others).collect()
    }
}
