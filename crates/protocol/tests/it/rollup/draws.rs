//! Seeds, and the proposers drawn by them.

use super::{NEXT, attester, block, rollup, slash, start_move, withdraw};
use crate::chain::{
    Chain, EPOCH, EPOCH_SECONDS, GOVERNANCE, PROPOSALS, ROLLUP, SLOT, contract, named,
};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Call, Epoch, Event, Finality, OwnershipCall, ProposalsCall, ProposalsRefusal, RollupCall,
    RollupEvent, RollupRefusal, Seconds, Slot, Timestamp,
};

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
