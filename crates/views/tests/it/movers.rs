//! The duty of movers.

use crate::chain::{
    ASSET, Chain, EXIT_DELAY, GOVERNANCE, NEW_ROLLUP, PAYLOAD, REGISTRY, ROLLUP, ViewedChain as _,
    action, named, tokens,
};
use alloy_primitives::Address;
use canon_protocol::{AssetCall, GovernanceCall, RegistryCall, RollupCall, Seconds, Timestamp};
use canon_views::{
    IntendedAction, MoveObstacle, MovePhase, MovePlan, NewAttester, Question, mover,
};

fn plan() -> MovePlan {
    MovePlan {
        withdrawer: named("withdrawer 0"),
        attester: named("attester 0"),
        from: ROLLUP,
        to: NEW_ROLLUP,
        spare: named("spare"),
    }
}

fn stands(chain: &Chain, plan: &MovePlan, next: Timestamp) -> (MovePhase, Vec<IntendedAction>) {
    let mut question = Question::default();
    question.add_move(plan);
    let duty = mover(&chain.view_of(next, &question).present, plan);
    (duty.status, duty.intents.into_iter().map(|intent| intent.action).collect())
}

fn soon(chain: &Chain) -> Timestamp {
    chain.now() + Seconds::SECOND
}

/// Registers `attester` in the new rollup for `bob`.
fn squat(chain: &mut Chain, attester: Address) {
    chain.fund("bob", 100);
    let amount = tokens(100);
    chain.ok("bob", ASSET, AssetCall::Approve { spender: NEW_ROLLUP, amount });
    let (proposer, withdrawer) = (named("bob"), named("bob"));
    chain.ok("bob", NEW_ROLLUP, RollupCall::Deposit { attester, proposer, withdrawer, amount });
}

#[test]
fn a_move_goes_from_phase_to_phase() {
    let mut chain = Chain::voting(2000, 0);
    chain.deploy_rollup(NEW_ROLLUP);
    let plan = plan();
    let MovePlan { withdrawer, attester, from: rollup, to, spare, .. } = plan;
    let announce = IntendedAction::AnnounceMove { rollup, attester, to, withdrawer };
    assert_eq!(
        stands(&chain, &plan, soon(&chain)),
        (MovePhase::Unannounced, vec![announce.clone()])
    );
    // A move elsewhere is redirected without restarting its delay.
    let new_rollup = named("elsewhere");
    chain.ok("withdrawer 0", ROLLUP, RollupCall::InitiateMove { attester, new_rollup });
    let ready_at = chain.now() + Seconds::of(EXIT_DELAY);
    chain.wait(12);
    assert_eq!(stands(&chain, &plan, soon(&chain)), (MovePhase::Unannounced, vec![announce]));
    chain.ok("withdrawer 0", ROLLUP, RollupCall::InitiateMove { attester, new_rollup: to });
    let early = Timestamp::of(ready_at.get() - 1);
    assert_eq!(stands(&chain, &plan, early), (MovePhase::Waiting { ready_at }, vec![]));
    let held = MovePhase::Held(MoveObstacle::NotCanonical);
    assert_eq!(stands(&chain, &plan, ready_at), (held, vec![]));

    let upgrade = action(REGISTRY, RegistryCall::Upgrade { rollup: NEW_ROLLUP });
    let id = chain.accept(PAYLOAD, &[upgrade]);
    assert_eq!(stands(&chain, &plan, soon(&chain)), (held, vec![]));
    chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id: id.to_word() });
    let finalize =
        |new_attester| IntendedAction::FinalizeMove { rollup, attester, new_attester, ready_at };
    assert_eq!(stands(&chain, &plan, soon(&chain)), (MovePhase::Due, vec![finalize(None)]));
    // Another account registers the attester there, then the spare one as well.
    let mut squatted = chain.clone();
    squat(&mut squatted, attester);
    let as_spare = NewAttester { attester: spare, withdrawer };
    let as_spare = (MovePhase::Due, vec![finalize(Some(as_spare))]);
    assert_eq!(stands(&squatted, &plan, soon(&chain)), as_spare);
    let mut moved = squatted.clone();
    let new_attester = spare;
    moved.ok("withdrawer 0", ROLLUP, RollupCall::FinaliseMoveAs { attester, new_attester });
    assert_eq!(stands(&moved, &plan, soon(&chain)), (MovePhase::Moved, vec![]));
    squat(&mut squatted, spare);
    let held = (MovePhase::Held(MoveObstacle::Squatted), vec![]);
    assert_eq!(stands(&squatted, &plan, soon(&chain)), held);
    chain.ok("anyone", ROLLUP, RollupCall::FinaliseMove { attester });
    assert_eq!(stands(&chain, &plan, soon(&chain)), (MovePhase::Moved, vec![]));
}

