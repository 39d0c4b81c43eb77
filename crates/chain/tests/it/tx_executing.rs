//! Executions with the actions that the payload lists or, if it withholds them, with those voted on.

use crate::{
    test_chain::newest_view,
    tx_chain::{TxChain, burner, confirmed, failures, sent, transactions},
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, Bytes, U256, address, bytes};
use alloy_provider::Provider;
use alloy_sol_types::SolCall;
use canon_abi::{Governance, UpgradePayload};
use canon_chain::{
    Error, NoWait, Sender, calls,
    tx::{MemoryJournal, TxEvent, TxReport},
};
use canon_devchain::Mining;
use canon_protocol::{
    Action, Amount, ProposalId, Support,
    text::{Rounding, ether},
};
use canon_views::{IntendedAction, Intent, Question};
use core::slice::from_ref;

const ID: ProposalId = ProposalId::ZERO;
const PAYLOAD: Address = address!("0x00000000000000000000000000000000000000f1");
const TRACE: Address = address!("0x00000000000000000000000000000000000000f3");
const BURNER: Address = address!("0x00000000000000000000000000000000000000f2");

/// Code that returns `data` for every call.
fn answering(data: &[u8]) -> Bytes {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let copy = [&[0x61][..], &length, &bytes!("600c5f3961"), &length, &bytes!("5ff3")].concat();
    [&copy[..], data].concat().into()
}

fn lists(actions: &[Action]) -> Bytes {
    let actions = actions.iter().cloned().map(Into::into).collect();
    answering(&UpgradePayload::getActionsCall::abi_encode_returns(&actions))
}

/// A proposal that passed and is executable in the next block.
async fn executable(chain: &TxChain, actions: &[Action]) -> Intent {
    chain.devchain.set_code(PAYLOAD, lists(actions)).unwrap();
    chain.devchain.set_mining(Mining::Auto);
    let mut sender = Sender::new(chain.client.clone(), chain.key.clone());
    let (governance, holder) = (chain.set.governance, chain.account());
    let tokens = |tokens: u128| Amount::of(tokens * Amount::TOKEN.get());
    for call in [
        calls::approve(chain.set.asset, governance, tokens(10_000)),
        calls::lock(governance, holder, tokens(10_000)),
        calls::propose_with_lock(governance, PAYLOAD, holder),
    ] {
        sender.send(call, &mut NoWait).await.unwrap();
    }
    let view = newest_view(&chain.client, chain.set.registry, &Question::default()).await.unwrap();
    let deadlines = view.proposal(ID).unwrap().deadlines();
    chain.devchain.set_next_timestamp(deadlines.voting_starts().get()).unwrap();
    let vote = calls::vote(governance, ID, tokens(9_000), Support::Yea);
    sender.send(vote, &mut NoWait).await.unwrap();
    chain.devchain.set_mining(Mining::Manual);
    chain.devchain.set_next_timestamp(deadlines.queued.get()).unwrap();
    chain.mine(1);
    let frozen_actions = Some(actions.into());
    let intent = chain.intent(IntendedAction::Execute { id: ID, frozen_actions });
    Intent { until: Some(deadlines.executable), ..intent }
}

/// An action with an observable effect.
fn trace(chain: &TxChain) -> Action {
    chain.devchain.set_code(TRACE, bytes!("60015f5500")).unwrap();
    Action { target: TRACE, data: Bytes::new() }
}

async fn is_executed(chain: &TxChain) -> bool {
    let stored = chain.client.provider().get_storage_at(TRACE, U256::ZERO).await.unwrap();
    stored == U256::ONE
}

#[tokio::test]
async fn a_payload_that_withholds_its_list_is_executed_with_what_was_voted_on() {
    let chain = TxChain::new().await;
    let actions = [trace(&chain)];
    let execute = executable(&chain, &actions).await;
    let other = Action { target: TRACE, data: bytes!("00") };
    for payload in [
        // The payload works, reverts, has no code, returns an empty list, returns another list, or returns
        // garbage or 100,001 bytes.
        lists(&actions),
        bytes!("60006000fd"),
        Bytes::new(),
        lists(&[]),
        lists(&[other]),
        bytes!("60ff60005260206000f3"),
        bytes!("620186a15ff3"),
        // This payload uses up all gas.
        bytes!("5b5f56"),
    ] {
        let snapshot = chain.devchain.snapshot();
        let mut sender = chain.sender(&MemoryJournal::default());
        chain.devchain.set_code(PAYLOAD, payload.clone()).unwrap();
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&execute)).await;
        assert_eq!(sent(&reports).len(), 1, "{payload}: {reports:?}");
        let reports = chain.pursue(&mut sender, &[]).await;
        assert_eq!(confirmed(&reports), [execute.id()], "{payload}: {reports:?}");
        assert!(is_executed(&chain).await, "{payload}");
        chain.devchain.revert(snapshot).unwrap();
    }

    // Without the list, the execution isn't possible.
    chain.devchain.set_code(PAYLOAD, Bytes::new()).unwrap();
    let mut sender = chain.sender(&MemoryJournal::default());
    let action = IntendedAction::Execute { id: ID, frozen_actions: None };
    let unknown = Intent { action, ..execute.clone() };
    let reports = chain.pursue(&mut sender, &[unknown]).await;
    assert!(failures(&reports)[0].contains("Governance__UnreadableActions("), "{reports:?}");

    // If the payload changes after the check, this is noticed in the next block.
    chain.devchain.set_code(PAYLOAD, lists(&actions)).unwrap();
    chain.pursue(&mut sender, from_ref(&execute)).await;
    chain.devchain.set_code(PAYLOAD, lists(&[])).unwrap();
    chain.mine(1);
    let reports = chain.pursue_and_mine(&mut sender, from_ref(&execute)).await;
    assert_eq!((failures(&reports).len(), sent(&reports).len()), (1, 1), "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [execute.id()]);
    assert!(is_executed(&chain).await);
}

