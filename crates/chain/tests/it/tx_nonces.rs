//! Transactions for intents whose nonces others use, or which are used again.

use crate::tx_chain::{
    SOMEBODY, TxChain, confirmed, failures, journaled, mine_past_the_pool, ready, sent,
    sent_once_final, superseded, taken_back, transactions,
};
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, bytes};
use canon_chain::{
    Checks, Error, FINALITY, NextBlock, Sender, Severity, calls,
    tx::{Journal, MemoryJournal, TxEvent, TxReport},
};
use canon_devchain::Mining;
use canon_faults::{Fault, FaultPlan};
use canon_protocol::Amount;
use canon_views::{IntentProgress, RequestId};
use core::slice::from_ref;

/// The number of blocks after which a transaction is replaced.
const RENEWAL: u64 = 8;

#[tokio::test]
async fn a_replacement_of_a_replacement_ends_well_whichever_is_mined() {
    let chain = TxChain::new().await;
    for mined in 0..3 {
        let snapshot = chain.devchain.snapshot();
        let (journal, mut sender) = ready(&chain).await;
        let lock = [chain.lock(1, 7)];
        let mut hashes = sent(&chain.pursue(&mut sender, &lock).await);
        for _ in 0..2 {
            mine_past_the_pool(&chain, RENEWAL - 1);
            assert!(sent(&chain.pursue(&mut sender, &lock).await).is_empty());
            mine_past_the_pool(&chain, 1);
            hashes.extend(sent(&chain.pursue(&mut sender, &lock).await));
        }
        let versions: Vec<_> = journaled(&journal).split_off(1);
        assert_eq!(versions.iter().map(|(one, _)| one.hash()).collect::<Vec<_>>(), hashes);
        for pair in versions.windows(2) {
            let (old, new) = (&pair[0].1, &pair[1].1);
            assert_eq!(new.nonce(), old.nonce());
            assert!(new.max_fee_per_gas() * 100 > old.max_fee_per_gas() * 110);
            let tip = |tx: &TxEnvelope| tx.max_priority_fee_per_gas().unwrap();
            assert!(tip(new) * 100 > tip(old) * 110);
        }
        chain.reorganize(1, vec![vec![versions[mined].0.raw.clone()]]);
        let reports = chain.pursue(&mut sender, &lock).await;
        assert_eq!(confirmed(&reports), [lock[0].id()], "version {mined}: {reports:?}");
        assert!(chain.is_mined(hashes[mined]).await);
        chain.pursue_and_mine(&mut sender, &lock).await;
        assert_eq!(chain.deposits().await, [7]);
        assert_eq!(chain.devchain.pool_size(), 0);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn what_is_not_wanted_any_more_is_given_up_unless_it_was_mined() {
    let chain = TxChain::new().await;
    for is_late in [false, true] {
        let snapshot = chain.devchain.snapshot();
        let (journal, mut sender) = ready(&chain).await;
        let mut lock = chain.lock(1, 7);
        lock.until = is_late.then(|| chain.next());
        let first = sent(&chain.pursue(&mut sender, from_ref(&lock)).await);
        mine_past_the_pool(&chain, 1);
        // The intent has expired, or is no longer wanted.
        let intents = if is_late { vec![lock.clone()] } else { Vec::new() };
        assert_eq!(sent(&chain.pursue(&mut sender, &intents).await).len(), 1);
        let (_, nothing) = journaled(&journal).pop().unwrap();
        assert_eq!((nothing.to(), nothing.input().len()), (Some(chain.account()), 0));
        let unmined = chain.devchain.snapshot();
        let contents = journal.load().unwrap();
        chain.mine(1);
        let reports = chain.pursue(&mut sender, &intents).await;
        assert_eq!((superseded(&reports), confirmed(&reports)), (vec![lock.id()], vec![]));
        assert_eq!(chain.deposits().await, [0; 0]);

        // The first transaction is mined nevertheless.
        chain.devchain.revert(unmined).unwrap();
        let mut sender = chain.sender(&MemoryJournal::new(contents.clone()));
        let raw = contents.transactions[1].raw.clone();
        chain.mine(1);
        chain.reorganize(1, vec![vec![raw]]);
        assert!(chain.is_mined(first[0]).await);
        let reports = chain.pursue(&mut sender, &intents).await;
        assert!(confirmed(&reports).contains(&lock.id()), "{reports:?}");
        assert!(sender.is_done(&lock.id()));
        assert_eq!(chain.deposits().await, [7]);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn a_nonce_that_was_given_up_serves_the_next_intent() {
    let chain = TxChain::new().await;
    // Either of the two can be mined first.
    for first_is_mined in [false, true] {
        let snapshot = chain.devchain.snapshot();
        let (journal, mut sender) = ready(&chain).await;
        let (one, two) = (chain.lock(1, 1), chain.lock(2, 2));
        chain.pursue(&mut sender, from_ref(&one)).await;
        chain.pursue(&mut sender, from_ref(&two)).await;
        let versions: Vec<_> = journaled(&journal).split_off(1);
        assert_eq!(versions.len(), 2);
        assert_eq!(versions[0].1.nonce(), versions[1].1.nonce());
        // The first intent is wanted again. It gets no other nonce, because either transaction can be
        // mined.
        let both = [one.clone(), two.clone()];
        assert!(chain.pursue(&mut sender, &both).await.is_empty());
        chain.mine(1);
        if first_is_mined {
            chain.reorganize(1, vec![vec![versions[0].0.raw.clone()]]);
        }
        let (done, open) = if first_is_mined { (one, two) } else { (two, one) };
        let reports = sender.settle(chain.head().await).await;
        assert_eq!(confirmed(&reports), [done.id()]);
        assert_eq!(superseded(&reports), [open.id()]);
        sent_once_final(&chain, &mut sender, &both).await;
        assert_eq!(confirmed(&chain.pursue(&mut sender, &both).await), [open.id()]);
        assert_eq!(chain.deposits().await, [1, 2]);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn a_reorganization_puts_a_transaction_back_in_flight() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    chain.pursue(&mut sender, &lock).await;
    mine_past_the_pool(&chain, RENEWAL);
    chain.pursue(&mut sender, &lock).await;
    let versions: Vec<_> = journaled(&journal).split_off(1);
    let [first, second] = [0, 1].map(|index: usize| versions[index].0.clone());
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(confirmed(&reports), [lock[0].id()]);

    // The block is removed, and no pool has the transaction.
    chain.reorganize(1, Vec::new());
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(taken_back(&reports), [second.hash()]);
    assert!(!sender.is_done(&lock[0].id()));
    assert_eq!(sent(&reports), [second.hash()], "the same bytes");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);

    // The other version is mined instead.
    chain.reorganize(1, vec![vec![first.raw.clone()]]);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(confirmed(&reports), [lock[0].id()]);
    let found = reports.iter().find_map(|report| match &report.event {
        TxEvent::Confirmed(confirmed) => Some(confirmed.hash),
        _ => None,
    });
    assert_eq!(found, Some(first.hash()));
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn a_nonce_that_something_else_used_is_found_out() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Lost));
    chain.pursue(&mut sender, &lock).await;
    chain.faults.end();
    // Somebody else has the key too.
    let mut other = Sender::new(chain.client.clone(), chain.key.clone());
    let call = calls::transfer(chain.set.asset, SOMEBODY, Amount::TOKEN);
    let next = chain.client.next_block().await.unwrap();
    let checks = canon_chain::Checks::Full;
    let pending = other.submit(call, checks, next).await.unwrap();
    chain.mine(1);
    let reports = sender.settle(chain.head().await).await;
    assert!(chain.is_mined(pending.hash()).await);
    let [TxReport { event: TxEvent::Superseded { by }, .. }, ..] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(*by, Some(pending.hash()));
    assert_eq!(journaled(&journal).len(), 2, "a reorganization can put it back");
    sent_once_final(&chain, &mut sender, &lock).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);

    // The pending transaction isn't replaced.
    let call = calls::transfer(chain.set.asset, SOMEBODY, Amount::TOKEN);
    let pending = other.submit(call, checks, next).await.unwrap_err();
    assert_eq!(pending.rejection(), Some(canon_chain::Rejection::NonceTooLow));
    let call = calls::transfer(chain.set.asset, SOMEBODY, Amount::TOKEN);
    let pending = other.submit(call, checks, next).await.unwrap();
    let reports = chain.pursue_and_mine(&mut sender, &[chain.lock(2, 8)]).await;
    let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else {
        panic!("{reports:?}")
    };
    let nonce = pending.nonce();
    assert!(
        matches!(error, Error::UnexpectedNonce { expected, found } if (*expected, *found) == (nonce, nonce + 1)),
        "{error}"
    );
    assert_eq!(error.severity(), Severity::Retry);
    assert!(chain.is_mined(pending.hash()).await);
    chain.pursue_and_mine(&mut sender, &[chain.lock(2, 8)]).await;
    assert_eq!(chain.deposits().await, [7, 8]);
}

/// A wallet with the same key replaces a stuck transaction by the same call, with higher fees.
#[tokio::test]
async fn an_order_that_a_wallet_sped_up_is_done_by_it_and_never_sent_once_more() {
    for is_restarted in [false, true] {
        let chain = TxChain::new().await;
        let (journal, mut sender) = ready(&chain).await;
        let lock = chain.lock(1, 7);
        chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Lost));
        chain.pursue(&mut sender, from_ref(&lock)).await;
        let mut wallet = Sender::new(chain.client.clone(), chain.key.clone());
        let next = chain.client.next_block().await.unwrap();
        let next = NextBlock { base_fee: 3 * next.base_fee, ..next };
        let call = calls::lock(chain.set.governance, chain.account(), Amount::of(7));
        let by_wallet = wallet.submit(call, Checks::Full, next).await.unwrap().hash();
        chain.mine(1);

        // It isn't known whether the order is done as long as the receipt isn't.
        chain.faults.set(FaultPlan::Method("eth_getBlockReceipts", Fault::Lost));
        if is_restarted {
            sender = chain.sender(&journal);
        }
        let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
        assert!(sent(&reports).is_empty() && !confirmed(&reports).contains(&lock.id()));
        assert_eq!(sender.progress(&lock.id()), IntentProgress::Unconfirmed);
        chain.faults.end();
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        assert_eq!(confirmed(&reports), [lock.id()], "{reports:?}");
        assert!(superseded(&reports).is_empty(), "{reports:?}");
        assert!(sender.transactions().any(|(hash, _)| hash == by_wallet));

        // The wallet's transaction is put back.
        chain.reorganize(2, Vec::new());
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        assert_eq!((taken_back(&reports), sent(&reports)), (vec![by_wallet], vec![by_wallet]));
        for _ in 0..FINALITY + 2 {
            if is_restarted {
                sender = chain.sender(&journal);
            }
            chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
            assert!(sender.is_done(&lock.id()));
        }
        assert!(transactions(&journal).is_empty(), "they are final");
        assert!(chain.sender(&journal).next_request() > RequestId::of(1));
        assert_eq!(chain.deposits().await, [7]);
    }
}

