//! Transactions by intent, one question each.

use crate::tx_chain::{SOMEBODY, TxChain, confirmed, failures, sent};
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, U256, address, bytes};
use alloy_signer_local::PrivateKeySigner;
use canon_chain::{
    Checks, Error, FINALITY, IntentSender, Sender, Severity, calls,
    tx::{
        AboveCap, FeePolicy, Journal, JournalContents, JournalError, JournaledTransaction,
        MemoryJournal, SeenBlock, TxEvent, TxReport,
    },
};
use canon_devchain::Mining;
use canon_faults::{Fault, FaultPlan};
use canon_protocol::{Amount, Seconds, Support};
use canon_views::{IntendedAction, Intent, IntentId, IntentProgress, OrderId};
use core::slice::from_ref;
use std::borrow::Cow;

const BURNER: Address = address!("0x00000000000000000000000000000000000000b1");

/// Blocks after which a transaction is replaced.
const RENEWAL: u64 = 8;

/// Code that uses 26 gas in each of `rounds` rounds.
pub(crate) fn burner(rounds: u32) -> Bytes {
    let [_, a, b, c] = rounds.to_be_bytes();
    [&[0x62, a, b, c][..], &bytes!("5b60019003806004570000")[..]].concat().into()
}

/// Mines blocks that leave the pool as it is.
pub(crate) fn mine_past_the_pool(chain: &TxChain, blocks: u64) {
    for _ in 0..blocks {
        chain.devchain.mine_unsigned(&[]).unwrap();
    }
}

/// The transactions in a journal, oldest first.
fn journaled(journal: &MemoryJournal) -> Vec<(JournaledTransaction, TxEnvelope)> {
    let all = journal.load().unwrap().transactions.into_iter();
    all.map(|one| {
        let tx = TxEnvelope::decode_2718_exact(&one.raw).unwrap();
        (one, tx)
    })
    .collect()
}

pub(crate) fn transactions(journal: &MemoryJournal) -> Vec<TxEnvelope> {
    journaled(journal).into_iter().map(|(_, tx)| tx).collect()
}

fn superseded(reports: &[TxReport]) -> Vec<IntentId> {
    let superseded = reports.iter().filter_map(|report| match report.event {
        TxEvent::Superseded { .. } => report.intent,
        _ => None,
    });
    superseded.collect()
}

fn taken_back(reports: &[TxReport]) -> Vec<B256> {
    let taken_back = reports.iter().filter_map(|report| match report.event {
        TxEvent::TakenBack { transaction } => Some(transaction),
        _ => None,
    });
    taken_back.collect()
}

/// An account that has locked nothing and may lock 100.
pub(crate) async fn ready(chain: &TxChain) -> (MemoryJournal, IntentSender) {
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let approve = chain.approve(0, 100);
    chain.pursue_and_mine(&mut sender, from_ref(&approve)).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [approve.id()]);
    (journal, sender)
}

#[tokio::test]
async fn an_intent_is_one_transaction_however_often_it_is_pursued() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let reports = chain.pursue(&mut sender, &[lock.clone(), lock.clone()]).await;
    assert_eq!(sent(&reports).len(), 1);
    for _ in 1..RENEWAL {
        mine_past_the_pool(&chain, 1);
        assert!(chain.pursue(&mut sender, from_ref(&lock)).await.is_empty());
        assert!(sender.progress(&lock.id()) == IntentProgress::Open);
    }
    chain.mine(1);
    let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
    assert_eq!(confirmed(&reports), [lock.id()]);
    // Also much later, and after a restart.
    for _ in 0..70 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        assert!(sender.is_done(&lock.id()));
    }
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn a_preview_is_what_is_sent_next_and_sends_nothing() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let kept = transactions(&journal).len();
    let lock = chain.lock(7, 5);
    let preview = sender.preview(&lock, &chain.head().await, chain.next()).await.unwrap();
    assert_eq!(transactions(&journal).len(), kept);
    assert_eq!((preview.what, preview.value), ("deposit(address,uint256)", U256::ZERO));
    chain.pursue(&mut sender, std::slice::from_ref(&lock)).await;
    let sent = transactions(&journal).pop().unwrap();
    assert_eq!((sent.to(), sent.input()), (Some(preview.to), &preview.input));
    assert_eq!(
        (sent.gas_limit(), sent.max_fee_per_gas()),
        (preview.gas_limit, preview.fees.max_fee)
    );
    let cost = U256::from(sent.gas_limit()) * U256::from(sent.max_fee_per_gas());
    assert_eq!(preview.max_cost(), cost);
    let pending: Vec<_> = sender.pending_intents().map(|(_, intent)| intent.id()).collect();
    assert_eq!(pending, [lock.id()]);
    // More than the account has.
    let too_much = chain.lock(8, u64::MAX);
    let error = sender.preview(&too_much, &chain.head().await, chain.next()).await.unwrap_err();
    assert!(error.as_revert().is_some(), "{error}");
}

