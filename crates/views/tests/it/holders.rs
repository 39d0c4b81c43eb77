//! The duty of holders.

use crate::chain::{ASSET, Chain, GOVERNANCE, PAYLOAD, ViewedChain as _, harmless, named, tokens};
use alloy_primitives::B256;
use canon_protocol::{
    Amount, AssetCall, Call, GovernanceCall, Nonce, ProposalId, Seconds, Support, Timestamp,
    WithdrawalId, actions_hash,
};
use canon_views::{
    Completion, Duty, IntendedAction, IntentId, IntentProgress, IntentSubject, LockMethod, Order,
    OrderAmount, OrderStatus, PermitTerms, Question, RequestId, SetView, WaitsFor, holder,
};
use std::collections::BTreeMap;

const ID: ProposalId = ProposalId::ZERO;

const fn count(tokens: u128) -> Amount {
    Amount::of(tokens * crate::chain::T)
}

fn numbered(orders: &[Order]) -> BTreeMap<RequestId, Order> {
    (1..).map(RequestId::of).zip(orders.iter().copied()).collect()
}

fn duty(
    chain: &Chain,
    name: &str,
    orders: &[Order],
    next: Timestamp,
) -> Duty<BTreeMap<RequestId, OrderStatus>> {
    let orders = numbered(orders);
    let mut question = Question::default();
    question.add_holder(named(name), &orders);
    holder(&chain.view_of(next, &question), named(name), &orders, |_| IntentProgress::Open)
}

/// The actions of the duty, and the status of its orders.
fn result(
    duty: &Duty<BTreeMap<RequestId, OrderStatus>>,
) -> (Vec<IntendedAction>, Vec<OrderStatus>) {
    let actions = duty.intents.iter().map(|intent| intent.action.clone()).collect();
    (actions, duty.status.values().copied().collect())
}

fn vote(support: Support, amount: u128) -> IntendedAction {
    IntendedAction::Vote { holder: named("alice"), id: ID, support, amount: count(amount) }
}

#[test]
fn ballots_are_cast_while_they_are_taken() {
    let mut chain = Chain::voting(2000, 1000);
    chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    let order = |support| Order::Vote {
        id: ID,
        actions_hash: actions_hash(&harmless()),
        support,
        amount: OrderAmount::All,
    };
    let waits = OrderStatus::Waiting(WaitsFor::Voting(deadlines.voting_starts()));
    let (yea, nea) = (Support::Yea, Support::Nea);
    let objections_end = deadlines.objections_until + Seconds::SECOND;
    let due = OrderStatus::Due;
    let mut accepted = chain.clone();
    accepted.jump(deadlines.voting_starts());
    accepted.vote("bob", ID, 1000, Support::Yea);
    for (chain, next, for_it, against_it) in [
        (&chain, deadlines.pending, waits, waits),
        (&chain, deadlines.voting_starts(), due, due),
        (&chain, deadlines.active, due, due),
        // The proposal is rejected, since there are no ballots.
        (&chain, deadlines.active + Seconds::SECOND, OrderStatus::TooLate, OrderStatus::TooLate),
        (&accepted, deadlines.active, due, due),
        (&accepted, deadlines.active + Seconds::SECOND, OrderStatus::TooLate, due),
        (&accepted, deadlines.objections_until, OrderStatus::TooLate, due),
        (&accepted, objections_end, OrderStatus::TooLate, OrderStatus::TooLate),
    ] {
        for (support, expected) in [(yea, for_it), (nea, against_it)] {
            let duty = duty(chain, "alice", &[order(support)], next);
            let expected_actions = if expected == due { vec![vote(support, 2000)] } else { vec![] };
            assert_eq!(result(&duty), (expected_actions, vec![expected]), "{support:?} at {next}");
            let until = deadlines.ballots_until(support);
            assert!(duty.intents.iter().all(|intent| intent.until == Some(until)));
        }
    }
    let order = Order::Vote {
        id: ProposalId::of(1),
        actions_hash: B256::ZERO,
        support: yea,
        amount: OrderAmount::All,
    };
    let unknown = OrderStatus::Waiting(WaitsFor::Proposal);
    assert_eq!(result(&duty(&chain, "alice", &[order], deadlines.active)), (vec![], vec![unknown]));
}

