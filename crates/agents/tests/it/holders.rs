//! Holders, one question each.

use crate::test_chain::{Participants, TestChain, is_done, tokens};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_abi::Asset;
use canon_agents::{Act, Holder, Order, Outcome, Share, Skipped};
use canon_chain::calls;
use canon_protocol::{Amount, ProposalId, ProposalState, Seconds, Support, Tally};

const ID: ProposalId = ProposalId::ZERO;

/// A proposal through the lock; the deployer keeps 9,000 tokens of power.
async fn proposal(chain: &mut TestChain) {
    let (_, plan) = chain.upgrade().await;
    let (set, holder) = (chain.set.deployment, chain.deployer.address());
    chain.send(calls::approve(set.asset, set.governance, tokens(10_000))).await;
    chain.send(calls::lock(set.governance, holder, tokens(10_000))).await;
    let payload = plan.payload.address();
    chain.send(calls::propose_with_lock(set.governance, payload, holder)).await;
}

async fn cast_by(chain: &TestChain, holder: Address) -> Tally {
    let at = BlockId::from(chain.head().await.hash);
    chain.client.ballots(at, chain.set.deployment.governance, ID, holder).await.unwrap()
}

async fn balance(chain: &TestChain, owner: Address) -> Amount {
    let at = BlockId::from(chain.head().await.hash);
    let call = Asset::balanceOfCall { owner };
    let asset = chain.set.deployment.asset;
    chain.client.read(at, asset, call).await.unwrap().try_into().unwrap()
}

#[tokio::test]
async fn power_at_the_snapshot_is_what_is_cast() {
    let mut chain = TestChain::new().await;
    let holders = chain.holders(&[1_000, 500]).await;
    let addresses: Vec<_> = holders.iter().map(Holder::address).collect();
    let mut participants = Participants { holders, ..Participants::default() };
    chain.begin();
    participants.play_until(&mut chain, 3, is_done(|act| matches!(act, Act::Lock { .. }))).await;
    chain.chain.set_mining(canon_devchain::Mining::Auto);
    proposal(&mut chain).await;
    chain.begin();
    // Tokens locked in time count, tokens given up in time don't.
    chain.deployer.resync();
    let vote = |support, share| Order::Vote { id: ID, support, share };
    participants.holders[0].queue(vote(Support::Yea, Share::Exactly(tokens(300))));
    participants.holders[0].queue(vote(Support::Nea, Share::Exactly(tokens(100))));
    participants.holders[1].queue(Order::Withdraw(Share::Exactly(tokens(200))));
    participants.holders[1].queue(vote(Support::Nea, Share::All));
    participants
        .play_until(&mut chain, 3, is_done(|act| matches!(act, Act::Withdraw { .. })))
        .await;
    assert!(
        participants.done().all(|act| !matches!(act, Act::Vote { .. })),
        "nothing while Pending"
    );
    let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
    chain.skip_to(deadlines.pending);
    participants.play_for(&mut chain, 3).await;
    // What is left, on whichever side.
    participants.holders[0].queue(vote(Support::Yea, Share::All));
    participants.play_for(&mut chain, 2).await;
    let tally = |yea, nea| Tally { yea: tokens(yea), nea: tokens(nea) };
    assert_eq!(cast_by(&chain, addresses[0]).await, tally(900, 100));
    assert_eq!(cast_by(&chain, addresses[1]).await, tally(0, 300));
    assert_eq!(participants.failures(), Vec::<String>::new());

    // Nothing is left, and later it is too late.
    let void = |outcome: &Outcome, expected| matches!(outcome, Outcome::Skipped { act: Act::Vote { .. }, why } if *why == expected);
    participants.holders[0].queue(vote(Support::Yea, Share::All));
    participants.play_until(&mut chain, 2, |outcome| void(outcome, Skipped::NoPower)).await;
    chain.skip_to(deadlines.active + Seconds::of(1));
    participants.holders[0].queue(vote(Support::Yea, Share::All));
    participants.play_until(&mut chain, 2, |outcome| void(outcome, Skipped::TooLate)).await;
}