#[tokio::test]
async fn a_block_is_expected_when_the_node_expects_it_but_not_too_early() {
    let chain = TxChain::new().await;
    let head = chain.head().await;
    let time = |seconds: u64| head.timestamp + Seconds::of(seconds);
    let next = || chain.client.next_time(&head, Seconds::of(12));
    assert_eq!(next().await, time(12), "a node that mines a second later is too hasty");
    chain.devchain.set_next_timestamp(time(3_600).get()).unwrap();
    assert_eq!(next().await, time(3_600), "nothing was mined for an hour");
    chain.faults.set(FaultPlan::Method("eth_getBlockByNumber", Fault::Lost));
    assert_eq!(chain.faulty.next_time(&head, Seconds::of(12)).await, time(12));
}

#[tokio::test]
async fn a_number_of_an_order_is_never_used_twice() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    assert!(sender.next_order() < OrderId(7));
    chain.pursue(&mut sender, &[chain.lock(7, 1)]).await;
    assert_eq!(sender.next_order(), OrderId(8));
    chain.devchain.mine().unwrap();
    mine_past_the_pool(&chain, FINALITY + 1);
    chain.pursue(&mut sender, &[]).await;
    assert!(transactions(&journal).is_empty(), "they are final");
    assert_eq!(sender.next_order(), OrderId(8));
    assert_eq!(chain.sender(&journal).next_order(), OrderId(8), "and after a restart");
}

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
    let completed = vec![lock.id()];
    assert_eq!(contents, JournalContents { transactions: Vec::new(), completed });
    let json = serde_json::to_string(&contents).unwrap();
    let read: JournalContents = serde_json::from_str(&json).unwrap();
    let mut sender = chain.sender(&MemoryJournal::new(read));
    assert!(chain.pursue(&mut sender, from_ref(&lock)).await.is_empty());
    assert!(sender.is_done(&lock.id()));
}

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
        // Its time is over, or nobody asks for it.
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

        // The first one is mined all the same.
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
    // Which of both is mined first.
    for first_is_mined in [false, true] {
        let snapshot = chain.devchain.snapshot();
        let (journal, mut sender) = ready(&chain).await;
        let (one, two) = (chain.lock(1, 1), chain.lock(2, 2));
        chain.pursue(&mut sender, from_ref(&one)).await;
        chain.pursue(&mut sender, from_ref(&two)).await;
        let versions: Vec<_> = journaled(&journal).split_off(1);
        assert_eq!(versions.len(), 2);
        assert_eq!(versions[0].1.nonce(), versions[1].1.nonce());
        // The first one is wanted again: not under another nonce, since either can be mined.
        let both = [one.clone(), two.clone()];
        assert!(chain.pursue(&mut sender, &both).await.is_empty());
        chain.mine(1);
        if first_is_mined {
            chain.reorganize(1, vec![vec![versions[0].0.raw.clone()]]);
        }
        let (done, open) = if first_is_mined { (one, two) } else { (two, one) };
        let reports = chain.pursue(&mut sender, &both).await;
        assert_eq!(confirmed(&reports), [done.id()]);
        assert_eq!(superseded(&reports), [open.id()]);
        assert_eq!(sent(&reports).len(), 1);
        chain.mine(1);
        assert_eq!(confirmed(&chain.pursue(&mut sender, &both).await), [open.id()]);
        assert_eq!(chain.deposits().await, [1, 2]);
        chain.devchain.revert(snapshot).unwrap();
    }
}

