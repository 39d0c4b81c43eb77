//! Transactions for intents, with an endpoint that fails and a process that is killed.

use crate::{
    tx_chain::ready,
    tx_chain::{SOMEBODY, TxChain, confirmed, failures, sent},
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_provider::Provider;
use canon_abi::{Asset, Governance};
use canon_chain::{
    IntentSender,
    deploy::{Create2Origin, DEPLOYMENT_PROXY},
    tx::{Journal, MemoryJournal},
};
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_faults::{Fault, FaultPlan};
use canon_protocol::{Amount, Nonce, Seconds, WithdrawalId};
use canon_testkit::histories::Rng;
use canon_views::{IntendedAction, Intent, IntentProgress, PermitTerms, RequestId};
use core::slice::from_ref;

/// More blocks than any run takes, faults included.
const BLOCKS: u32 = 150;

/// The goals of the account: an approval, four locks of 1, 2, 3 and 5, the last one by permit, a withdrawal
/// of 4, and its payment.
const ALLOWANCE: u64 = 6;
const LOCKS: [(u64, u64); 3] = [(1, 1), (2, 2), (3, 3)];
const PERMIT: (u64, u64) = (4, 5);
const WITHDRAWAL: (u64, u64) = (5, 4);
const TRANSACTIONS: u64 = 7;

/// The faults of an endpoint.
const ENDPOINT: [Fault; 6] = [
    Fault::Lost,
    Fault::AnswerLost,
    Fault::Doubled,
    Fault::Delayed(1),
    Fault::Delayed(7),
    Fault::Stale,
];

/// The kills of a process.
const KILLS: [Fault; 2] = [Fault::KilledBefore, Fault::KilledAfter];

/// The intents that are due in the next block.
async fn due(chain: &TxChain, sender: &IntentSender) -> Vec<Intent> {
    let mut intents = Vec::new();
    let locks = LOCKS.map(|(order, amount)| (chain.lock(order, amount), amount));
    let open = locks.iter().filter(|(lock, _)| sender.progress(&lock.id()) == IntentProgress::Open);
    let needed: u64 = open.clone().map(|(_, amount)| amount).sum();
    if chain.allowance().await < U256::from(needed) {
        intents.push(chain.approve(0, ALLOWANCE));
    } else {
        intents.extend(open.map(|(lock, _)| lock.clone()));
    }
    if !intents.is_empty() {
        return intents;
    }
    // The permit comes last, because its allowance replaces the other one.
    let permit = permit(chain).await;
    if sender.progress(&permit.id()) == IntentProgress::Open {
        return vec![permit];
    }
    let withdraw = chain.withdraw(WITHDRAWAL.0, WITHDRAWAL.1);
    if sender.progress(&withdraw.id()) == IntentProgress::Open {
        return vec![withdraw];
    }
    if let Some(withdrawal) = withdrawal(chain).await
        && !withdrawal.claimed
        && withdrawal.unlocksAt <= U256::from(chain.devchain.next_timestamp())
    {
        intents.push(chain.intent(IntendedAction::PayWithdrawal { id: WithdrawalId::ZERO }));
    }
    intents
}

async fn withdrawal(chain: &TxChain) -> Option<Governance::Withdrawal> {
    let call = Governance::getWithdrawalCall { id: U256::ZERO };
    chain.client.read(chain.head().await.hash.into(), chain.set.governance, call).await.ok()
}

async fn permit(chain: &TxChain) -> Intent {
    let head = chain.head().await;
    let call = Asset::noncesCall { owner: chain.account() };
    let nonce: U256 = chain.client.read(head.hash.into(), chain.set.asset, call).await.unwrap();
    let nonce = Nonce::try_from(nonce).unwrap();
    let (order, amount) = PERMIT;
    let terms = PermitTerms { nonce, deadline: head.timestamp + Seconds::DAY };
    chain.intent(IntendedAction::Lock {
        holder: chain.account(),
        request: RequestId::of(order),
        beneficiary: None,
        amount: Amount::of(amount.into()),
        permit: Some(terms),
    })
}

/// Whether everything is done.
async fn is_over(chain: &TxChain) -> bool {
    let call = Asset::balanceOfCall { owner: SOMEBODY };
    let paid: U256 =
        chain.client.read(chain.head().await.hash.into(), chain.set.asset, call).await.unwrap();
    !paid.is_zero()
}

/// Carries out the due intents before the next block.
async fn block(chain: &TxChain, sender: &mut IntentSender) {
    sender.settle(chain.head().await).await;
    let intents = due(chain, sender).await;
    sender.pursue(&intents, chain.next()).await;
}

/// Runs until everything is done, and restarts from the journal after a kill. `disturb` is called between
/// two blocks.
async fn run(chain: &TxChain, mut disturb: impl FnMut(&TxChain)) {
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    for _ in 0..BLOCKS {
        tokio::select! {
            biased;
            () = chain.faults.killed() => sender = chain.sender(&journal),
            () = block(chain, &mut sender) => {}
        }
        if let Some(withdrawal) = withdrawal(chain).await
            && withdrawal.unlocksAt > U256::from(chain.devchain.next_timestamp())
        {
            chain.devchain.set_next_timestamp(withdrawal.unlocksAt.to()).unwrap();
        }
        chain.devchain.mine().unwrap();
        disturb(chain);
        if is_over(chain).await {
            // Late transactions cause no harm.
            chain.faults.end();
            for _ in 0..12 {
                block(chain, &mut sender).await;
                chain.devchain.mine().unwrap();
            }
            return;
        }
    }
    panic!("not over after {BLOCKS} blocks: {sender:#?}");
}

/// Checks that the state is the same as after a run without faults: each intent took effect once.
async fn check(chain: &TxChain, case: &str) {
    assert_eq!(chain.deposits().await, [1, 2, 3, 5], "{case}");
    let amount = |event: &Governance::WithdrawInitiated| event.amount;
    assert_eq!(chain.amounts(chain.set.governance, amount).await, [4], "{case}");
    let amount = |event: &Governance::WithdrawFinalised| event.withdrawalId;
    assert_eq!(chain.amounts(chain.set.governance, amount).await, [0], "{case}");
    assert_eq!(chain.power().await, Amount::of(7), "{case}");
    assert_eq!(chain.allowance().await, U256::ZERO, "{case}");
    let call = Asset::balanceOfCall { owner: SOMEBODY };
    let paid: U256 =
        chain.client.read(chain.head().await.hash.into(), chain.set.asset, call).await.unwrap();
    assert_eq!(paid, U256::from(4), "{case}");
    assert_eq!(chain.devchain.pool_size(), 0, "{case}: a nonce is missing");
}

/// Runs once for every packet of a run, with a fault at that packet.
async fn at_every_request(faults: &[Fault]) {
    let chain = TxChain::new().await;
    let before = chain.devchain.nonce(chain.account());
    let fresh = chain.devchain.snapshot();
    chain.faults.set(FaultPlan::Never);
    run(&chain, |_| {}).await;
    check(&chain, "no fault").await;
    assert_eq!(chain.devchain.nonce(chain.account()), before + TRANSACTIONS);
    let packets = chain.faults.packets();
    // Each transaction takes at least a nonce, an estimate, a simulation, the sending and a receipt.
    assert!(packets >= 5 * TRANSACTIONS, "{packets} packets");
    chain.devchain.revert(fresh).unwrap();
    for packet in 0..packets {
        for fault in faults {
            let case = format!("{fault:?} at packet {packet}");
            let fresh = chain.devchain.snapshot();
            chain.faults.set(FaultPlan::At(packet, fault.clone()));
            run(&chain, |_| {}).await;
            check(&chain, &case).await;
            let used = chain.devchain.nonce(chain.account()) - before;
            assert_eq!(used, TRANSACTIONS, "{case}: one transaction for each intent");
            chain.devchain.revert(fresh).unwrap();
        }
    }
}

#[tokio::test]
async fn a_request_that_fails_costs_time_and_nothing_else() {
    at_every_request(&[Fault::Lost, Fault::AnswerLost]).await;
}

#[tokio::test]
async fn a_request_that_is_doubled_or_late_does_nothing_twice() {
    at_every_request(&[Fault::Doubled, Fault::Delayed(3), Fault::Stale]).await;
}

#[tokio::test]
async fn a_process_that_is_killed_goes_on_where_it_was() {
    at_every_request(&KILLS).await;
}

#[tokio::test]
async fn what_was_recorded_is_sent_again_with_the_same_bytes() {
    for fault in KILLS {
        let chain = TxChain::new().await;
        let journal = MemoryJournal::default();
        let approve = [chain.approve(0, ALLOWANCE)];
        chain.faults.set(FaultPlan::Method("eth_sendRawTransaction", fault.clone()));
        let mut sender = chain.sender(&journal);
        tokio::select! {
            biased;
            () = chain.faults.killed() => {}
            _ = chain.pursue(&mut sender, &approve) => panic!("it isn't killed"),
        }
        chain.faults.end();
        let recorded = journal.load().unwrap().transactions;
        let mut sender = chain.sender(&journal);
        let reports = chain.pursue(&mut sender, &approve).await;
        assert_eq!(sent(&reports), [recorded[0].hash()], "{fault:?}");
        assert_eq!(journal.load().unwrap().transactions, recorded, "{fault:?}");
        assert_eq!(chain.devchain.pool_size(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn endpoints_that_fail_at_random_cost_time_and_nothing_else() {
    let chain = TxChain::new().await;
    for seed in 0..200 {
        let fresh = chain.devchain.snapshot();
        let (rng, percent) = (Rng::new(seed), 10 + seed % 30);
        chain.faults.set(FaultPlan::Random { rng, percent, faults: ENDPOINT.to_vec() });
        run(&chain, |_| {}).await;
        check(&chain, &format!("seed {seed}")).await;
        chain.devchain.revert(fresh).unwrap();
    }
}

#[tokio::test]
async fn what_reorganizations_take_back_is_done_again_and_once() {
    let chain = TxChain::new().await;
    for seed in 0..100 {
        let fresh = chain.devchain.snapshot();
        let start = chain.devchain.block_number();
        let mut rng = Rng::new(seed);
        let faults = [&ENDPOINT[..], &KILLS].concat();
        chain.faults.set(FaultPlan::Random {
            rng: Rng::new(seed + 1000),
            percent: seed % 20,
            faults,
        });
        run(&chain, |chain| {
            let deepest = (chain.devchain.block_number() - start).min(4);
            if rng.chance(1, 8) {
                let depth = rng.below(deepest + 1);
                let old = match rng.chance(1, 2) {
                    true => OldTransactions::Drop,
                    false => OldTransactions::ReturnToPool,
                };
                let options = ReorgOptions { depth, old, ..ReorgOptions::default() };
                chain.devchain.reorg(options).unwrap();
            }
        })
        .await;
        check(&chain, &format!("seed {seed}")).await;
        chain.devchain.revert(fresh).unwrap();
    }
}

/// With one request per receipt, an unreliable endpoint would rarely answer all of them.
#[tokio::test]
async fn a_process_that_starts_again_asks_for_all_receipts_at_once() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    for order in 1..=20 {
        chain.pursue_and_mine(&mut sender, &[chain.lock(order, 1)]).await;
    }
    let mut sender = chain.sender(&journal);
    let head = chain.head().await;
    let before = chain.faults.packets();
    let reports = sender.settle(head).await;
    assert_eq!(confirmed(&reports).len(), 21, "the approval and the locks: {reports:?}");
    // The round trips are the blocks of the journal, the last transaction and its block, the nonce, and the
    // receipts.
    let packets = chain.faults.packets() - before;
    assert!(packets <= 5, "{packets} round trips");
}

/// A factory that returns the address and creates nothing.
#[tokio::test]
async fn a_creation_is_proven_by_the_code_of_the_contract() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let factory = Address::repeat_byte(0xfa);
    let (salt, init_code) = (B256::repeat_byte(1), Bytes::from_static(&hex!("60015f5360015ff3")));
    let contract = Create2Origin { factory, salt }.create2(&init_code).address();
    let create = chain.intent(IntendedAction::Create { contract, factory, salt, init_code });
    // PUSH20 contract, PUSH0, MSTORE, PUSH1 20, PUSH1 12, RETURN.
    let code = [&[0x73][..], contract.as_slice(), &hex!("5f526014600cf3")].concat();
    for (code, expected) in [
        (vec![0], format!("expected the contract {contract}, and the factory doesn't create it")),
        (code, "succeeded; choose another factory".to_owned()),
    ] {
        chain.devchain.set_code(factory, code).unwrap();
        let mut reports = chain.pursue_and_mine(&mut sender, from_ref(&create)).await;
        reports.extend(sender.settle(chain.head().await).await);
        let failures = failures(&reports);
        assert!(failures.iter().any(|one| one.contains(&expected)), "{failures:?}");
        assert!(!sender.is_done(&create.id()));
    }
    // As long as the endpoint doesn't say whether there is code, the creation is neither done nor failed.
    let proxy = chain.client.provider().get_code_at(DEPLOYMENT_PROXY).await.unwrap();
    chain.devchain.set_code(factory, proxy).unwrap();
    chain.pursue_and_mine(&mut sender, from_ref(&create)).await;
    chain.faults.set(FaultPlan::Method("eth_getCode", Fault::Lost));
    let reports = sender.settle(chain.head().await).await;
    assert_eq!((confirmed(&reports), failures(&reports).len()), (vec![], 1), "{reports:?}");
    assert_eq!(sender.progress(&create.id()), IntentProgress::Unconfirmed);
    chain.faults.set(FaultPlan::Never);
    assert_eq!(confirmed(&sender.settle(chain.head().await).await), [create.id()]);
}
