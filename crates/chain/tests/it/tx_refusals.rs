//! Transactions for intents that a node or a contract refuses, or that are too expensive.

use crate::tx_chain::{
    TxChain, burner, confirmed, failures, journaled, mine_past_the_pool, ready, sent,
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, U256, address, bytes};
use alloy_signer_local::PrivateKeySigner;
use canon_chain::{
    Error, Severity,
    tx::{AboveCap, FeePolicy, MemoryJournal, TxEvent, TxReport},
};
use canon_faults::{Answer, Fault, FaultPlan};
use canon_views::IntentProgress;
use core::slice::from_ref;

const BURNER: Address = address!("0x00000000000000000000000000000000000000b1");

/// The number of blocks after which a transaction is replaced.
const RENEWAL: u64 = 8;

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

    // The fee falls enough for a transaction, but not for its later replacement.
    chain.devchain.set_base_fee_next(15_000_000_000);
    chain.mine(1);
    assert_eq!(sent(&chain.pursue(&mut sender, &approve).await).len(), 1);
    let (_, tx) = journaled(&journal).pop().unwrap();
    assert_eq!(tx.max_fee_per_gas(), 20 * gwei);

    // A replacement would exceed the cap, so the first transaction stays pending.
    for _ in 0..3 * RENEWAL {
        mine_past_the_pool(&chain, 1);
        chain.pursue(&mut sender, &approve).await;
    }
    assert_eq!(journaled(&journal).len(), 1);
    // The transfer that gives it up can't outbid it either: only a pool that lost the first one takes it.
    for _ in 0..3 * RENEWAL {
        mine_past_the_pool(&chain, 1);
        chain.pursue(&mut sender, &[]).await;
    }
    let offers: Vec<_> = journaled(&journal).iter().map(|(_, tx)| tx.max_fee_per_gas()).collect();
    assert_eq!(offers, [20 * gwei; 2]);
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [approve[0].id()]);
}

#[tokio::test]
async fn a_call_that_needs_more_gas_than_a_transaction_may_have_is_told_as_such() {
    let chain = TxChain::new().await;
    // The calls use 17.7 and 16.7 million gas; the limit is 16.8 million.
    chain.devchain.set_code(BURNER, burner(680_000)).unwrap();
    let (_, mut sender) = ready(&chain).await;
    let (call, lock) = (chain.call(BURNER, 1), chain.lock(1, 7));
    let reports = chain.pursue_and_mine(&mut sender, &[call.clone(), lock.clone()]).await;
    assert!(failures(&reports)[0].contains("setupEpoch() needs more gas than the 16,777,216"));
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
    // The transaction may be in a pool, so it keeps its nonce. An empty transfer makes way for the others.
    for _ in 0..3 {
        chain.pursue_and_mine(&mut sender, &[dear.clone(), cheap.clone()]).await;
    }
    assert_eq!(chain.allowance().await, U256::from(100));
    chain.devchain.set_balance(chain.account(), U256::from(10).pow(U256::from(18)));
    chain.pursue_and_mine(&mut sender, from_ref(&dear)).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [dear.id()]);
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
    // The call succeeds now.
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
    let mut sender = chain.sender(&MemoryJournal::default());
    let approve = [chain.approve(0, 60)];
    let code = chain.client.code(chain.head().await.hash.into(), chain.set.asset).await;
    let code = code.unwrap().unwrap();
    chain.pursue(&mut sender, &approve).await;
    // The contract changed after the check.
    chain.devchain.set_code(chain.set.asset, bytes!("60006000fd")).unwrap();
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &approve).await;
    assert!(failures(&reports)[0].contains("approve(address,uint256) reverted in 0x"));
    assert!(sender.progress(&approve[0].id()) == IntentProgress::Open);
    // A transaction that succeeds without the event doesn't count either.
    chain.devchain.set_code(chain.set.asset, code.clone()).unwrap();
    chain.pursue(&mut sender, &approve).await;
    chain.devchain.set_code(chain.set.asset, bytes!("00")).unwrap();
    chain.mine(1);
    let reports = chain.pursue(&mut sender, &approve).await;
    let text = &failures(&reports)[0];
    assert!(text.contains("without the event Approval(address,address,uint256)"), "{text}");
    chain.devchain.set_code(chain.set.asset, code).unwrap();
    chain.pursue_and_mine(&mut sender, &approve).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &approve).await), [approve[0].id()]);
    assert_eq!(chain.allowance().await, U256::from(60));
    // The gas limit was enough for a contract that does nothing, but isn't any more.
    let call = [chain.call(BURNER, 1)];
    chain.devchain.set_code(BURNER, bytes!("00")).unwrap();
    chain.pursue(&mut sender, &call).await;
    chain.devchain.set_code(BURNER, burner(10_000)).unwrap();
    chain.mine(1);
    let reports = chain.pursue_and_mine(&mut sender, &call).await;
    assert!(failures(&reports)[0].contains("ran out of gas"), "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &call).await), [call[0].id()]);
}

#[tokio::test]
async fn what_a_node_finds_too_cheap_is_offered_for_more() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = [chain.lock(1, 7)];
    for words in ["transaction underpriced", "FeeTooLow", "txpool is full", "underpriced"] {
        chain.faults.answer(move |request| match request.method() {
            "eth_sendRawTransaction" => Answer::Refusal(-32000, words.to_owned()),
            _ => Answer::Node,
        });
        for _ in 0..2 {
            // The fees rise by one step per block.
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
    // The third transaction is resent, until it is too cheap as well.
    assert_eq!(offered().len(), 4);
    chain.faults.answer(|_| Answer::Node);
    let reports = chain.pursue(&mut sender, &lock).await;
    assert_eq!(sent(&reports).len(), 1);
    let offered = offered();
    assert_eq!(offered.len(), 5);
    assert!(offered.windows(2).all(|pair| pair[1] * 100 > pair[0] * 110), "{offered:?}");
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &lock).await), [lock[0].id()]);
}
