//! Journals with transactions of another chain with the same id.

use crate::{
    test_chain::client_by,
    tx_chain::{TxChain, confirmed, failures, ready, sent, transactions},
};
use alloy_primitives::B256;
use canon_chain::{
    FINALITY, IntentSender,
    tx::{CompletedIntent, Journal, JournalContents, MemoryJournal},
};
use canon_devchain::{Devchain, OldTransactions, ReorgOptions};
use canon_faults::{Answer, Faults};
use canon_views::{Intent, IntentProgress, RequestId};
use core::slice::from_ref;
use serde_json::Value;

/// Another chain that starts from the present state of this one.
async fn fork(chain: &TxChain) -> TxChain {
    let devchain = Devchain::from_bytes(&chain.devchain.to_bytes()).unwrap();
    devchain.set_mining(canon_devchain::Mining::Manual);
    devchain.increase_time(1);
    let faults = Faults::default();
    let client = client_by(&Faults::default(), &devchain).await;
    let faulty = client_by(&faults, &devchain).await;
    TxChain { devchain, client, faulty, faults, set: chain.set, key: chain.key.clone() }
}

fn unproven(sender: &IntentSender) -> Vec<B256> {
    sender.unproven().map(|one| one.hash).collect()
}

/// The hash of the newest transaction in a journal.
fn newest(journal: &MemoryJournal) -> B256 {
    journal.load().unwrap().transactions.last().unwrap().hash()
}

/// The journal as another process reads it.
fn copy(journal: &MemoryJournal) -> MemoryJournal {
    MemoryJournal::new(journal.load().unwrap())
}

#[tokio::test]
async fn what_a_fork_has_mined_is_never_sent_to_the_chain_that_it_began_with() {
    let chain = TxChain::new().await;
    let (journal, _) = ready(&chain).await;
    let fork = fork(&chain).await;
    let lock = fork.lock(1, 7);
    // The transaction is signed after the last common block.
    let mut sender = fork.sender(&journal);
    assert_eq!(sent(&fork.pursue_and_mine(&mut sender, from_ref(&lock)).await).len(), 1);
    assert_eq!(confirmed(&fork.pursue(&mut sender, &[]).await), [lock.id()]);

    let hash = newest(&journal);
    let mut there = chain.sender(&copy(&journal));
    for blocks in 0..3 {
        let reports = chain.pursue(&mut there, &[]).await;
        assert_eq!((sent(&reports), failures(&reports)), (vec![], vec![]), "{blocks}");
        assert_eq!((chain.devchain.pool_size(), unproven(&there)), (0, vec![hash]), "{blocks}");
        chain.mine(1);
    }
    // The due intent is signed for that chain.
    assert!(there.next_request() > RequestId::of(1), "an order has one number on all chains");
    let reports = chain.pursue(&mut there, from_ref(&lock)).await;
    assert!(sent(&reports).len() == 1 && sent(&reports) != [hash], "{reports:?}");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut there, from_ref(&lock)).await), [lock.id()]);
    assert_eq!((chain.deposits().await, unproven(&there)), (vec![7], vec![]));

    // The fork still has its own transaction.
    let mut here = fork.sender(&copy(&journal));
    assert_eq!(
        confirmed(&fork.pursue(&mut here, &[]).await),
        [chain.approve(0, 0).id(), lock.id()]
    );
}

