//! Keepers, one question each.

use crate::test_chain::{Participants, TestChain, is_done, tokens};
use alloy_primitives::{Address, Bytes, bytes};
use canon_abi::{Contract, Governance, Proposals};
use canon_agents::{Act, Keeper, Order, Outcome, PayOut, Share};
use canon_chain::{ContractCall, calls};
use canon_protocol::{ProposalId, ProposalState, Seconds, Support};

const ID: ProposalId = ProposalId::ZERO;

/// A proposal through the lock that is accepted; time is its last second before execution.
async fn accepted(chain: &mut TestChain, participants: &mut Participants, payload: Address) {
    let holder = chain.deployer.address();
    let set = chain.set.deployment;
    let amount = tokens(10_000);
    chain.send(calls::approve(set.asset, set.governance, amount)).await;
    chain.send(calls::lock(set.governance, holder, amount)).await;
    chain.send(calls::propose_with_lock(set.governance, payload, holder)).await;
    let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
    chain.skip_to(deadlines.voting_starts());
    chain.send(calls::vote(set.governance, ID, tokens(9_000), Support::Yea)).await;
    chain.begin();
    chain.skip_to(deadlines.active + Seconds::of(1));
    participants.play(chain).await;
    assert_eq!(chain.look().await.proposal(ID).unwrap().state, ProposalState::Queued);
    chain.skip_to(deadlines.queued);
}

