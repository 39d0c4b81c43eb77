//! The duty of keepers.

use crate::chain::{
    Chain, EPOCH_SECONDS, EXIT_DELAY, GOVERNANCE, NEW_PROPOSALS, NEW_ROLLUP, PAYLOAD, PROPOSALS,
    REGISTRY, ROLLUP, SLOT, STAKE, T, ViewedChain as _, action, harmless, named, tokens,
};
use alloy_primitives::Address;
use canon_protocol::{
    Action, AssetCall, GovernanceCall, ProposalId, ProposalsCall, RegistryCall, RollupCall, Round,
    Seconds, Support, Timestamp, WithdrawalId,
};
use canon_views::{IntendedAction, PayOut, Question, SetView, keeper, payload_of, windows};

const OTHER: Address = Address::with_last_byte(0xc2);

/// The actions of a keeper and their last seconds, without seeds.
fn due(view: &SetView) -> Vec<(IntendedAction, Option<Timestamp>)> {
    let intents = keeper(view, PayOut::Everything).into_iter();
    let seeds = |action: &IntendedAction| matches!(action, IntendedAction::RecordSeed { .. });
    let others = intents.filter(|intent| !seeds(&intent.action));
    others.map(|intent| (intent.action, intent.until)).collect()
}

fn actions(view: &SetView) -> Vec<IntendedAction> {
    due(view).into_iter().map(|(action, _)| action).collect()
}

/// The second before `time`.
const fn before(time: Timestamp) -> Timestamp {
    Timestamp::of(time.get() - 1)
}

const fn push(payload: Address, round: Round) -> IntendedAction {
    let (proposals, rollup) = (PROPOSALS, ROLLUP);
    IntendedAction::Push { proposals, rollup, round, payload, actions_hash: None }
}

#[test]
fn a_round_is_pushed_while_it_can_be() {
    let mut chain = Chain::staked(3);
    chain.write(PAYLOAD, &harmless());
    let round = chain.win(PAYLOAD);
    let rules = *chain.set.proposals(PROPOSALS).unwrap().rules();
    let (first, last) = rules.push_slots(round);
    let (from, until) = (chain.slot_start(first), before(chain.slot_start(last.next())));
    // A view during the round itself gives the same.
    let mut early = Chain::staked(3);
    early.write(PAYLOAD, &harmless());
    early.next_round();
    for _ in 0..3 {
        early.signal(PAYLOAD);
    }
    assert_eq!(actions(&early.view(before(from))), []);
    assert_eq!(actions(&early.view(from)), [push(PAYLOAD, round)]);
    // A keeper knows how long it has been possible, and how long it still is.
    let window = windows(&chain.view(from))
        .into_iter()
        .find(|window| window.intent.action == push(PAYLOAD, round));
    let window = window.unwrap();
    assert_eq!((window.opens, window.closes), (from, until));
    assert_eq!(payload_of(&chain.view(from).present, &window.intent), Some(PAYLOAD));
    let quarter = Timestamp::of(until.get() - window.length().get() / 4);
    let is_closing = |now| window.is_closing(now, Seconds::DAY);
    assert_eq!([before(quarter), quarter, until].map(is_closing), [false, true, true]);
    assert!(!window.is_closing(quarter, Seconds::SECOND));
    let pushes = vec![(push(PAYLOAD, round), Some(until))];
    for (next, expected) in
        [(from, pushes.clone()), (until, pushes), (until + Seconds::SECOND, vec![])]
    {
        assert_eq!(due(&chain.view(next)), expected, "at {next}");
    }
    // The round isn't pushed if the payload has other code.
    let mut changed = chain.clone();
    changed.write(PAYLOAD, &[harmless(), harmless()].concat());
    assert_eq!(actions(&changed.view(from)), []);
    chain.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round: round.to_word() });
    assert_eq!(actions(&chain.view_in(1)), []);
}

