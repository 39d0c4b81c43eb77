//! Transactions for intents, with an endpoint whose answers are wrong or incomplete.

use crate::tx_chain::{
    TxChain, confirmed, failures, mine_past_the_pool, ready, sent, transactions,
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use alloy_provider::Provider;
use canon_chain::{
    Checks, Error, FINALITY, Sender, calls,
    tx::{FileJournal, HeadError, Journal, MemoryJournal, TxEvent, TxReport},
};
use canon_faults::{Answer, params};
use canon_protocol::{Amount, BlockNumber};
use canon_testkit::TestFolder;
use canon_views::{BlockView, Intent, IntentProgress};
use core::slice::from_ref;
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The tip of the newest transaction in a journal, in gwei per gas.
fn last_tip(journal: &MemoryJournal) -> u128 {
    let newest = transactions(journal).pop().unwrap();
    newest.max_priority_fee_per_gas().unwrap() / 1_000_000_000
}

/// Makes the endpoint return "underpriced" for `count` transactions.
fn underpriced(chain: &TxChain, count: u64) {
    let refusals = AtomicU64::new(0);
    chain.faults.answer(move |request| {
        let is_sent = request.method() == "eth_sendRawTransaction";
        match is_sent && refusals.fetch_add(1, Ordering::Relaxed) < count {
            true => Answer::Refusal(-32000, "transaction underpriced".to_owned()),
            false => Answer::Node,
        }
    });
}

/// A provider's proxy passes a transaction to several nodes, or to a second one if the first takes too
/// long. One node accepts it, and the refusal of the other is returned.
#[tokio::test]
async fn a_transaction_that_one_node_took_and_another_refused_is_not_sent_twice() {
    let mut wrong = Vec::new();
    for words in [
        "transaction underpriced",
        "replacement transaction underpriced",
        "insufficient funds for gas * price + value",
        "exceeds block gas limit",
        "nonce too high",
        "tx fee (1.01 ether) exceeds the configured cap (1.00 ether)",
        "invalid chain id for signer",
        "txpool is full",
        "nonce too low",
        "already known",
    ] {
        let chain = TxChain::new().await;
        let (_, mut sender) = ready(&chain).await;
        let taken: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let pool = Arc::clone(&taken);
        chain.faults.answer(move |request| {
            let mut pool = pool.lock().unwrap();
            if request.method() != "eth_sendRawTransaction" || !pool.is_empty() {
                return Answer::Node;
            }
            pool.push(serde_json::from_value(params(request)[0].clone()).unwrap());
            Answer::Refusal(-32000, words.to_owned())
        });
        let lock = chain.lock(1, 7);
        chain.pursue(&mut sender, from_ref(&lock)).await;
        let raw = taken.lock().unwrap()[0].clone();
        let _ = chain.client.provider().send_raw_transaction(&raw).await.unwrap();
        chain.mine(1);
        for _ in 0..5 {
            chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        }
        let deposits = chain.deposits().await;
        if deposits != [7] {
            wrong.push((words, deposits));
        }
    }
    assert!(wrong.is_empty(), "one order to lock 7 was sent more than once: {wrong:?}");
}

/// The endpoint returns "underpriced" for half an hour, then accepts the transaction.
#[tokio::test]
async fn an_endpoint_that_always_says_underpriced_does_not_raise_the_tip_without_limit() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    underpriced(&chain, 120);
    let lock = chain.lock(1, 7);
    let mut blocks = 0;
    while sent(&chain.pursue_and_mine(&mut sender, from_ref(&lock)).await).is_empty() {
        blocks += 1;
        assert!(blocks < 400, "it is never sent");
    }
    let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
    assert_eq!(confirmed(&reports), [lock.id()]);
    assert_eq!(chain.deposits().await, [7]);
    assert_eq!((blocks, last_tip(&journal)), (120, 9), "blocks, and the tip in gwei");
}