#[test]
fn a_ballot_order_is_done_when_the_ballot_is_there() {
    let mut chain = Chain::voting(2000, 1000);
    chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    chain.jump(deadlines.voting_starts());
    chain.vote("alice", ID, 300, Support::Yea);
    let order = |support, amount| Order::Vote {
        id: ID,
        actions_hash: actions_hash(&harmless()),
        support,
        amount,
    };
    let (yea, nea) = (Support::Yea, Support::Nea);
    let exactly = |amount| OrderAmount::Exactly(count(amount));
    let due = OrderStatus::Due;
    let short = OrderStatus::Short { needed: count(1701), available: count(1700) };
    for (orders, expected) in [
        (vec![order(yea, exactly(300))], (vec![], vec![OrderStatus::Done])),
        (vec![order(yea, exactly(299))], (vec![], vec![OrderStatus::Done])),
        (vec![order(yea, exactly(301))], (vec![vote(yea, 1)], vec![due])),
        (vec![order(yea, exactly(2000))], (vec![vote(yea, 1700)], vec![due])),
        (vec![order(yea, exactly(2001))], (vec![], vec![short])),
        (vec![order(nea, exactly(1701))], (vec![], vec![short])),
        (vec![order(yea, OrderAmount::All)], (vec![vote(yea, 1700)], vec![due])),
        // The second order can't cast the power that the first one casts.
        (
            vec![order(yea, exactly(1000)), order(nea, OrderAmount::All)],
            (vec![vote(yea, 700), vote(nea, 1000)], vec![due, due]),
        ),
        (
            vec![order(nea, OrderAmount::All), order(yea, OrderAmount::All)],
            (vec![vote(nea, 1700)], vec![due, OrderStatus::Done]),
        ),
        // Orders for one side share a ballot.
        (
            vec![order(yea, exactly(400)), order(yea, exactly(500))],
            (vec![vote(yea, 200)], vec![due; 2]),
        ),
        (
            vec![order(yea, exactly(500)), order(yea, exactly(400))],
            (vec![vote(yea, 200)], vec![due; 2]),
        ),
        (
            vec![order(yea, exactly(1000)), order(yea, OrderAmount::All)],
            (vec![vote(yea, 1700)], vec![due; 2]),
        ),
        (
            vec![order(yea, OrderAmount::All), order(yea, OrderAmount::All)],
            (vec![vote(yea, 1700)], vec![due; 2]),
        ),
        (
            vec![order(nea, OrderAmount::All), order(nea, OrderAmount::All)],
            (vec![vote(nea, 1700)], vec![due; 2]),
        ),
        (
            vec![order(yea, exactly(400)), order(yea, exactly(2001))],
            (
                vec![vote(yea, 100)],
                vec![due, OrderStatus::Short { needed: count(1601), available: count(1600) }],
            ),
        ),
        (
            vec![order(yea, exactly(400)), order(nea, exactly(1000)), order(yea, exactly(1001))],
            (
                vec![vote(yea, 100), vote(nea, 1000)],
                vec![due, due, OrderStatus::Short { needed: count(601), available: count(600) }],
            ),
        ),
        (
            vec![order(yea, exactly(400)), order(nea, exactly(1000)), order(yea, exactly(1000))],
            (vec![vote(yea, 700), vote(nea, 1000)], vec![due; 3]),
        ),
    ] {
        let duty = duty(&chain, "alice", &orders, deadlines.active);
        assert_eq!(result(&duty), expected, "{orders:?}");
    }
    chain.vote("alice", ID, 1700, Support::Yea);
    let all = [order(yea, OrderAmount::All), order(nea, OrderAmount::All)];
    let spent = (vec![], vec![OrderStatus::Done, OrderStatus::NoPower]);
    assert_eq!(result(&duty(&chain, "alice", &all, deadlines.active)), spent);
    // A finished order stays done when the proposal is over.
    chain.jump(deadlines.executable + Seconds::SECOND);
    let over = (vec![], vec![OrderStatus::Done, OrderStatus::TooLate]);
    let later = chain.now() + Seconds::SECOND;
    assert_eq!(result(&duty(&chain, "alice", &all, later)), over);
}

