//! Sequencers, one question each.

use crate::test_chain::{Participants, TestChain, is_done};
use canon_agents::{Act, BlockDuty, Outcome, Seed, SignalDecision};
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_protocol::RollupBlock;

#[tokio::test]
async fn each_slot_gets_one_block_by_its_proposer() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants =
        Participants { sequencers: chain.stakers(rollup, 5).await, ..Participants::default() };
    chain.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    participants.play_until(&mut chain, 20, is_done(block)).await;
    participants.play_for(&mut chain, 40).await;
    let slots: Vec<_> = participants
        .done()
        .filter_map(|act| match act {
            Act::ProposeBlock { slot, .. } => Some(slot),
            _ => None,
        })
        .collect();
    assert!(slots.len() >= 20);
    assert!(slots.windows(2).all(|two| two[1] == two[0].next()), "{slots:?}");
    assert_eq!(participants.failures(), Vec::<String>::new());
    let view = chain.look().await;
    assert!(view.rollup(rollup).unwrap().block.get() >= 20);
}

#[tokio::test]
async fn the_agreed_block_comes_first() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants =
        Participants { sequencers: chain.stakers(rollup, 3).await, ..Participants::default() };
    let (_, plan) = chain.upgrade().await;
    let from = RollupBlock::of(10);
    for sequencer in &mut participants.sequencers {
        sequencer.set_plan(Some(plan.clone().from_block(from)));
    }
    chain.begin();
    participants.play_until(&mut chain, 60, is_done(|act| matches!(act, Act::Signal { .. }))).await;
    let blocks = participants.done().filter(|act| matches!(act, Act::ProposeBlock { .. })).count();
    assert!((10..12).contains(&blocks), "{blocks}");
    let early = |s: &canon_agents::Sequencer| {
        matches!(s.decision(), SignalDecision::TooEarly { .. } | SignalDecision::Signal)
    };
    assert!(participants.sequencers.iter().all(early));
}

#[tokio::test]
async fn who_leaves_the_blocks_records_the_seeds() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let sequencers = chain.stakers(rollup, 3).await;
    let mut participants = Participants {
        sequencers: sequencers.into_iter().map(|s| s.with_blocks(BlockDuty::Leave)).collect(),
        ..Participants::default()
    };
    chain.begin();
    participants
        .play_until(&mut chain, 30, is_done(|act| matches!(act, Act::RecordSeed { .. })))
        .await;
    participants.play_for(&mut chain, 20).await;
    let mut epochs: Vec<_> = participants
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
    assert!(participants.done().all(|act| matches!(act, Act::RecordSeed { .. })));
    assert!(!matches!(chain.look().await.rollup(rollup).unwrap().seed, Seed::Missing(_)));
}

#[tokio::test]
async fn after_a_silence_sequencers_come_back_by_themselves() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants =
        Participants { sequencers: chain.stakers(rollup, 3).await, ..Participants::default() };
    chain.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    for _ in 0..2 {
        // Everybody is offline for an hour, so that no epoch has a seed.
        chain.skip_to(chain.now() + canon_protocol::Seconds::HOUR);
        assert_eq!(chain.look().await.rollup(rollup).unwrap().proposer, None);
        let before = participants.done().filter(|act| block(*act)).count();
        participants.play_for(&mut chain, 16).await;
        let blocks = participants.done().filter(|act| block(*act)).count() - before;
        assert!(blocks >= 4, "{blocks} blocks:\n{}", participants.story());
    }
    assert_eq!(participants.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_recorded_in_the_first_slot_of_an_epoch() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let sequencers = chain.stakers(rollup, 1).await;
    let sequencers = sequencers.into_iter().map(|s| s.with_blocks(BlockDuty::Leave)).collect();
    let mut participants = Participants { sequencers, ..Participants::default() };
    chain.begin();
    let mut seen = [0; 2];
    for _ in 0..24 {
        let view = chain.look().await;
        let slot = view.rollup(rollup).unwrap().slot.unwrap().get() % 2;
        let expected = view.rollup(rollup).unwrap().seed;
        assert_eq!(slot == 0, expected == Seed::NotYet);
        let before = participants.outcomes.len();
        participants.play(&mut chain).await;
        let sent =
            participants.outcomes[before..].iter().any(|o| matches!(o, Outcome::Sent { .. }));
        seen[usize::try_from(slot).unwrap()] += u32::from(sent);
    }
    assert!(seen[0] == 0 && seen[1] >= 4, "{seen:?}");
}

