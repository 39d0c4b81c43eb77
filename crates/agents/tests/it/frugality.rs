//! What it costs to be many.

use crate::test_chain::{BLIND, Participants, TestChain, is_done, tokens};
use canon_agents::{Act, Holder, Order, Sequencer, Share};
use canon_protocol::{ProposalId, Support};

#[tokio::test]
async fn a_block_costs_the_same_however_many_watch() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut sequencers = chain.stakers(rollup, 4).await;
    let (_, plan) = chain.upgrade().await;
    for number in 1000..2000 {
        sequencers.push(Sequencer::new(chain.sender("idle", number), rollup));
    }
    for sequencer in &mut sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    let mut holders = Vec::new();
    for number in 0..1000 {
        let mut holder = Holder::new(chain.sender("idle holder", number));
        let (id, support) = (ProposalId::of(7), Support::Yea);
        holder.queue(Order::Vote { id, support, share: Share::All });
        holders.push(holder);
    }
    let mut participants = Participants { sequencers, holders, ..Participants::default() };
    chain.begin();
    participants.play_until(&mut chain, 30, is_done(|act| matches!(act, Act::Signal { .. }))).await;
    participants.play(&mut chain).await;
    for _ in 0..4 {
        chain.requests();
        let view = chain.look().await;
        let watching = chain.requests();
        assert!(watching <= 20, "{watching} requests for a view");
        for sequencer in &mut participants.sequencers {
            sequencer.tick(&view).await.unwrap();
        }
        for holder in &mut participants.holders {
            holder.tick(&view).await.unwrap();
        }
        let acting = chain.requests();
        // One proposer acts, with two transactions: each simulated, estimated, sent; and since
        // proposeBlock answers nothing, the code is looked at.
        assert!(acting <= 7, "{acting} requests of 2,000 agents");
        chain.mine();
    }
}

#[tokio::test]
async fn a_holder_costs_few_requests() {
    let mut chain = TestChain::new().await;
    let holders = chain.holders(&[100; 20]).await;
    let mut participants = Participants {
        holders: holders.into_iter().map(|holder| holder.with_checks(BLIND)).collect(),
        ..Participants::default()
    };
    chain.begin();
    let view = chain.look().await;
    chain.requests();
    for holder in &mut participants.holders {
        holder.tick(&view).await.unwrap();
    }
    // The token's name, the permit's nonce, the transaction.
    assert_eq!(chain.requests(), 60);
    chain.mine();
    let view = chain.look().await;
    chain.requests();
    for holder in &mut participants.holders {
        let outcomes = holder.tick(&view).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(outcomes[0].act(), Act::Lock { amount: tokens(100) });
    }
    assert_eq!(chain.requests(), 0, "receipts came with the view");
}
