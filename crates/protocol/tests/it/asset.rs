//! The ERC-20.

use crate::chain::{ASSET, Chain, ISSUER, SUPPLY, T, named, tokens};
use alloy_primitives::{Address, U256};
use canon_protocol::{Amount, AssetCall, AssetEvent, AssetRefusal, Event, OwnershipRefusal};

const ZERO: Address = Address::ZERO;

#[test]
fn transfers_move_what_there_is() {
    let mut chain = Chain::deployed();
    let [alice, bob] = ["alice", "bob"].map(named);
    chain.fund("alice", 5);
    let send = |to, amount| AssetCall::Transfer { to, amount };
    let nowhere = AssetRefusal::InvalidReceiver { receiver: ZERO };
    chain.refused("alice", ASSET, send(ZERO, U256::ZERO), nowhere);
    for needed in [tokens(6), U256::MAX] {
        let too_much =
            AssetRefusal::InsufficientBalance { sender: alice, balance: tokens(5), needed };
        chain.refused("alice", ASSET, send(bob, needed), too_much);
    }
    let events = chain.ok("alice", ASSET, send(alice, tokens(5)));
    let amount = Amount::of(5 * T);
    let itself = AssetEvent::Transfer { from: alice, to: alice, amount };
    assert_eq!(events, [Event::from(itself)]);
    assert_eq!(chain.set.asset().balance_of(alice), amount);
    chain.ok("alice", ASSET, send(bob, tokens(2)));
    assert_eq!(chain.set.asset().balance_of(alice), Amount::of(3 * T));
    assert_eq!(chain.set.asset().balance_of(bob), Amount::of(2 * T));
    assert_eq!(chain.set.asset().total_supply(), Amount::of(SUPPLY));
}

#[test]
fn allowances_are_used_up_unless_infinite() {
    let mut chain = Chain::deployed();
    let [alice, bob] = ["alice", "bob"].map(named);
    chain.fund("alice", 10);
    let approve = |spender, amount| AssetCall::Approve { spender, amount };
    let nobody = AssetRefusal::InvalidSpender { spender: ZERO };
    chain.refused("alice", ASSET, approve(ZERO, U256::ZERO), nobody);
    let take = |from, amount| AssetCall::TransferFrom { from, to: bob, amount };

    chain.ok("alice", ASSET, approve(bob, tokens(3)));
    let events = chain.ok("bob", ASSET, take(alice, tokens(2)));
    let left = AssetEvent::Approval { owner: alice, spender: bob, amount: tokens(1) };
    let moved = AssetEvent::Transfer { from: alice, to: bob, amount: Amount::of(2 * T) };
    assert_eq!(events, [left, moved].map(Event::from));
    let (spender, allowance, needed) = (bob, tokens(1), tokens(2));
    let missing = AssetRefusal::InsufficientAllowance { spender, allowance, needed };
    chain.refused("bob", ASSET, take(alice, tokens(2)), missing);

    chain.ok("alice", ASSET, approve(bob, U256::MAX));
    assert_eq!(chain.ok("bob", ASSET, take(alice, tokens(2))).len(), 1);
    assert_eq!(chain.set.asset().allowance(alice, bob), U256::MAX);
    // A transfer of 0 needs neither a balance nor an allowance.
    chain.ok("bob", ASSET, take(ZERO, U256::ZERO));
    assert_eq!(chain.set.asset().total_supply(), Amount::of(SUPPLY));
}

#[test]
fn only_the_issuer_mints() {
    let mut chain = Chain::deployed();
    let mint = AssetCall::Mint { to: named("x"), amount: tokens(1) };
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: named("deployer") };
    chain.refused("deployer", ASSET, mint.clone(), unauthorized);
    assert!(chain.send(ISSUER, ASSET, mint).is_ok());
}