#[test]
fn of_the_rounds_that_a_payload_won_the_oldest_is_pushed() {
    let mut chain = Chain::staked(3);
    for payload in [PAYLOAD, OTHER] {
        chain.write(payload, &harmless());
    }
    let [first, second, third] = [PAYLOAD, OTHER, PAYLOAD].map(|payload| chain.win(payload));
    let rules = *chain.set.proposals(PROPOSALS).unwrap().rules();
    let until = |round| before(chain.slot_start(rules.push_slots(round).1.next()));
    let [oldest, other, newest] = [(PAYLOAD, first), (OTHER, second), (PAYLOAD, third)]
        .map(|(payload, round)| (push(payload, round), Some(until(round))));
    let expires = until(first);
    assert_eq!(due(&chain.view_in(1)), [oldest.clone(), other.clone()]);
    assert_eq!(due(&chain.view(expires)), [oldest, other.clone()]);
    assert_eq!(due(&chain.view(expires + Seconds::SECOND)), [other.clone(), newest]);
    chain.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round: first.to_word() });
    assert_eq!(due(&chain.view_in(1)), [other]);
}

#[test]
fn a_payload_is_not_pushed_while_its_proposal_is_live() {
    let mut chain = Chain::staked(3);
    let id = chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    let round = chain.win(PAYLOAD);
    assert!(chain.now() < deadlines.active, "the vote goes on");
    assert_eq!(actions(&chain.view(deadlines.active)), []);
    // The proposal is rejected, since there are no ballots.
    assert_eq!(actions(&chain.view(deadlines.active + Seconds::SECOND)), [push(PAYLOAD, round)]);
    assert_eq!(id, ProposalId::ZERO);
}

/// The execution of a proposal.
fn execution(id: ProposalId, frozen: Option<&[Action]>) -> IntendedAction {
    IntendedAction::Execute { id, frozen_actions: frozen.map(Into::into) }
}

#[test]
fn a_proposal_is_executed_while_it_can_be() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    chain.jump(deadlines.voting_starts());
    chain.vote("alice", id, 1500, Support::Yea);
    let execute = execution(id, Some(&harmless()));
    for (next, expected) in [
        (deadlines.queued, vec![]),
        (deadlines.earliest_execution(), vec![execute.clone()]),
        (deadlines.executable, vec![execute.clone()]),
        (deadlines.executable + Seconds::SECOND, vec![]),
    ] {
        chain.jump(before(next));
        assert_eq!(actions(&chain.view(next)), expected, "at {next}");
    }
    let mut chain = Chain::voting(2000, 0);
    chain.accept(PAYLOAD, &harmless());
    let mut view = chain.view_in(1);
    let intents = keeper(&view, PayOut::No);
    assert_eq!(
        intents[0].until,
        Some(chain.set.governance().proposals()[0].deadlines().executable)
    );
    assert_eq!(intents[0].action, execute, "with what was frozen");
    let call = intents[0].fallback_call().unwrap().call;
    assert_eq!(call, GovernanceCall::ExecuteWith { id: id.to_word(), actions: harmless() }.into());
    view.history = None;
    assert_eq!(actions(&view), [execution(id, None)]);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id: id.to_word() });
    assert_eq!(actions(&chain.view_in(1)), []);
}

#[test]
fn what_is_dropped_is_stored() {
    let mut chain = Chain::voting(2000, 0);
    chain.deploy_proposals(NEW_PROPOSALS);
    let replace =
        GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: NEW_PROPOSALS };
    chain.write(OTHER, &harmless());
    let replacement = [action(GOVERNANCE, replace)];
    let id = chain.accept(PAYLOAD, &replacement);
    let round = chain.win(OTHER);
    chain.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round: round.to_word() });
    let other = ProposalId::of(1);
    assert_eq!(actions(&chain.view_in(1)), [execution(id, Some(&replacement))]);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id: id.to_word() });
    assert_eq!(actions(&chain.view_in(1)), [IntendedAction::Drop { id: other }]);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::DropProposal { id: other.to_word() });
    assert_eq!(actions(&chain.view_in(1)), []);
}

