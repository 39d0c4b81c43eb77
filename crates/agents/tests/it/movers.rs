//! Movers; each test is about one property.

use crate::{
    process::{AnyRole, Process, Status},
    test_chain::{STAKE, TestChain, announce_move, attester, exit_stake, key},
    views::Maker,
};
use alloy_primitives::Address;
use canon_abi::Registry;
use canon_agents::Mover;
use canon_chain::calls;
use canon_protocol::{AttesterStatus, Seconds, Timestamp};
use canon_views::{IntentSubject, MoveObstacle, MovePhase, MovePlan, PayOut, Question};

/// A set with one staker, and a further rollup.
async fn staked() -> (TestChain, Address, Address) {
    let mut chain = TestChain::new().await;
    let old = chain.addresses().rollup;
    chain.stake(old, 1).await;
    let (new, _) = chain.upgrade("1").await;
    (chain, old, new)
}

/// Makes the new rollup canonical, without a proposal.
async fn switch(chain: &TestChain, rollup: Address) {
    let registry = chain.addresses().registry;
    chain.as_governance(registry, Registry::upgradeCall { rollup }).await;
}

/// The stake of an attester on a rollup: status, amount and withdrawer.
async fn stake_of(
    chain: &TestChain,
    rollup: Address,
    attester: Address,
) -> (AttesterStatus, u128, Address) {
    let mut question = Question::default();
    question.rollups.entry(rollup).or_default().insert(attester);
    let view = chain.ask(question).await;
    let found = view.attester(rollup, attester).unwrap();
    (found.status, found.stake.get(), found.withdrawer)
}

#[tokio::test]
async fn a_move_waits_for_its_time_and_for_the_target_and_keeps_its_seat() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let mut process = Process::new(&chain, maker).await;
        process.add_mover(0, old, new);
        process.run_block(&chain).await;
        assert_eq!(*process.status(0), Status::Move(MovePhase::Unannounced));
        let ready_at = chain.now() + Seconds::HOUR;
        let waiting = Status::Move(MovePhase::Waiting { ready_at });
        let held = Status::Move(MovePhase::Held(MoveObstacle::NotCanonical));
        process.run_block(&chain).await;
        assert_eq!(*process.status(0), waiting);
        let attester = attester(0);
        let announced = IntentSubject::AnnounceMove { rollup: old, attester, to: new };
        assert_eq!(process.confirmed(), [announced]);
        for (time, expected) in [(Timestamp::of(ready_at.get() - 1), &waiting), (ready_at, &held)] {
            chain.skip_until_next_is(time);
            process.act(&chain).await;
            assert_eq!(process.status(0), expected, "at {time}");
        }
        // A new process finds the same phase.
        process.actors[0].restart_without_journal();
        process.run_blocks(&chain, 3).await;
        assert_eq!(*process.status(0), held);
        assert_eq!(process.confirmed(), [announced]);
        let (status, stake, withdrawer) = stake_of(&chain, old, attester).await;
        assert_eq!((status, stake), (AttesterStatus::Validating, STAKE.get()));
        assert_eq!(withdrawer, process.address(0));

        // The move is finalized in the first block after the target is canonical.
        switch(&chain, new).await;
        process.run_block(&chain).await;
        assert_eq!(*process.status(0), Status::Move(MovePhase::Due));
        process.run_blocks(&chain, 2).await;
        assert_eq!(*process.status(0), Status::Move(MovePhase::Moved));
        let moved = IntentSubject::FinalizeMove { rollup: old, attester, ready_at };
        assert_eq!(process.confirmed(), [announced, moved]);
        assert_eq!(process.failures(), [""; 0]);
        assert_eq!(stake_of(&chain, old, attester).await.0, AttesterStatus::None);
        let there = (AttesterStatus::Validating, STAKE.get(), process.address(0));
        assert_eq!(stake_of(&chain, new, attester).await, there);
    }
}