#[tokio::test]
async fn what_was_signed_on_another_chain_and_never_mined_is_not_sent() {
    let chain = TxChain::new().await;
    let (journal, _) = ready(&chain).await;
    let fork = fork(&chain).await;
    chain.devchain.set_base_fee_next(1_000_000_000);
    fork.mine(1);
    chain.mine(1);
    let (lock, mut sender) = (fork.lock(1, 7), fork.sender(&journal));
    assert_eq!(sent(&fork.pursue(&mut sender, from_ref(&lock)).await), [newest(&journal)]);
    // The chain can still be the same one with replaced blocks, until it is old enough.
    for age in [0, 1, FINALITY - 1, FINALITY] {
        let number = fork.devchain.block_number() + age;
        chain.mine(number - chain.devchain.block_number());
        let mut there = chain.sender(&copy(&journal));
        let reports = chain.pursue(&mut there, &[]).await;
        assert_eq!((sent(&reports), failures(&reports)), (vec![], vec![]), "{age}");
        assert_eq!(chain.devchain.pool_size(), 0, "{age}");
        let expected = if age < FINALITY { vec![newest(&journal)] } else { Vec::new() };
        assert_eq!(unproven(&there), expected, "{age}");
    }
}

#[tokio::test]
async fn a_block_that_the_endpoint_does_not_have_yet_proves_nothing() {
    let chain = TxChain::new().await;
    let (journal, _) = ready(&chain).await;
    let behind = fork(&chain).await;
    chain.mine(FINALITY + 1);
    let lock = chain.lock(1, 7);
    chain.pursue(&mut chain.sender(&journal), from_ref(&lock)).await;
    let mut sender = behind.sender(&copy(&journal));
    assert!(behind.pursue(&mut sender, &[]).await.is_empty());
    assert_eq!((unproven(&sender), behind.devchain.pool_size()), (vec![newest(&journal)], 0));
}

