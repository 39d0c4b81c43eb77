//! Keepers, one question each.

use crate::stage::{Cast, Stage, is_done, tokens};
use alloy_primitives::{Address, Bytes, bytes};
use canon_agents::{Act, Keeper, Outcome, PayOut, Share, Wish};
use canon_bindings::{Contract, Governance, Proposals};
use canon_l1::{Call, calls};
use canon_protocol::{ProposalId, ProposalState, Seconds, Support};

const ID: ProposalId = ProposalId::ZERO;

/// A proposal through the lock that is accepted; time is its last second before execution.
async fn accepted(stage: &mut Stage, cast: &mut Cast, payload: Address) {
    let holder = stage.deployer.address();
    let set = stage.set.deployment;
    let amount = tokens(10_000);
    stage.send(calls::approve(set.asset, set.governance, amount)).await;
    stage.send(calls::lock(set.governance, holder, amount)).await;
    stage.send(calls::propose_with_lock(set.governance, payload, holder)).await;
    let deadlines = stage.look().await.proposal(ID).unwrap().deadlines();
    stage.skip_to(deadlines.voting_starts());
    stage.send(calls::vote(set.governance, ID, tokens(9_000), Support::Yea)).await;
    stage.begin();
    stage.skip_to(deadlines.active + Seconds::of(1));
    cast.play(stage).await;
    assert_eq!(stage.look().await.proposal(ID).unwrap().state, ProposalState::Queued);
    stage.skip_to(deadlines.queued);
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
        let mut stage = Stage::new().await;
        let mut cast = Cast { keepers: vec![stage.keeper()], ..Cast::default() };
        let (new, plan) = stage.upgrade().await;
        let payload = plan.payload.address();
        accepted(&mut stage, &mut cast, payload).await;
        stage.chain.set_code(payload, lie.clone()).unwrap();
        cast.play_until(&mut stage, 4, is_done(|act| act == Act::ExecuteFrozen { id: ID })).await;
        assert_eq!(stage.look().await.canonical(), new, "{lie}");
        assert_eq!(cast.failures(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_action_that_fails_is_told_once_and_tried_until_it_succeeds() {
    let mut stage = Stage::new().await;
    let mut cast = Cast { keepers: vec![stage.keeper()], ..Cast::default() };
    let (new, plan) = stage.upgrade().await;
    let code = stage.client.code(stage.head().await.id(), new).await.unwrap().unwrap();
    accepted(&mut stage, &mut cast, plan.payload.address()).await;
    // The new rollup isn't there, for a while.
    stage.chain.set_code(new, Bytes::new()).unwrap();
    cast.play_for(&mut stage, 5).await;
    let failures = cast.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("reason: NoAnswer("), "{failures:?}");
    stage.chain.set_code(new, code).unwrap();
    cast.play_until(&mut stage, 3, is_done(|act| act == Act::Execute { id: ID })).await;
    assert_eq!(stage.look().await.canonical(), new);
}

#[tokio::test]
async fn what_a_replaced_proposals_contract_pushed_is_dropped() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    let mut cast = Cast {
        sequencers: stage.stakers(rollup, 4).await,
        keepers: vec![stage.keeper()],
        ..Cast::default()
    };
    let (_, plan) = stage.upgrade().await;
    for sequencer in &mut cast.sequencers {
        sequencer.set_plan(Some(plan.clone()));
    }
    let set = stage.set.deployment;
    let arguments = Proposals::constructorCall {
        registry: set.registry,
        n: alloy_primitives::U256::from(2),
        m: alloy_primitives::U256::from(3),
    };
    let created = stage.send(Call::create(Contract::Proposals, &arguments)).await.created.unwrap();
    stage.begin();
    cast.play_until(&mut stage, 120, is_done(|act| matches!(act, Act::Push { .. }))).await;

    // Governance replaces it: by its own hand, since how it got there doesn't matter here.
    let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: created };
    stage.as_governance(set.governance, call).await;
    cast.play_until(&mut stage, 4, is_done(|act| act == Act::Drop { id: ID })).await;
    let view = stage.look().await;
    assert_eq!(view.deployment().proposals, created);
    let proposal = view.proposal(ID).unwrap();
    assert_eq!((proposal.state, proposal.stored), (ProposalState::Dropped, ProposalState::Dropped));
    // Signals go to the new one, for the same payload.
    let pushed = |act| matches!(act, Act::Push { .. });
    cast.play_until(&mut stage, 60, is_done(pushed)).await;
    assert_eq!(stage.look().await.proposals().len(), 2);
    assert_eq!(cast.failures(), Vec::<String>::new());
}

#[tokio::test]
async fn everybody_is_paid_what_is_due() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    stage.stakers(rollup, 1).await;
    let mut holders = stage.holders(&[1_000]).await;
    holders[0].want(Wish::Withdraw(Share::All));
    let keeper = Keeper::new(stage.sender("keeper", 0)).with_pay_out(PayOut::Everything);
    let mut cast = Cast { holders, keepers: vec![keeper], ..Cast::default() };
    stage.begin();
    let withdrawn = |act| matches!(act, Act::Withdraw { .. });
    cast.play_until(&mut stage, 6, is_done(withdrawn)).await;
    // The holder goes offline; an attester leaves.
    cast.holders.clear();
    let next = stage.client.next_block().await.unwrap();
    let mut withdrawer = stage.withdrawer(0);
    let call = calls::unstake(rollup, crate::stage::attester(0), withdrawer.address());
    let pending = withdrawer.submit(call, canon_l1::Checks::Full, next).await.unwrap();
    cast.play(&mut stage).await;
    assert!(stage.client.confirm(&pending).await.unwrap().is_some());
    cast.play(&mut stage).await;
    stage.skip_to(stage.now() + Seconds::of(3 * 3600));
    cast.play_for(&mut stage, 2).await;
    let paid: Vec<_> = cast.done().filter(|act| !withdrawn(*act)).collect();
    assert!(
        paid.iter().any(|act| matches!(act, Act::FinaliseWithdrawal { .. })),
        "{}",
        cast.story()
    );
    assert!(paid.iter().any(|act| matches!(act, Act::FinaliseExit { .. })), "{}", cast.story());
    assert!(!cast.outcomes.iter().any(|o| matches!(o, Outcome::Failed { .. })));
}

#[tokio::test]
async fn a_keeper_alone_keeps_the_seeds_of_all_rollups_coming() {
    let mut stage = Stage::new().await;
    let rollup = stage.set.deployment.rollup;
    stage.stakers(rollup, 3).await;
    let (new, _) = stage.upgrade().await;
    let mut cast = Cast { keepers: vec![stage.keeper()], ..Cast::default() };
    stage.begin();
    // A long silence: no epoch has a seed.
    stage.skip_to(stage.now() + Seconds::HOUR);
    assert_eq!(stage.look().await.rollup(rollup).unwrap().proposer, None);
    cast.play_for(&mut stage, 16).await;
    for rollup in [rollup, new] {
        let epochs: Vec<_> = cast
            .done()
            .filter_map(|act| match act {
                Act::RecordSeed { rollup: of, epoch } if of == rollup => Some(epoch),
                _ => None,
            })
            .collect();
        assert!(epochs.len() >= 3, "{epochs:?}");
        assert!(epochs.windows(2).all(|two| two[1] == two[0].next()), "{epochs:?}");
    }
    assert!(stage.look().await.rollup(rollup).unwrap().proposer.is_some());
    assert_eq!(cast.failures(), Vec::<String>::new());
}
