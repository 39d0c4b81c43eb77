//! A whole upgrade by agents alone.

use crate::stage::{Cast, Stage, is_done};
use canon_agents::{Act, Mover, PayloadStatus, Phase, Share, SignalDecision, Wish};
use canon_protocol::{ProposalId, ProposalState, Seconds, Support};
use std::collections::BTreeSet;

#[tokio::test]
async fn from_the_first_signal_to_the_new_rollups_blocks() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    let mut cast = Cast {
        sequencers: stage.stakers(old, 8).await,
        holders: stage.holders(&[5_000, 3_000, 1_000]).await,
        keepers: vec![stage.keeper()],
        ..Cast::default()
    };
    let (new, plan) = stage.upgrade().await;
    let payload = plan.payload.address();
    for sequencer in &mut cast.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    stage.begin();

    // Signals, until the keeper pushes.
    let id = ProposalId::ZERO;
    cast.play_until(&mut stage, 120, is_done(|act| matches!(act, Act::Push { .. }))).await;
    let mut slots = BTreeSet::new();
    let mut signals = 0;
    for act in cast.done() {
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
    assert!(live(stage.look().await.payload(payload)));
    let before = cast.outcomes.len();
    for (holder, support) in cast.holders.iter_mut().zip([Support::Yea, Support::Yea, Support::Nea])
    {
        holder.want(Wish::Vote { id, support, share: Share::All });
    }
    cast.play_until(&mut stage, 400, is_done(|act| matches!(act, Act::Vote { .. }))).await;
    cast.play_for(&mut stage, 2).await;
    let view = stage.look().await;
    let proposal = view.proposal(id).unwrap();
    assert_eq!(proposal.state, ProposalState::Active);
    let deadlines = proposal.deadlines();

    // The stakers announce their moves while it is queued.
    stage.skip_to(deadlines.active + Seconds::of(1));
    cast.movers = (0..8).map(|number| stage.mover(number, old, new)).collect();
    cast.play_for(&mut stage, 2).await;
    let waiting = |mover: &Mover| matches!(mover.phase(), Phase::Waiting { .. });
    assert!(cast.movers.iter().all(waiting), "{}", cast.story());

    // Executed in the very first block that can.
    stage.skip_to(deadlines.queued);
    cast.play_until(&mut stage, 3, is_done(|act| act == Act::Execute { id })).await;
    let view = stage.look().await;
    assert_eq!(view.canonical(), new);
    assert_eq!(view.proposal(id).unwrap().state, ProposalState::Executed);
    assert_eq!(view.payload(payload), Some(PayloadStatus::Executed { id }));
    assert!(
        !cast.outcomes[before..].iter().any(|o| matches!(o.act(), Act::Signal { .. })),
        "{}",
        cast.story()
    );

    // The stakes follow.
    stage.skip_to(stage.now() + Seconds::HOUR);
    cast.play_for(&mut stage, 2).await;
    assert!(cast.movers.iter().all(|mover| mover.phase() == Phase::Moved), "{}", cast.story());
    for sequencer in &mut cast.sequencers {
        sequencer.set_rollup(new);
    }
    let on_new = |act| matches!(act, Act::ProposeBlock { rollup, .. } if rollup == new);
    cast.play_until(&mut stage, 40, is_done(on_new)).await;
    cast.play_for(&mut stage, 20).await;
    let decision = SignalDecision::Status(PayloadStatus::Executed { id });
    assert!(cast.sequencers.iter().any(|sequencer| sequencer.decision() == decision));
    assert_eq!(cast.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn a_rejected_payload_is_signaled_for_again() {
    let mut stage = Stage::new().await;
    let old = stage.set.deployment.rollup;
    let mut cast = Cast {
        sequencers: stage.stakers(old, 4).await,
        holders: stage.holders(&[5_000]).await,
        keepers: vec![stage.keeper()],
        ..Cast::default()
    };
    let (_, plan) = stage.upgrade().await;
    let payload = plan.payload.address();
    for sequencer in &mut cast.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    stage.begin();
    let pushed = |act| matches!(act, Act::Push { .. });
    cast.play_until(&mut stage, 120, is_done(pushed)).await;
    let id = ProposalId::ZERO;
    cast.holders[0].want(Wish::Vote { id, support: Support::Nea, share: Share::All });
    let deadlines = stage.look().await.proposal(id).unwrap().deadlines();
    stage.skip_to(deadlines.voting_starts());
    cast.play_until(&mut stage, 5, is_done(|act| matches!(act, Act::Vote { .. }))).await;
    stage.skip_to(deadlines.active + Seconds::of(1));
    let view = stage.look().await;
    assert_eq!(view.payload(payload), Some(PayloadStatus::Rejected { id }));
    let signal = |act| matches!(act, Act::Signal { .. });
    cast.play_until(&mut stage, 30, is_done(signal)).await;
    cast.play_until(&mut stage, 120, is_done(pushed)).await;
    let view = stage.look().await;
    assert_eq!(view.proposals().len(), 2);
    let second = PayloadStatus::Live { id: ProposalId::of(1), state: ProposalState::Pending };
    assert_eq!(view.payload(payload), Some(second));
    assert_eq!(cast.failures(), Vec::<String>::new());
}
