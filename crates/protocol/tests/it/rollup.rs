//! Staking, slots, moves, blocks.

use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, EPOCH, EPOCH_SECONDS, EXIT_DELAY, GOVERNANCE, PROPOSALS, REGISTRY,
    ROLLUP, SLOT, STAKE, T, action, contract, named, tokens, word,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_protocol::{
    Action, Amount, AssetCall, AssetEvent, AssetRefusal, AttesterStatus, Call, CommonRefusal,
    DistributorEvent, Epoch, Event, Finality, OwnershipCall, OwnershipRefusal, ProposalsCall,
    ProposalsRefusal, Reaction, Refusal, RegistryCall, Rollup, RollupBlock, RollupCall,
    RollupEvent, RollupRefusal, Seconds, Slot, StakeExit, StakeMove, Timestamp,
};

const NEXT: Address = Address::with_last_byte(0xc1);

fn rollup(chain: &Chain) -> &Rollup {
    chain.set.rollup(ROLLUP).unwrap()
}

fn attester(number: usize) -> Address {
    named(&format!("attester {number}"))
}

fn deposit(number: usize) -> RollupCall {
    RollupCall::Deposit {
        attester: attester(number),
        proposer: named(&format!("proposer {number}")),
        withdrawer: named(&format!("withdrawer {number}")),
        amount: U256::from(STAKE),
    }
}

fn withdraw(number: usize) -> RollupCall {
    RollupCall::InitiateWithdraw { attester: attester(number), recipient: named("recipient") }
}

fn finalize(number: usize) -> RollupCall {
    RollupCall::FinaliseWithdraw { attester: attester(number) }
}

fn start_move(number: usize, new_rollup: Address) -> RollupCall {
    RollupCall::InitiateMove { attester: attester(number), new_rollup }
}

fn finalize_move(number: usize) -> RollupCall {
    RollupCall::FinaliseMove { attester: attester(number) }
}

fn slash(number: usize, amount: u128) -> RollupCall {
    RollupCall::Slash { attester: attester(number), amount: tokens(amount) }
}

/// Makes a call as the owner, without a proposal.
fn as_owner(chain: &mut Chain, call: RollupCall) -> Result<Vec<Event>, Refusal> {
    chain.send(GOVERNANCE, ROLLUP, call)
}

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

/// A set with a staker in the first second of epoch 2, in which seeds are recorded only by the test.
fn unkept() -> Chain {
    let mut chain = Chain::staked(1);
    chain.is_kept = false;
    chain
}

#[test]
fn the_first_call_after_an_epochs_first_slot_records_the_next_ones_seed() {
    let chain = unkept();
    let start = chain.now();
    let (next, finality) = (Epoch::of(3), |chain: &Chain, epoch| {
        rollup(chain).finality(Epoch::of(epoch), chain.now())
    });
    for (later, recorded) in [
        (0, false),
        (SLOT - 1, false),
        (SLOT, true),
        (EPOCH_SECONDS - 1, true),
        // The first slot of epoch 3.
        (EPOCH_SECONDS, false),
    ] {
        let mut chain = chain.clone();
        chain.jump(start + Seconds::of(later));
        let seed = chain.prevrandao();
        let events = chain.ok("anyone", ROLLUP, RollupCall::SetupEpoch);
        let event = Event::from(RollupEvent::SeedRecorded { epoch: next, seed });
        assert_eq!(events, Vec::from_iter(recorded.then_some(event)), "{later} s later");
        let found = rollup(&chain).seed(next, chain.now());
        assert_eq!(found, Ok(recorded.then_some(seed)), "{later} s later");
        if recorded {
            assert_eq!(finality(&chain, 3), Ok(Finality::Final));
            chain.block.number = chain.block.number.next();
            assert_eq!(chain.ok("anyone", ROLLUP, RollupCall::SetupEpoch), [], "once");
            assert_eq!(rollup(&chain).seed(next, chain.now()), Ok(Some(seed)));
        }
    }
    assert_eq!(
        (finality(&chain, 2), finality(&chain, 3)),
        (Ok(Finality::Final), Ok(Finality::Open))
    );
}