#[test]
fn tokens_are_locked_by_permit_or_approval() {
    let mut chain = Chain::deployed();
    chain.fund("alice", 100);
    let next = chain.now() + Seconds::of(12);
    let lock = |amount, method| Order::Lock { amount: count(amount), method };
    let (alice, request) = (named("alice"), RequestId::of(1));
    let amount = count(100);
    let locks =
        |permit| IntendedAction::Lock { holder: alice, request, beneficiary: None, amount, permit };
    let approves = IntendedAction::Approve { holder: alice, request, asset: ASSET, amount };
    let terms = PermitTerms { nonce: Nonce::ZERO, deadline: next + Seconds::DAY };
    let due = vec![OrderStatus::Due];
    let by_permit = [lock(100, LockMethod::Permit)];
    let by_approval = [lock(100, LockMethod::Approval)];
    let now = duty(&chain, "alice", &by_permit, next);
    assert_eq!(result(&now), (vec![locks(Some(terms))], due.clone()));
    assert_eq!(now.intents[0].call(None), None, "it has to be signed");
    let signed = now.intents[0].call(Some((27, named("r").into_word(), named("s").into_word())));
    assert!(matches!(
        signed.unwrap().call,
        Call::Governance(GovernanceCall::DepositWithPermit { v: 27, .. })
    ));
    let now = duty(&chain, "alice", &by_approval, next);
    assert_eq!(result(&now), (vec![approves.clone()], due.clone()));
    assert_eq!(now.intents[0].completion(), Completion::State);
    for (allowance, expected) in [(99, approves), (100, locks(None))] {
        let amount = tokens(allowance);
        chain.ok("alice", ASSET, AssetCall::Approve { spender: GOVERNANCE, amount });
        let now = duty(&chain, "alice", &by_approval, next);
        assert_eq!(result(&now), (vec![expected], due.clone()), "{allowance}");
    }
    let now = duty(&chain, "alice", &by_permit, next);
    assert_eq!(result(&now), (vec![locks(None)], due), "no permit is needed");
    assert_eq!(now.intents[0].completion(), Completion::Journal);
    let short = OrderStatus::Short { needed: count(101), available: count(100) };
    let too_much = [lock(101, LockMethod::Permit)];
    assert_eq!(result(&duty(&chain, "alice", &too_much, next)), (vec![], vec![short]));
}

#[test]
fn orders_that_change_power_wait_for_one_another() {
    let mut chain = Chain::deployed();
    chain.lock("alice", 1000);
    chain.fund("alice", 100);
    let next = chain.now() + Seconds::of(12);
    let to = named("bob");
    let lock = Order::Lock { amount: count(100), method: LockMethod::Permit };
    let withdraw = |amount| Order::Withdraw { amount, to };
    let action = |amount| IntendedAction::Withdraw {
        holder: named("alice"),
        request: RequestId::of(1),
        to,
        amount: count(amount),
    };
    let both = duty(&chain, "alice", &[lock, withdraw(OrderAmount::All)], next);
    let waits = OrderStatus::Waiting(WaitsFor::Order(RequestId::of(1)));
    assert_eq!(result(&both).1, [OrderStatus::Due, waits]);
    assert_eq!(both.intents.len(), 1);
    let short = OrderStatus::Short { needed: count(1001), available: count(1000) };
    for (amount, expected) in [
        (OrderAmount::All, (vec![action(1000)], vec![OrderStatus::Due])),
        (OrderAmount::Exactly(count(1000)), (vec![action(1000)], vec![OrderStatus::Due])),
        (OrderAmount::Exactly(count(1001)), (vec![], vec![short])),
        (OrderAmount::Exactly(Amount::ZERO), (vec![], vec![OrderStatus::Done])),
    ] {
        assert_eq!(result(&duty(&chain, "alice", &[withdraw(amount)], next)), expected);
    }
    let nothing = duty(&chain, "bob", &[withdraw(OrderAmount::All)], next);
    assert_eq!(result(&nothing), (vec![], vec![OrderStatus::NoPower]));
}