#[tokio::test]
async fn a_nonce_too_low_does_not_mean_that_nothing_was_mined() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    // The second of two equal requests arrives when the transaction of the first one is mined.
    chain.devchain.set_mining(Mining::Auto);
    chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Doubled));
    let reports = chain.pursue(&mut sender, &lock).await;
    assert!(failures(&reports)[0].contains("nonce too low"), "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn an_order_that_reverted_is_sent_again_once_that_is_final() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    let code = chain.client.code(chain.head().await.hash.into(), chain.set.governance).await;
    chain.pursue(&mut sender, &lock).await;
    chain.devchain.set_code(chain.set.governance, bytes!("60006000fd")).unwrap();
    chain.mine(1);
    chain.devchain.set_code(chain.set.governance, code.unwrap().unwrap()).unwrap();
    let reports = sender.settle(chain.head().await).await;
    assert!(failures(&reports)[0].contains("deposit(address,uint256) reverted in 0x"));
    sent_once_final(&chain, &mut sender, &lock).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);
}

/// The reason why another transaction is mined under the nonce of an order.
#[derive(Clone, Copy, Debug)]
enum Superseded {
    /// A wallet with the same key uses the nonce.
    ByWallet,
    /// The order isn't wanted for a block, so an empty transfer uses the nonce.
    ByItself,
}

