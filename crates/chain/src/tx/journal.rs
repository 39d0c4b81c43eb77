//! The journal of transactions, so that a restart sends nothing twice.

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

/// A signed transaction and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournaledTransaction {
    /// Its encoding (EIP-2718). Its nonce and what it offers are in it.
    pub raw: Bytes,
    /// The intent that it carries out; `None` if it only uses its nonce.
    pub intent: Option<Intent>,
    /// The number of the newest block when it was signed.
    pub since: BlockNumber,
    /// The hash of that block. Without it the transaction isn't known to belong to any chain.
    #[serde(default)]
    pub since_hash: Option<B256>,
    /// The block that was last seen to have it; `None` if none was.
    #[serde(default)]
    pub mined_in: Option<SeenBlock>,
}

/// A block of the chain that a transaction belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeenBlock {
    /// Its number.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: B256,
}

/// An intent that is done for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompletedIntent {
    /// The intent.
    pub intent: IntentId,
    /// The transaction that did it.
    pub transaction: B256,
    /// The block that has the transaction. Without it the intent isn't known to be done on any chain.
    #[serde(default)]
    pub block: Option<SeenBlock>,
}

/// All that a journal has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalContents {
    /// Transactions that weren't forgotten, in the order in which they were recorded.
    pub transactions: Vec<JournaledTransaction>,
    /// Intents that are done for good, each on the chain that has its block.
    pub completed: Vec<CompletedIntent>,
}

/// The memory of the transactions of one account on one chain. The effects of a method that has returned must
/// survive the end of the process.
///
/// Its methods block, although they are called in async code: a transaction's line must be on the disk before it is
/// sent. There are a few lines for each transaction, and a sender writes them one after another.
pub trait Journal: Send {
    /// What errors call it: the path if it is a file.
    fn name(&self) -> Cow<'_, str>;

    /// All that it has.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn load(&self) -> Result<JournalContents, JournalError>;

    /// Remembers a transaction that is about to be sent.
    ///
    /// # Errors
    ///
    /// If it can't be written. The transaction isn't sent then.
    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError>;

    /// Remembers which block has a transaction: another chain of the same id doesn't have that block.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError>;

    /// Remembers that an intent is done for good: its transaction is too deep to be taken back.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError>;

    /// Forgets a transaction that won't be mined any more, or can't be taken back any more.
    ///
    /// # Errors
    ///
    /// If it can't be written.
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
    #[error(
        "{} ends with a part of a line that can't be removed ({source}); make the disk writable, and cut the file \
         to {length} bytes if it has more",
        path.display()
    )]
    PartialLine {
        /// The file.
        path: PathBuf,
        /// The length of what is whole, in bytes.
        length: u64,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It has something that isn't a transaction of this kind.
    #[error(
        "{journal} is damaged: the transaction {transaction} in it can't be read; restore it, or move it away once \
         none of its transactions is pending"
    )]
    Damaged {
        /// The journal's name.
        journal: String,
        /// The hash of what is there.
        transaction: B256,
    },
    /// A transaction does something else than what the journal says it is for.
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
    /// A line of a file isn't one of a journal.
    #[error(
        "{}:{number} isn't a line of a journal; restore the file, or move it away once none of its \
         transactions is pending",
        path.display()
    )]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        number: usize,
    },
}

/// A journal in memory. Its clones share what they remember.
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
    /// The hash by which nodes know the transaction.
    pub fn hash(&self) -> B256 {
        keccak256(&self.raw)
    }

    /// The newest block that its sender saw of its chain: the one that has it, otherwise the one after which it
    /// was signed. `None` if it isn't known to belong to any chain.
    pub(crate) fn block(&self) -> Option<SeenBlock> {
        let signed_after = self.since_hash.map(|hash| SeenBlock { number: self.since, hash });
        self.mined_in.or(signed_after)
    }

    /// The transaction and who signed it. `journal` is the name of what it was read from.
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
    /// A journal that has something already.
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
