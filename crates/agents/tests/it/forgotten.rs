//! Work that agents lost when they had a memory of their own.

use crate::{
    keepers::{Due, WITHDRAWAL, before, done},
    process::Process,
    test_chain::{BLOCK_HASH, STAKE, TestChain, attester, exit_stake, key, tokens},
    views::Maker,
};
use canon_chain::calls;
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_faults::{Answer, Fault, FaultPlan};
use canon_protocol::{Amount, Seconds, WithdrawalId};
use canon_views::{BlockDuty, IntentSubject, PayOut};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[tokio::test]
async fn a_transaction_is_settled_though_another_one_fails_to_be() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, 1).await;
        let (_, plan) = chain.upgrade("1").await;
        let mut process = Process::new(&chain, maker).await;
        process.add_sequencer(0, rollup, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        while process.signaled().is_empty() {
            process.run_block(&chain).await;
        }
        // A signal and a block, in one L1 block.
        let before = process.entries.len();
        process.run_block(&chain).await;
        let [signal, block] = process.sent_since(before)[..] else {
            panic!("{}", process.log());
        };
        // The first receipt isn't answered.
        let fails = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&fails);
        process.faults.answer(move |request| {
            let is_receipt = request.method() == "eth_getTransactionReceipt";
            if is_receipt && rule.swap(false, Ordering::Relaxed) {
                return Answer::Refusal(-32000, "try later".to_owned());
            }
            Answer::Node
        });
        let before = process.entries.len();
        process.act(&chain).await;
        assert!(!fails.load(Ordering::Relaxed));
        assert_eq!(process.confirmed_since(before), [block]);
        assert_eq!(process.failures().len(), 1, "{}", process.log());
        process.run_block(&chain).await;
        assert_eq!(process.confirmed_since(before), [block, signal], "each once");
    }
}

#[tokio::test]
async fn a_payment_in_flight_and_a_move_that_waits_outlive_a_failed_request() {
    for maker in Maker::ALL {
        let due = Due::new().await;
        let mut process = due.process(maker).await;
        due.chain.skip_until_next_is(due.unlocks_at);
        process.run_block(&due.chain).await;
        let sent = process.sent_since(0);
        assert!(sent.contains(&WITHDRAWAL) && sent.contains(&due.exit()), "{}", process.log());
        // No request is answered in a block, neither for a view nor for a receipt.
        process.faults.set(FaultPlan::by(|_| Some(Fault::Lost)));
        process.run_block(&due.chain).await;
        process.faults.set(FaultPlan::Never);
        due.switch().await;
        process.run_blocks(&due.chain, 2).await;
        let mut confirmed = done(&process);
        confirmed.sort_unstable();
        let mut expected = [WITHDRAWAL, due.exit(), due.moved()];
        expected.sort_unstable();
        assert_eq!(confirmed, expected);
        assert_eq!(due.paid().await, tokens(200));
    }
}

#[tokio::test]
async fn a_payment_that_fails_once_is_made_later() {
    for maker in Maker::ALL {
        let due = Due::new().await;
        let mut process = due.process(maker).await;
        due.chain.skip_until_next_is(due.unlocks_at);
        // The Asset refuses all transfers when the payments are mined, though not when they are sent.
        process.act(&due.chain).await;
        let asset = due.chain.addresses().asset;
        let at = alloy_eips::BlockId::latest();
        let code = due.chain.client.code(at, asset).await.unwrap().unwrap();
        due.chain.devchain.set_code(asset, alloy_primitives::bytes!("60006000fd")).unwrap();
        due.chain.mine();
        due.chain.devchain.set_code(asset, code).unwrap();
        assert_eq!(due.paid().await, Amount::ZERO);
        let before = process.entries.len();
        process.run_block(&due.chain).await;
        let failed = |subject| {
            process.entries[before..].iter().any(|entry| {
                entry.failure().is_some()
                    && entry.report.intent.is_some_and(|id| id.subject == subject)
            })
        };
        assert!(failed(WITHDRAWAL) && failed(due.exit()), "{}", process.log());
        assert_eq!(due.paid().await, tokens(200), "sent again in the next block");
        process.run_block(&due.chain).await;
        assert_eq!(process.failures().len(), 2, "{}", process.log());
        let mut confirmed = done(&process);
        confirmed.sort_unstable();
        let mut expected = [WITHDRAWAL, due.exit()];
        expected.sort_unstable();
        assert_eq!(confirmed, expected);
    }
}