#[test]
fn the_next_seed_is_that_of_the_first_call_that_can_record_one() {
    let mut chain = unkept();
    // The first second of epoch 2.
    let start = chain.now();
    let next_seed = |chain: &Chain, later| {
        let (epoch, time) = rollup(chain).next_seed(start + Seconds::of(later)).unwrap();
        (epoch, time.since(start).unwrap().get())
    };
    for (later, epoch, from) in [
        (0, 3, SLOT),
        (SLOT - 1, 3, SLOT),
        (SLOT, 3, SLOT),
        (SLOT + 1, 3, SLOT + 1),
        (EPOCH_SECONDS - 1, 3, EPOCH_SECONDS - 1),
        // There was no call in epoch 2, so the seed of epoch 3 is never recorded.
        (EPOCH_SECONDS, 4, EPOCH_SECONDS + SLOT),
    ] {
        assert_eq!(next_seed(&chain, later), (Epoch::of(epoch), from), "{later} s later");
    }
    chain.jump(start + Seconds::of(SLOT));
    chain.ok("anyone", ROLLUP, RollupCall::SetupEpoch);
    // It is recorded. The next seed can be recorded from the second slot of the next epoch on.
    for later in [SLOT, EPOCH_SECONDS - 1, EPOCH_SECONDS, EPOCH_SECONDS + SLOT] {
        let expected = (Epoch::of(4), EPOCH_SECONDS + SLOT);
        assert_eq!(next_seed(&chain, later), expected, "{later} s later");
    }
    let genesis = rollup(&chain).clock().genesis;
    let before = Timestamp::new(genesis.get() - 1).unwrap();
    assert_eq!(rollup(&chain).next_seed(before), None);
}

#[test]
fn every_call_that_changes_the_rollup_records_the_seed() {
    let mut chain = unkept();
    chain.wait(SLOT);
    let proposer = chain.proposer();
    let new_owner = named("new owner");
    for (caller, call) in [
        (named("withdrawer 0"), Call::from(withdraw(0))),
        (named("withdrawer 0"), start_move(0, NEXT).into()),
        (
            named("withdrawer 0"),
            RollupCall::SetCoinbase { attester: attester(0), coinbase: NEXT }.into(),
        ),
        (GOVERNANCE, slash(0, 1).into()),
        (proposer, block(1).into()),
        (GOVERNANCE, OwnershipCall::TransferOwnership { new_owner }.into()),
    ] {
        let events = chain.clone().send(caller, ROLLUP, call.clone()).unwrap();
        let recorded = RollupEvent::SeedRecorded { epoch: Epoch::of(3), seed: chain.prevrandao() };
        assert_eq!(events[0], Event::from(recorded), "{call:?}");
        assert!(events.len() > 1, "{call:?}");
    }
}

#[test]
fn an_epoch_without_a_seed_has_no_proposers_and_the_one_after_it_may() {
    let mut chain = unkept();
    // There is no call in epoch 2.
    chain.wait(EPOCH_SECONDS);
    let (silent, now) = (Epoch::of(3), chain.now());
    assert_eq!(rollup(&chain).seed(silent, now), Ok(None));
    assert_eq!(rollup(&chain).set_size(silent, now), Ok(1), "the set doesn't depend on the seed");
    assert!(rollup(&chain).member_of(silent, 0, now).is_ok());
    let payload = contract(1);
    chain.foreign.deploy(payload);
    for number in 0..EPOCH {
        let now = chain.now();
        assert_eq!(rollup(&chain).member_at(now, now), Ok(None), "slot {number} of the epoch");
        let (caller, proposer) = (named("proposer 0"), Address::ZERO);
        let nobody = RollupRefusal::NotProposer { caller, proposer };
        chain.refused("proposer 0", ROLLUP, block(1), nobody);
        let slot = chain.slot().to_word();
        let vote = ProposalsCall::Vote { payload };
        chain.refused("proposer 0", PROPOSALS, vote, ProposalsRefusal::NoProposer { slot });
        // One call records a seed for the next epoch, and changes nothing in this one.
        chain.ok("anyone", ROLLUP, RollupCall::SetupEpoch);
        chain.wait(SLOT);
    }
    chain.ok("proposer 0", ROLLUP, block(1));
}