#[tokio::test]
async fn a_move_that_was_announced_to_another_rollup_is_announced_again() {
    for maker in Maker::ALL {
        let (mut chain, old, new) = staked().await;
        let (rival, _) = chain.upgrade("2").await;
        let mut withdrawer = chain.sender(key("withdrawer", 0));
        chain.send_by(&mut withdrawer, announce_move(old, attester(0), rival)).await;
        let ready_at = chain.now() + Seconds::HOUR;
        let mut process = Process::new(&chain, maker).await;
        process.add_mover(0, old, new);
        process.run_blocks(&chain, 2).await;
        let announced = IntentSubject::AnnounceMove { rollup: old, attester: attester(0), to: new };
        assert_eq!(process.confirmed(), [announced]);
        // The delay isn't restarted.
        assert_eq!(*process.status(0), Status::Move(MovePhase::Waiting { ready_at }));
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn whoever_left_has_nothing_to_move() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let mut withdrawer = chain.sender(key("withdrawer", 0));
        let to = withdrawer.address();
        chain.send_by(&mut withdrawer, exit_stake(old, attester(0), to)).await;
        let mut process = Process::new(&chain, maker).await;
        // An attester that left, and one that never was registered.
        process.add_mover(0, old, new);
        process.add_mover(9, old, new);
        process.run_blocks(&chain, 3).await;
        for actor in [0, 1] {
            assert_eq!(*process.status(actor), Status::Move(MovePhase::Gone));
        }
        assert!(process.entries.is_empty(), "{}", process.log());
    }
}

#[tokio::test]
async fn a_mover_that_is_not_the_withdrawer_sends_nothing() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let key = key("stranger", 0);
        chain.fund(key.address());
        let mut process = Process::new(&chain, maker).await;
        let [attester, spare] = [attester(0), attester(1)];
        let plan = MovePlan { withdrawer: key.address(), attester, from: old, to: new, spare };
        process.add(AnyRole::Mover(Mover { plan }), key);
        process.run_blocks(&chain, 3).await;
        let withdrawer = crate::test_chain::key("withdrawer", 0).address();
        assert_eq!(*process.status(0), Status::Move(MovePhase::NotOurs { withdrawer }));
        assert!(process.entries.is_empty(), "{}", process.log());
    }
}

#[tokio::test]
async fn a_keeper_leaves_a_move_that_the_target_refuses_to_its_withdrawer() {
    for maker in Maker::ALL {
        let (mut chain, old, new) = staked().await;
        let squatter = chain.deployer.address();
        chain.send(calls::approve(chain.addresses().asset, new, STAKE)).await;
        chain.send(calls::stake(new, attester(0), squatter, squatter, STAKE)).await;
        let mut withdrawer = chain.sender(key("withdrawer", 0));
        chain.send_by(&mut withdrawer, announce_move(old, attester(0), new)).await;
        chain.skip_until_next_is(chain.now() + Seconds::HOUR);
        switch(&chain, new).await;
        let mut process = Process::new(&chain, maker).await;
        process.add_keeper(&chain, PayOut::Everything);
        // Views without history contain the attesters asked for.
        process.also_asked.rollups.extend([old, new].map(|rollup| (rollup, [attester(0)].into())));
        process.run_blocks(&chain, 3).await;
        assert_eq!(process.failures(), [""; 0]);
        assert_eq!(stake_of(&chain, old, attester(0)).await.0, AttesterStatus::Validating);
        // Under its spare attester, the withdrawer's mover can take it there.
        let mover = process.add_mover(0, old, new);
        process.run_blocks(&chain, 2).await;
        process.act(&chain).await;
        assert_eq!(*process.status(mover), Status::Move(MovePhase::Moved));
    }
}

#[tokio::test]
async fn a_squatted_attester_moves_under_another_of_its_own() {
    for maker in Maker::ALL {
        let (mut chain, old, new) = staked().await;
        // Another account registers the attester there first.
        let squatter = chain.deployer.address();
        chain.send(calls::approve(chain.addresses().asset, new, STAKE)).await;
        chain.send(calls::stake(new, attester(0), squatter, squatter, STAKE)).await;
        let mut process = Process::new(&chain, maker).await;
        process.add_mover(0, old, new);
        process.run_block(&chain).await;
        chain.skip_until_next_is(chain.now() + Seconds::HOUR);
        switch(&chain, new).await;
        process.run_blocks(&chain, 2).await;
        let AnyRole::Mover(Mover { plan }) = process.actors[0].agent.role else { panic!() };
        // A new process recognizes that its stake arrived, and that the squatter's isn't its own.
        process.actors[0].restart_without_journal();
        process.run_blocks(&chain, 2).await;
        assert_eq!(*process.status(0), Status::Move(MovePhase::Moved));
        assert_eq!(process.failures(), [""; 0]);
        assert_eq!(chain.devchain.nonce(process.address(0)), 2, "announced, moved");
        let own = (AttesterStatus::Validating, STAKE.get(), process.address(0));
        let squatted = (AttesterStatus::Validating, STAKE.get(), squatter);
        assert_eq!(stake_of(&chain, new, plan.spare).await, own);
        assert_eq!(stake_of(&chain, new, attester(0)).await, squatted);
    }
}