#[test]
fn payments_are_made_when_their_time_comes() {
    let mut chain = Chain::staked(3);
    chain.lock("alice", 1000);
    let withdraw = GovernanceCall::InitiateWithdraw { to: named("alice"), amount: tokens(10) };
    chain.ok("alice", GOVERNANCE, withdraw);
    let unlocks_at = chain.set.governance().withdrawals()[0].unlocks_at;
    let attester = named("attester 0");
    let exit = RollupCall::InitiateWithdraw { attester, recipient: named("bob") };
    chain.wait(1);
    chain.ok("withdrawer 0", ROLLUP, exit);
    // The intent contains the unlock time of the exit, whenever the keeper looks.
    let exitable_at = chain.now() + Seconds::of(EXIT_DELAY);
    let payment = IntendedAction::PayWithdrawal { id: WithdrawalId::ZERO };
    let stake = IntendedAction::PayExit { rollup: ROLLUP, attester, exitable_at };
    for start in [chain.now(), before(exitable_at)] {
        chain.jump(start);
        let mut due: Vec<_> = [(unlocks_at, payment.clone()), (exitable_at, stake.clone())].into();
        due.sort_by_key(|(time, _)| *time);
        for (time, action) in due.into_iter().filter(|(time, _)| *time > start) {
            assert!(!actions(&chain.view(before(time))).contains(&action), "{action:?}");
            assert!(actions(&chain.view(time)).contains(&action), "{action:?}");
        }
    }
    // A keeper that doesn't pay out, and one without the history.
    let mut view = chain.view(exitable_at.max(unlocks_at));
    assert!(keeper(&view, PayOut::No).iter().all(|it| !matches!(
        it.action,
        IntendedAction::PayWithdrawal { .. } | IntendedAction::PayExit { .. }
    )));
    view.history = None;
    assert_eq!(actions(&view), [payment.clone(), stake.clone()], "all was asked for");
    let next = view.present.next;
    let mut view = chain.view_of(next, &Question::default());
    assert_eq!(actions(&view), [payment, stake], "the history knows all");
    view.history = None;
    assert_eq!(actions(&view), [], "nothing was asked for");
}

#[test]
fn a_stake_moves_when_it_is_ready_and_its_target_canonical() {
    let mut chain = Chain::voting(2000, 0);
    chain.deploy_rollup(NEW_ROLLUP);
    for number in [0, 1] {
        let attester = named(&format!("attester {number}"));
        let announce = RollupCall::InitiateMove { attester, new_rollup: NEW_ROLLUP };
        chain.ok(&format!("withdrawer {number}"), ROLLUP, announce);
    }
    let ready_at = chain.now() + Seconds::of(EXIT_DELAY);
    // Another account registers one of them there.
    chain.fund("bob", STAKE / T);
    chain.ok(
        "bob",
        crate::chain::ASSET,
        AssetCall::Approve { spender: NEW_ROLLUP, amount: tokens(100) },
    );
    let bob = named("bob");
    let attester = named("attester 1");
    let squat =
        RollupCall::Deposit { attester, proposer: bob, withdrawer: bob, amount: tokens(100) };
    chain.ok("bob", NEW_ROLLUP, squat);
    let upgrade = [action(REGISTRY, RegistryCall::Upgrade { rollup: NEW_ROLLUP })];
    let id = chain.accept(PAYLOAD, &upgrade);
    assert!(chain.now() > ready_at);
    assert_eq!(actions(&chain.view_in(1)), [execution(id, Some(&upgrade))]);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id: id.to_word() });
    let (rollup, attester, new_attester) = (ROLLUP, named("attester 0"), None);
    let moves = [IntendedAction::FinalizeMove { rollup, attester, new_attester, ready_at }];
    // A view without the history was asked for the stakes of this rollup.
    for history in [true, false] {
        let mut view = chain.view_in(1);
        if !history {
            view.history = None;
        }
        assert_eq!(actions(&view), moves);
    }
    // A rollup with another or an unknown Registry may move the stake anywhere.
    let mut view = chain.view_in(1);
    view.history = None;
    for registry in [Some(named("other registry")), None] {
        view.present.rollups.get_mut(&ROLLUP).unwrap().registry = registry;
        assert_eq!(actions(&view), []);
    }
}

#[test]
fn a_seed_is_recorded_in_the_second_half_of_an_epoch_or_when_nobody_proposes() {
    let mut chain = Chain::staked(3);
    chain.is_kept = false;
    let start = chain.now();
    for (epoch, position, records) in [
        (0, 0, false),
        (0, 1, false),
        (0, 2, true),
        (0, 3, true),
        // No seed was recorded, so there are no proposers.
        (1, 0, false),
        (1, 1, true),
    ] {
        let next = start + Seconds::of(epoch * EPOCH_SECONDS + position * SLOT);
        let intents = keeper(&chain.view(next), PayOut::No);
        assert_eq!(intents.len(), usize::from(records), "slot {position} of epoch {epoch}");
        let end = before(start + Seconds::of((epoch + 1) * EPOCH_SECONDS));
        assert!(intents.iter().all(|intent| intent.until == Some(end)));
    }
}