#[test]
fn draws_are_known_for_the_present_and_the_next_epoch() {
    let chain = Chain::staked(3);
    let (now, this) = (chain.now(), rollup(&chain));
    let current = this.clock().epoch_at(now).unwrap();
    let genesis = this.clock().genesis;
    for (epoch, known) in [(0, false), (1, false), (2, true), (3, true), (4, false)] {
        let number = Epoch::of(epoch);
        let (epoch, current_epoch) = (number.to_word(), current.to_word());
        let unknown = RollupRefusal::EpochOutOfRange { epoch, current_epoch };
        let expected = |known_value| if known { Ok(known_value) } else { Err(unknown.clone()) };
        assert_eq!(this.set_size(number, now), expected(3));
        assert_eq!(this.seed(number, now).map(|_| 0), expected(0));
        let start = this.clock().epoch_start(number).unwrap();
        assert_eq!(this.member_at(start, now).map(|_| 0), expected(0));
        let end = start + Seconds::of(EPOCH_SECONDS - 1);
        assert_eq!(this.member_at(end, now).map(|_| 0), expected(0));
    }
    let early = Timestamp::of(genesis.get() - 1);
    let (timestamp, genesis_time) = (early.to_word(), genesis.to_word());
    let before = RollupRefusal::BeforeGenesis { timestamp, genesis_time };
    assert_eq!(this.slot_at(early), Err(before.clone()));
    assert_eq!(this.member_at(early, now), Err(before));
    let (index, size) = (U256::from(3), U256::from(3));
    assert!(this.member_of(current, 2, now).is_ok());
    let out_of_range = RollupRefusal::IndexOutOfRange { index, size };
    assert_eq!(this.member_of(current, 3, now).map(|_| ()), Err(out_of_range));
}

