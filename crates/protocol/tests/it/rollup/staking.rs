//! Deposits, slashes and exits.

use super::{
    NEXT, as_owner, attester, deposit, finalize, finalize_move, rollup, slash, start_move, withdraw,
};
use crate::chain::{ASSET, Chain, EPOCH_SECONDS, EXIT_DELAY, ROLLUP, STAKE, T, named, tokens};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Amount, AssetCall, AssetEvent, AssetRefusal, AttesterStatus, CommonRefusal, Event,
    OwnershipRefusal, Refusal, RollupCall, RollupEvent, RollupRefusal, Seconds, StakeExit,
    Timestamp,
};

#[test]
fn deposits_need_keys_a_stake_and_a_new_attester() {
    let mut chain = Chain::staked(1);
    chain.fund("alice", 1000);
    chain.ok("alice", ASSET, AssetCall::Approve { spender: ROLLUP, amount: tokens(100) });
    let [a, p, w] = [attester(1), named("p"), named("w")];
    let call = |attester, proposer, withdrawer, amount| RollupCall::Deposit {
        attester,
        proposer,
        withdrawer,
        amount,
    };
    let stake = U256::from(STAKE);
    let zero = Address::ZERO;
    for keys in [[zero, p, w], [a, zero, w], [a, p, zero]] {
        let [a, p, w] = keys;
        chain.refused("alice", ROLLUP, call(a, p, w, stake), CommonRefusal::ZeroAddress);
    }
    let registered = RollupRefusal::AlreadyRegistered { attester: attester(0) };
    chain.refused("alice", ROLLUP, call(attester(0), p, w, stake), registered);
    let max = Amount::MAX.to_word();
    let value = max + U256::from(1);
    let too_large = CommonRefusal::ValueTooLarge { value, max };
    chain.refused("alice", ROLLUP, call(a, p, w, value), too_large);
    let amount = stake - U256::from(1);
    let too_low = RollupRefusal::StakeTooLow { amount, minimum_stake: stake };
    chain.refused("alice", ROLLUP, call(a, p, w, amount), too_low);
    let (allowance, needed) = (tokens(100), tokens(101));
    let missing = AssetRefusal::InsufficientAllowance { spender: ROLLUP, allowance, needed };
    chain.refused("alice", ROLLUP, call(a, p, w, tokens(101)), missing);

    let events = chain.ok("alice", ROLLUP, call(a, p, w, stake));
    let amount = Amount::of(STAKE);
    let joined = RollupEvent::Deposit { attester: a, proposer: p, withdrawer: w, amount };
    let alice = named("alice");
    assert_eq!(
        events,
        [
            joined.into(),
            AssetEvent::Approval { owner: alice, spender: ROLLUP, amount: U256::ZERO }.into(),
            Event::from(AssetEvent::Transfer { from: alice, to: ROLLUP, amount }),
        ]
    );
    let member = rollup(&chain).member(a).unwrap();
    assert_eq!((member.stake(), member.status()), (amount, AttesterStatus::Validating));
    assert_eq!((member.proposer(), member.withdrawer(), member.coinbase()), (p, w, p));
}

#[test]
fn leaving_takes_the_exit_delay_and_the_whole_stake() {
    let mut chain = Chain::staked(2);
    let start = chain.now();
    let caller = named("anyone");
    let not_withdrawer = |withdrawer| RollupRefusal::NotWithdrawer { caller, withdrawer };
    let withdrawer = named("withdrawer 0");
    chain.refused("anyone", ROLLUP, withdraw(0), not_withdrawer(withdrawer));
    chain.refused("anyone", ROLLUP, withdraw(7), not_withdrawer(Address::ZERO));
    let nobody = RollupCall::InitiateWithdraw { attester: attester(0), recipient: Address::ZERO };
    chain.refused("withdrawer 0", ROLLUP, nobody, CommonRefusal::ZeroAddress);
    let not_exiting =
        RollupRefusal::NotExiting { attester: attester(0), status: AttesterStatus::Validating };
    chain.refused("anyone", ROLLUP, finalize(0), not_exiting);

    chain.ok("withdrawer 0", ROLLUP, withdraw(0));
    let exitable_at = start + Seconds::of(EXIT_DELAY);
    let member = rollup(&chain).member(attester(0)).unwrap();
    assert_eq!(member.exit(), Some(StakeExit { recipient: named("recipient"), exitable_at }));
    assert_eq!(rollup(&chain).set_size_now(), 1);
    let exiting = RollupRefusal::AlreadyExiting { attester: attester(0) };
    chain.refused("withdrawer 0", ROLLUP, withdraw(0), exiting);
    assert_eq!(AttesterStatus::Exiting.to_string(), "Exiting");
    let status = AttesterStatus::Exiting;
    let not_validating = RollupRefusal::NotValidating { attester: attester(0), status };
    chain.refused("withdrawer 0", ROLLUP, start_move(0, NEXT), not_validating.clone());
    chain.refused("anyone", ROLLUP, finalize_move(0), not_validating);

    chain.jump(start + Seconds::of(EXIT_DELAY - 1));
    let (timestamp, when) = (chain.now().to_word(), exitable_at.to_word());
    let not_ready = RollupRefusal::ExitNotReady { timestamp, exitable_at: when };
    chain.refused("anyone", ROLLUP, finalize(0), not_ready);
    chain.wait(1);
    chain.ok("anyone", ROLLUP, finalize(0));
    assert_eq!(chain.set.asset().balance_of(named("recipient")), Amount::of(STAKE));
    assert_eq!(rollup(&chain).member(attester(0)), None);
    let gone = RollupRefusal::NotRegistered { attester: attester(0) };
    chain.refused("anyone", ROLLUP, finalize(0), gone);
    // The attester may register again.
    chain.stake(ROLLUP, 0);
    assert_eq!(rollup(&chain).registrations().len(), 3);
}