#[test]
fn an_attester_that_was_not_asked_for_is_not_vacant() {
    let mut chain = Chain::voting(2000, 0);
    chain.deploy_rollup(NEW_ROLLUP);
    let plan = plan();
    let MovePlan { attester, spare, .. } = plan;
    let announce = RollupCall::InitiateMove { attester, new_rollup: NEW_ROLLUP };
    chain.ok("withdrawer 0", ROLLUP, announce);
    let upgrade = action(REGISTRY, RegistryCall::Upgrade { rollup: NEW_ROLLUP });
    let id = chain.accept(PAYLOAD, &[upgrade]);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id: id.to_word() });
    let phase_without = |chain: &Chain, forgotten: &[Address]| {
        let mut question = Question::default();
        question.add_move(&plan);
        question.rollups.get_mut(&NEW_ROLLUP).unwrap().retain(|one| !forgotten.contains(one));
        let duty = mover(&chain.view_of(soon(chain), &question).present, &plan);
        assert_eq!(duty.intents.len(), usize::from(duty.status == MovePhase::Due));
        duty.status
    };
    let mut moved = chain.clone();
    moved.ok("anyone", ROLLUP, RollupCall::FinaliseMove { attester });
    for (forgotten, before, after) in [
        (vec![], MovePhase::Due, MovePhase::Moved),
        (vec![attester], MovePhase::Unknown, MovePhase::Unknown),
        (vec![spare], MovePhase::Unknown, MovePhase::Moved),
        (vec![attester, spare], MovePhase::Unknown, MovePhase::Unknown),
    ] {
        assert_eq!(phase_without(&chain, &forgotten), before, "without {forgotten:?}");
        assert_eq!(phase_without(&moved, &forgotten), after, "without {forgotten:?}");
    }
}

#[test]
fn there_may_be_nothing_to_move() {
    let mut chain = Chain::staked(1);
    chain.deploy_rollup(NEW_ROLLUP);
    let plan = plan();
    let view = chain.view_of(soon(&chain), &Question::default()).present;
    assert_eq!(mover(&view, &plan).status, MovePhase::Unknown, "nothing was asked");
    let others = MovePlan { withdrawer: named("bob"), ..plan };
    let not_ours = MovePhase::NotOurs { withdrawer: plan.withdrawer };
    assert_eq!(stands(&chain, &others, soon(&chain)), (not_ours, vec![]));
    let stays = MovePlan { to: ROLLUP, ..plan };
    assert_eq!(stands(&chain, &stays, soon(&chain)), (MovePhase::Moved, vec![]));
    let exit = RollupCall::InitiateWithdraw { attester: plan.attester, recipient: named("bob") };
    chain.ok("withdrawer 0", ROLLUP, exit);
    assert_eq!(stands(&chain, &plan, soon(&chain)), (MovePhase::Gone, vec![]));
    let nobody = MovePlan { attester: named("nobody"), ..plan };
    assert_eq!(stands(&chain, &nobody, soon(&chain)), (MovePhase::Gone, vec![]));
}