#[test]
fn every_slot_has_one_proposer_and_everybody_draws_some() {
    let chain = Chain::staked(3);
    let (now, this) = (chain.now(), rollup(&chain));
    let epoch = this.clock().epoch_at(now).unwrap();
    let mut drawn: Vec<Slot> = (0..3)
        .flat_map(|number| this.slots_of(named(&format!("proposer {number}")), epoch, now).unwrap())
        .collect();
    drawn.sort();
    let first = this.clock().first_slot(epoch).unwrap().get();
    let all: Vec<Slot> = (first..first + EPOCH).map(Slot::of).collect();
    assert_eq!(drawn, all);
    assert_eq!(this.slots_of(named("nobody"), epoch, now).unwrap().count(), 0);
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

/// A set with a second rollup, which is canonical from now on.
fn upgraded() -> Chain {
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

const fn block(number: u8) -> RollupCall {
    RollupCall::ProposeBlock { block_hash: B256::repeat_byte(number) }
}

#[test]
fn the_slots_proposer_proposes_one_block_and_is_paid() {
    let mut chain = Chain::staked(2);
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    let (caller, proposer) = (named("anyone"), chain.proposer());
    let not_proposer = RollupRefusal::NotProposer { caller, proposer };
    chain.refused("anyone", ROLLUP, block(1), not_proposer);

    let slot = chain.slot();
    let events = chain.send(proposer, ROLLUP, block(1)).unwrap();
    let amount = Amount::of(5 * T);
    let to = proposer;
    let member = rollup(&chain).set().find(|member| member.proposer() == proposer).unwrap();
    assert_eq!(
        events,
        [
            RollupEvent::BlockProposed {
                block_number: RollupBlock::of(1),
                slot,
                attester: member.attester(),
                proposer,
                block_hash: B256::repeat_byte(1),
            }
            .into(),
            DistributorEvent::RewardPaid { rollup: ROLLUP, slot, to, amount }.into(),
            Event::from(AssetEvent::Transfer { from: DISTRIBUTOR, to, amount }),
        ]
    );
    let again = RollupRefusal::SlotAlreadyProposed { slot: slot.to_word() };
    assert_eq!(chain.send(proposer, ROLLUP, block(2)), Err(again.into()));

    // The distributor pays the rest of its balance, then nothing. The blocks are accepted.
    for (number, paid) in [(2, Some(3 * T)), (3, Some(0))] {
        chain.wait(SLOT);
        let proposer = chain.proposer();
        let events = chain.send(proposer, ROLLUP, block(2)).unwrap();
        let rewards: Vec<u128> = events
            .iter()
            .filter_map(|event| match event {
                Event::Distributor(DistributorEvent::RewardPaid { amount, .. }) => {
                    Some(amount.get())
                }
                _ => None,
            })
            .collect();
        assert_eq!(rewards.first().copied(), paid);
        assert_eq!(rollup(&chain).head().unwrap().number, RollupBlock::of(number));
    }
}

#[test]
fn rewards_go_to_the_coinbase() {
    let mut chain = Chain::staked(1);
    let set = |coinbase| RollupCall::SetCoinbase { attester: attester(0), coinbase };
    let (caller, withdrawer) = (named("anyone"), named("withdrawer 0"));
    let not_withdrawer = RollupRefusal::NotWithdrawer { caller, withdrawer };
    chain.refused("anyone", ROLLUP, set(caller), not_withdrawer);
    chain.refused("withdrawer 0", ROLLUP, set(Address::ZERO), CommonRefusal::ZeroAddress);
    chain.ok("withdrawer 0", ROLLUP, set(named("coinbase")));
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    chain.ok("proposer 0", ROLLUP, block(1));
    assert_eq!(chain.set.asset().balance_of(named("coinbase")), Amount::of(5 * T));
}

#[test]
fn an_empty_set_proposes_nothing() {
    let mut chain = Chain::deployed();
    let (caller, proposer) = (named("anyone"), Address::ZERO);
    let not_proposer = RollupRefusal::NotProposer { caller, proposer };
    chain.refused("anyone", ROLLUP, block(1), not_proposer);
    assert_eq!(
        chain.send(Address::ZERO, ROLLUP, block(1)),
        Err(RollupRefusal::NotProposer { caller: Address::ZERO, proposer }.into())
    );
}

/// A set with a second rollup whose distributor, which is returned too, is foreign code.
fn paid_by_anybody() -> (Chain, Address) {
    let mut chain = Chain::deployed();
    chain.is_kept = true;
    let distributor = contract(1);
    let mut parameters = chain.rollup_parameters();
    parameters.reward_distributor = distributor;
    chain.deploy(NEXT, canon_protocol::Constructor::Rollup(parameters));
    (chain, distributor)
}

#[test]
fn a_block_stands_whatever_the_distributor_does() {
    for reaction in [
        Reaction::Calls(Vec::new()),
        Reaction::Reverts(Bytes::from_static(b"no")),
        Reaction::Calls(vec![action(ROLLUP, block(9))]),
        Reaction::Calls(vec![action(ROLLUP, RollupCall::SetupEpoch)]),
    ] {
        let (mut chain, distributor) = paid_by_anybody();
        chain.stake(NEXT, 0);
        chain.foreign.reactions.insert(distributor, reaction);
        chain.wait(2 * EPOCH_SECONDS);
        chain.ok("proposer 0", NEXT, block(1));
        assert_eq!(chain.set.rollup(NEXT).unwrap().head().unwrap().number, RollupBlock::of(1));
    }
}

#[test]
fn a_rollup_that_is_not_canonical_works_on_and_earns_nothing() {
    let mut chain = upgraded();
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    let this = rollup(&chain);
    let proposer = this.member_at(chain.now(), chain.now()).unwrap().unwrap().proposer();
    chain.send(proposer, ROLLUP, block(1)).unwrap();
    assert_eq!(rollup(&chain).head().unwrap().number, RollupBlock::of(1));
    assert_eq!(chain.set.asset().balance_of(DISTRIBUTOR), Amount::of(8 * T));
    chain.stake(ROLLUP, 7);
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

#[test]
fn nobody_is_paid_in_the_middle_of_a_block() {
    let (mut chain, distributor) = paid_by_anybody();
    chain.stake(NEXT, 0);
    chain.stake(NEXT, 1);
    chain.ok("withdrawer 1", NEXT, withdraw(1));
    chain.wait(EXIT_DELAY);
    // Anyone could end the exit now, but not during another call of the rollup.
    let again = Reaction::Calls(vec![action(NEXT, finalize(1))]);
    chain.foreign.reactions.insert(distributor, again);
    chain.ok("proposer 0", NEXT, block(1));
    let leaving = chain.set.rollup(NEXT).unwrap().member(attester(1)).unwrap();
    assert_eq!(leaving.status(), AttesterStatus::Exiting);
    chain.ok("anyone", NEXT, finalize(1));
}