#[tokio::test]
async fn an_intent_whose_call_changed_replaces_its_transaction() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    chain.pursue(&mut sender, &[chain.approve(1, 50)]).await;
    let changed = chain.approve(1, 60);
    assert_eq!(sent(&chain.pursue(&mut sender, from_ref(&changed)).await).len(), 1);
    let versions: Vec<_> = journaled(&journal).split_off(1);
    assert_eq!(versions[0].1.nonce(), versions[1].1.nonce());
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [changed.id()]);
    assert_eq!(chain.allowance().await, U256::from(60));
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

    // Its block is gone, and no pool has it.
    chain.reorganize(1, Vec::new());
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(taken_back(&reports), [second.hash()]);
    assert!(!sender.is_done(&lock[0].id()));
    assert_eq!(sent(&reports), [second.hash()], "the same bytes");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);

    // The other version is mined in its place.
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
async fn what_exceeds_the_cap_waits() {
    let chain = TxChain::new().await;
    let gwei = 1_000_000_000;
    let policy = FeePolicy { cap: Some(20 * gwei), ..FeePolicy::default() };
    let journal = MemoryJournal::default();
    let mut sender = chain.sender_with(&journal, policy);
    let approve = [chain.approve(0, 100)];
    chain.devchain.set_base_fee_next(30_000_000_000);
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &approve).await;
    let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert!(
        matches!(error, Error::AboveCap(AboveCap::Total { needed, .. }) if *needed == 31 * gwei)
    );
    assert_eq!(error.severity(), Severity::Retry);
    assert!(chain.pursue(&mut sender, &approve).await.is_empty(), "reported once");
    assert_eq!(chain.devchain.pool_size(), 0);

    // It falls far enough for now, not for long.
    chain.devchain.set_base_fee_next(15_000_000_000);
    chain.mine(1);
    assert_eq!(sent(&chain.pursue(&mut sender, &approve).await).len(), 1);
    let (_, tx) = journaled(&journal).pop().unwrap();
    assert_eq!(tx.max_fee_per_gas(), 20 * gwei);

    // A replacement would exceed it: the first one waits on.
    for _ in 0..3 * RENEWAL {
        mine_past_the_pool(&chain, 1);
        chain.pursue(&mut sender, &approve).await;
    }
    // Also what gives it up.
    chain.pursue(&mut sender, &[]).await;
    assert_eq!(journaled(&journal).len(), 1);
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [approve[0].id()]);
}

#[tokio::test]
async fn a_call_that_needs_more_gas_than_a_transaction_may_have_is_told_as_such() {
    let chain = TxChain::new().await;
    // 17.7 and 16.7 million; the limit is 16.8.
    chain.devchain.set_code(BURNER, burner(680_000)).unwrap();
    let (_, mut sender) = ready(&chain).await;
    let (call, lock) = (chain.call(BURNER, 1), chain.lock(1, 7));
    let reports = chain.pursue_and_mine(&mut sender, &[call.clone(), lock.clone()]).await;
    assert!(failures(&reports)[0].contains("setupEpoch() needs more gas than the 16777216"));
    let [TxReport { intent, event: TxEvent::Failed(error) }, ..] = &reports[..] else { panic!() };
    assert!(matches!(error, Error::TooMuchGas { max: 16_777_216, .. }), "{error}");
    assert_eq!((*intent, error.severity()), (Some(call.id()), Severity::Skip));
    let reports = chain.pursue(&mut sender, from_ref(&call)).await;
    assert_eq!(confirmed(&reports), [lock.id()], "others go on");

    chain.devchain.set_code(BURNER, burner(640_000)).unwrap();
    chain.pursue_and_mine(&mut sender, from_ref(&call)).await;
    let reports = chain.pursue(&mut sender, &[]).await;
    assert_eq!(confirmed(&reports), [call.id()], "{reports:?}");
}

