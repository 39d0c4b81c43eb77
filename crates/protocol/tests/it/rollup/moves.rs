//! Moves of stakes to another rollup.

use super::{NEXT, attester, deposit, finalize, finalize_move, rollup, start_move, withdraw};
use crate::chain::{
    ASSET, Chain, EXIT_DELAY, GOVERNANCE, REGISTRY, ROLLUP, STAKE, action, contract, named, word,
};
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{
    Action, Amount, AssetCall, AssetEvent, AssetRefusal, AttesterStatus, CommonRefusal, Event,
    Reaction, RegistryCall, RollupCall, RollupEvent, RollupRefusal, Seconds, StakeMove,
};

/// A set with a second rollup, which is canonical from now on.
pub(super) fn upgraded() -> Chain {
    let mut chain = Chain::staked(2);
    chain.deploy_rollup(NEXT);
    chain.ok("withdrawer 0", ROLLUP, start_move(0, NEXT));
    let upgrade = RegistryCall::Upgrade { rollup: NEXT };
    chain.send(GOVERNANCE, REGISTRY, upgrade).unwrap();
    chain
}

#[test]
fn a_move_keeps_the_seat_until_it_is_done() {
    let mut chain = Chain::staked(2);
    let start = chain.now();
    chain.deploy_rollup(NEXT);
    let caller = named("anyone");
    let withdrawer = named("withdrawer 0");
    let not_withdrawer = RollupRefusal::NotWithdrawer { caller, withdrawer };
    chain.refused("anyone", ROLLUP, start_move(0, NEXT), not_withdrawer);
    let zero = CommonRefusal::ZeroAddress;
    chain.refused("withdrawer 0", ROLLUP, start_move(0, Address::ZERO), zero);
    chain.refused("withdrawer 0", ROLLUP, start_move(0, ROLLUP), RollupRefusal::MoveToSelf);
    let no_move = RollupRefusal::NoMove { attester: attester(0) };
    chain.refused("anyone", ROLLUP, finalize_move(0), no_move);

    chain.ok("withdrawer 0", ROLLUP, start_move(0, contract(5)));
    chain.wait(10);
    chain.ok("withdrawer 0", ROLLUP, start_move(0, NEXT));
    let ready_at = start + Seconds::of(EXIT_DELAY);
    let member = rollup(&chain).member(attester(0)).unwrap();
    assert_eq!(
        member.moving(),
        Some(StakeMove { new_rollup: NEXT, ready_at }),
        "the clock runs on"
    );
    assert_eq!(rollup(&chain).set_size_now(), 2);

    chain.jump(start + Seconds::of(EXIT_DELAY - 1));
    let (timestamp, when) = (chain.now().to_word(), ready_at.to_word());
    let not_ready = RollupRefusal::MoveNotReady { timestamp, ready_at: when };
    chain.refused("anyone", ROLLUP, finalize_move(0), not_ready);
    chain.wait(1);
    let elsewhere = RollupRefusal::MoveNotToCanonical { new_rollup: NEXT, canonical: ROLLUP };
    chain.refused("anyone", ROLLUP, finalize_move(0), elsewhere);
    chain.send(GOVERNANCE, REGISTRY, RegistryCall::Upgrade { rollup: NEXT }).unwrap();

    let events = chain.ok("anyone", ROLLUP, finalize_move(0));
    let amount = Amount::of(STAKE);
    let word = amount.to_word();
    assert_eq!(
        events,
        [
            RollupEvent::MoveFinalised {
                attester: attester(0),
                new_rollup: NEXT,
                new_attester: attester(0),
                amount,
            }
            .into(),
            AssetEvent::Approval { owner: ROLLUP, spender: NEXT, amount: word }.into(),
            RollupEvent::Deposit {
                attester: attester(0),
                proposer: named("proposer 0"),
                withdrawer,
                amount,
            }
            .into(),
            AssetEvent::Approval { owner: ROLLUP, spender: NEXT, amount: U256::ZERO }.into(),
            Event::from(AssetEvent::Transfer { from: ROLLUP, to: NEXT, amount }),
        ]
    );
    assert_eq!(rollup(&chain).set_size_now(), 1);
    let member = chain.set.rollup(NEXT).unwrap().member(attester(0)).unwrap();
    assert_eq!((member.stake(), member.status()), (amount, AttesterStatus::Validating));
}

#[test]
fn leaving_ends_a_move() {
    let mut chain = upgraded();
    chain.wait(EXIT_DELAY);
    chain.ok("withdrawer 0", ROLLUP, withdraw(0));
    let exit = rollup(&chain).member(attester(0)).unwrap().exit().unwrap();
    assert_eq!(exit.exitable_at, chain.now() + Seconds::of(EXIT_DELAY));
    let status = AttesterStatus::Exiting;
    let over = RollupRefusal::NotValidating { attester: attester(0), status };
    chain.refused("anyone", ROLLUP, finalize_move(0), over);
}

