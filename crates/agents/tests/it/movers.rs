//! Movers, one question each.

use crate::stage::{Cast, STAKE, Stage, attester, is_done};
use canon_agents::{Act, Mover, Outcome, Phase};
use canon_bindings::Registry;
use canon_l1::{NoWait, calls};
use canon_protocol::Seconds;

#[tokio::test]
async fn a_move_waits_for_the_target_and_keeps_its_seat() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    stage.stakers(old, 1).await;
    let (new, _) = stage.upgrade().await;
    let mut mover = stage.mover(0, old, new);
    assert_eq!(mover.phase(), Phase::Unannounced);
    stage.begin();
    let view = stage.look().await;
    assert!(matches!(mover.tick(&view).await.unwrap()[..], [Outcome::Sent { .. }]));
    stage.mine();
    let view = stage.look().await;
    assert!(matches!(mover.tick(&view).await.unwrap()[..], [Outcome::Done { .. }]));
    let ready_at = stage.now() + Seconds::HOUR;
    assert_eq!(mover.phase(), Phase::Waiting { ready_at });
    stage.skip_to(ready_at);
    for _ in 0..3 {
        let view = stage.look().await;
        assert!(mover.tick(&view).await.unwrap().is_empty());
        assert_eq!(mover.phase(), Phase::Ready);
        stage.mine();
    }
    // Another process finds it as it is.
    let mut other = stage.mover(0, old, new);
    let view = stage.look().await;
    assert!(other.tick(&view).await.unwrap().is_empty());
    assert_eq!(other.phase(), Phase::Ready);
}

#[tokio::test]
async fn who_left_has_nothing_to_move() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    stage.stakers(old, 1).await;
    let (new, _) = stage.upgrade().await;
    let mut withdrawer = stage.withdrawer(0);
    let to = withdrawer.address();
    withdrawer.send(calls::unstake(old, attester(0), to), &mut NoWait).await.unwrap();
    for number in [0, 9] {
        let mut mover = stage.mover(number, old, new);
        let view = stage.look().await;
        assert!(mover.tick(&view).await.unwrap().is_empty());
        assert_eq!(mover.phase(), Phase::Gone);
    }
}

#[tokio::test]
async fn a_key_that_is_not_the_withdrawers_is_reported_once() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    stage.stakers(old, 1).await;
    let (new, _) = stage.upgrade().await;
    let mut mover = Mover::new(stage.sender("stranger", 0), attester(0), old, new);
    stage.begin();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let view = stage.look().await;
        outcomes.extend(mover.tick(&view).await.unwrap());
        stage.mine();
    }
    let [Outcome::Failed { error, .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(error.as_revert().unwrap().name(), Some("Rollup__NotWithdrawer"));
}

#[tokio::test]
async fn a_squatted_attester_moves_under_another_of_its_own() {
    for spare in [None, Some(attester(77))] {
        let mut stage = Stage::new().await;
        let old = stage.set.deployment.rollup;
        stage.stakers(old, 1).await;
        let (new, _) = stage.upgrade().await;
        // Somebody else is first to register the attester there.
        let squatter = stage.deployer.address();
        let set = stage.set.deployment;
        stage.send(calls::approve(set.asset, new, STAKE)).await;
        stage.send(calls::stake(new, attester(0), squatter, squatter, STAKE)).await;
        let mover = |stage: &Stage| {
            let mover = stage.mover(0, old, new);
            spare.map_or_else(|| stage.mover(0, old, new), |spare| mover.with_spare(spare))
        };
        let own = spare.unwrap_or_else(|| stage.withdrawer(0).address());
        let mut cast = Cast { movers: vec![mover(&stage)], ..Cast::default() };
        stage.begin();
        let announced = |act| matches!(act, Act::AnnounceMove { .. });
        cast.play_until(&mut stage, 3, is_done(announced)).await;
        stage.skip_to(stage.now() + Seconds::HOUR);
        stage.as_governance(set.registry, Registry::upgradeCall { rollup: new }).await;
        let moved = |act| matches!(act, Act::FinaliseMove { .. });
        cast.play_until(&mut stage, 4, is_done(moved)).await;
        cast.play(&mut stage).await;
        assert_eq!(cast.movers[0].phase(), Phase::Moved);
        assert_eq!(cast.failures(), Vec::<String>::new());
        let at = stage.head().await.id();
        let there = stage.client.attester(at, new, own).await.unwrap();
        assert_eq!((there.stake, there.withdrawer), (STAKE, stage.withdrawer(0).address()));
        // Another process knows that this one arrived, and not the squatter's.
        let mut other = mover(&stage);
        let view = stage.look().await;
        assert!(other.tick(&view).await.unwrap().is_empty());
        assert_eq!(other.phase(), Phase::Moved);
    }
}