#[tokio::test]
async fn a_payload_that_withholds_is_executed_with_what_was_frozen() {
    for lie in [
        // Reverts, is gone, answers an empty list, answers nonsense.
        bytes!("60006000fd"),
        Bytes::new(),
        bytes!("602060005260206000602037604060006000f3"),
        bytes!("60ff60005260206000f3"),
    ] {
        let mut chain = TestChain::new().await;
        let mut participants =
            Participants { keepers: vec![chain.keeper()], ..Participants::default() };
        let (new, plan) = chain.upgrade().await;
        let payload = plan.payload.address();
        accepted(&mut chain, &mut participants, payload).await;
        chain.chain.set_code(payload, lie.clone()).unwrap();
        participants
            .play_until(&mut chain, 4, is_done(|act| act == Act::ExecuteFrozen { id: ID }))
            .await;
        assert_eq!(chain.look().await.canonical(), new, "{lie}");
        assert_eq!(participants.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_action_that_fails_is_told_once_and_tried_until_it_succeeds() {
    let mut chain = TestChain::new().await;
    let mut participants =
        Participants { keepers: vec![chain.keeper()], ..Participants::default() };
    let (new, plan) = chain.upgrade().await;
    let code = chain.client.code(chain.head().await.hash.into(), new).await.unwrap().unwrap();
    accepted(&mut chain, &mut participants, plan.payload.address()).await;
    // The new rollup isn't there, for a while.
    chain.chain.set_code(new, Bytes::new()).unwrap();
    participants.play_for(&mut chain, 5).await;
    let failures = participants.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("reason: NoAnswer("), "{failures:?}");
    chain.chain.set_code(new, code).unwrap();
    participants.play_until(&mut chain, 3, is_done(|act| act == Act::Execute { id: ID })).await;
    assert_eq!(chain.look().await.canonical(), new);
}

#[tokio::test]
async fn what_a_replaced_proposals_contract_pushed_is_dropped() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    let mut participants = Participants {
        sequencers: chain.stakers(rollup, 4).await,
        keepers: vec![chain.keeper()],
        ..Participants::default()
    };
    let (_, plan) = chain.upgrade().await;
    for sequencer in &mut participants.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    let set = chain.set.deployment;
    let arguments = Proposals::constructorCall {
        registry: set.registry,
        n: alloy_primitives::U256::from(2),
        m: alloy_primitives::U256::from(3),
    };
    let created =
        chain.send(ContractCall::create(Contract::Proposals, &arguments)).await.created.unwrap();
    chain.begin();
    participants.play_until(&mut chain, 120, is_done(|act| matches!(act, Act::Push { .. }))).await;

    // Governance replaces it: by its own hand, since how it got there doesn't matter here.
    let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: created };
    chain.as_governance(set.governance, call).await;
    participants.play_until(&mut chain, 4, is_done(|act| act == Act::Drop { id: ID })).await;
    let view = chain.look().await;
    assert_eq!(view.deployment().proposals, created);
    let proposal = view.proposal(ID).unwrap();
    assert_eq!((proposal.state, proposal.stored), (ProposalState::Dropped, ProposalState::Dropped));
    // Signals go to the new one, for the same payload.
    let pushed = |act| matches!(act, Act::Push { .. });
    participants.play_until(&mut chain, 60, is_done(pushed)).await;
    assert_eq!(chain.look().await.proposals().len(), 2);
    assert_eq!(participants.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn everybody_is_paid_what_is_due() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    chain.stakers(rollup, 1).await;
    let mut holders = chain.holders(&[1_000]).await;
    holders[0].queue(Order::Withdraw(Share::All));
    let keeper = Keeper::new(chain.sender("keeper", 0)).with_pay_out(PayOut::Everything);
    let mut participants =
        Participants { holders, keepers: vec![keeper], ..Participants::default() };
    chain.begin();
    let withdrawn = |act| matches!(act, Act::Withdraw { .. });
    participants.play_until(&mut chain, 6, is_done(withdrawn)).await;
    // The holder goes offline; an attester leaves.
    participants.holders.clear();
    let next = chain.client.next_block().await.unwrap();
    let mut withdrawer = chain.withdrawer(0);
    let call = calls::unstake(rollup, crate::test_chain::attester(0), withdrawer.address());
    let pending = withdrawer.submit(call, canon_chain::Checks::Full, next).await.unwrap();
    participants.play(&mut chain).await;
    assert!(chain.client.confirm(&pending).await.unwrap().is_some());
    participants.play(&mut chain).await;
    chain.skip_to(chain.now() + Seconds::of(3 * 3600));
    participants.play_for(&mut chain, 2).await;
    let paid: Vec<_> = participants.done().filter(|act| !withdrawn(*act)).collect();
    assert!(
        paid.iter().any(|act| matches!(act, Act::FinaliseWithdrawal { .. })),
        "{}",
        participants.story()
    );
    assert!(
        paid.iter().any(|act| matches!(act, Act::FinaliseExit { .. })),
        "{}",
        participants.story()
    );
    assert!(!participants.outcomes.iter().any(|o| matches!(o, Outcome::Failed { .. })));
}

#[tokio::test]
async fn a_keeper_alone_keeps_the_seeds_of_all_rollups_coming() {
    let mut chain = TestChain::new().await;
    let rollup = chain.set.deployment.rollup;
    chain.stakers(rollup, 3).await;
    let (new, _) = chain.upgrade().await;
    let mut participants =
        Participants { keepers: vec![chain.keeper()], ..Participants::default() };
    chain.begin();
    // A long silence: no epoch has a seed.
    chain.skip_to(chain.now() + Seconds::HOUR);
    assert_eq!(chain.look().await.rollup(rollup).unwrap().proposer, None);
    participants.play_for(&mut chain, 16).await;
    for rollup in [rollup, new] {
        let epochs: Vec<_> = participants
            .done()
            .filter_map(|act| match act {
                Act::RecordSeed { rollup: of, epoch } if of == rollup => Some(epoch),
                _ => None,
            })
            .collect();
        assert!(epochs.len() >= 3, "{epochs:?}");
        assert!(epochs.windows(2).all(|two| two[1] == two[0].next()), "{epochs:?}");
    }
    assert!(chain.look().await.rollup(rollup).unwrap().proposer.is_some());
    assert_eq!(participants.failures(), Vec::<String>::new());
}