/// As in the previous test, for many intents within one block.
#[tokio::test]
async fn the_tip_does_not_rise_by_the_number_of_intents_in_a_block() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    underpriced(&chain, 80);
    let locks: Vec<_> = (1..=40).map(|order| chain.lock(order, 1)).collect();
    let (mut blocks, mut done) = (0, Vec::new());
    while done.len() < locks.len() {
        done.extend(confirmed(&chain.pursue_and_mine(&mut sender, &locks).await));
        blocks += 1;
        assert!(blocks < 40, "{} are confirmed", done.len());
    }
    done.sort_unstable();
    assert!(done.iter().eq(&locks.iter().map(Intent::id).collect::<Vec<_>>()), "{done:?}");
    assert_eq!(chain.deposits().await, [1; 40]);
    let tips = transactions(&journal).into_iter().map(|tx| tx.max_priority_fee_per_gas().unwrap());
    let tip = tips.max().unwrap() / 1_000_000_000;
    assert_eq!((blocks, tip), (4, 1), "blocks, and the highest tip in gwei");
}

/// A node accepts transactions but doesn't propagate them for a night; then it does.
#[tokio::test]
async fn a_transaction_that_is_not_mined_for_a_night_does_not_offer_a_fortune() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let mut versions = 0;
    for _ in 0..150 {
        versions += sent(&chain.pursue(&mut sender, from_ref(&lock)).await).len();
        mine_past_the_pool(&chain, 8);
    }
    chain.mine(1);
    let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
    assert_eq!(confirmed(&reports), [lock.id()]);
    assert_eq!(chain.deposits().await, [7]);
    assert_eq!((versions, last_tip(&journal)), (25, 9), "versions, and the last tip in gwei");
}

/// The pool lost the transaction, the account was empty for a while, and it has ether again one block
/// before the deadline.
#[tokio::test]
async fn what_lacked_funds_is_sent_at_once_when_they_come() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let before = chain.devchain.snapshot();
    chain.pursue(&mut sender, from_ref(&lock)).await;
    chain.devchain.revert(before).unwrap();
    let balance = chain.devchain.balance(chain.account());
    chain.devchain.set_balance(chain.account(), U256::ZERO);
    mine_past_the_pool(&chain, 8);
    chain.devchain.set_balance(chain.account(), balance);
    let last = Intent { until: Some(chain.next()), ..lock };
    chain.pursue_and_mine(&mut sender, from_ref(&last)).await;
    let count = chain.devchain.nonce(chain.account());
    assert_eq!(
        chain.deposits().await,
        [7],
        "{count} transactions of the account are mined, no deposit"
    );
}

/// One answer of the endpoint is a nonce far too high, and a node queues the transaction, as geth does. The
/// missing nonces below it are filled with transfers, each of which costs a fee.
#[tokio::test]
async fn one_wrong_nonce_does_not_cost_a_thousand_transfers() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let lies = Arc::new(AtomicU64::new(1));
    let rule = Arc::clone(&lies);
    let sends = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sends);
    chain.faults.answer(move |request| {
        let is_on = rule.load(Ordering::Relaxed) == 1;
        match request.method() {
            "eth_getTransactionCount" if is_on && params(request)[1] == "pending" => {
                Answer::Result("0x3e8".into())
            }
            // The queue accepts transactions with any nonce.
            "eth_sendRawTransaction" if is_on => {
                let raw: Bytes = serde_json::from_value(params(request)[0].clone()).unwrap();
                Answer::Result(serde_json::to_value(alloy_primitives::keccak256(&raw)).unwrap())
            }
            "eth_sendRawTransaction" => {
                counted.fetch_add(1, Ordering::Relaxed);
                Answer::Node
            }
            _ => Answer::Node,
        }
    });
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    lies.store(0, Ordering::Relaxed);
    let mut done = Vec::new();
    for _ in 0..5 {
        done.extend(confirmed(&chain.pursue_and_mine(&mut sender, from_ref(&lock)).await));
    }
    let sends = sends.load(Ordering::Relaxed);
    assert_eq!((sends, chain.deposits().await), (1, vec![7]), "{done:?}");
    assert_eq!(done, [lock.id()]);
}

#[tokio::test]
async fn nothing_is_sent_after_a_nonce_that_cannot_be() {
    for nonce in [u64::MAX - 1, u64::MAX] {
        let chain = TxChain::new().await;
        let (_, mut sender) = ready(&chain).await;
        chain.faults.answer(move |request| match request.method() {
            "eth_getTransactionCount" if params(request)[1] == "pending" => {
                Answer::Result(format!("{nonce:#x}").into())
            }
            _ => Answer::Node,
        });
        let reports = chain.pursue_and_mine(&mut sender, &[chain.lock(1, 7)]).await;
        assert!(sent(&reports).is_empty());
        assert!(
            failures(&reports)[0].contains(&format!("the endpoint's pending nonce is {nonce}"))
        );
    }
}

