//! Payloads whose code stays the same and whose list of actions doesn't.

use crate::{
    process::{Process, Status},
    test_chain::{TestChain, connect, signal_plan},
    views::Maker,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_rpc_client::RpcClient;
use alloy_sol_types::{SolCall, SolValue};
use canon_abi::{Governance::Action, UpgradePayload};
use canon_chain::{BlockId, Severity, VettedPayload};
use canon_faults::{Fault, FaultPlan, Faults, params};
use canon_payload::{Assembler, op};
use canon_protocol::{Action as Listed, actions_hash};
use canon_views::{BlockDuty, IntentSubject, SignalDecision, SignalPlan};
use std::sync::atomic::{AtomicBool, Ordering};
use tower::Layer;

const PAYLOAD: Address = Address::repeat_byte(0x9a);
const OTHER_PAYLOAD: Address = Address::repeat_byte(0x9b);

/// The payload's answer when it is asked for its list.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Vetted,
    Other,
    None,
    /// Another list for Governance, which freezes it.
    OtherForGovernance,
}

impl Answer {
    /// Sets the payload's answer from the next block on.
    fn give(self, chain: &TestChain, payload: Address) {
        chain.devchain.set_storage(payload, U256::ZERO, U256::from(self as u8));
    }
}

fn list(target: u8) -> Vec<Action> {
    vec![Action { target: Address::repeat_byte(target), data: Bytes::from_static(&[1, 2, 3, 4]) }]
}

fn hash(target: u8) -> B256 {
    actions_hash(&list(target).into_iter().map(Listed::from).collect::<Vec<_>>())
}

/// The code of a payload whose answer depends on its storage.
fn code(governance: Address) -> Bytes {
    const CALLER: u8 = 0x33;
    let mut code = Assembler::new();
    code.selector().on(UpgradePayload::getActionsCall::SELECTOR, "actions").fail(&[]);
    code.label("actions").ops(&[op::PUSH0, op::SLOAD, op::DUP1]);
    code.push(U256::from(Answer::Other as u8)).ops(&[op::EQ]).jump_if("other");
    code.ops(&[op::DUP1]).push(U256::from(Answer::OtherForGovernance as u8));
    code.ops(&[op::EQ]).jump_if("by caller");
    code.ops(&[op::ISZERO]).jump_if("vetted").fail(&[]);
    code.label("by caller").ops(&[CALLER]).push(U256::from_be_slice(governance.as_slice()));
    code.ops(&[op::EQ]).jump_if("other");
    code.label("vetted").answer(&list(1).abi_encode());
    code.label("other").answer(&list(2).abi_encode());
    code.runtime()
}

/// Writes a payload and vets it.
async fn vetted(chain: &TestChain, payload: Address) -> SignalPlan {
    chain.devchain.set_code(payload, code(chain.addresses().governance)).unwrap();
    chain.mine();
    vet(chain, payload).await
}

async fn vet(chain: &TestChain, payload: Address) -> SignalPlan {
    let governance = chain.addresses().governance;
    signal_plan(&chain.client, governance, payload).await
}

#[tokio::test]
async fn errors_of_payloads_say_whether_to_try_again() {
    let chain = TestChain::new().await;
    vetted(&chain, PAYLOAD).await;
    let faults = Faults::default();
    let client = connect(RpcClient::new(faults.layer(chain.devchain.transport()), true)).await;
    let governance = chain.addresses().governance;
    for (payload, pinned, plan, expected) in [
        (OTHER_PAYLOAD, None, FaultPlan::Never, Severity::Skip),
        (PAYLOAD, Some(B256::repeat_byte(1)), FaultPlan::Never, Severity::Skip),
        (PAYLOAD, None, FaultPlan::At(0, Fault::Lost), Severity::Retry),
    ] {
        faults.set(plan);
        let vetted =
            VettedPayload::vet_at(&client, BlockId::latest(), governance, payload, pinned).await;
        let error = vetted.unwrap_err();
        assert_eq!(error.severity(), expected, "{error}");
    }
}

/// A chain and this number of sequencers that signal for a payload.
async fn set_up(maker: Maker, count: u64) -> (TestChain, Process, SignalPlan) {
    let mut chain = TestChain::new().await;
    let rollup = chain.addresses().rollup;
    chain.stake(rollup, count).await;
    let plan = vetted(&chain, PAYLOAD).await;
    let mut process = Process::new(&chain, maker).await;
    for number in 0..count {
        process.add_sequencer(number, rollup, BlockDuty::Skip, Some(plan));
    }
    // Continues to the first epoch with proposers.
    process.run_blocks(&chain, 10).await;
    assert!(!process.signaled().is_empty(), "{}", process.log());
    (chain, process, plan)
}

#[tokio::test]
async fn the_list_that_is_vetted_is_what_governance_would_freeze() {
    let chain = TestChain::new().await;
    assert_eq!(vetted(&chain, PAYLOAD).await.actions_hash, hash(1));
    Answer::OtherForGovernance.give(&chain, PAYLOAD);
    chain.mine();
    assert_eq!(vet(&chain, PAYLOAD).await.actions_hash, hash(2));
}