#[tokio::test]
async fn an_exit_is_dated_by_its_own_block() {
    for maker in Maker::ALL {
        let due = Due::new().await;
        // The keeper sees the exit's block late, and only once.
        due.chain.skip_until_next_is(before(before(due.exitable_at)));
        let mut process = due.process(maker).await;
        process.act(&due.chain).await;
        assert_eq!(done(&process), []);
        due.chain.skip_until_next_is(due.exitable_at);
        process.run_block(&due.chain).await;
        assert_eq!(due.chain.now(), due.exitable_at);
        assert_eq!(due.paid().await, STAKE);
    }
}

#[tokio::test]
async fn what_happened_in_blocks_that_are_read_again_is_paid_as_it_happened_there() {
    for maker in Maker::ALL {
        for old in [OldTransactions::ReturnToPool, OldTransactions::Drop] {
            let mut chain = TestChain::new().await;
            let rollup = chain.addresses().rollup;
            chain.stake(rollup, 1).await;
            let recipient = key("recipient", 0).address();
            let governance = chain.addresses().governance;
            chain.lock_for(chain.deployer.address(), tokens(300)).await;
            let mut process = Process::new(&chain, maker).await;
            process.add_keeper(&chain, PayOut::Everything);
            chain.mine();
            process.also_asked.withdrawals.extend([0, 1].map(WithdrawalId::of));
            process.also_asked.rollups.insert(rollup, [attester(0)].into());
            // A withdrawal of 100 and an exit, which the keeper sees.
            chain.send(calls::withdraw(governance, recipient, tokens(100))).await;
            let mut leaver = chain.sender(key("withdrawer", 0));
            chain.send_by(&mut leaver, exit_stake(rollup, attester(0), recipient)).await;
            process.act(&chain).await;
            // Their blocks are replaced. Another withdrawal comes first, and these may come after it.
            let options =
                ReorgOptions { depth: 2, old: OldTransactions::Drop, ..ReorgOptions::default() };
            chain.devchain.reorg(options).unwrap();
            process.act(&chain).await;
            let mut sender = chain.sender(chain.devchain.dev_accounts().remove(0));
            chain.send_by(&mut sender, calls::withdraw(governance, recipient, tokens(7))).await;
            let (mut paid, mut payments) =
                (tokens(7), vec![IntentSubject::PayWithdrawal { id: WithdrawalId::ZERO }]);
            if old == OldTransactions::ReturnToPool {
                chain
                    .send_by(&mut sender, calls::withdraw(governance, recipient, tokens(100)))
                    .await;
                let mut leaver = chain.sender(key("withdrawer", 0));
                chain.send_by(&mut leaver, exit_stake(rollup, attester(0), recipient)).await;
                let exitable_at = chain.now() + Seconds::HOUR;
                paid = tokens(207);
                payments.push(IntentSubject::PayWithdrawal { id: WithdrawalId::of(1) });
                payments.push(IntentSubject::PayExit {
                    rollup,
                    attester: attester(0),
                    exitable_at,
                });
            }
            process.act(&chain).await;
            chain.skip_until_next_is(chain.now() + Seconds::of(3 * 3_600));
            process.run_blocks(&chain, 2).await;
            let mut confirmed = done(&process);
            confirmed.sort_unstable();
            payments.sort_unstable();
            assert_eq!(confirmed, payments, "{}", process.log());
            assert_eq!(chain.holder(recipient, []).await.balance, paid);
            assert_eq!(process.failures(), [""; 0]);
        }
    }
}
