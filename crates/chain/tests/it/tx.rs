//! Transactions for intents: basic properties, one test each.

use crate::tx_chain::{
    SOMEBODY, TxChain, confirmed, failures, journaled, mine_past_the_pool, ready, sent,
    transactions,
};
use alloy_consensus::Transaction;
use alloy_primitives::U256;
use alloy_signer_local::PrivateKeySigner;
use canon_chain::{
    Error, FINALITY, IntentSender, Severity,
    tx::{FeePolicy, TxEvent, TxReport},
};
use canon_faults::{Fault, FaultPlan};
use canon_protocol::{Amount, Seconds, Support};
use canon_views::{IntendedAction, Intent, IntentProgress, RequestId};
use core::slice::from_ref;

/// The number of blocks after which a transaction is replaced.
const RENEWAL: u64 = 8;

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
    // This also holds much later and after a restart.
    for _ in 0..70 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        assert!(sender.is_done(&lock.id()));
    }
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn many_intents_are_in_flight_at_once() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let locks: Vec<Intent> = (1..=12).map(|order| chain.lock(order, order)).collect();
    chain.pursue(&mut sender, &locks).await;
    assert_eq!(sender.in_flight().count(), 12);
    // An intent in the middle is no longer wanted.
    let rest: Vec<Intent> = locks.iter().filter(|one| **one != locks[5]).cloned().collect();
    chain.pursue(&mut sender, &rest).await;
    let void = sender.in_flight().filter(|one| one.intent.is_none());
    assert_eq!(void.count(), 1);
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &rest).await).len(), 11);
    assert_eq!(chain.deposits().await, [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]);
    assert_eq!(sender.in_flight().count(), 0);
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
    let in_flight: Vec<_> = sender.in_flight().map(|one| one.intent).collect();
    assert_eq!(in_flight, [Some(&lock)]);
    // The amount exceeds the account's balance.
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
async fn what_is_in_flight_is_given_up_by_the_newest_block_and_not_by_an_expected_time() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let until = Some(chain.next() + Seconds::of(100));
    let (lock, other) = (chain.lock(1, 7), chain.lock(2, 8));
    let both = [Intent { until, ..lock }, Intent { until, ..other }];
    chain.pursue(&mut sender, &both[..1]).await;
    let far = chain.next() + Seconds::of(1_000_000);
    assert!(sender.pursue(&both, far).await.is_empty(), "neither given up nor sent");
    let in_flight: Vec<_> = sender.in_flight().filter_map(|one| one.intent).collect();
    assert_eq!(in_flight, [&both[0]]);
    chain.devchain.set_next_timestamp(far.get()).unwrap();
    mine_past_the_pool(&chain, 1);
    assert_eq!(sent(&chain.pursue(&mut sender, &both).await).len(), 1);
    assert!(sender.in_flight().all(|one| one.intent.is_none()));
}

#[tokio::test]
async fn the_transactions_of_kept_intents_outlive_their_finality() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    sender.keep([lock.id()]);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    mine_past_the_pool(&chain, FINALITY + 1);
    for _ in 0..2 {
        chain.pursue(&mut sender, from_ref(&lock)).await;
        assert!(sender.is_done(&lock.id()));
        assert_eq!(transactions(&journal).len(), 1);
        // After a restart, what it did is known.
        sender = chain.sender(&journal);
        sender.keep([lock.id()]);
        let reports = sender.settle(chain.head().await).await;
        assert_eq!(confirmed(&reports), [lock.id()]);
    }
    sender.keep([]);
    chain.pursue(&mut sender, &[]).await;
    assert!(sender.is_done(&lock.id()) && transactions(&journal).is_empty());
    assert_eq!(chain.deposits().await, [7]);
}

#[tokio::test]
async fn no_more_gas_than_was_agreed_to_is_sent() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let usual = sender.preview(&lock, &chain.head().await, chain.next()).await.unwrap().gas_limit;
    let too_little = 30_000;
    sender.limit_gas(lock.id(), too_little);
    let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
    let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert!(
        matches!(error, Error::MoreGas { needed, agreed, .. } if (*needed, *agreed) == (usual, too_little)),
        "{error}"
    );
    assert_eq!(error.severity(), Severity::Skip);
    // The usual limit has a margin.
    sender.limit_gas(lock.id(), usual - 1);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    assert_eq!(transactions(&journal).pop().unwrap().gas_limit(), usual - 1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [lock.id()]);
}

#[tokio::test]
async fn a_number_of_an_order_is_never_used_twice() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    assert!(sender.next_request() < RequestId::of(7));
    chain.pursue(&mut sender, &[chain.lock(7, 1)]).await;
    assert_eq!(sender.next_request(), RequestId::of(8));
    chain.devchain.mine().unwrap();
    mine_past_the_pool(&chain, FINALITY + 1);
    chain.pursue(&mut sender, &[]).await;
    assert!(transactions(&journal).is_empty(), "they are final");
    assert_eq!(sender.next_request(), RequestId::of(8));
    assert_eq!(chain.sender(&journal).next_request(), RequestId::of(8), "and after a restart");
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

    // A journal belongs to only one account.
    let (journal, _) = ready(&chain).await;
    let key = PrivateKeySigner::from_slice(&[7; 32]).unwrap();
    let policy = FeePolicy::default();
    let error = IntentSender::new(chain.client.clone(), key, policy, journal).unwrap_err();
    assert!(matches!(error, Error::OtherAccount { .. }), "{error}");
}
