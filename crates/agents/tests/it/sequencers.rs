//! Sequencers, one question each.

use crate::stage::{Cast, Stage, is_done};
use canon_agents::{Act, BlockDuty, Outcome, Seed, SignalDecision};
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_protocol::RollupBlock;

#[tokio::test]
async fn each_slot_gets_one_block_by_its_proposer() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast { sequencers: stage.stakers(rollup, 5).await, ..Cast::default() };
    stage.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    cast.play_until(&mut stage, 20, is_done(block)).await;
    cast.play_for(&mut stage, 40).await;
    let slots: Vec<_> = cast
        .done()
        .filter_map(|act| match act {
            Act::ProposeBlock { slot, .. } => Some(slot),
            _ => None,
        })
        .collect();
    assert!(slots.len() >= 20);
    assert!(slots.windows(2).all(|two| two[1] == two[0].next()), "{slots:?}");
    assert_eq!(cast.failures(), Vec::<String>::new());
    let view = stage.look().await;
    assert!(view.rollup(rollup).unwrap().block.get() >= 20);
}

#[tokio::test]
async fn the_agreed_block_comes_first() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast { sequencers: stage.stakers(rollup, 3).await, ..Cast::default() };
    let (_, plan) = stage.upgrade().await;
    let from = RollupBlock::of(10);
    for sequencer in &mut cast.sequencers {
        sequencer.set_plan(Some(plan.clone().from_block(from)));
    }
    stage.begin();
    cast.play_until(&mut stage, 60, is_done(|act| matches!(act, Act::Signal { .. }))).await;
    let blocks = cast.done().filter(|act| matches!(act, Act::ProposeBlock { .. })).count();
    assert!((10..12).contains(&blocks), "{blocks}");
    let early = |s: &canon_agents::Sequencer| {
        matches!(s.decision(), SignalDecision::TooEarly { .. } | SignalDecision::Signal)
    };
    assert!(cast.sequencers.iter().all(early));
}

#[tokio::test]
async fn who_leaves_the_blocks_records_the_seeds() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let sequencers = stage.stakers(rollup, 3).await;
    let mut cast = Cast {
        sequencers: sequencers.into_iter().map(|s| s.with_blocks(BlockDuty::Leave)).collect(),
        ..Cast::default()
    };
    stage.begin();
    cast.play_until(&mut stage, 30, is_done(|act| matches!(act, Act::RecordSeed { .. }))).await;
    cast.play_for(&mut stage, 20).await;
    let mut epochs: Vec<_> = cast
        .done()
        .filter_map(|act| match act {
            Act::RecordSeed { epoch, .. } => Some(epoch),
            _ => None,
        })
        .collect();
    // The first one has no proposers, so that several may record it.
    epochs.dedup();
    assert!(epochs.len() >= 5);
    assert!(epochs.windows(2).all(|two| two[1] == two[0].next()), "{epochs:?}");
    assert!(cast.done().all(|act| matches!(act, Act::RecordSeed { .. })));
    assert!(!matches!(stage.look().await.rollup(rollup).unwrap().seed, Seed::Missing(_)));
}

#[tokio::test]
async fn after_a_silence_sequencers_come_back_by_themselves() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast { sequencers: stage.stakers(rollup, 3).await, ..Cast::default() };
    stage.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    for _ in 0..2 {
        // Everybody is offline for an hour, so that no epoch has a seed.
        stage.skip_to(stage.now() + canon_protocol::Seconds::HOUR);
        assert_eq!(stage.look().await.rollup(rollup).unwrap().proposer, None);
        let before = cast.done().filter(|act| block(*act)).count();
        cast.play_for(&mut stage, 16).await;
        let blocks = cast.done().filter(|act| block(*act)).count() - before;
        assert!(blocks >= 4, "{blocks} blocks:\n{}", cast.story());
    }
    assert_eq!(cast.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_recorded_in_the_first_slot_of_an_epoch() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let sequencers = stage.stakers(rollup, 1).await;
    let sequencers = sequencers.into_iter().map(|s| s.with_blocks(BlockDuty::Leave)).collect();
    let mut cast = Cast { sequencers, ..Cast::default() };
    stage.begin();
    let mut seen = [0; 2];
    for _ in 0..24 {
        let view = stage.look().await;
        let slot = view.rollup(rollup).unwrap().slot.unwrap().get() % 2;
        let expected = view.rollup(rollup).unwrap().seed;
        assert_eq!(slot == 0, expected == Seed::NotYet);
        let before = cast.outcomes.len();
        cast.play(&mut stage).await;
        let sent = cast.outcomes[before..].iter().any(|o| matches!(o, Outcome::Sent { .. }));
        seen[usize::try_from(slot).unwrap()] += u32::from(sent);
    }
    assert!(seen[0] == 0 && seen[1] >= 4, "{seen:?}");
}