#[tokio::test]
async fn a_ballot_fits_the_first_and_the_last_second() {
    for seconds_before_the_end in [0, 11] {
        let mut chain = TestChain::new().await;
        let holders = chain.holders(&[1_000]).await;
        let address = holders[0].address();
        let mut participants = Participants { holders, ..Participants::default() };
        chain.begin();
        participants
            .play_until(&mut chain, 3, is_done(|act| matches!(act, Act::Lock { .. })))
            .await;
        chain.chain.set_mining(canon_devchain::Mining::Auto);
        proposal(&mut chain).await;
        chain.begin();
        let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
        // The next block is the last one in time.
        let next = deadlines.active.get() - seconds_before_the_end;
        chain.skip_to(canon_protocol::Timestamp::of(next - crate::test_chain::BLOCK));
        let support = Support::Yea;
        participants.holders[0].queue(Order::Vote { id: ID, support, share: Share::All });
        participants.play_for(&mut chain, 2).await;
        assert_eq!(cast_by(&chain, address).await.yea, tokens(1_000));
        assert_eq!(participants.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_objection_fits_the_first_half_of_the_execution_delay() {
    for (seconds_late, taken) in [(0, true), (1, false)] {
        let mut chain = TestChain::new().await;
        let holders = chain.holders(&[20_000, 1_000]).await;
        let addresses: Vec<_> = holders.iter().map(Holder::address).collect();
        let mut participants = Participants { holders, ..Participants::default() };
        chain.begin();
        participants.play_for(&mut chain, 3).await;
        chain.chain.set_mining(canon_devchain::Mining::Auto);
        proposal(&mut chain).await;
        let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
        let governance = chain.set.deployment.governance;
        chain.skip_to(deadlines.voting_starts());
        chain.send(calls::vote(governance, ID, tokens(9_000), Support::Yea)).await;
        chain.begin();
        // The next block is the last one in which ballots against count, or just too late.
        let next = deadlines.objections_until.get() + seconds_late;
        chain.skip_to(canon_protocol::Timestamp::of(next - crate::test_chain::BLOCK));
        for (holder, support) in [(0, Support::Nea), (1, Support::Yea)] {
            participants.holders[holder].queue(Order::Vote { id: ID, support, share: Share::All });
        }
        participants.play_for(&mut chain, 2).await;
        let cast_against = if taken { tokens(20_000) } else { Amount::ZERO };
        assert_eq!(cast_by(&chain, addresses[0]).await.nea, cast_against);
        assert_eq!(cast_by(&chain, addresses[1]).await.yea, Amount::ZERO, "too late for it");
        let state = chain.look().await.proposal(ID).unwrap().state;
        let expected = if taken { ProposalState::Rejected } else { ProposalState::Queued };
        assert_eq!(state, expected);
        assert_eq!(participants.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_is_withdrawn_comes_back_by_itself() {
    let mut chain = TestChain::new().await;
    let mut holders = chain.holders(&[1_000]).await;
    let address = holders[0].address();
    holders[0].queue(Order::Withdraw(Share::All));
    let mut participants = Participants { holders, ..Participants::default() };
    chain.begin();
    participants
        .play_until(&mut chain, 5, is_done(|act| matches!(act, Act::Withdraw { .. })))
        .await;
    assert!(!participants.holders[0].is_idle());
    assert_eq!(balance(&chain, address).await, Amount::ZERO);
    // A fifth of the voting delay, the vote, the execution delay.
    chain.skip_to(chain.now() + Seconds::of(720 + 3600 + 3600));
    let paid = |act| matches!(act, Act::FinaliseWithdrawal { .. });
    participants.play_until(&mut chain, 3, is_done(paid)).await;
    assert_eq!(balance(&chain, address).await, tokens(1_000));
    assert!(participants.holders[0].is_idle());
}

#[tokio::test]
async fn an_approval_does_as_well() {
    let mut chain = TestChain::new().await;
    chain.holders(&[1_000]).await;
    let mut holder = Holder::new(chain.sender("holder", 0));
    let address = holder.address();
    holder.queue(Order::LockWithApproval(tokens(400)));
    let mut participants = Participants { holders: vec![holder], ..Participants::default() };
    chain.begin();
    participants.play_for(&mut chain, 2).await;
    let acts: Vec<_> = participants.done().collect();
    let amount = tokens(400);
    assert_eq!(acts, [Act::Approve { amount }, Act::Lock { amount }]);
    assert_eq!(balance(&chain, address).await, tokens(600));
}

#[tokio::test]
async fn what_is_refused_is_told() {
    let mut chain = TestChain::new().await;
    let mut holders = chain.holders(&[1_000]).await;
    holders[0].queue(Order::LockWithPermit(tokens(1)));
    let mut participants = Participants { holders, ..Participants::default() };
    chain.begin();
    participants.play_for(&mut chain, 3).await;
    let failures = participants.failures();
    // Both permits had the same nonce: one of them comes too late.
    assert!(failures.len() <= 1, "{failures:?}");
    participants.holders[0].queue(Order::Withdraw(Share::Exactly(tokens(5_000))));
    participants.play(&mut chain).await;
    let failures = participants.failures();
    let last = failures.last().unwrap();
    assert!(last.contains("Governance__InsufficientPower("), "{failures:?}");
    assert!(last.contains("use a smaller amount"), "{failures:?}");
}

#[tokio::test]
async fn what_is_stuck_is_sent_again_with_higher_fees() {
    let mut chain = TestChain::new().await;
    let holders = chain.holders(&[1_000]).await;
    let mut participants = Participants { holders, ..Participants::default() };
    chain.begin();
    // The fee offered is just below what blocks ask for from now on.
    for _ in 0..12 {
        chain.chain.set_base_fee_next(8_000_000_000);
        participants.play(&mut chain).await;
    }
    let locked: Vec<_> = participants.done().collect();
    assert_eq!(locked, [Act::Lock { amount: tokens(1_000) }], "{}", participants.story());
    let sent = participants.outcomes.iter().filter(|o| matches!(o, Outcome::Sent { .. })).count();
    assert_eq!(sent, 1, "reported once");
}