#[tokio::test]
async fn too_little_ether_for_one_intent_keeps_no_other_from_being_sent() {
    let mut chain = TxChain::new().await;
    chain.key = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    chain.devchain.set_code(BURNER, burner(400_000)).unwrap();
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(15)));
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let (dear, cheap) = (chain.call(BURNER, 1), chain.approve(0, 100));
    let both = [dear.clone(), cheap.clone()];
    let reports = chain.pursue_and_mine(&mut sender, &both).await;
    let [TxReport { intent, event: TxEvent::Failed(error) }, ..] = &reports[..] else { panic!() };
    assert_eq!(*intent, Some(dear.id()));
    assert!(error.to_string().contains("the account has too little ether"), "{error}");
    assert_eq!(error.severity(), Severity::Skip);
    let reports = chain.pursue_and_mine(&mut sender, &both[..1]).await;
    assert_eq!(confirmed(&reports), [cheap.id()]);
    assert!(failures(&reports).is_empty(), "reported once");
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(18)));
    chain.pursue_and_mine(&mut sender, &both[..1]).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [dear.id()]);
    assert_eq!(chain.devchain.nonce(chain.account()), 2);
}

#[tokio::test]
async fn a_transaction_that_may_be_out_and_has_no_funds_holds_up_nothing() {
    let mut chain = TxChain::new().await;
    chain.key = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    chain.devchain.set_code(BURNER, burner(400_000)).unwrap();
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(18)));
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let (dear, cheap) = (chain.call(BURNER, 1), chain.approve(0, 100));
    chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Lost));
    chain.pursue(&mut sender, from_ref(&dear)).await;
    chain.faults.end();
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(15)));
    // It may be out, so it keeps its nonce; a transfer of nothing makes way for the others.
    for _ in 0..3 {
        chain.pursue_and_mine(&mut sender, &[dear.clone(), cheap.clone()]).await;
    }
    assert_eq!(chain.allowance().await, U256::from(100));
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(18)));
    chain.pursue_and_mine(&mut sender, from_ref(&dear)).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [dear.id()]);
}

#[tokio::test]
async fn a_nonce_that_something_else_used_is_found_out() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Lost));
    chain.pursue(&mut sender, &lock).await;
    chain.faults.end();
    // Somebody who has the key too.
    let mut other = Sender::new(chain.client.clone(), chain.key.clone());
    let call = calls::transfer(chain.set.asset, SOMEBODY, Amount::TOKEN);
    let next = chain.client.next_block().await.unwrap();
    let checks = canon_chain::Checks::Full;
    let pending = other.submit(call, checks, next).await.unwrap();
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert!(chain.is_mined(pending.hash()).await);
    let [TxReport { event: TxEvent::Superseded { by }, .. }, ..] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(*by, Some(pending.hash()));
    assert_eq!(sent(&reports).len(), 1);
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);
    assert_eq!(journaled(&journal).len(), 3, "a reorganization can put the first one back");

    // What waits in the pool isn't replaced.
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

#[tokio::test]
async fn a_nonce_too_low_does_not_mean_that_nothing_was_mined() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    // The second of two equal requests finds the transaction of the first mined.
    chain.devchain.set_mining(Mining::Auto);
    chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Doubled));
    let reports = chain.pursue(&mut sender, &lock).await;
    assert!(failures(&reports)[0].contains("nonce too low"), "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn what_a_contract_refuses_is_decoded_and_reported_once() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let (refused, lock) = (chain.withdraw(1, 5), chain.lock(2, 7));
    let both = [refused.clone(), lock.clone()];
    let reports = chain.pursue_and_mine(&mut sender, &both).await;
    let text = &failures(&reports)[0];
    assert!(text.contains("Governance__InsufficientPower(holder: "), "{text}");
    assert_eq!(sent(&reports).len(), 1);
    // Now it is possible.
    let reports = chain.pursue_and_mine(&mut sender, &both).await;
    assert_eq!((confirmed(&reports), sent(&reports).len()), (vec![lock.id()], 1));
    assert_eq!(confirmed(&chain.pursue(&mut sender, &both).await), [refused.id()]);
    let more = chain.withdraw(3, 500);
    assert_eq!(failures(&chain.pursue(&mut sender, from_ref(&more)).await).len(), 1);
    assert_eq!(failures(&chain.pursue(&mut sender, &[more]).await).len(), 0);
}

