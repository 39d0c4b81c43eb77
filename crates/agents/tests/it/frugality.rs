//! What it costs to be many.

use crate::stage::{BLIND, Cast, Stage, is_done, tokens};
use canon_agents::{Act, Holder, Sequencer, Share, Wish};
use canon_protocol::{ProposalId, Support};

#[tokio::test]
async fn a_block_costs_the_same_however_many_watch() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut sequencers = stage.stakers(rollup, 4).await;
    let (_, plan) = stage.upgrade().await;
    for number in 1000..2000 {
        sequencers.push(Sequencer::new(stage.sender("idle", number), rollup));
    }
    for sequencer in &mut sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    let mut holders = Vec::new();
    for number in 0..1000 {
        let mut holder = Holder::new(stage.sender("idle holder", number));
        let (id, support) = (ProposalId::of(7), Support::Yea);
        holder.want(Wish::Vote { id, support, share: Share::All });
        holders.push(holder);
    }
    let mut cast = Cast { sequencers, holders, ..Cast::default() };
    stage.begin();
    cast.play_until(&mut stage, 30, is_done(|act| matches!(act, Act::Signal { .. }))).await;
    cast.play(&mut stage).await;
    for _ in 0..4 {
        stage.requests();
        let view = stage.look().await;
        let watching = stage.requests();
        assert!(watching <= 20, "{watching} requests for a view");
        for sequencer in &mut cast.sequencers {
            sequencer.tick(&view).await.unwrap();
        }
        for holder in &mut cast.holders {
            holder.tick(&view).await.unwrap();
        }
        let acting = stage.requests();
        // One proposer acts, with two transactions: each simulated, estimated, sent; and since
        // proposeBlock answers nothing, the code is looked at.
        assert!(acting <= 7, "{acting} requests of 2,000 agents");
        stage.mine();
    }
}

#[tokio::test]
async fn a_holder_costs_few_requests() {
    let mut stage = Stage::new().await;
    let holders = stage.holders(&[100; 20]).await;
    let mut cast = Cast {
        holders: holders.into_iter().map(|holder| holder.with_checks(BLIND)).collect(),
        ..Cast::default()
    };
    stage.begin();
    let view = stage.look().await;
    stage.requests();
    for holder in &mut cast.holders {
        holder.tick(&view).await.unwrap();
    }
    // The token's name, the permit's nonce, the transaction.
    assert_eq!(stage.requests(), 60);
    stage.mine();
    let view = stage.look().await;
    stage.requests();
    for holder in &mut cast.holders {
        let outcomes = holder.tick(&view).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].act(), Act::Lock { amount: tokens(100) });
    }
    assert_eq!(stage.requests(), 0, "receipts came with the view");
}