#[test]
fn slashing_reaches_the_stake_while_it_is_here() {
    let mut chain = Chain::staked(2);
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: named("anyone") };
    chain.refused("anyone", ROLLUP, slash(0, 1), unauthorized);
    let unknown = RollupRefusal::NotRegistered { attester: attester(7) };
    assert_eq!(as_owner(&mut chain, slash(7, 1)), Err(unknown.into()));
    let nothing = || Refusal::from(RollupRefusal::NothingToSlash { attester: attester(0) });
    assert_eq!(as_owner(&mut chain, slash(0, 0)), Err(nothing()));

    chain.ok("withdrawer 0", ROLLUP, start_move(0, NEXT));
    as_owner(&mut chain, slash(0, 1)).unwrap();
    let member = rollup(&chain).member(attester(0)).unwrap();
    assert_eq!(member.status(), AttesterStatus::Living, "below the minimum it leaves the set");
    assert_eq!(member.moving(), None, "and moves no more");
    assert_eq!(rollup(&chain).set_size_now(), 1);
    chain.ok("withdrawer 0", ROLLUP, withdraw(0));
    chain.wait(2 * EXIT_DELAY);
    let events = as_owner(&mut chain, slash(0, 1000)).unwrap();
    let amount = Amount::of(STAKE - T);
    let slashed = RollupEvent::Slashed { attester: attester(0), amount };
    assert_eq!(events.last(), Some(&Event::from(slashed)), "also after the delay");
    assert_eq!(as_owner(&mut chain, slash(0, 1)), Err(nothing()));
    chain.ok("anyone", ROLLUP, finalize(0));
    assert_eq!(chain.set.asset().balance_of(ROLLUP), Amount::of(2 * STAKE));
}

#[test]
fn slashing_down_to_the_minimum_leaves_the_seat() {
    let mut chain = Chain::deployed();
    chain.fund("withdrawer 0", 200);
    chain.ok("withdrawer 0", ASSET, AssetCall::Approve { spender: ROLLUP, amount: U256::MAX });
    let RollupCall::Deposit { attester, proposer, withdrawer, .. } = deposit(0) else { panic!() };
    let amount = tokens(150);
    chain.ok(
        "withdrawer 0",
        ROLLUP,
        RollupCall::Deposit { attester, proposer, withdrawer, amount },
    );
    as_owner(&mut chain, slash(0, 50)).unwrap();
    assert_eq!(rollup(&chain).member(attester).unwrap().status(), AttesterStatus::Validating);
    as_owner(&mut chain, slash(0, 1)).unwrap();
    assert_eq!(rollup(&chain).member(attester).unwrap().status(), AttesterStatus::Living);
}

#[test]
fn a_seat_keeps_the_keys_with_which_it_was_taken() {
    let mut chain = Chain::staked(1);
    // The only member leaves and joins again with other keys, which doesn't change the closed sets.
    let before = *rollup(&chain).member_at(chain.now(), chain.now()).unwrap().unwrap();
    chain.ok("withdrawer 0", ROLLUP, withdraw(0));
    let epoch = rollup(&chain).clock().epoch_at(chain.now()).unwrap();
    for later in [epoch, epoch.next()] {
        let member = rollup(&chain).member_of(later, 0, chain.now()).unwrap();
        assert_eq!(member.proposer(), before.proposer());
    }
    chain.wait(2 * EPOCH_SECONDS);
    assert_eq!(rollup(&chain).member_at(chain.now(), chain.now()), Ok(None));
}

#[test]
fn no_stake_is_withheld_beyond_the_last_timestamp() {
    let mut chain = Chain::staked(1);
    let last = Timestamp::MAX.get() - EXIT_DELAY;
    chain.jump(Timestamp::of(last));
    chain.ok("withdrawer 0", ROLLUP, start_move(0, NEXT));
    let mut later = Chain::staked(1);
    later.jump(Timestamp::of(last + 1));
    let max = Timestamp::MAX.to_word();
    let too_large = CommonRefusal::ValueTooLarge { value: max + U256::from(1), max };
    for call in [withdraw(0), start_move(0, NEXT)] {
        later.refused("withdrawer 0", ROLLUP, call, too_large.clone());
    }
}
