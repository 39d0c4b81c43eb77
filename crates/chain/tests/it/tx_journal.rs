//! The contents of a transaction journal, and unusable journals.

use crate::tx_chain::{TxChain, failures, ready};
use alloy_primitives::B256;
use canon_chain::{
    Error, IntentSender, Severity,
    tx::{
        CompletedIntent, FeePolicy, Journal, JournalContents, JournalError, JournaledTransaction,
        MemoryJournal, SeenBlock, TxEvent, TxReport,
    },
};
use core::slice::from_ref;
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

#[tokio::test]
async fn only_what_the_journal_needs_is_kept() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    chain.pursue_and_mine(&mut sender, &[]).await;
    chain.mine(62);
    chain.pursue_and_mine(&mut sender, &[]).await;
    assert_eq!(journal.load().unwrap().transactions.len(), 1, "63 blocks are on top of it");
    chain.pursue_and_mine(&mut sender, &[]).await;
    let contents = journal.load().unwrap();
    assert_eq!(contents.transactions, []);
    assert_eq!(contents.completed.iter().map(|done| done.intent).collect::<Vec<_>>(), [lock.id()]);
    let json = serde_json::to_string(&contents).unwrap();
    let read: JournalContents = serde_json::from_str(&json).unwrap();
    let mut sender = chain.sender(&MemoryJournal::new(read));
    assert!(chain.pursue(&mut sender, from_ref(&lock)).await.is_empty());
    assert!(sender.is_done(&lock.id()));
}

/// A journal on a disk that is full from time to time.
#[derive(Clone, Default)]
struct FullDisk {
    inner: MemoryJournal,
    is_full: Arc<AtomicBool>,
}

impl FullDisk {
    fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut MemoryJournal) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(JournalError::Storage("the disk is full".into())),
            false => write(&mut self.inner),
        }
    }
}

impl Journal for FullDisk {
    fn name(&self) -> Cow<'_, str> {
        "the full disk".into()
    }

    fn load(&self) -> Result<JournalContents, JournalError> {
        self.inner.load()
    }

    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError> {
        self.write(|inner| inner.record(transaction))
    }

    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError> {
        self.write(|inner| inner.mined(transaction, block))
    }

    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError> {
        self.write(|inner| inner.completed(completed))
    }

    fn forgotten(&mut self, transaction: B256) -> Result<(), JournalError> {
        self.write(|inner| inner.forgotten(transaction))
    }
}

#[tokio::test]
async fn the_block_of_a_transaction_is_written_until_that_succeeds() {
    let chain = TxChain::new().await;
    let (client, key) = (chain.client.clone(), chain.key.clone());
    let disk = FullDisk::default();
    let mut sender = IntentSender::new(client, key, FeePolicy::default(), disk.clone()).unwrap();
    chain.pursue_and_mine(&mut sender, &[chain.approve(0, 1)]).await;
    let mined_in = || disk.load().unwrap().transactions[0].mined_in;
    disk.set_full(true);
    for _ in 0..2 {
        let reports = chain.pursue_and_mine(&mut sender, &[]).await;
        let [told] = &failures(&reports)[..] else { panic!("{reports:?}") };
        assert!(told.contains("the disk is full"), "{told}");
        assert_eq!(mined_in(), None);
    }
    disk.set_full(false);
    assert_eq!(failures(&chain.pursue(&mut sender, &[]).await), [""; 0]);
    assert!(mined_in().is_some());
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent() {
    let chain = TxChain::new().await;
    let (client, key) = (chain.client.clone(), chain.key.clone());
    let disk = FullDisk::default();
    disk.set_full(true);
    let mut sender = IntentSender::new(client, key, FeePolicy::default(), disk).unwrap();
    let reports = chain.pursue(&mut sender, &[chain.approve(0, 1)]).await;
    let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else { panic!() };
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(error.severity(), Severity::Stop);
    assert_eq!(chain.devchain.pool_size(), 0);
}

#[tokio::test]
async fn a_damaged_journal_is_not_used() {
    let chain = TxChain::new().await;
    let (journal, _) = ready(&chain).await;
    let mut contents = journal.load().unwrap();
    let mut raw = contents.transactions[0].raw.to_vec();
    raw.pop();
    contents.transactions[0].raw = raw.into();
    let (client, key) = (chain.client.clone(), chain.key.clone());
    let journal = MemoryJournal::new(contents);
    let error = IntentSender::new(client, key, FeePolicy::default(), journal).unwrap_err();
    assert!(matches!(error, Error::Journal(JournalError::Damaged { .. })), "{error}");
}

#[tokio::test]
async fn a_journal_whose_transaction_does_something_else_is_not_used() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    chain.pursue(&mut sender, &[chain.lock(1, 7)]).await;
    let contents = journal.load().unwrap();
    // The journal has an approval of 100 and a lock of 7.
    let [approval, lock] = &contents.transactions[..] else { panic!("{contents:?}") };
    for (transaction, intent) in [
        (approval, Some(chain.approve(0, 99))),
        (approval, Some(chain.lock(1, 7))),
        (lock, Some(chain.lock(1, 8))),
        (lock, Some(chain.approve(0, 100))),
        // The entry says that the transaction only uses its nonce.
        (lock, None),
    ] {
        let transaction = JournaledTransaction { intent, ..transaction.clone() };
        let hash = transaction.hash();
        let transactions = vec![transaction];
        let journal = MemoryJournal::new(JournalContents { transactions, ..contents.clone() });
        let (client, key) = (chain.client.clone(), chain.key.clone());
        let error = IntentSender::new(client, key, FeePolicy::default(), journal).unwrap_err();
        let is_named = matches!(
            error,
            Error::Journal(JournalError::OtherAction { transaction, .. }) if transaction == hash
        );
        assert!(is_named, "{error}");
    }
    chain.sender(&MemoryJournal::new(contents));
}
