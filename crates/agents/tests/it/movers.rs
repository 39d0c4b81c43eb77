//! Movers, one question each.

use crate::{
    company::{AnyRole, Company, Status},
    test_chain::{STAKE, TestChain, attester, key},
    views::Maker,
};
use alloy_primitives::Address;
use canon_abi::Registry;
use canon_agents::Mover;
use canon_chain::calls;
use canon_protocol::{AttesterStatus, Seconds, Timestamp};
use canon_views::{IntentSubject, MoveObstacle, MovePhase, MovePlan, Question};

/// A set with one staker, and a further rollup.
async fn staked() -> (TestChain, Address, Address) {
    let mut chain = TestChain::new().await;
    let old = chain.addresses().rollup;
    chain.stake(old, 1).await;
    let (new, _) = chain.upgrade("1").await;
    (chain, old, new)
}

/// The new rollup becomes canonical, however it came to that.
async fn switch(chain: &TestChain, rollup: Address) {
    let registry = chain.addresses().registry;
    chain.as_governance(registry, Registry::upgradeCall { rollup }).await;
}

/// What has the stake on a rollup: status, amount and withdrawer.
async fn stake_of(
    chain: &TestChain,
    rollup: Address,
    attester: Address,
) -> (AttesterStatus, u128, Address) {
    let mut question = Question::new(chain.next());
    question.rollups.entry(rollup).or_default().insert(attester);
    let view = chain.ask(question).await;
    let found = view.attester(rollup, attester).unwrap();
    (found.status, found.stake.get(), found.withdrawer)
}

#[tokio::test]
async fn a_move_waits_for_its_time_and_for_the_target_and_keeps_its_seat() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let mut company = Company::new(&chain, maker).await;
        company.add_mover(0, old, new);
        company.play(&chain).await;
        assert_eq!(*company.status(0), Status::Move(MovePhase::Unannounced));
        let ready_at = chain.now() + Seconds::HOUR;
        let waiting = Status::Move(MovePhase::Waiting { ready_at });
        let held = Status::Move(MovePhase::Held(MoveObstacle::NotCanonical));
        company.play(&chain).await;
        assert_eq!(*company.status(0), waiting);
        let attester = attester(0);
        let announced = IntentSubject::AnnounceMove { rollup: old, attester, to: new };
        assert_eq!(company.confirmed(), [announced]);
        for (time, expected) in [(Timestamp::of(ready_at.get() - 1), &waiting), (ready_at, &held)] {
            chain.skip_until_next_is(time);
            company.act(&chain).await;
            assert_eq!(company.status(0), expected, "at {time}");
        }
        // Another process finds it as it is.
        company.actors[0].restart_without_journal();
        company.play_for(&chain, 3).await;
        assert_eq!(*company.status(0), held);
        assert_eq!(company.confirmed(), [announced]);
        let (status, stake, withdrawer) = stake_of(&chain, old, attester).await;
        assert_eq!((status, stake), (AttesterStatus::Validating, STAKE.get()));
        assert_eq!(withdrawer, company.address(0));

        // In the first block after the target is canonical.
        switch(&chain, new).await;
        company.play(&chain).await;
        assert_eq!(*company.status(0), Status::Move(MovePhase::Due));
        company.play_for(&chain, 2).await;
        assert_eq!(*company.status(0), Status::Move(MovePhase::Moved));
        let moved = IntentSubject::FinaliseMove { rollup: old, attester, ready_at };
        assert_eq!(company.confirmed(), [announced, moved]);
        assert_eq!(company.failures(), [""; 0]);
        assert_eq!(stake_of(&chain, old, attester).await.0, AttesterStatus::None);
        let there = (AttesterStatus::Validating, STAKE.get(), company.address(0));
        assert_eq!(stake_of(&chain, new, attester).await, there);
    }
}

#[tokio::test]
async fn whoever_left_has_nothing_to_move() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let mut withdrawer = chain.sender(key("withdrawer", 0));
        let to = withdrawer.address();
        chain.send_by(&mut withdrawer, calls::unstake(old, attester(0), to)).await;
        let mut company = Company::new(&chain, maker).await;
        // Who left, and who never was there.
        company.add_mover(0, old, new);
        company.add_mover(9, old, new);
        company.play_for(&chain, 3).await;
        for actor in [0, 1] {
            assert_eq!(*company.status(actor), Status::Move(MovePhase::Gone));
        }
        assert!(company.entries.is_empty(), "{}", company.story());
    }
}

#[tokio::test]
async fn a_mover_that_is_not_the_withdrawer_sends_nothing() {
    for maker in Maker::ALL {
        let (chain, old, new) = staked().await;
        let key = key("stranger", 0);
        chain.fund(key.address());
        let mut company = Company::new(&chain, maker).await;
        let [attester, spare] = [attester(0), attester(1)];
        let plan = MovePlan { withdrawer: key.address(), attester, from: old, to: new, spare };
        company.add(AnyRole::Mover(Mover { plan }), key);
        company.play_for(&chain, 3).await;
        let withdrawer = crate::test_chain::key("withdrawer", 0).address();
        assert_eq!(*company.status(0), Status::Move(MovePhase::NotOurs { withdrawer }));
        assert!(company.entries.is_empty(), "{}", company.story());
    }
}

#[tokio::test]
async fn a_squatted_attester_moves_under_another_of_its_own() {
    for maker in Maker::ALL {
        let (mut chain, old, new) = staked().await;
        // Somebody else is first to register the attester there.
        let squatter = chain.deployer.address();
        chain.send(calls::approve(chain.addresses().asset, new, STAKE)).await;
        chain.send(calls::stake(new, attester(0), squatter, squatter, STAKE)).await;
        let mut company = Company::new(&chain, maker).await;
        company.add_mover(0, old, new);
        company.play(&chain).await;
        chain.skip_until_next_is(chain.now() + Seconds::HOUR);
        switch(&chain, new).await;
        company.play_for(&chain, 2).await;
        let AnyRole::Mover(Mover { plan }) = company.actors[0].agent.role else { panic!() };
        // Another process knows that this one arrived, and not the squatter's.
        company.actors[0].restart_without_journal();
        company.play_for(&chain, 2).await;
        assert_eq!(*company.status(0), Status::Move(MovePhase::Moved));
        assert_eq!(company.failures(), [""; 0]);
        assert_eq!(chain.devchain.nonce(company.address(0)), 2, "announced, moved");
        let own = (AttesterStatus::Validating, STAKE.get(), company.address(0));
        let squatted = (AttesterStatus::Validating, STAKE.get(), squatter);
        assert_eq!(stake_of(&chain, new, plan.spare).await, own);
        assert_eq!(stake_of(&chain, new, attester(0)).await, squatted);
    }
}
