//! Views older than earlier ones, lost journals, and keys that two processes share. In all these cases an
//! order for 300 must not cast 600, because ballots can't be taken back.

use crate::{
    holders::{cast, locked, propose, tally, vote},
    test_chain::{key, tokens},
    views::Maker,
};
use canon_agents::AgentRole;
use canon_chain::{
    IntentSender,
    tx::{FeePolicy, MemoryJournal, TxEvent, TxReport},
};
use canon_faults::{Answer, params};
use canon_protocol::Support;
use canon_views::{IntentProgress, IntentSubject, OrderAmount, PayOut};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A node of an endpoint lags, and its view is from before a ballot of 65 blocks ago.
#[tokio::test]
async fn an_old_view_casts_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
        let old = process.look().await.unwrap();
        process.run_blocks(&chain, 68).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0));
        process.tick(0, &old).await;
        chain.mine();
        process.run_blocks(&chain, 3).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// The process makes such a view itself: the endpoint once returns an old block as the newest.
#[tokio::test]
async fn a_head_that_goes_back_casts_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
        let old = chain.devchain.block_number();
        process.run_blocks(&chain, 68).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0));
        // The lagging node answers requests about the newest block. Other nodes answer everything else.
        let stands = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&stands);
        process.faults.answer(move |request| {
            let mut params = params(request);
            if !rule.load(Ordering::Relaxed) || !params.is_array() {
                return Answer::Node;
            }
            let text = params.to_string();
            if text.contains("\"latest\"") {
                params =
                    serde_json::from_str(&text.replace("\"latest\"", &format!("\"{old:#x}\"")))
                        .unwrap();
                return Answer::Asked(params);
            }
            Answer::Node
        });
        process.act(&chain).await;
        stands.store(false, Ordering::Relaxed);
        chain.mine();
        process.run_blocks(&chain, 3).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// The journal is lost while a ballot is in the pool.
#[tokio::test]
async fn a_lost_journal_casts_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
        process.act(&chain).await;
        process.actors[0].restart_without_journal();
        process.run_blocks(&chain, 4).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// Two processes with the same key and the same orders, each with a journal of its own.
#[tokio::test]
async fn two_processes_with_one_key_cast_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut one) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        one.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
        let mut two = one.copy(&chain).await;
        for _ in 0..4 {
            one.act(&chain).await;
            two.act(&chain).await;
            chain.mine();
        }
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// A duty names an intent twice: it is tried once, and its failure is reported once.
#[tokio::test]
async fn an_intent_that_is_named_twice_is_tried_once() {
    let (mut chain, mut process) = locked([1_000], Maker::Reads).await;
    let deadlines = propose(&mut chain).await;
    chain.skip_until_next_is(deadlines.voting_starts());
    process.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
    let view = process.look().await.unwrap();
    let duty = process.actors[0].agent.role.duty(&view, &|_| IntentProgress::Open);
    let [intent] = &duty.intents[..] else { panic!("{:?}", duty.intents) };
    let twice = [intent.clone(), intent.clone()];
    let journal = MemoryJournal::default();
    let fees = FeePolicy { cap: Some(1), ..FeePolicy::default() };
    let sender = |fees| {
        IntentSender::new(chain.client.clone(), key("holder", 0), fees, journal.clone()).unwrap()
    };
    let mut capped = sender(fees);
    assert!(capped.settle(view.present.block).await.is_empty());
    let reports = capped.pursue(&twice, view.present.next).await;
    assert!(matches!(&reports[..], [one] if one.failure().is_some()), "{reports:?}");
    let mut sender = sender(FeePolicy::default());
    assert!(sender.settle(view.present.block).await.is_empty());
    let reports = sender.pursue(&twice, view.present.next).await;
    let is_sent = |report: &TxReport| matches!(report.event, TxEvent::Sent { .. });
    assert!(matches!(&reports[..], [one] if is_sent(one)), "{reports:?}");
    chain.mine();
    assert_eq!(cast(&chain, 0).await, tally(300, 0));
}

/// An execution is in flight, and every other view is from a lagging node, where it isn't due yet.
#[tokio::test]
async fn a_view_that_lags_does_not_take_an_execution_back() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([10_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(&chain, Support::Yea, OrderAmount::All).await);
        process.run_blocks(&chain, 2).await;
        let keeper = process.add_keeper(&chain, PayOut::No);
        chain.skip_until_next_is(deadlines.queued);
        let old = process.look().await.unwrap();
        chain.mine();
        let before = process.entries.len();
        for _ in 0..10 {
            let new = process.look().await.unwrap();
            process.tick(keeper, &new).await;
            process.tick(keeper, &old).await;
        }
        chain.mine();
        process.act(&chain).await;
        let sent = process.sent_since(before).into_iter();
        let executions = sent.filter(|subject| matches!(subject, IntentSubject::Execute { .. }));
        assert_eq!(executions.count(), 1, "{}", process.log());
        let transactions = chain.devchain.nonce(process.address(keeper));
        assert_eq!(transactions, 1, "{}", process.log());
    }
}
