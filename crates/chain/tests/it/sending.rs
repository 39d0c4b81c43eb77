//! Sending transactions, with checks before and after.

use crate::test_chain::{chain, deployed, manual};
use alloy_primitives::{Address, Bytes, address, bytes};
use canon_abi::{Asset, Contract, Governance, Registry, RevertKind};
use canon_chain::{Checks, ContractCall, Error, NoWait, Rejection, Waited, calls};
use canon_devchain::Mining;
use canon_protocol::{Amount, ProposalId, Support};

const NOBODY: Address = address!("0x00000000000000000000000000000000000000aa");
const BLIND: Checks = Checks::AtReceipt { gas_limit: 300_000 };

#[tokio::test]
async fn what_is_refused_is_not_sent() {
    let (chain, set) = deployed().await;
    let vote =
        calls::vote(set.deployment.governance, ProposalId::ZERO, Amount::TOKEN, Support::Yea);
    let error = chain.send(1, vote).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "vote(uint256,uint256,bool) was refused: \
         Governance__UnknownProposal(id: 0, count: 0); check the number: the first is 0"
    );
    assert!(!error.is_temporary());
    assert_eq!(chain.devchain.nonce(chain.accounts[1].address()), 0);
}

#[tokio::test]
async fn what_reverts_in_its_block_says_why() {
    let (chain, set) = deployed().await;
    let governance = set.deployment.governance;
    let next = chain.client.next_block().await.unwrap();
    let mut sender = chain.sender(1);
    let call = calls::withdraw(governance, NOBODY, Amount::TOKEN);
    let pending = sender.submit(call, BLIND, next).await.unwrap();
    let error = chain.client.confirm(&pending).await.unwrap_err();
    let Error::Reverted { hash, ref revert, .. } = error else { panic!("{error}") };
    assert_eq!(hash, pending.hash());
    let expected = Governance::Governance__InsufficientPower {
        holder: sender.address(),
        available: Default::default(),
        needed: Amount::TOKEN.to_word(),
    };
    assert_eq!(revert.decoded(), Some(expected));
}

#[tokio::test]
async fn too_little_gas_is_told_as_such() {
    let (chain, set) = deployed().await;
    let next = chain.client.next_block().await.unwrap();
    let call = calls::approve(set.deployment.asset, NOBODY, Amount::TOKEN);
    let checks = Checks::AtReceipt { gas_limit: 30_000 };
    let pending = chain.sender(0).submit(call, checks, next).await.unwrap();
    let error = chain.client.confirm(&pending).await.unwrap_err();
    assert!(matches!(error, Error::OutOfGas { limit: 30_000, .. }), "{error}");
}

#[tokio::test]
async fn an_address_without_code_is_no_contract() {
    let chain = chain().await;
    for code in [Bytes::new(), bytes!("ef0100000000000000000000000000000000000000000b")] {
        if !code.is_empty() {
            chain.devchain.set_code(NOBODY, code).unwrap();
        }
        let error = chain.send(0, calls::setup_epoch(NOBODY)).await.unwrap_err();
        assert!(matches!(error, Error::NoCode { address: NOBODY, .. }), "{error}");
    }
    // Sent without checks it succeeds on the chain, but the error is reported nevertheless.
    let next = chain.client.next_block().await.unwrap();
    let call = calls::signal(NOBODY, NOBODY);
    let pending = chain.sender(0).submit(call, BLIND, next).await.unwrap();
    let error = chain.client.confirm(&pending).await.unwrap_err();
    let Error::EventMissing { event, .. } = error else { panic!("{error}") };
    assert_eq!(event, "VoteCast(address,uint256,address)");
}

#[tokio::test]
async fn an_answer_that_does_not_decode_is_no_answer() {
    let chain = chain().await;
    // The contract returns a single byte.
    chain.devchain.set_code(NOBODY, bytes!("600160005360016000f3")).unwrap();
    let error = chain.send(0, calls::approve(NOBODY, NOBODY, Amount::TOKEN)).await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { address: NOBODY, .. }), "{error}");
    let at = alloy_eips::BlockId::latest();
    let error = chain.client.read(at, NOBODY, Asset::totalSupplyCall {}).await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { address: NOBODY, .. }), "{error}");
}

#[tokio::test]
async fn a_revert_without_data_has_a_hint() {
    let chain = chain().await;
    chain.devchain.set_code(NOBODY, bytes!("60006000fd")).unwrap();
    let error = chain.send(0, calls::setup_epoch(NOBODY)).await.unwrap_err();
    assert_eq!(*error.as_revert().unwrap().kind(), RevertKind::Empty);
    assert!(error.to_string().contains("check that the address has code"), "{error}");
}

#[tokio::test]
async fn many_are_in_flight_and_confirmed() {
    let (chain, set) = deployed().await;
    chain.devchain.set_mining(Mining::Manual);
    let next = chain.client.next_block().await.unwrap();
    let mut sender = chain.sender(0);
    let mut pending = Vec::new();
    for n in 1..=100 {
        let call = calls::transfer(set.deployment.asset, NOBODY, Amount::of(n));
        pending.push(sender.submit(call, BLIND, next).await.unwrap());
    }
    assert!(pending.iter().zip(13..).all(|(pending, nonce)| pending.nonce() == nonce));
    assert!(chain.client.confirm(&pending[0]).await.unwrap().is_none());
    chain.devchain.mine().unwrap();
    for pending in &pending {
        let confirmed = chain.client.confirm(pending).await.unwrap().unwrap();
        let event: Asset::Transfer = confirmed.event(set.deployment.asset).unwrap();
        assert_eq!(event.to, NOBODY);
        assert_eq!(confirmed.event::<Asset::Transfer>(NOBODY), None);
        assert_eq!(confirmed.block.get(), chain.devchain.block_number());
    }
}

#[tokio::test]
async fn waiting_is_up_to_the_caller() {
    let chain = manual().await;
    let registry = Registry::constructorCall { initialOwner: NOBODY };
    let call = || ContractCall::create(Contract::Registry, &registry);
    let mut sender = chain.sender(0);
    let error = sender.send(call(), &mut NoWait).await.unwrap_err();
    assert!(matches!(error, Error::NotMined { .. }) && error.is_temporary(), "{error}");

    let chain = chain.devchain.clone();
    let mut wait = |tries: u32| {
        chain.mine().unwrap();
        core::future::ready(if tries < 3 { Waited::Again } else { Waited::GiveUp })
    };
    let confirmed = sender.send(call(), &mut wait).await.unwrap();
    assert!(confirmed.created.is_some());
    assert_eq!(chain.nonce(sender.address()), 2);
}

#[tokio::test]
async fn a_nonce_that_is_used_elsewhere_is_found_again() {
    let (chain, set) = deployed().await;
    let mut one = chain.sender(0);
    let mut other = chain.sender(0);
    let asset = set.deployment.asset;
    let call = || calls::transfer(asset, NOBODY, Amount::TOKEN);
    one.send(call(), &mut NoWait).await.unwrap();
    other.send(call(), &mut NoWait).await.unwrap();
    let error = one.send(call(), &mut NoWait).await.unwrap_err();
    assert_eq!(error.rejection(), Some(Rejection::NonceTooLow), "{error}");
    assert!(error.is_temporary());
    one.send(call(), &mut NoWait).await.unwrap();
}