#[tokio::test]
async fn a_payload_that_changes_its_list_after_it_was_vetted_is_not_signaled_for() {
    for maker in Maker::ALL {
        let (chain, mut process, plan) = set_up(maker, 1).await;
        let (expected, found) = (hash(1), hash(2));
        assert_eq!(plan.actions_hash, expected);
        for (answer, said, decision) in [
            (
                Answer::Other,
                "lists other actions",
                SignalDecision::ActionsChanged { expected, found },
            ),
            (Answer::None, "was refused", SignalDecision::ActionsUnread),
            (
                Answer::OtherForGovernance,
                "lists other actions",
                SignalDecision::ActionsChanged { expected, found },
            ),
        ] {
            // The block that the agent acts on is the first with another list.
            answer.give(&chain, PAYLOAD);
            process.act(&chain).await;
            chain.mine();
            let before = process.entries.len();
            let signaled = process.signaled().len();
            process.run_blocks(&chain, 12).await;
            assert_eq!(process.signaled().len(), signaled, "{answer:?}: {}", process.log());
            assert_eq!(*process.status(0), Status::Signal(decision));
            let failures = process.failures_since(before);
            assert!(matches!(&failures[..], [one] if one.contains(said)), "once: {failures:?}");
            // It is signaled for again when it lists the vetted actions.
            Answer::Vetted.give(&chain, PAYLOAD);
            chain.mine();
            process.run_blocks(&chain, 4).await;
            assert!(process.signaled().len() > signaled, "{answer:?}: {}", process.log());
        }
    }
}

#[tokio::test]
async fn a_changed_list_is_reported_once_for_each_payload_whoever_has_the_slots_in_between() {
    for maker in Maker::ALL {
        let (chain, mut process, plan) = set_up(maker, 2).await;
        let other = vetted(&chain, OTHER_PAYLOAD).await;
        for payload in [PAYLOAD, OTHER_PAYLOAD] {
            Answer::Other.give(&chain, payload);
        }
        chain.mine();
        for plan in [plan, other, plan] {
            let before = process.entries.len();
            let mut checks = [const { Vec::new() }; 2];
            for actor in 0..2 {
                process.sequencer(actor).plan = Some(plan);
            }
            for block in 0..32 {
                process.run_block(&chain).await;
                for (actor, checks) in checks.iter_mut().enumerate() {
                    let status = process.status(actor);
                    if matches!(status, Status::Signal(SignalDecision::ActionsChanged { .. })) {
                        checks.push(block);
                    }
                }
            }
            for (actor, checks) in checks.iter().enumerate() {
                let gaps = checks.windows(2).filter(|pair| pair[0] + 1 < pair[1]).count();
                assert!(gaps >= 2, "agent {actor} always has the slot: {checks:?}");
                let failures = process.failures_of(actor, before);
                let [one] = &failures[..] else { panic!("agent {actor}: {failures:?}") };
                assert!(one.contains(&plan.payload.to_string()), "agent {actor}: {one}");
            }
        }
        assert_eq!(process.failures().len(), 6, "{}", process.log());
    }
}

/// A signal is in flight in the first block of its slot; in the second one a single request fails.
#[tokio::test]
async fn one_request_that_fails_does_not_cancel_a_signal_in_flight() {
    for maker in Maker::ALL {
        let (chain, mut process, _) = set_up(maker, 1).await;

        // Finds the first block of a slot, which doesn't have the signal yet.
        let slot = loop {
            let before = process.entries.len();
            process.act(&chain).await;
            let sent = process.sent_since(before).into_iter();
            let mut signal = sent.filter_map(|subject| match subject {
                IntentSubject::Signal { slot, .. } => Some(slot),
                _ => None,
            });
            match signal.next_back() {
                Some(slot) => break slot,
                None => chain.mine(),
            }
        };
        chain.devchain.set_next_timestamp(chain.next().get()).unwrap();
        chain.devchain.mine_unsigned(&[]).unwrap();
        let selector = hex::encode_prefixed(UpgradePayload::getActionsCall::SELECTOR);
        let has_failed = AtomicBool::new(false);
        process.faults.set(FaultPlan::by(move |packet| {
            let [request] = packet.requests() else { return None };
            let call = params(request)[0].clone();
            let input = call["input"].as_str().or_else(|| call["data"].as_str());
            let is_list = request.method() == "eth_call" && input == Some(selector.as_str());
            (is_list && !has_failed.swap(true, Ordering::Relaxed)).then_some(Fault::Lost)
        }));
        let before = process.entries.len();
        process.run_block(&chain).await;
        process.faults.set(FaultPlan::Never);
        let failures = process.failures_since(before);
        process.run_blocks(&chain, 4).await;
        assert!(!failures.is_empty(), "no request failed");
        assert!(
            process.signaled().contains(&slot),
            "{maker:?}: slot {slot} has no signal since one request failed: {failures:?}\n{}",
            process.log()
        );
    }
}