#[test]
fn only_an_order_that_acts_holds_up_those_after_it() {
    let mut chain = Chain::deployed();
    chain.lock("alice", 1000);
    chain.fund("alice", 100);
    chain.fund("bob", 100);
    let next = chain.now() + Seconds::of(12);
    let lock = |amount| Order::Lock { amount: count(amount), method: LockMethod::Permit };
    let withdraw = |amount| Order::Withdraw { amount, to: named("carol") };
    let exactly = |amount| withdraw(OrderAmount::Exactly(count(amount)));
    let vote = Order::Vote {
        id: ID,
        actions_hash: B256::ZERO,
        support: Support::Yea,
        amount: OrderAmount::All,
    };
    let (due, done) = (OrderStatus::Due, OrderStatus::Done);
    let short = |needed, available| OrderStatus::Short {
        needed: count(needed),
        available: count(available),
    };
    let waits = |number| OrderStatus::Waiting(WaitsFor::Order(RequestId::of(number)));
    let (all, no_power) = (withdraw(OrderAmount::All), OrderStatus::NoPower);
    for (name, orders, expected) in [
        ("alice", [lock(100), all, lock(1)], [due, waits(1), waits(1)]),
        ("alice", [lock(0), all, lock(100)], [done, due, waits(2)]),
        ("alice", [exactly(0), lock(100), all], [done, due, waits(2)]),
        ("alice", [lock(101), all, lock(100)], [short(101, 100), due, waits(2)]),
        ("alice", [exactly(1001), lock(100), all], [short(1001, 1000), due, waits(2)]),
        ("bob", [all, lock(100), all], [no_power, due, waits(2)]),
        (
            "alice",
            [vote, all, lock(100)],
            [OrderStatus::Waiting(WaitsFor::Proposal), due, waits(2)],
        ),
        ("bob", [all, lock(0), lock(101)], [no_power, done, short(101, 100)]),
    ] {
        let duty = duty(&chain, name, &orders, next);
        let (actions, statuses) = result(&duty);
        assert_eq!(statuses, expected, "{name}: {orders:?}");
        assert_eq!(actions.len(), usize::from(expected.contains(&due)), "{name}: {orders:?}");
    }
    let orders = numbered(&[lock(1), all]);
    let unasked =
        holder(&chain.view_of(next, &Question::default()), named("alice"), &orders, |_| {
            IntentProgress::Open
        });
    assert_eq!(result(&unasked), (vec![], vec![OrderStatus::Unknown; 2]));
}

#[test]
fn what_the_journal_says_may_be_done_is_left_alone() {
    let mut chain = Chain::deployed();
    chain.lock("alice", 100);
    let alice = named("alice");
    let next = chain.now() + Seconds::of(12);
    let (amount, to) = (OrderAmount::Exactly(count(1)), named("bob"));
    let orders = numbered(&[Order::Withdraw { amount, to }; 2]);
    let mut question = Question::default();
    question.add_holder(alice, &orders);
    let waiting = OrderStatus::Waiting(WaitsFor::Order(RequestId::of(1)));
    for (first, expected) in [
        (IntentProgress::Open, [OrderStatus::Due, waiting]),
        (IntentProgress::Unconfirmed, [OrderStatus::Unconfirmed, OrderStatus::Due]),
        (IntentProgress::Done, [OrderStatus::Done, OrderStatus::Due]),
    ] {
        let view = chain.view_of(next, &question);
        let first_id = IntentId {
            set: view.present.set_id(),
            subject: IntentSubject::Withdraw { holder: alice, request: RequestId::of(1) },
        };
        let progress = |id: &IntentId| if *id == first_id { first } else { IntentProgress::Open };
        let (actions, statuses) = result(&holder(&view, alice, &orders, progress));
        assert_eq!(statuses, expected, "{first:?}");
        assert_eq!(actions.len(), 1, "{first:?}");
    }
}

