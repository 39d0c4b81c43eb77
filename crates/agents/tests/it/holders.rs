//! Holders, one question each.

use crate::stage::{Cast, Stage, is_done, tokens};
use alloy_primitives::Address;
use canon_agents::{Act, Holder, Outcome, Share, Void, Wish};
use canon_bindings::Asset;
use canon_l1::calls;
use canon_protocol::{Amount, ProposalId, ProposalState, Seconds, Support, Tally};

const ID: ProposalId = ProposalId::ZERO;

/// A proposal through the lock; the deployer keeps 9,000 tokens of power.
async fn proposal(stage: &mut Stage) {
    let (_, plan) = stage.upgrade().await;
    let (set, holder) = (stage.set.deployment, stage.deployer.address());
    stage.send(calls::approve(set.asset, set.governance, tokens(10_000))).await;
    stage.send(calls::lock(set.governance, holder, tokens(10_000))).await;
    let payload = plan.payload.address();
    stage.send(calls::propose_with_lock(set.governance, payload, holder)).await;
}

async fn cast_by(stage: &Stage, holder: Address) -> Tally {
    let at = stage.head().await.id();
    stage.client.ballots(at, stage.set.deployment.governance, ID, holder).await.unwrap()
}

async fn balance(stage: &Stage, owner: Address) -> Amount {
    let at = stage.head().await.id();
    let call = Asset::balanceOfCall { owner };
    let asset = stage.set.deployment.asset;
    stage.client.read(at, asset, call).await.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn power_at_the_snapshot_is_what_is_cast() {
    let mut stage = Stage::new().await;
    let holders = stage.holders(&[1_000, 500]).await;
    let addresses: Vec<_> = holders.iter().map(Holder::address).collect();
    let mut cast = Cast { holders, ..Cast::default() };
    stage.begin();
    cast.play_until(&mut stage, 3, is_done(|act| matches!(act, Act::Lock { .. }))).await;
    stage.chain.set_mining(canon_devchain::Mining::Auto);
    proposal(&mut stage).await;
    stage.begin();
    // Tokens locked in time count, tokens given up in time don't.
    stage.deployer.resync();
    let vote = |support, share| Wish::Vote { id: ID, support, share };
    cast.holders[0].want(vote(Support::Yea, Share::Exactly(tokens(300))));
    cast.holders[0].want(vote(Support::Nea, Share::Exactly(tokens(100))));
    cast.holders[1].want(Wish::Withdraw(Share::Exactly(tokens(200))));
    cast.holders[1].want(vote(Support::Nea, Share::All));
    cast.play_until(&mut stage, 3, is_done(|act| matches!(act, Act::Withdraw { .. }))).await;
    assert!(cast.done().all(|act| !matches!(act, Act::Vote { .. })), "nothing while Pending");
    let deadlines = stage.look().await.proposal(ID).unwrap().deadlines();
    stage.skip_to(deadlines.pending);
    cast.play_for(&mut stage, 3).await;
    // What is left, on whichever side.
    cast.holders[0].want(vote(Support::Yea, Share::All));
    cast.play_for(&mut stage, 2).await;
    let tally = |yea, nea| Tally { yea: tokens(yea), nea: tokens(nea) };
    assert_eq!(cast_by(&stage, addresses[0]).await, tally(900, 100));
    assert_eq!(cast_by(&stage, addresses[1]).await, tally(0, 300));
    assert_eq!(cast.failures(), Vec::<String>::new());

    // Nothing is left, and later it is too late.
    let void = |outcome: &Outcome, expected| matches!(outcome, Outcome::Void { act: Act::Vote { .. }, why } if *why == expected);
    cast.holders[0].want(vote(Support::Yea, Share::All));
    cast.play_until(&mut stage, 2, |outcome| void(outcome, Void::NoPower)).await;
    stage.skip_to(deadlines.active + Seconds::of(1));
    cast.holders[0].want(vote(Support::Yea, Share::All));
    cast.play_until(&mut stage, 2, |outcome| void(outcome, Void::TooLate)).await;
}

#[tokio::test]
async fn a_ballot_fits_the_first_and_the_last_second() {
    for seconds_before_the_end in [0, 11] {
        let mut stage = Stage::new().await;
        let holders = stage.holders(&[1_000]).await;
        let address = holders[0].address();
        let mut cast = Cast { holders, ..Cast::default() };
        stage.begin();
        cast.play_until(&mut stage, 3, is_done(|act| matches!(act, Act::Lock { .. }))).await;
        stage.chain.set_mining(canon_devchain::Mining::Auto);
        proposal(&mut stage).await;
        stage.begin();
        let deadlines = stage.look().await.proposal(ID).unwrap().deadlines();
        // The next block is the last one in time.
        let next = deadlines.active.get() - seconds_before_the_end;
        stage.skip_to(canon_protocol::Timestamp::of(next - crate::stage::BLOCK));
        let support = Support::Yea;
        cast.holders[0].want(Wish::Vote { id: ID, support, share: Share::All });
        cast.play_for(&mut stage, 2).await;
        assert_eq!(cast_by(&stage, address).await.yea, tokens(1_000));
        assert_eq!(cast.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_objection_fits_the_first_half_of_the_execution_delay() {
    for (seconds_late, taken) in [(0, true), (1, false)] {
        let mut stage = Stage::new().await;
        let holders = stage.holders(&[20_000, 1_000]).await;
        let addresses: Vec<_> = holders.iter().map(Holder::address).collect();
        let mut cast = Cast { holders, ..Cast::default() };
        stage.begin();
        cast.play_for(&mut stage, 3).await;
        stage.chain.set_mining(canon_devchain::Mining::Auto);
        proposal(&mut stage).await;
        let deadlines = stage.look().await.proposal(ID).unwrap().deadlines();
        let governance = stage.set.deployment.governance;
        stage.skip_to(deadlines.voting_starts());
        stage.send(calls::vote(governance, ID, tokens(9_000), Support::Yea)).await;
        stage.begin();
        // The next block is the last one in which ballots against count, or just too late.
        let next = deadlines.objections_until.get() + seconds_late;
        stage.skip_to(canon_protocol::Timestamp::of(next - crate::stage::BLOCK));
        for (holder, support) in [(0, Support::Nea), (1, Support::Yea)] {
            cast.holders[holder].want(Wish::Vote { id: ID, support, share: Share::All });
        }
        cast.play_for(&mut stage, 2).await;
        let cast_against = if taken { tokens(20_000) } else { Amount::ZERO };
        assert_eq!(cast_by(&stage, addresses[0]).await.nea, cast_against);
        assert_eq!(cast_by(&stage, addresses[1]).await.yea, Amount::ZERO, "too late for it");
        let state = stage.look().await.proposal(ID).unwrap().state;
        let expected = if taken { ProposalState::Rejected } else { ProposalState::Queued };
        assert_eq!(state, expected);
        assert_eq!(cast.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_withdrawn_comes_back_by_itself() {
    let mut stage = Stage::new().await;
    let mut holders = stage.holders(&[1_000]).await;
    let address = holders[0].address();
    holders[0].want(Wish::Withdraw(Share::All));
    let mut cast = Cast { holders, ..Cast::default() };
    stage.begin();
    cast.play_until(&mut stage, 5, is_done(|act| matches!(act, Act::Withdraw { .. }))).await;
    assert!(!cast.holders[0].is_content());
    assert_eq!(balance(&stage, address).await, Amount::ZERO);
    // A fifth of the voting delay, the vote, the execution delay.
    stage.skip_to(stage.now() + Seconds::of(720 + 3600 + 3600));
    let paid = |act| matches!(act, Act::FinaliseWithdrawal { .. });
    cast.play_until(&mut stage, 3, is_done(paid)).await;
    assert_eq!(balance(&stage, address).await, tokens(1_000));
    assert!(cast.holders[0].is_content());
}

#[tokio::test]
async fn an_approval_does_as_well() {
    let mut stage = Stage::new().await;
    stage.holders(&[1_000]).await;
    let mut holder = Holder::new(stage.sender("holder", 0));
    let address = holder.address();
    holder.want(Wish::LockWithApproval(tokens(400)));
    let mut cast = Cast { holders: vec![holder], ..Cast::default() };
    stage.begin();
    cast.play_for(&mut stage, 2).await;
    let acts: Vec<_> = cast.done().collect();
    let amount = tokens(400);
    assert_eq!(acts, [Act::Approve { amount }, Act::Lock { amount }]);
    assert_eq!(balance(&stage, address).await, tokens(600));
}

#[tokio::test]
async fn what_is_refused_is_told() {
    let mut stage = Stage::new().await;
    let mut holders = stage.holders(&[1_000]).await;
    holders[0].want(Wish::LockWithPermit(tokens(1)));
    let mut cast = Cast { holders, ..Cast::default() };
    stage.begin();
    cast.play_for(&mut stage, 3).await;
    let failures = cast.failures();
    // Both permits had the same nonce: one of them comes too late.
    assert!(failures.len() <= 1, "{failures:?}");
    cast.holders[0].want(Wish::Withdraw(Share::Exactly(tokens(5_000))));
    cast.play(&mut stage).await;
    let failures = cast.failures();
    let last = failures.last().unwrap();
    assert!(last.contains("Governance__InsufficientPower("), "{failures:?}");
    assert!(last.contains("use a smaller amount"), "{failures:?}");
}

#[tokio::test]
async fn what_is_stuck_is_sent_again_with_higher_fees() {
    let mut stage = Stage::new().await;
    let holders = stage.holders(&[1_000]).await;
    let mut cast = Cast { holders, ..Cast::default() };
    stage.begin();
    // The fee offered is just below what blocks ask for from now on.
    for _ in 0..12 {
        stage.chain.set_base_fee_next(8_000_000_000);
        cast.play(&mut stage).await;
    }
    let locked: Vec<_> = cast.done().collect();
    assert_eq!(locked, [Act::Lock { amount: tokens(1_000) }], "{}", cast.story());
    let sent = cast.outcomes.iter().filter(|o| matches!(o, Outcome::Sent { .. })).count();
    assert_eq!(sent, 1, "reported once");
}