/// A head with a wrong number makes nothing final: a reorganization of one block undoes the lock.
#[tokio::test]
async fn a_head_with_too_high_a_number_finalizes_nothing() {
    // Whether the head follows one seen before.
    for skipped in [0, 1] {
        let chain = TxChain::new().await;
        let (journal, mut sender) = ready(&chain).await;
        let lock = chain.lock(1, 7);
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        chain.mine(skipped);
        let head = chain.head().await;
        let number = BlockNumber::of(head.number.get() + 64);
        let mut reports = sender.settle(BlockView { number, ..head }).await;
        reports.extend(sender.pursue(from_ref(&lock), chain.next()).await);
        let is_wrong = |report: &TxReport| {
            matches!(
                report.event,
                TxEvent::Failed(Error::Head(HeadError::WrongNumber { expected, found, .. }))
                    if (expected, found) == (head.number, number)
            )
        };
        assert!(reports.iter().any(is_wrong), "{reports:?}");
        assert_eq!(journal.load().unwrap().completed, []);
        chain.reorganize(1 + skipped, Vec::new());
        for _ in 0..12 {
            chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        }
        assert_eq!(chain.deposits().await, [7], "{skipped} skipped: {sender:?}");
    }
}

/// The endpoint forges a head far above all blocks, under a hash that no other endpoint knows.
#[tokio::test]
async fn a_head_that_is_made_up_stops_nothing_for_longer_than_a_minute() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    let head = chain.head().await;
    let number = BlockNumber::of(head.number.get() + 1_000);
    let (hash, parent) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let _ = sender.settle(BlockView { number, hash, parent, ..head }).await;
    let lock = chain.lock(1, 7);
    let mine_after = |slots: u64| {
        chain.devchain.set_next_timestamp(head.timestamp.get() + 12 * slots).unwrap();
        chain.mine(1);
    };
    for slot in 1..=5 {
        mine_after(slot);
        assert!(sent(&chain.pursue(&mut sender, from_ref(&lock)).await).is_empty());
    }
    mine_after(6);
    for _ in 0..2 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7], "{sender:?}");
}

/// Another transaction becomes final in every block.
#[tokio::test]
async fn the_number_of_a_head_is_asked_once_while_blocks_follow_each_other() {
    let chain = TxChain::new().await;
    let (_, mut sender) = ready(&chain).await;
    for order in 1..70 {
        chain.pursue_and_mine(&mut sender, &[chain.lock(order, 1)]).await;
    }
    chain.faults.take_requests();
    let asked = || chain.faults.take_requests().get("eth_getBlockByHash").copied().unwrap_or(0);
    for order in 70..75 {
        chain.pursue_and_mine(&mut sender, &[chain.lock(order, 1)]).await;
    }
    assert_eq!(asked(), 0);
    // This block wasn't seen.
    chain.mine(1);
    for order in 75..80 {
        chain.pursue_and_mine(&mut sender, &[chain.lock(order, 1)]).await;
    }
    assert_eq!(asked(), 1);
}

/// A process is stopped with a transaction in flight, which its owner cancels with a wallet. A week later
/// the process continues, with a node that keeps the states of 128 blocks, as most do.
#[tokio::test]
async fn a_nonce_that_a_wallet_used_while_the_process_was_stopped_blocks_nothing() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let before = chain.devchain.snapshot();
    chain.pursue(&mut sender, from_ref(&lock)).await;
    drop(sender);
    // The pool has lost the transaction, and the wallet uses the nonce.
    chain.devchain.revert(before).unwrap();
    let nonce = transactions(&journal).last().unwrap().nonce();
    let mut other = Sender::new(chain.client.clone(), chain.key.clone()).with_nonce(nonce);
    let nothing = calls::approve(chain.set.asset, Address::with_last_byte(9), Amount::of(1));
    let next = chain.client.next_block().await.unwrap();
    let _ = other.submit(nothing, Checks::Full, next).await.unwrap();
    chain.mine(301);
    let head = Arc::new(AtomicU64::new(0));
    let newest = Arc::clone(&head);
    chain.faults.answer(move |request| {
        let at = params(request)[1]
            .as_str()
            .and_then(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok());
        match at {
            Some(at)
                if request.method() == "eth_getTransactionCount"
                    && at + 128 < newest.load(Ordering::Relaxed) =>
            {
                Answer::Refusal(-32000, "missing trie node: state is not available".to_owned())
            }
            _ => Answer::Node,
        }
    });
    let mut sender = chain.sender(&journal);
    for _ in 0..3 {
        head.store(chain.head().await.number.get(), Ordering::Relaxed);
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7]);
}