#[test]
fn a_move_fails_if_the_attester_is_there_already() {
    let mut chain = upgraded();
    chain.stake(NEXT, 0);
    chain.wait(EXIT_DELAY);
    let registered = RollupRefusal::AlreadyRegistered { attester: attester(0) };
    chain.refused("anyone", ROLLUP, finalize_move(0), registered.clone());

    // An earlier registration of the attester there doesn't prevent the move: the withdrawer moves under
    // another one.
    let finalize_as =
        |new_attester| RollupCall::FinaliseMoveAs { attester: attester(0), new_attester };
    let (caller, withdrawer) = (named("anyone"), named("withdrawer 0"));
    let not_withdrawer = RollupRefusal::NotWithdrawer { caller, withdrawer };
    chain.refused("anyone", ROLLUP, finalize_as(Address::ZERO), not_withdrawer);
    let zero = CommonRefusal::ZeroAddress;
    chain.refused("withdrawer 0", ROLLUP, finalize_as(Address::ZERO), zero);
    chain.refused("withdrawer 0", ROLLUP, finalize_as(attester(0)), registered);
    let new_attester = named("another attester");
    let events = chain.ok("withdrawer 0", ROLLUP, finalize_as(new_attester));
    let amount = Amount::of(STAKE);
    let moved = RollupEvent::MoveFinalised {
        attester: attester(0),
        new_rollup: NEXT,
        new_attester,
        amount,
    };
    let joined = RollupEvent::Deposit {
        attester: new_attester,
        proposer: named("proposer 0"),
        withdrawer,
        amount,
    };
    assert!(events.contains(&moved.into()) && events.contains(&joined.into()), "{events:?}");
    assert_eq!(rollup(&chain).member(attester(0)), None);
    assert_eq!(rollup(&chain).member(new_attester), None);
}

#[test]
fn a_move_under_the_same_attester_may_be_finalized_by_its_withdrawer() {
    let mut chain = upgraded();
    let new_attester = attester(0);
    let finalize_as = RollupCall::FinaliseMoveAs { attester: new_attester, new_attester };
    let ready_at = rollup(&chain).member(new_attester).unwrap().moving().unwrap().ready_at;
    let (timestamp, when) = (chain.now().to_word(), ready_at.to_word());
    let not_ready = RollupRefusal::MoveNotReady { timestamp, ready_at: when };
    chain.refused("withdrawer 0", ROLLUP, finalize_as.clone(), not_ready);
    // The new attester is checked before.
    let nobody = RollupCall::FinaliseMoveAs { attester: attester(0), new_attester: Address::ZERO };
    chain.refused("withdrawer 0", ROLLUP, nobody, CommonRefusal::ZeroAddress);
    chain.jump(ready_at);
    chain.ok("withdrawer 0", ROLLUP, finalize_as);
    assert!(chain.set.rollup(NEXT).unwrap().member(new_attester).is_some());
}

/// A set whose canonical rollup is a foreign contract that makes these calls when it gets a deposit. The
/// move to it is ready.
fn moving_to_foreign(calls: Vec<Action>) -> Chain {
    let mut chain = Chain::staked(2);
    chain.foreign.deploy(NEXT);
    chain.foreign.answer(NEXT, "getCurrentSlot()", U256::ZERO);
    chain.foreign.answer(NEXT, "getCurrentProposer()", word(named("x")));
    chain.foreign.reactions.insert(NEXT, Reaction::Calls(calls));
    chain.send(GOVERNANCE, REGISTRY, RegistryCall::Upgrade { rollup: NEXT }).unwrap();
    chain.ok("withdrawer 0", ROLLUP, start_move(0, NEXT));
    chain.wait(EXIT_DELAY);
    chain
}

fn take(amount: u128) -> Action {
    let amount = U256::from(amount);
    action(ASSET, AssetCall::TransferFrom { from: ROLLUP, to: NEXT, amount })
}

#[test]
fn exactly_the_stake_moves_to_whatever_rollup() {
    let mut chain = moving_to_foreign(vec![take(STAKE)]);
    chain.ok("anyone", ROLLUP, finalize_move(0));
    assert_eq!(chain.set.asset().balance_of(NEXT), Amount::of(STAKE));
    assert_eq!(chain.set.asset().allowance(ROLLUP, NEXT), U256::ZERO);
    assert_eq!(rollup(&chain).member(attester(0)), None);

    let stake = U256::from(STAKE);
    let not_moved = |taken| RollupRefusal::StakeNotMoved { stake, taken };
    let mut chain = moving_to_foreign(Vec::new());
    chain.refused("anyone", ROLLUP, finalize_move(0), not_moved(U256::ZERO));
    let mut chain = moving_to_foreign(vec![take(STAKE - 1)]);
    chain.refused("anyone", ROLLUP, finalize_move(0), not_moved(stake - U256::from(1)));
    let mut chain = moving_to_foreign(vec![take(STAKE), take(1)]);
    let (allowance, needed) = (U256::ZERO, U256::from(1));
    let more = AssetRefusal::InsufficientAllowance { spender: NEXT, allowance, needed };
    chain.refused("anyone", ROLLUP, finalize_move(0), more);
}

#[test]
fn a_foreign_rollup_cannot_call_back_in_the_middle() {
    for call in [
        deposit(5),
        finalize(1),
        finalize_move(1),
        RollupCall::ProposeBlock { block_hash: B256::ZERO },
    ] {
        let mut chain = moving_to_foreign(vec![action(ROLLUP, call), take(STAKE)]);
        chain.refused("anyone", ROLLUP, finalize_move(0), CommonRefusal::ReentrantCall);
    }
    // A harmless call in between is allowed.
    let mut chain = moving_to_foreign(vec![action(ROLLUP, RollupCall::SetupEpoch), take(STAKE)]);
    chain.ok("anyone", ROLLUP, finalize_move(0));
}