#[tokio::test]
async fn what_reverts_is_tried_again_while_it_is_wanted() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    let code = chain.client.code(chain.head().await.hash.into(), chain.set.governance).await;
    chain.pursue(&mut sender, &lock).await;
    // It changed since it was checked.
    chain.devchain.set_code(chain.set.governance, bytes!("60006000fd")).unwrap();
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert!(failures(&reports)[0].contains("deposit(address,uint256) reverted in 0x"));
    assert!(sender.progress(&lock[0].id()) == IntentProgress::Open);
    // A success without the event is none either.
    chain.devchain.set_code(chain.set.governance, code.unwrap().unwrap()).unwrap();
    chain.pursue(&mut sender, &lock).await;
    let code = chain.client.code(chain.head().await.hash.into(), chain.set.governance).await;
    chain.devchain.set_code(chain.set.governance, bytes!("00")).unwrap();
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert!(failures(&reports)[0].contains("without the event Deposit(address,address,uint256)"));
    chain.devchain.set_code(chain.set.governance, code.unwrap().unwrap()).unwrap();
    // The gas that was enough for a contract that does nothing isn't now.
    chain.pursue_and_mine(&mut sender, &lock).await;
    let reports = chain.pursue_and_mine(&mut sender, &lock).await;
    assert!(failures(&reports)[0].contains("ran out of gas"), "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn what_a_node_finds_too_cheap_is_offered_for_more() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    let refuse = |words| FaultPlan::Method("eth_sendRawTransaction", Fault::Refused(words));
    for words in ["transaction underpriced", "FeeTooLow", "txpool is full", "underpriced"] {
        chain.faults.set(refuse(words));
        for _ in 0..2 {
            // By one step in a block.
            let reports = chain.pursue(&mut sender, &lock).await;
            assert_eq!(failures(&reports).len(), 1, "{words}");
        }
        mine_past_the_pool(&chain, 1);
    }
    let offered = || -> Vec<u128> {
        let versions = journaled(&journal).split_off(1);
        assert!(versions.iter().all(|(_, tx)| tx.nonce() == versions[0].1.nonce()));
        versions.iter().map(|(_, tx)| tx.max_fee_per_gas()).collect()
    };
    // The third is sent again, until that is too cheap as well.
    assert_eq!(offered().len(), 4);
    chain.faults.end();
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(sent(&reports).len(), 1);
    let offered = offered();
    assert_eq!(offered.len(), 5);
    assert!(offered.windows(2).all(|pair| pair[1] * 100 > pair[0] * 110), "{offered:?}");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
}

#[tokio::test]
async fn nothing_is_done_for_others() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let action = IntendedAction::Vote {
        holder: SOMEBODY,
        id: canon_protocol::ProposalId::ZERO,
        support: Support::Yea,
        amount: Amount::TOKEN,
    };
    let others = chain.intent(action);
    let mut elsewhere = chain.lock(1, 7);
    elsewhere.set.chain_id = 1;
    let reports = chain.pursue(&mut sender, &[others, elsewhere]).await;
    let errors: Vec<_> = reports
        .iter()
        .map(|report| match &report.event {
            TxEvent::Failed(error) => error,
            event => panic!("{event:?}"),
        })
        .collect();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().any(|error| matches!(error, Error::OtherAccount { .. })));
    assert!(errors.iter().any(|error| matches!(error, Error::OtherChain { .. })));
    assert!(errors.iter().all(|error| error.severity() == Severity::Stop));

    // A journal belongs to one account.
    let (journal, _) = ready(&chain).await;
    let key = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let policy = FeePolicy::default();
    let error = IntentSender::new(chain.client.clone(), key, policy, journal).unwrap_err();
    assert!(matches!(error, Error::OtherAccount { .. }), "{error}");
}

/// A journal that can't be written.
struct FullDisk;

