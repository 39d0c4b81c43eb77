//! The journal of transactions, which keeps a restarted process from sending anything twice.

use crate::line_file::PartialLine;
use alloy_consensus::{TxEip1559, TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use canon_protocol::BlockNumber;
use canon_views::{Intent, IntentId};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A signed transaction and its intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournaledTransaction {
    /// The encoded transaction (EIP-2718), which contains its nonce and fees.
    pub raw: Bytes,
    /// The intent of the transaction; `None` if it only uses its nonce.
    pub intent: Option<Intent>,
    /// The number of the newest block at the time of signing.
    pub since: BlockNumber,
    /// The hash of that block.
    pub since_hash: B256,
    /// The block that last contained the transaction; `None` if no block was seen to contain it.
    pub mined_in: Option<SeenBlock>,
}

/// A block of the chain to which a transaction belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeenBlock {
    /// The number of the block.
    pub number: BlockNumber,
    /// The hash of the block.
    pub hash: B256,
}

/// An intent that is done for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompletedIntent {
    /// The intent.
    pub intent: IntentId,
    /// The transaction that did it.
    pub transaction: B256,
    /// The block that contains the transaction.
    pub block: SeenBlock,
}

/// The contents of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalContents {
    /// Transactions that weren't forgotten, in the order in which they were recorded.
    pub transactions: Vec<JournaledTransaction>,
    /// Intents that are done for good, each on the chain that has its block.
    pub completed: Vec<CompletedIntent>,
}

/// A store for the transactions of one account on one chain. Changes must be durable once a method has
/// returned.
///
/// The methods block, although they are called in async code: the line of a transaction must be on disk before
/// the transaction is sent. There are only a few lines for each transaction.
pub trait Journal: Send {
    /// The name of the journal in errors. For a file it is the path.
    fn name(&self) -> Cow<'_, str>;

    /// Returns the contents.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn load(&self) -> Result<JournalContents, JournalError>;

    /// Records a transaction before it is sent.
    ///
    /// # Errors
    ///
    /// If the record can't be written. In that case, the transaction isn't sent.
    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError>;

    /// Records the block that contains a transaction. Other chains with the same id don't have that block.
    ///
    /// # Errors
    ///
    /// If the record can't be written.
    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError>;

    /// Records that an intent is done for good, because the block of its transaction is final.
    ///
    /// # Errors
    ///
    /// If the record can't be written.
    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError>;

    /// Forgets a transaction that can no longer be mined, or whose block is final.
    ///
    /// # Errors
    ///
    /// If the record can't be written.
    fn forgotten(&mut self, transaction: B256) -> Result<(), JournalError>;
}

/// The reason why a journal can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The storage failed.
    #[error("the journal of transactions can't be used ({0}); check where it is stored")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A part of a line couldn't be written, and couldn't be removed either.
    #[error(transparent)]
    PartialLine(PartialLine),
    /// The journal contains something that isn't a transaction of this kind.
    #[error(
        "{journal} is damaged: the transaction {transaction} in it can't be read; restore it, or move it away once \
         none of its transactions is pending"
    )]
    Damaged {
        /// The journal's name.
        journal: String,
        /// The hash of the entry.
        transaction: B256,
    },
    /// A transaction doesn't do what the journal says about it.
    #[error(
        "{journal} is damaged: the transaction {transaction} in it doesn't do what the line says; restore it, or move \
         it away once none of its transactions is pending"
    )]
    OtherAction {
        /// The journal's name.
        journal: String,
        /// The hash of the transaction.
        transaction: B256,
    },
    /// Another process sends for the same account.
    #[error("{} is in use; wait until the other process that sends for this account ends", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line of the file isn't part of a journal.
    #[error(
        "{}:{number} isn't a line of a journal; restore the file, or move it away once none of its \
         transactions is pending",
        path.display()
    )]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line number, counted from 1.
        number: usize,
    },
}

/// A journal in memory. Clones share their contents.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// Each transaction by its hash, with its place in the order of all.
    transactions: BTreeMap<B256, (u64, JournaledTransaction)>,
    /// The place of the next transaction.
    next: u64,
    completed: BTreeSet<CompletedIntent>,
}

impl JournaledTransaction {
    /// The transaction hash.
    pub fn hash(&self) -> B256 {
        keccak256(&self.raw)
    }

    /// The newest block of its chain that its sender saw: the block that contains the transaction,
    /// otherwise the newest one at the time of signing.
    pub(crate) const fn block(&self) -> SeenBlock {
        match self.mined_in {
            Some(block) => block,
            None => SeenBlock { number: self.since, hash: self.since_hash },
        }
    }

    /// Decodes the transaction and recovers its signer. `journal` is the name of the journal in errors.
    pub(crate) fn decode(&self, journal: &str) -> Result<(TxEip1559, Address), JournalError> {
        let damaged =
            || JournalError::Damaged { journal: journal.to_owned(), transaction: self.hash() };
        let envelope = TxEnvelope::decode_2718_exact(&self.raw).map_err(|_| damaged())?;
        let signer = envelope.recover_signer().map_err(|_| damaged())?;
        let TxEnvelope::Eip1559(signed) = envelope else { return Err(damaged()) };
        Ok((signed.strip_signature(), signer))
    }
}

impl MemoryJournal {
    /// Creates a journal with initial contents.
    pub fn new(contents: JournalContents) -> Self {
        let mut memory =
            Memory { completed: contents.completed.into_iter().collect(), ..Memory::default() };
        contents.transactions.into_iter().for_each(|one| memory.record(one));
        Self(Arc::new(Mutex::new(memory)))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Remembers a transaction. One that was recorded before keeps its block.
    fn record(&mut self, mut transaction: JournaledTransaction) {
        let hash = transaction.hash();
        let before = self.transactions.remove(&hash).and_then(|(_, before)| before.mined_in);
        transaction.mined_in = transaction.mined_in.or(before);
        self.transactions.insert(hash, (self.next, transaction));
        self.next += 1;
    }
}

impl Journal for MemoryJournal {
    fn name(&self) -> Cow<'_, str> {
        "the journal in memory".into()
    }

    fn load(&self) -> Result<JournalContents, JournalError> {
        let memory = self.memory();
        let mut transactions: Vec<_> = memory.transactions.values().collect();
        transactions.sort_unstable_by_key(|(place, _)| *place);
        let transactions = transactions.into_iter().map(|(_, one)| one.clone()).collect();
        Ok(JournalContents { transactions, completed: memory.completed.iter().copied().collect() })
    }

    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError> {
        self.memory().record(transaction.clone());
        Ok(())
    }

    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError> {
        if let Some((_, one)) = self.memory().transactions.get_mut(&transaction) {
            one.mined_in = Some(block);
        }
        Ok(())
    }

    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError> {
        self.memory().completed.insert(*completed);
        Ok(())
    }

    fn forgotten(&mut self, transaction: B256) -> Result<(), JournalError> {
        self.memory().transactions.remove(&transaction);
        Ok(())
    }
}
