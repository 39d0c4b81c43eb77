//! A whole upgrade by agents alone.

use crate::test_chain::{Participants, TestChain, is_done};
use canon_agents::{Act, Mover, Order, PayloadStatus, Phase, Share, SignalDecision};
use canon_protocol::{ProposalId, ProposalState, Seconds, Support};
use std::collections::BTreeSet;

#[tokio::test]
async fn from_the_first_signal_to_the_new_rollups_blocks() {
    let mut chain = TestChain::new().await;
    let old = chain.set.deployment.rollup;
    let mut participants = Participants {
        sequencers: chain.stakers(old, 8).await,
        holders: chain.holders(&[5_000, 3_000, 1_000]).await,
        keepers: vec![chain.keeper()],
        ..Participants::default()
    };
    let (new, plan) = chain.upgrade().await;
    let payload = plan.payload.address();
    for sequencer in &mut participants.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    chain.begin();

    // Signals, until the keeper pushes.
    let id = ProposalId::ZERO;
    participants.play_until(&mut chain, 120, is_done(|act| matches!(act, Act::Push { .. }))).await;
    let mut slots = BTreeSet::new();
    let mut signals = 0;
    for act in participants.done() {
        if let Act::Signal { payload: of, slot } = act {
            assert_eq!(of, payload);
            assert!(slots.insert(slot), "two signals in slot {slot}");
            signals += 1;
        }
    }
    // A round that wasn't won may come first; the winning one stops at six.
    assert!((6..16).contains(&signals), "{signals}");

    // Nobody signals while the proposal lives.
    let live = |status| matches!(status, Some(PayloadStatus::Live { .. }));
    assert!(live(chain.look().await.payload(payload)));
    let before = participants.outcomes.len();
    for (holder, support) in
        participants.holders.iter_mut().zip([Support::Yea, Support::Yea, Support::Nea])
    {
        holder.queue(Order::Vote { id, support, share: Share::All });
    }
    participants.play_until(&mut chain, 400, is_done(|act| matches!(act, Act::Vote { .. }))).await;
    participants.play_for(&mut chain, 2).await;
    let view = chain.look().await;
    let proposal = view.proposal(id).unwrap();
    assert_eq!(proposal.state, ProposalState::Active);
    let deadlines = proposal.deadlines();

    // The stakers announce their moves while it is queued.
    chain.skip_to(deadlines.active + Seconds::of(1));
    participants.movers = (0..8).map(|number| chain.mover(number, old, new)).collect();
    participants.play_for(&mut chain, 2).await;
    let waiting = |mover: &Mover| matches!(mover.phase(), Phase::Waiting { .. });
    assert!(participants.movers.iter().all(waiting), "{}", participants.story());

    // Executed in the very first block that can.
    chain.skip_to(deadlines.queued);
    participants.play_until(&mut chain, 3, is_done(|act| act == Act::Execute { id })).await;
    let view = chain.look().await;
    assert_eq!(view.canonical(), new);
    assert_eq!(view.proposal(id).unwrap().state, ProposalState::Executed);
    assert_eq!(view.payload(payload), Some(PayloadStatus::Executed { id }));
    assert!(
        !participants.outcomes[before..].iter().any(|o| matches!(o.act(), Act::Signal { .. })),
        "{}",
        participants.story()
    );

    // The stakes follow.
    chain.skip_to(chain.now() + Seconds::HOUR);
    participants.play_for(&mut chain, 2).await;
    assert!(
        participants.movers.iter().all(|mover| mover.phase() == Phase::Moved),
        "{}",
        participants.story()
    );
    for sequencer in &mut participants.sequencers {
        sequencer.set_rollup(new);
    }
    let on_new = |act| matches!(act, Act::ProposeBlock { rollup, .. } if rollup == new);
    participants.play_until(&mut chain, 40, is_done(on_new)).await;
    participants.play_for(&mut chain, 20).await;
    let decision = SignalDecision::Status(PayloadStatus::Executed { id });
    assert!(participants.sequencers.iter().any(|sequencer| sequencer.decision() == decision));
    assert_eq!(participants.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn a_rejected_payload_is_signaled_for_again() {
    let mut chain = TestChain::new().await;
    let old = chain.set.deployment.rollup;
    let mut participants = Participants {
        sequencers: chain.stakers(old, 4).await,
        holders: chain.holders(&[5_000]).await,
        keepers: vec![chain.keeper()],
        ..Participants::default()
    };
    let (_, plan) = chain.upgrade().await;
    let payload = plan.payload.address();
    for sequencer in &mut participants.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    chain.begin();
    let pushed = |act| matches!(act, Act::Push { .. });
    participants.play_until(&mut chain, 120, is_done(pushed)).await;
    let id = ProposalId::ZERO;
    participants.holders[0].queue(Order::Vote { id, support: Support::Nea, share: Share::All });
    let deadlines = chain.look().await.proposal(id).unwrap().deadlines();
    chain.skip_to(deadlines.voting_starts());
    participants.play_until(&mut chain, 5, is_done(|act| matches!(act, Act::Vote { .. }))).await;
    chain.skip_to(deadlines.active + Seconds::of(1));
    let view = chain.look().await;
    assert_eq!(view.payload(payload), Some(PayloadStatus::Rejected { id }));
    let signal = |act| matches!(act, Act::Signal { .. });
    participants.play_until(&mut chain, 30, is_done(signal)).await;
    participants.play_until(&mut chain, 120, is_done(pushed)).await;
    let view = chain.look().await;
    assert_eq!(view.proposals().len(), 2);
    let second = PayloadStatus::Live { id: ProposalId::of(1), state: ProposalState::Pending };
    assert_eq!(view.payload(payload), Some(second));
    assert_eq!(participants.failures(), Vec::<String>::new());
}