impl Journal for FullDisk {
    fn name(&self) -> Cow<'_, str> {
        "the full disk".into()
    }

    fn load(&self) -> Result<JournalContents, JournalError> {
        Ok(JournalContents::default())
    }

    fn record(&mut self, _: &JournaledTransaction) -> Result<(), JournalError> {
        Err(JournalError::Storage("the disk is full".into()))
    }

    fn mined(&mut self, _: B256, _: SeenBlock) -> Result<(), JournalError> {
        Ok(())
    }

    fn completed(&mut self, _: &IntentId, _: B256) -> Result<(), JournalError> {
        unreachable!("nothing is completed")
    }

    fn forgotten(&mut self, _: B256) -> Result<(), JournalError> {
        unreachable!("nothing is recorded")
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent() {
    let chain = TxChain::new().await;
    let (client, key) = (chain.client.clone(), chain.key.clone());
    let mut sender = IntentSender::new(client, key, FeePolicy::default(), FullDisk).unwrap();
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
    // An approval of 100, and a lock of 7.
    let [approval, lock] = &contents.transactions[..] else { panic!("{contents:?}") };
    for (transaction, intent) in [
        (approval, Some(chain.approve(0, 99))),
        (approval, Some(chain.lock(1, 7))),
        (lock, Some(chain.lock(1, 8))),
        (lock, Some(chain.approve(0, 100))),
        // One that only uses its nonce.
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

#[tokio::test]
async fn nothing_is_sent_while_the_nonce_is_not_known() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    chain.faults.set(FaultPlan::Method("eth_getTransactionCount", Fault::Lost));
    let reports = chain.pursue(&mut sender, &[chain.lock(1, 7)]).await;
    assert_eq!((failures(&reports).len(), sent(&reports).len()), (1, 0));
    chain.faults.end();
    assert_eq!(sent(&chain.pursue(&mut sender, &[chain.lock(1, 7)]).await).len(), 1);
}

#[tokio::test]
async fn many_intents_are_in_flight_at_once() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let locks: Vec<Intent> = (1..=12).map(|order| chain.lock(order, order)).collect();
    chain.pursue(&mut sender, &locks).await;
    assert_eq!(sender.in_flight().count(), 12);
    // One in the middle isn't wanted any more.
    let rest: Vec<Intent> = locks.iter().filter(|one| **one != locks[5]).cloned().collect();
    chain.pursue(&mut sender, &rest).await;
    let void = sender.in_flight().filter(|(_, _, intent)| intent.is_none());
    assert_eq!(void.count(), 1);
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &rest).await).len(), 11);
    assert_eq!(chain.deposits().await, [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]);
    assert_eq!(sender.in_flight().count(), 0);
}

/// A wallet with the same key uses the nonce of an order in flight; then two blocks are replaced, and the order's
/// first transaction, which some pool still had, is mined after all.
#[tokio::test]
async fn what_something_else_superseded_is_not_forgotten_before_that_is_final() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let before = chain.devchain.snapshot();
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let first = transactions(&journal).pop().unwrap();
    // This node's pool loses it, others don't; the wallet takes the nonce.
    chain.devchain.revert(before).unwrap();
    let mut wallet = Sender::new(chain.client.clone(), chain.key.clone()).with_nonce(first.nonce());
    let call = calls::approve(chain.set.asset, Address::with_last_byte(9), Amount::of(1));
    let next = chain.client.next_block().await.unwrap();
    let _ = wallet.submit(call, Checks::Full, next).await.unwrap();
    chain.mine(1);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    chain.pursue(&mut sender, from_ref(&lock)).await;
    assert_eq!(chain.deposits().await, [7]);
    // Both blocks are replaced. The first one's proposer took the order's first transaction.
    chain.reorganize(2, vec![vec![first.encoded_2718().into()]]);
    for _ in 0..12 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7], "one order to lock 7");
}

/// "Two of its transactions are never both mined": given up, wanted again, and then two blocks are replaced.
#[tokio::test]
async fn an_order_that_was_given_up_and_is_wanted_again_is_done_once() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let first = transactions(&journal).pop().unwrap();
    chain.pursue_and_mine(&mut sender, &[]).await;
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    let second = transactions(&journal).pop().unwrap();
    assert_ne!(first.nonce(), second.nonce());
    chain.pursue(&mut sender, from_ref(&lock)).await;
    assert_eq!(chain.deposits().await, [7]);
    // The proposers of the blocks that replace them hadn't seen that the first one was given up.
    chain.reorganize(2, vec![vec![first.encoded_2718().into()]]);
    for _ in 0..12 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7], "one order to lock 7");
}
