//! Journals whose transactions belong to another chain of the same id.

use crate::{
    test_chain::client_by,
    tx::{ready, transactions},
    tx_chain::{TxChain, confirmed, failures, sent},
};
use alloy_primitives::B256;
use canon_chain::{
    FINALITY, IntentSender,
    tx::{Journal, MemoryJournal},
};
use canon_devchain::{Devchain, OldTransactions, ReorgOptions};
use canon_faults::Faults;
use core::slice::from_ref;

/// Another chain that begins as this one is now, and goes on otherwise.
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

/// As another process reads it.
fn copy(journal: &MemoryJournal) -> MemoryJournal {
    MemoryJournal::new(journal.load().unwrap())
}

#[tokio::test]
async fn what_a_fork_has_mined_is_never_sent_to_the_chain_that_it_began_with() {
    let chain = TxChain::new().await;
    let (journal, _) = ready(&chain).await;
    let fork = fork(&chain).await;
    let lock = fork.lock(1, 7);
    // Signed after the last block that both have.
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
    assert!(there.next_order() > canon_views::OrderId(1), "an order has one number on all chains");
    // What is due there is signed for that chain.
    let reports = chain.pursue(&mut there, from_ref(&lock)).await;
    assert!(sent(&reports).len() == 1 && sent(&reports) != [hash], "{reports:?}");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut there, from_ref(&lock)).await), [lock.id()]);
    assert_eq!((chain.deposits().await, unproven(&there)), (vec![7], vec![]));

    // The fork still has its own.
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
    // As long as it could be the same chain, with its newest blocks replaced, and after that.
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
            // The pool keeps it: what is not known is not lost.
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
            // A pool elsewhere had it.
            chain.reorganize(1, vec![vec![old.raw]]);
        }
        assert_eq!(confirmed(&chain.pursue(&mut sender, from_ref(&lock)).await), [lock.id()]);
        assert_eq!(chain.deposits().await, [7]);
        assert_eq!(chain.devchain.pool_size(), 0);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn a_journal_that_does_not_say_which_chain_it_is_of_sends_nothing_that_no_node_has() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let mut contents = journal.load().unwrap();
    for one in &mut contents.transactions {
        (one.since_hash, one.mined_in) = (None, None);
    }
    let hash = newest(&journal);
    let pool = chain.devchain.snapshot();
    // A node has it.
    let mut sender = chain.sender(&MemoryJournal::new(contents.clone()));
    chain.pursue(&mut sender, &[lock]).await;
    assert_eq!(unproven(&sender), [B256::ZERO; 0]);
    assert!(sender.is_known(hash).await.unwrap());
    // None has it.
    chain.devchain.revert(pool).unwrap();
    chain.mine(1);
    chain.reorganize(1, vec![vec![]]);
    let mut sender = chain.sender(&MemoryJournal::new(contents));
    chain.pursue(&mut sender, &[]).await;
    assert_eq!((unproven(&sender), chain.devchain.pool_size()), (vec![hash], 0));
    assert!(!sender.is_known(hash).await.unwrap());
}