#[tokio::test]
async fn an_action_that_needs_too_much_gas_is_not_blamed() {
    let chain = TxChain::new().await;
    // The call uses 17.7 million gas.
    chain.devchain.set_code(BURNER, burner(680_000)).unwrap();
    let action = Action { target: BURNER, data: Bytes::new() };
    let execute = executable(&chain, &[action]).await;
    let mut sender = chain.sender(&MemoryJournal::default());
    let reports = chain.pursue(&mut sender, &[execute]).await;
    let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert!(matches!(error, Error::TooMuchGas { max: 16_777_216, .. }), "{error}");

    // A sender reports it too, both when sending and when simulating.
    let mut sender = Sender::new(chain.client.clone(), chain.key.clone());
    let call = calls::execute(chain.set.governance, ID);
    let next = chain.client.next_block().await.unwrap();
    let error = sender.simulate(&call, next).await.unwrap_err();
    assert!(matches!(error, Error::TooMuchGas { .. }), "{error}");
    let error = sender.send(call, &mut NoWait).await.unwrap_err();
    assert!(matches!(error, Error::TooMuchGas { .. }), "{error}");
}

/// Nodes lower the gas of a call with a gas price to the amount that its sender can pay for. The call then
/// runs out of gas or reverts.
#[tokio::test]
async fn an_account_with_too_little_ether_is_told_how_much_is_missing() {
    let chain = TxChain::new().await;
    let execute = executable(&chain, &[trace(&chain)]).await;
    for balance in [0, 100_000_000_000_000_u64] {
        let snapshot = chain.devchain.snapshot();
        let balance = U256::from(balance);
        chain.devchain.set_balance(chain.account(), balance);
        let mut sender = chain.sender(&MemoryJournal::default());
        let reports = chain.pursue(&mut sender, from_ref(&execute)).await;
        let [TxReport { event: TxEvent::Failed(error), .. }] = &reports[..] else {
            panic!("{reports:?}")
        };
        let Error::TooLittleEther { account, needed, balance: found, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((*account, *found), (chain.account(), balance));
        let missing = ether(*needed - balance, Rounding::Up);
        let missing = format!("{missing} is missing; send ether");
        assert!(error.to_string().contains(&missing), "{error}");
        // The failure is reported once.
        assert_eq!(failures(&chain.pursue(&mut sender, from_ref(&execute)).await), [""; 0]);
        // With the missing ether, the transaction is sent.
        chain.devchain.set_balance(chain.account(), *needed);
        let reports = chain.pursue(&mut sender, from_ref(&execute)).await;
        assert_eq!(sent(&reports).len(), 1, "{reports:?}");
        chain.devchain.revert(snapshot).unwrap();
    }
}

/// A payload that returns the actions voted on if the gas price is zero, as in `eth_call`, and reverts in
/// every transaction.
#[tokio::test]
async fn a_payload_that_withholds_its_list_in_transactions_only_is_executed() {
    let chain = TxChain::new().await;
    let actions = [trace(&chain)];
    let intent = executable(&chain, &actions).await;
    let list = actions.iter().cloned().map(Into::into).collect();
    let data = UpgradePayload::getActionsCall::abi_encode_returns(&list);
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let code = [
        // GASPRICE, JUMPI
        &[0x3a, 0x60, 0x10, 0x57, 0x61][..],
        &length,
        &[0x60, 0x14, 0x5f, 0x39, 0x61],
        &length,
        &[0x5f, 0xf3, 0x5b, 0x5f, 0x5f, 0xfd],
        &data,
    ]
    .concat();
    chain.devchain.set_code(PAYLOAD, Bytes::from(code)).unwrap();
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let reports = chain.pursue_and_mine(&mut sender, from_ref(&intent)).await;
    assert_eq!(sent(&reports).len(), 1, "{reports:?}");
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [intent.id()]);
}

/// A payload that withholds its actions in a mined transaction, but returns them in every call before.
#[tokio::test]
async fn an_execution_that_failed_once_is_tried_with_what_was_voted_on() {
    let chain = TxChain::new().await;
    let actions = [trace(&chain)];
    let execute = executable(&chain, &actions).await;
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    chain.pursue(&mut sender, from_ref(&execute)).await;
    chain.devchain.set_code(PAYLOAD, lists(&[])).unwrap();
    chain.mine(1);
    chain.devchain.set_code(PAYLOAD, lists(&actions)).unwrap();
    // A new process does so too.
    let mut sender = chain.sender(&journal);
    chain.pursue(&mut sender, from_ref(&execute)).await;
    let inputs = transactions(&journal);
    let selectors: Vec<_> = inputs.iter().map(|tx| &tx.input()[..4]).collect();
    let [plain, fallback] =
        [Governance::executeCall::SELECTOR, Governance::executeWithCall::SELECTOR];
    assert_eq!(selectors, [&plain[..], &fallback[..]]);
    chain.devchain.set_code(PAYLOAD, lists(&[])).unwrap();
    chain.mine(1);
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [execute.id()]);
    assert!(is_executed(&chain).await);
}