/// One answer with the receipt of a successful order lacks its logs, because it is cut off or the log index
/// lags.
#[tokio::test]
async fn a_receipt_without_its_logs_does_not_make_an_order_be_done_twice() {
    for is_bloom_cut in [false, true] {
        let chain = TxChain::new().await;
        let (_, mut sender) = ready(&chain).await;
        let lock = chain.lock(1, 7);
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        chain.faults.answer(move |request| match request.method() {
            "eth_getTransactionReceipt" => Answer::Changed(Box::new(move |mut receipt| {
                if !receipt.is_null() {
                    receipt["logs"] = json!([]);
                }
                if !receipt.is_null() && is_bloom_cut {
                    receipt["logsBloom"] = json!(Bloom::ZERO);
                }
                receipt
            })),
            _ => Answer::Node,
        });
        for _ in 0..2 {
            let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
            let text = &failures(&reports)[0];
            assert!(text.contains("doesn't show all of its logs"), "{text}");
            assert!(sent(&reports).is_empty());
            assert!(sender.progress(&lock.id()) == IntentProgress::Unconfirmed);
        }
        // The order isn't forgotten either.
        mine_past_the_pool(&chain, FINALITY + 1);
        assert!(sent(&chain.pursue(&mut sender, from_ref(&lock)).await).is_empty());
        chain.faults.answer(|_| Answer::Node);
        for _ in 0..4 {
            let reports = chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
            assert!(failures(&reports).is_empty(), "{reports:?}");
        }
        assert!(sender.is_done(&lock.id()));
        assert_eq!(chain.deposits().await, [7], "one order to lock 7");
    }
}

/// A process was stopped after sending a transaction, which was mined. Some time later it starts again with
/// a node that was set up an hour ago and has neither old states nor an index of old transactions. After
/// one block, a node that has both answers.
#[tokio::test]
async fn a_node_without_old_states_and_receipts_does_not_make_an_order_be_done_twice() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    drop(sender);
    assert_eq!(chain.deposits().await, [7]);
    chain.mine(301);
    let head = chain.head().await.number.get();
    let is_new = Arc::new(AtomicBool::new(true));
    let rule = Arc::clone(&is_new);
    chain.faults.answer(move |request| {
        if !rule.load(Ordering::Relaxed) {
            return Answer::Node;
        }
        let at = params(request)[1]
            .as_str()
            .and_then(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok());
        match (request.method(), at) {
            ("eth_getTransactionReceipt", _) => Answer::Result(Value::Null),
            ("eth_getTransactionCount", Some(at)) if at + 128 < head => {
                Answer::Refusal(-32000, "missing trie node: state is not available".to_owned())
            }
            _ => Answer::Node,
        }
    });
    let mut sender = chain.sender(&journal);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    is_new.store(false, Ordering::Relaxed);
    for _ in 0..4 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7], "one order to lock 7");
}

/// The counterpart of `a_head_with_too_high_a_number_finalizes_nothing`.
#[tokio::test]
async fn a_receipt_with_too_low_a_number_finalizes_nothing() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    chain.mine(80);
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    chain.faults.answer(|request| match request.method() {
        "eth_getTransactionReceipt" => Answer::Changed(Box::new(|mut receipt| {
            if !receipt.is_null() {
                receipt["blockNumber"] = json!("0x1");
            }
            receipt
        })),
        _ => Answer::Node,
    });
    chain.pursue(&mut sender, from_ref(&lock)).await;
    let completed = journal.load().unwrap().completed;
    chain.faults.answer(|_| Answer::Node);
    chain.reorganize(1, Vec::new());
    for _ in 0..12 {
        chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    }
    assert_eq!(chain.deposits().await, [7], "completed for good after one block: {completed:?}");
}

/// The age of the oldest answers of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OldAnswers {
    /// No states before the newest 128 blocks, and no index of transactions.
    Blocks,
    /// Nothing about old blocks.
    Nothing,
}