#[tokio::test]
async fn what_is_not_mined_in_its_slot_is_missed_and_not_sent_again() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants =
        Participants { sequencers: chain.stakers(rollup, 1).await, ..Participants::default() };
    chain.begin();
    let block = |act| matches!(act, Act::ProposeBlock { .. });
    participants.play_until(&mut chain, 20, is_done(block)).await;
    // Fees jump far above what it offers, for two slots.
    let before = participants.outcomes.len();
    for _ in 0..6 {
        chain.chain.set_base_fee_next(900_000_000_000);
        participants.play(&mut chain).await;
    }
    let outcomes = &participants.outcomes[before..];
    assert!(
        outcomes.iter().any(|o| matches!(o, Outcome::Missed { .. })),
        "{}",
        participants.story()
    );
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
    chain.chain.set_base_fee_next(1_000_000_000);
    chain.mine();
    participants.play_until(&mut chain, 10, is_done(block)).await;
    participants.play_for(&mut chain, 4).await;
    assert_eq!(participants.failures(), Vec::<String>::new());
    assert!(chain.chain.pool_size() <= 1, "nothing is left behind");
}

#[tokio::test]
async fn a_reorganization_is_lived_through() {
    for old in [OldTransactions::ReturnToPool, OldTransactions::Drop] {
        let mut chain = TestChain::new().await;
        let rollup = chain.set.deployment.rollup;
        let mut participants = Participants {
            sequencers: chain.stakers(rollup, 3).await,
            keepers: vec![chain.keeper()],
            ..Participants::default()
        };
        let (_, plan) = chain.upgrade().await;
        for sequencer in &mut participants.sequencers {
            sequencer.set_plan(Some(plan.clone()));
        }
        chain.begin();
        participants
            .play_until(&mut chain, 90, is_done(|act| matches!(act, Act::Push { .. })))
            .await;
        let proposals = chain.look().await.proposals().len();
        assert_eq!(proposals, 1);
        // The block of the push and two more are replaced by empty ones.
        let options = ReorgOptions { depth: 3, old, ..ReorgOptions::default() };
        chain.chain.reorg(options).unwrap();
        let view = chain.look().await;
        assert_eq!(view.proposals().len(), 0, "what was known of the old blocks is forgotten");
        participants.play_for(&mut chain, 40).await;
        let view = chain.look().await;
        assert_eq!(view.proposals().len(), 1, "{}", participants.story());
    }
}

#[tokio::test]
async fn the_plan_changes_without_a_restart() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants =
        Participants { sequencers: chain.stakers(rollup, 2).await, ..Participants::default() };
    let (_, one) = chain.upgrade().await;
    let (_, other) = chain.upgrade().await;
    chain.begin();
    for plan in [&one, &other] {
        for sequencer in &mut participants.sequencers {
            sequencer.set_plan(Some(plan.clone()));
        }
        let payload = plan.payload.address();
        let signal = |act| matches!(act, Act::Signal { payload: of, .. } if of == payload);
        participants.play_until(&mut chain, 40, is_done(signal)).await;
    }
    for sequencer in &mut participants.sequencers {
        sequencer.set_plan(None);
    }
    participants.play_for(&mut chain, 2).await;
    let before = participants.outcomes.len();
    participants.play_for(&mut chain, 10).await;
    let outcomes = &participants.outcomes[before..];
    assert!(outcomes.iter().all(|outcome| !matches!(outcome.act(), Act::Signal { .. })));
    assert_eq!(participants.failures(), Vec::<String>::new());
}