#[tokio::test]
async fn what_is_not_mined_in_its_slot_is_missed_and_not_sent_again() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast { sequencers: stage.stakers(rollup, 1).await, ..Cast::default() };
    stage.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    cast.play_until(&mut stage, 20, is_done(block)).await;
    // Fees jump far above what it offers, for two slots.
    let before = cast.outcomes.len();
    for _ in 0..6 {
        stage.chain.set_base_fee_next(900_000_000_000);
        cast.play(&mut stage).await;
    }
    let outcomes = &cast.outcomes[before..];
    assert!(outcomes.iter().any(|o| matches!(o, Outcome::Missed { .. })), "{}", cast.story());
    let mut sent: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Sent { act, .. } => Some(*act),
            _ => None,
        })
        .collect();
    let all = sent.len();
    sent.dedup();
    assert_eq!(sent.len(), all, "once per slot: {sent:?}");
    // Fees fall again: what comes next takes the nonces of what was given up.
    stage.chain.set_base_fee_next(1_000_000_000);
    stage.mine();
    cast.play_until(&mut stage, 10, is_done(block)).await;
    cast.play_for(&mut stage, 4).await;
    assert_eq!(cast.failures(), Vec::<String>::new());
    assert!(stage.chain.pool_size() <= 1, "nothing is left behind");
}

#[tokio::test]
async fn a_reorganization_is_lived_through() {
    for old in [OldTransactions::ReturnToPool, OldTransactions::Drop] {
        let mut stage = Stage::new().await;
        let rollup = stage.set.deployment.rollup;
        let mut cast = Cast {
            sequencers: stage.stakers(rollup, 3).await,
            keepers: vec![stage.keeper()],
            ..Cast::default()
        };
        let (_, plan) = stage.upgrade().await;
        for sequencer in &mut cast.sequencers {
            sequencer.set_plan(Some(plan.clone()));
        }
        stage.begin();
        cast.play_until(&mut stage, 90, is_done(|act| matches!(act, Act::Push { .. }))).await;
        let proposals = stage.look().await.proposals().len();
        assert_eq!(proposals, 1);
        // The block of the push and two more are replaced by empty ones.
        let options = ReorgOptions { depth: 3, old, ..ReorgOptions::default() };
        stage.chain.reorg(options).unwrap();
        let view = stage.look().await;
        assert_eq!(view.proposals().len(), 0, "what was known of the old blocks is forgotten");
        cast.play_for(&mut stage, 40).await;
        let view = stage.look().await;
        assert_eq!(view.proposals().len(), 1, "{}", cast.story());
    }
}

#[tokio::test]
async fn the_plan_changes_without_a_restart() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast { sequencers: stage.stakers(rollup, 2).await, ..Cast::default() };
    let (_, one) = stage.upgrade().await;
    let (_, other) = stage.upgrade().await;
    stage.begin();
    for plan in [&one, &other] {
        for sequencer in &mut cast.sequencers {
            sequencer.set_plan(Some(plan.clone()));
        }
        let payload = plan.payload.address();
        let signal = |act| matches!(act, Act::Signal { payload: of, .. } if of == payload);
        cast.play_until(&mut stage, 40, is_done(signal)).await;
    }
    for sequencer in &mut cast.sequencers {
        sequencer.set_plan(None);
    }
    cast.play_for(&mut stage, 2).await;
    let before = cast.outcomes.len();
    cast.play_for(&mut stage, 10).await;
    let outcomes = &cast.outcomes[before..];
    assert!(outcomes.iter().all(|outcome| !matches!(outcome.act(), Act::Signal { .. })));
    assert_eq!(cast.failures(), Vec::<String>::new());
}