#[tokio::test]
async fn a_process_that_starts_after_a_reorganization_signs_anew_under_the_same_nonce() {
    let chain = TxChain::new().await;
    for old_is_mined in [false, true] {
        let snapshot = chain.devchain.snapshot();
        let (journal, mut sender) = ready(&chain).await;
        chain.mine(1);
        let lock = chain.lock(1, 7);
        chain.pursue(&mut sender, from_ref(&lock)).await;
        let old = journal.load().unwrap().transactions.pop().unwrap();
        let old_nonce = alloy_consensus::Transaction::nonce(transactions(&journal).last().unwrap());
        let options = ReorgOptions { depth: 1, old: OldTransactions::Drop, blocks: Vec::new() };
        drop(sender);
        chain.devchain.increase_time(1);
        chain.devchain.reorg(options).unwrap();
        while chain.devchain.pool_size() > 0 {
            // The pool keeps the transaction, whose chain is unknown.
            chain.devchain.mine().unwrap();
        }
        if chain.is_mined(old.hash()).await {
            chain.reorganize(1, vec![vec![]]);
        }
        let mut sender = chain.sender(&journal);
        let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
        assert_eq!(failures(&reports), [""; 0]);
        let [new] = sent(&reports)[..] else { panic!("{reports:?}") };
        assert_ne!(new, old.hash());
        let nonce = alloy_consensus::Transaction::nonce(transactions(&journal).last().unwrap());
        assert_eq!(nonce, old_nonce, "only one of both can be mined");
        chain.mine(1);
        if old_is_mined {
            // Another pool had the transaction.
            chain.reorganize(1, vec![vec![old.raw]]);
        }
        assert_eq!(confirmed(&chain.pursue(&mut sender, from_ref(&lock)).await), [lock.id()]);
        assert_eq!(chain.deposits().await, [7]);
        assert_eq!(chain.devchain.pool_size(), 0);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn a_journal_of_an_unknown_chain_sends_nothing_that_no_node_has() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let mut contents = journal.load().unwrap();
    for one in &mut contents.transactions {
        (one.since_hash, one.mined_in) = (B256::repeat_byte(1), None);
    }
    let hash = newest(&journal);
    let pool = chain.devchain.snapshot();
    // A node has the transaction.
    let mut sender = chain.sender(&MemoryJournal::new(contents.clone()));
    chain.pursue(&mut sender, &[lock]).await;
    assert_eq!(unproven(&sender), [B256::ZERO; 0]);
    assert!(sender.is_known(hash).await.unwrap());
    // No node has the transaction.
    chain.devchain.revert(pool).unwrap();
    chain.mine(1);
    chain.reorganize(1, vec![vec![]]);
    let mut sender = chain.sender(&MemoryJournal::new(contents));
    chain.pursue(&mut sender, &[]).await;
    assert_eq!((unproven(&sender), chain.devchain.pool_size()), (vec![hash], 0));
    assert!(!sender.is_known(hash).await.unwrap());
}

/// A lock of 7 that is done for good on a chain, and the journal that records it.
async fn done_for_good(chain: &TxChain) -> (MemoryJournal, Intent, CompletedIntent) {
    let (journal, mut sender) = ready(chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    chain.mine(FINALITY);
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let JournalContents { transactions, completed } = journal.load().unwrap();
    let [done] = completed[..] else { panic!("{completed:?}") };
    assert_eq!((transactions, done.intent), (vec![], lock.id()));
    (copy(&journal), lock, done)
}

#[tokio::test]
async fn what_is_done_on_a_fork_is_due_on_the_chain_that_it_began_with() {
    let chain = TxChain::new().await;
    let fork = fork(&chain).await;
    let (journal, lock, done) = done_for_good(&fork).await;
    // This sends the approval.
    let (_, mut there) = ready(&chain).await;
    chain.mine(1);
    drop(there);
    there = chain.sender(&journal);
    let block = done.block.number.get();
    let text =
        format!("the journal says that {} has done this in block {block};", done.transaction);
    // The chain can still be the same one, at an endpoint that lags or with replaced blocks.
    for (number, is_reported) in [(0, true), (block - 1, false), (block + FINALITY - 1, false)] {
        chain.mine(number.saturating_sub(chain.devchain.block_number()));
        let reports = chain.pursue(&mut there, from_ref(&lock)).await;
        assert!(sent(&reports).is_empty(), "{number}");
        let reported = failures(&reports);
        assert!(
            reported.len() == usize::from(is_reported)
                && reported.iter().all(|reported| reported.starts_with(&text))
        );
        assert_eq!(there.progress(&lock.id()), IntentProgress::Unconfirmed, "{number}");
        assert!(there.next_request() > RequestId::of(1), "an order has one number on all chains");
    }
    chain.mine(1);
    assert_eq!(sent(&chain.pursue_and_mine(&mut there, from_ref(&lock)).await).len(), 1);
    assert_eq!(confirmed(&chain.pursue(&mut there, from_ref(&lock)).await), [lock.id()]);
    assert_eq!(chain.deposits().await, [7]);
    // The lock is now done for good on both chains, and both processes notice it.
    chain.mine(FINALITY);
    chain.pursue(&mut there, from_ref(&lock)).await;
    assert_eq!(journal.load().unwrap().completed.len(), 2);
    for place in [&chain, &fork] {
        let mut sender = place.sender(&copy(&journal));
        assert!(place.pursue(&mut sender, from_ref(&lock)).await.is_empty());
        assert!(sender.is_done(&lock.id()));
    }
}

#[tokio::test]
async fn what_is_done_in_a_block_that_the_endpoint_does_not_have_is_not_done_again() {
    let chain = TxChain::new().await;
    let (journal, lock, _) = done_for_good(&chain).await;
    // The endpoint has neither old blocks nor an index of old transactions.
    chain.faults.answer(|request| match request.method() {
        "eth_getBlockByNumber" => Answer::Refusal(4444, "pruned history unavailable".to_owned()),
        "eth_getTransactionByHash" => Answer::Result(Value::Null),
        _ => Answer::Node,
    });
    let mut sender = chain.sender(&journal);
    let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
    assert!(sent(&reports).is_empty() && failures(&reports).len() == 1, "{reports:?}");
    assert_eq!(sender.progress(&lock.id()), IntentProgress::Unconfirmed);
    chain.faults.answer(|_| Answer::Node);
    assert!(chain.pursue(&mut sender, from_ref(&lock)).await.is_empty());
    assert!(sender.is_done(&lock.id()));
}