#[test]
fn withdrawals_are_claimed_when_they_unlock() {
    let mut chain = Chain::deployed();
    chain.lock("alice", 1000);
    let to = named("bob");
    chain.ok("alice", GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount: tokens(10) });
    let unlocks_at = chain.set.governance().withdrawals()[0].unlocks_at;
    let pay = IntendedAction::PayWithdrawal { id: WithdrawalId::ZERO };
    let early = Timestamp::of(unlocks_at.get() - 1);
    for (name, next, expected) in [
        ("alice", early, vec![]),
        ("alice", unlocks_at, vec![pay.clone()]),
        ("bob", unlocks_at, vec![pay]),
        ("carol", unlocks_at, vec![]),
    ] {
        assert_eq!(result(&duty(&chain, name, &[], next)).0, expected, "{name} at {next}");
    }
    chain.jump(unlocks_at);
    let id = WithdrawalId::ZERO.to_word();
    chain.ok("anyone", GOVERNANCE, GovernanceCall::FinaliseWithdraw { id });
    let later = unlocks_at + Seconds::SECOND;
    assert_eq!(result(&duty(&chain, "bob", &[], later)).0, []);
}

/// Anybody can give up 1 base unit a hundred times, due to alice, and each payment costs a transaction.
#[test]
fn dust_that_strangers_withdraw_to_a_holder_costs_it_no_transactions() {
    let mut chain = Chain::deployed();
    chain.lock("bob", 1000);
    chain.lock("alice", 1000);
    let to = named("alice");
    let mut give_up = |name, amount: Amount| {
        let amount = amount.to_word();
        chain.ok(name, GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount });
    };
    let one = count(1);
    for _ in 0..100 {
        give_up("bob", Amount::of(1));
    }
    give_up("bob", one.saturating_sub(Amount::of(1)));
    // These count: a whole token, and what alice gave up herself.
    give_up("bob", one);
    give_up("alice", Amount::of(1));
    let next = chain.set.governance().withdrawals().last().unwrap().unlocks_at;
    let pay = |id| IntendedAction::PayWithdrawal { id: WithdrawalId::of(id) };
    assert_eq!(result(&duty(&chain, "alice", &[], next)).0, [101, 102].map(pay));
    // A holder that gave them up claims them.
    assert_eq!(duty(&chain, "bob", &[], next).intents.len(), 4, "a few in each block");
    // Without the history, the view has those that it was asked for.
    let mut question = Question::default();
    question.withdrawals.insert(WithdrawalId::ZERO);
    let asked = SetView::from(chain.view_of(next, &question).present);
    let duty = holder(&asked, to, &BTreeMap::new(), |_| IntentProgress::Open);
    assert_eq!(result(&duty).0, [pay(0)]);
}

/// Alice orders ballots on the proposal that she has read, which is number 0. A reorganization, or whoever proposes
/// first, makes something else number 0.
#[test]
fn an_order_to_vote_is_not_carried_out_on_a_proposal_with_other_actions() {
    let (agreed, other) = (harmless(), [harmless(), harmless()].concat());
    let order = Order::Vote {
        id: ID,
        actions_hash: actions_hash(&agreed),
        support: Support::Yea,
        amount: OrderAmount::All,
    };
    let found = actions_hash(&other);
    let changed = (vec![], vec![OrderStatus::ActionsChanged { found }]);
    let cast = (vec![vote(Support::Yea, 2000)], vec![OrderStatus::Due]);
    for (payload, actions, expected) in
        [(PAYLOAD, agreed, cast), (named("another payload"), other, changed)]
    {
        let mut chain = Chain::voting(2000, 1000);
        chain.propose(payload, &actions);
        let next = chain.set.governance().proposals()[0].deadlines().voting_starts();
        assert_eq!(result(&duty(&chain, "alice", &[order], next)), expected);
    }
}
