//! Movers, one question each.

use crate::test_chain::{Participants, STAKE, TestChain, attester, is_done};
use alloy_eips::BlockId;
use canon_abi::Registry;
use canon_agents::{Act, Mover, Outcome, Phase};
use canon_chain::{NoWait, calls};
use canon_protocol::Seconds;

#[tokio::test]
async fn a_move_waits_for_the_target_and_keeps_its_seat() {
    let mut chain = TestChain::new().await;
    let old = chain.set.deployment.rollup;
    chain.stakers(old, 1).await;
    let (new, _) = chain.upgrade().await;
    let mut mover = chain.mover(0, old, new);
    assert_eq!(mover.phase(), Phase::Unannounced);
    chain.begin();
    let view = chain.look().await;
    assert!(matches!(mover.tick(&view).await.unwrap()[..], [Outcome::Sent { .. }]));
    chain.mine();
    let view = chain.look().await;
    assert!(matches!(mover.tick(&view).await.unwrap()[..], [Outcome::Done { .. }]));
    let ready_at = chain.now() + Seconds::HOUR;
    assert_eq!(mover.phase(), Phase::Waiting { ready_at });
    chain.skip_to(ready_at);
    for _ in 0..3 {
        let view = chain.look().await;
        assert!(mover.tick(&view).await.unwrap().is_empty());
        assert_eq!(mover.phase(), Phase::Ready);
        chain.mine();
    }
    // Another process finds it as it is.
    let mut other = chain.mover(0, old, new);
    let view = chain.look().await;
    assert!(other.tick(&view).await.unwrap().is_empty());
    assert_eq!(other.phase(), Phase::Ready);
}

#[tokio::test]
async fn who_left_has_nothing_to_move() {
    let mut chain = TestChain::new().await;
    let old = chain.set.deployment.rollup;
    chain.stakers(old, 1).await;
    let (new, _) = chain.upgrade().await;
    let mut withdrawer = chain.withdrawer(0);
    let to = withdrawer.address();
    withdrawer.send(calls::unstake(old, attester(0), to), &mut NoWait).await.unwrap();
    for number in [0, 9] {
        let mut mover = chain.mover(number, old, new);
        let view = chain.look().await;
        assert!(mover.tick(&view).await.unwrap().is_empty());
        assert_eq!(mover.phase(), Phase::Gone);
    }
}

#[tokio::test]
async fn a_key_that_is_not_the_withdrawers_is_reported_once() {
    let mut chain = TestChain::new().await;
    let old = chain.set.deployment.rollup;
    chain.stakers(old, 1).await;
    let (new, _) = chain.upgrade().await;
    let mut mover = Mover::new(chain.sender("stranger", 0), attester(0), old, new);
    chain.begin();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let view = chain.look().await;
        outcomes.extend(mover.tick(&view).await.unwrap());
        chain.mine();
    }
    let [Outcome::Failed { error, .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(error.as_revert().unwrap().name(), Some("Rollup__NotWithdrawer"));
}

#[tokio::test]
async fn a_squatted_attester_moves_under_another_of_its_own() {
    for spare in [None, Some(attester(77))] {
        let mut chain = TestChain::new().await;
        let old = chain.set.deployment.rollup;
        chain.stakers(old, 1).await;
        let (new, _) = chain.upgrade().await;
        // Somebody else is first to register the attester there.
        let squatter = chain.deployer.address();
        let set = chain.set.deployment;
        chain.send(calls::approve(set.asset, new, STAKE)).await;
        chain.send(calls::stake(new, attester(0), squatter, squatter, STAKE)).await;
        let mover = |chain: &TestChain| {
            let mover = chain.mover(0, old, new);
            spare.map_or_else(|| chain.mover(0, old, new), |spare| mover.with_spare(spare))
        };
        let own = spare.unwrap_or_else(|| chain.withdrawer(0).address());
        let mut participants =
            Participants { movers: vec![mover(&chain)], ..Participants::default() };
        chain.begin();
        let announced = |act| matches!(act, Act::AnnounceMove { .. });
        participants.play_until(&mut chain, 3, is_done(announced)).await;
        chain.skip_to(chain.now() + Seconds::HOUR);
        chain.as_governance(set.registry, Registry::upgradeCall { rollup: new }).await;
        let moved = |act| matches!(act, Act::FinaliseMove { .. });
        participants.play_until(&mut chain, 4, is_done(moved)).await;
        participants.play(&mut chain).await;
        assert_eq!(participants.movers[0].phase(), Phase::Moved);
        assert_eq!(participants.failures(), Vec::<String>::new());
        let at = BlockId::from(chain.head().await.hash);
        let there = chain.client.attester(at, new, own).await.unwrap();
        assert_eq!((there.stake, there.withdrawer), (STAKE, chain.withdrawer(0).address()));
        // Another process knows that this one arrived, and not the squatter's.
        let mut other = mover(&chain);
        let view = chain.look().await;
        assert!(other.tick(&view).await.unwrap().is_empty());
        assert_eq!(other.phase(), Phase::Moved);
    }
}
