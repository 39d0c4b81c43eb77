//! Payloads whose code stays the same and whose list of actions doesn't.

use crate::{
    process::{Process, Status},
    test_chain::TestChain,
    views::Maker,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use canon_abi::{Governance::Action, UpgradePayload};
use canon_agents::VettedPayload;
use canon_payload::{Assembler, op};
use canon_protocol::{Action as Listed, actions_hash};
use canon_views::{BlockDuty, SignalDecision, SignalPlan};

const PAYLOAD: Address = Address::repeat_byte(0x9a);

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
    /// From the next block on.
    fn give(self, chain: &TestChain) {
        chain.devchain.set_storage(PAYLOAD, U256::ZERO, U256::from(self as u8));
    }
}

fn list(target: u8) -> Vec<Action> {
    vec![Action { target: Address::repeat_byte(target), data: Bytes::from_static(&[1, 2, 3, 4]) }]
}

fn hash(target: u8) -> B256 {
    actions_hash(&list(target).into_iter().map(Listed::from).collect::<Vec<_>>())
}

/// A payload that answers by what is in its storage.
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

async fn set_up(maker: Maker) -> (TestChain, Process, SignalPlan) {
    let mut chain = TestChain::new().await;
    let rollup = chain.addresses().rollup;
    chain.stake(rollup, 1).await;
    chain.devchain.set_code(PAYLOAD, code(chain.addresses().governance)).unwrap();
    chain.mine();
    let vetted = VettedPayload::vet(&chain.client, PAYLOAD, None).await.unwrap();
    let plan = vetted.signal_plan();
    let mut process = Process::new(&chain, maker).await;
    process.add_sequencer(0, rollup, BlockDuty::Skip, Some(plan));
    // Until the first epoch with proposers.
    process.run_blocks(&chain, 10).await;
    assert!(!process.signaled().is_empty(), "{}", process.log());
    (chain, process, plan)
}

#[tokio::test]
async fn a_payload_that_changes_its_list_after_it_was_vetted_is_not_signaled_for() {
    for maker in Maker::ALL {
        let (chain, mut process, plan) = set_up(maker).await;
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
            answer.give(&chain);
            process.act(&chain).await;
            chain.mine();
            let before = process.entries.len();
            let signaled = process.signaled().len();
            process.run_blocks(&chain, 12).await;
            assert_eq!(process.signaled().len(), signaled, "{answer:?}: {}", process.log());
            assert_eq!(*process.status(0), Status::Signal(decision));
            let failures = process.failures_since(before);
            assert!(matches!(&failures[..], [one] if one.contains(said)), "once: {failures:?}");
            // It is signaled for again when it lists what was vetted.
            Answer::Vetted.give(&chain);
            chain.mine();
            process.run_blocks(&chain, 4).await;
            assert!(process.signaled().len() > signaled, "{answer:?}: {}", process.log());
        }
    }
}