/// An order is superseded and wanted again. Then the blocks since are replaced, and the first new one
/// contains the order's first transaction, which some pool still had. Transactions sent later are mined as
/// well.
#[tokio::test]
async fn an_order_that_was_superseded_is_done_once_whatever_is_reorganized() {
    for (superseded, is_restarted) in [
        (Superseded::ByWallet, false),
        (Superseded::ByWallet, true),
        (Superseded::ByItself, false),
        (Superseded::ByItself, true),
    ] {
        let chain = TxChain::new().await;
        let (journal, mut sender) = ready(&chain).await;
        let lock = chain.lock(1, 7);
        let before = chain.devchain.snapshot();
        chain.pursue(&mut sender, from_ref(&lock)).await;
        let first = transactions(&journal).pop().unwrap();
        match superseded {
            Superseded::ByWallet => {
                // This node's pool loses it, but others keep it.
                chain.devchain.revert(before).unwrap();
                let call =
                    calls::approve(chain.set.asset, Address::with_last_byte(9), Amount::of(1));
                let mut wallet =
                    Sender::new(chain.client.clone(), chain.key.clone()).with_nonce(first.nonce());
                let next = chain.client.next_block().await.unwrap();
                let _ = wallet.submit(call, Checks::Full, next).await.unwrap();
                chain.mine(1);
            }
            Superseded::ByItself => {
                chain.pursue_and_mine(&mut sender, &[]).await;
            }
        }
        if is_restarted {
            sender = chain.sender(&journal);
        }
        for _ in 0..3 {
            chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        }
        let newer = transactions(&journal).into_iter().filter(|tx| tx.nonce() > first.nonce());
        let newer = newer.map(|tx| tx.encoded_2718().into()).collect();
        chain.reorganize(4, vec![vec![first.encoded_2718().into()], newer]);
        for _ in 0..12 {
            chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        }
        let deposits = chain.deposits().await;
        assert_eq!(deposits, [7], "one order to lock 7: {superseded:?}, {is_restarted}");
    }
}
