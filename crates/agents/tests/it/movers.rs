//! Movers, one question each.

use crate::stage::{Stage, attester};
use canon_agents::{Mover, Outcome, Phase};
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
async fn a_key_that_is_not_the_withdrawers_is_told_once() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    stage.stakers(old, 1).await;
    let (new, _) = stage.upgrade().await;
    let mut mover = Mover::new(stage.sender("stranger", 0), attester(0), old, new);
    stage.begin();
    let mut told = Vec::new();
    for _ in 0..4 {
        let view = stage.look().await;
        told.extend(mover.tick(&view).await.unwrap());
        stage.mine();
    }
    let [Outcome::Failed { error, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(error.as_revert().unwrap().name(), Some("Rollup__NotWithdrawer"));
}
