//! Attacks: each test says what should hold, and fails.

use crate::{
    holders::{cast, locked, propose, tally, vote},
    process::Process,
    test_chain::{TestChain, tokens},
    views::Maker,
};
use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_sol_types::SolCall;
use canon_abi::UpgradePayload;
use canon_agents::VettedPayload;
use canon_protocol::{Action, Support, actions_hash};
use canon_views::{BlockDuty, OrderAmount};

/// One of an endpoint's nodes stands still. Its old view, 65 blocks after the ballot: an order for 300 casts 600.
/// Ballots can't be taken back.
#[tokio::test]
async fn an_old_view_casts_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(Support::Yea, OrderAmount::Exactly(tokens(300))));
        let old = process.look(&chain).await.unwrap();
        process.run_blocks(&chain, 68).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0));
        process.tick(0, &old).await;
        chain.mine();
        process.run_blocks(&chain, 3).await;
        println!("{}", process.log());
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// As above, by the process's own views: the endpoint's newest block is for once an old one.
#[tokio::test]
async fn a_head_that_goes_back_casts_no_ballot_twice() {
    use canon_faults::{Answer, params};
    use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(Support::Yea, OrderAmount::Exactly(tokens(300))));
        let old = chain.devchain.block_number();
        process.run_blocks(&chain, 68).await;
        assert_eq!(cast(&chain, 0).await, tally(300, 0));
        // The node that stands still answers what is asked about the newest block. Everything else is asked of others.
        let stands = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&stands);
        process.faults.answer(move |request| {
            let mut params = params(request);
            if !rule.load(Ordering::Relaxed) || !params.is_array() {
                return Answer::Node;
            }
            let text = params.to_string();
            if text.contains("\"latest\"") {
                params = serde_json::from_str(&text.replace("\"latest\"", &format!("\"{old:#x}\""))).unwrap();
                return Answer::Asked(params);
            }
            Answer::Node
        });
        process.act(&chain).await;
        stands.store(false, Ordering::Relaxed);
        chain.mine();
        process.run_blocks(&chain, 3).await;
        println!("{}", process.log());
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// The payload's code answers what is at the address in its slot 0: its code hash stays, its list changes.
#[tokio::test]
async fn a_payload_that_changes_its_list_after_it_was_vetted_is_not_signaled_for() {
    const PAYLOAD: Address = Address::repeat_byte(0xf1);
    let lists = |actions: &[Action]| -> Bytes {
        let actions = actions.iter().cloned().map(Into::into).collect();
        UpgradePayload::getActionsCall::abi_encode_returns(&actions).into()
    };
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, 1).await;
        let good = [Action { target: chain.addresses().registry, data: bytes!("01020304") }];
        let evil = [Action { target: chain.addresses().governance, data: bytes!("deadbeef") }];
        let (one, two) = (Address::repeat_byte(0x11), Address::repeat_byte(0x12));
        chain.devchain.set_code(one, lists(&good)).unwrap();
        chain.devchain.set_code(two, lists(&evil)).unwrap();
        chain.devchain.set_code(PAYLOAD, bytes!("5f54803b9081905f905f903c5ff3")).unwrap();
        chain.devchain.set_storage(PAYLOAD, U256::ZERO, U256::from_be_slice(one.as_slice()));
        let vetted = VettedPayload::vet(&chain.client, PAYLOAD, None).await.unwrap();
        assert_eq!(vetted.actions(), good);
        let plan = vetted.signal_plan();
        chain.devchain.set_storage(PAYLOAD, U256::ZERO, U256::from_be_slice(two.as_slice()));
        chain.mine();
        let now = VettedPayload::vet(&chain.client, PAYLOAD, Some(vetted.code_hash())).await.unwrap();
        assert_ne!(actions_hash(now.actions()), actions_hash(vetted.actions()));
        let mut process = Process::new(&chain, maker).await;
        process.add_sequencer(0, rollup, BlockDuty::Propose, Some(plan));
        process.run_blocks(&chain, 20).await;
        let signaled = process.signaled();
        println!("{signaled:?}");
        assert!(signaled.is_empty(), "{maker:?}: {} signals for a list that nobody vetted", signaled.len());
    }
}

/// The journal is lost while a ballot is in the pool: the order for 300 casts 600.
#[tokio::test]
async fn a_lost_journal_casts_no_ballot_twice() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(Support::Yea, OrderAmount::Exactly(tokens(300))));
        process.act(&chain).await;
        process.actors[0].restart_without_journal();
        process.run_blocks(&chain, 4).await;
        println!("{}", process.log());
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
        one.order(0, vote(Support::Yea, OrderAmount::Exactly(tokens(300))));
        let mut two = one.copy(&chain).await;
        for _ in 0..4 {
            one.act(&chain).await;
            two.act(&chain).await;
            chain.mine();
        }
        println!("{}{}", one.log(), two.log());
        assert_eq!(cast(&chain, 0).await, tally(300, 0), "{maker:?}");
    }
}

/// An execution is in flight with a deadline, and every other view is of a node that lags, where it isn't due yet:
/// what is in flight is replaced by a transfer of nothing, and that again, each time for a tenth more.
#[tokio::test]
async fn a_view_that_lags_does_not_take_an_execution_back() {
    use canon_views::PayOut;
    for maker in [Maker::Reads] {
        let (mut chain, mut process) = locked([10_000], maker).await;
        let deadlines = propose(&mut chain).await;
        chain.skip_until_next_is(deadlines.voting_starts());
        process.order(0, vote(Support::Yea, OrderAmount::All));
        process.run_blocks(&chain, 2).await;
        let keeper = process.add_keeper(&chain, PayOut::No);
        chain.skip_until_next_is(deadlines.queued);
        let old = process.look(&chain).await.unwrap();
        chain.mine();
        let before = process.entries.len();
        for _ in 0..10 {
            let new = process.look(&chain).await.unwrap();
            process.tick(keeper, &new).await;
            process.tick(keeper, &old).await;
        }
        chain.mine();
        process.act(&chain).await;
        println!("{}", process.log());
        let sent = process.entries[before..].iter().filter(|entry| entry.actor == keeper);
        let sent = sent.filter(|entry| matches!(entry.report.event, canon_chain::tx::TxEvent::Sent { .. }));
        assert!(sent.count() <= 1, "each view replaces what the last one sent");
    }
}