/// Makes the endpoint refuse old answers, with `head` as the newest block.
fn without_old_answers(chain: &TxChain, head: u64, old: OldAnswers) {
    chain.faults.answer(move |request| {
        let number =
            |value: &Value| u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok();
        let parameters = params(request);
        match request.method() {
            "eth_getTransactionReceipt" => Answer::Result(Value::Null),
            "eth_getTransactionCount"
                if number(&parameters[1]).is_some_and(|at| at + 128 < head) =>
            {
                Answer::Refusal(-32000, "missing trie node: state is not available".to_owned())
            }
            "eth_getBlockByNumber"
                if old == OldAnswers::Nothing
                    && number(&parameters[0]).is_some_and(|at| at + 128 < head) =>
            {
                Answer::Result(Value::Null)
            }
            _ => Answer::Node,
        }
    });
}

/// A lock that was mined 301 blocks ago by a process that was then stopped, and the process's journal.
async fn mined_long_ago() -> (TxChain, MemoryJournal, Intent) {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
    chain.mine(301);
    (chain, journal, lock)
}

#[tokio::test]
async fn what_an_endpoint_without_old_states_and_receipts_has_in_a_block_is_done() {
    let (chain, journal, lock) = mined_long_ago().await;
    without_old_answers(&chain, chain.head().await.number.get(), OldAnswers::Blocks);
    let mut sender = chain.sender(&journal);
    let mut passes = 0;
    while !sender.is_done(&lock.id()) {
        passes += 1;
        assert!(passes < 8, "{:?}", sender.progress(&lock.id()));
        assert!(sent(&chain.pursue(&mut sender, from_ref(&lock)).await).is_empty());
    }
    let contents = journal.load().unwrap();
    assert_eq!((contents.transactions, contents.completed[0].intent), (Vec::new(), lock.id()));
}

/// No answer shows the transaction that used the nonce. Nothing is sent until one does, or a person
/// intervenes.
#[tokio::test]
async fn an_order_whose_nonce_was_used_by_something_unknown_is_not_sent_again() {
    let (chain, journal, lock) = mined_long_ago().await;
    let transaction = journal.load().unwrap().transactions.last().unwrap().hash();
    let head = chain.head().await.number.get();
    without_old_answers(&chain, head, OldAnswers::Nothing);
    let mut sender = chain.sender(&journal);
    let mut reported = 0;
    for _ in 0..20 {
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&lock)).await;
        assert!(sent(&reports).is_empty(), "{reports:?}");
        reported += failures(&reports).len();
        assert!(sender.progress(&lock.id()) == IntentProgress::Unconfirmed);
    }
    assert!(reported > 0);
    // The endpoint has blocks, but none on the present chain contains the transaction. All were searched.
    chain.faults.answer(move |request| match request.method() {
        "eth_getTransactionReceipt" => Answer::Result(Value::Null),
        "eth_getTransactionCount" if params(request)[1] != "pending" => {
            let at =
                params(request)[1].as_str().and_then(|at| u64::from_str_radix(&at[2..], 16).ok());
            match at {
                Some(at) if at + 128 < head => Answer::Refusal(-32000, "no such state".to_owned()),
                _ => Answer::Node,
            }
        }
        "eth_getBlockByNumber" => Answer::Changed(Box::new(|mut block| {
            block["transactions"] = json!([]);
            block
        })),
        _ => Answer::Node,
    });
    let mut text = String::new();
    for _ in 0..20 {
        let reports = chain.pursue(&mut sender, from_ref(&lock)).await;
        assert!(sent(&reports).is_empty(), "{reports:?}");
        text = failures(&reports).pop().unwrap();
    }
    let line = format!(r#"{{"forgotten":{{"transaction":"{transaction}"}}}}"#);
    assert!(text.contains(&line), "{text}");

    // The line belongs to a journal.
    let folder = TestFolder::new("tx-answers-forgotten");
    let path = folder.file("journal");
    let mut file = FileJournal::open(&path).unwrap();
    for transaction in journal.load().unwrap().transactions {
        file.record(&transaction).unwrap();
    }
    drop(file);
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{before}{line}\n")).unwrap();
    let hashes = FileJournal::open(&path).unwrap().load().unwrap().transactions.into_iter();
    assert!(hashes.map(|one| one.hash()).all(|hash| hash != transaction));

    // An endpoint with complete data shows that the order is done.
    chain.faults.answer(|_| Answer::Node);
    chain.pursue(&mut sender, from_ref(&lock)).await;
    assert!(sender.is_done(&lock.id()));
    assert_eq!(chain.deposits().await, [7], "one order to lock 7");
}
