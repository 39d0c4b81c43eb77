//! Attacks: each test fails, and so shows a break.

use crate::chain::{Chain, GOVERNANCE, PAYLOAD, ViewedChain as _, harmless, named};
use canon_protocol::{Amount, GovernanceCall, ProposalId, Support};
use canon_views::{IntentProgress, Order, OrderAmount, OrderId, Question, holder};
use std::collections::BTreeMap;

/// Alice orders ballots on the proposal that she has read, which is number 0. A reorganization, or whoever proposes
/// first, makes something else number 0.
#[test]
fn an_order_to_vote_is_not_carried_out_on_a_proposal_with_other_actions() {
    let order = Order::Vote { id: ProposalId::ZERO, support: Support::Yea, amount: OrderAmount::All };
    let orders = BTreeMap::from([(OrderId(0), order)]);
    let evil_payload = named("another payload");
    let intents = |payload, actions: &[canon_protocol::Action]| {
        let mut chain = Chain::voting(2000, 1000);
        chain.propose(payload, actions);
        let proposal = &chain.set.governance().proposals()[0];
        let (deadlines, hash) = (proposal.deadlines(), proposal.actions_hash());
        chain.jump(deadlines.voting_starts());
        let mut question = Question::default();
        question.add_holder(named("alice"), &orders);
        let view = chain.view_of(deadlines.voting_starts(), &question);
        (hash, holder(&view, named("alice"), &orders, |_| IntentProgress::Open).intents)
    };
    let agreed_actions = harmless();
    let other_actions = [harmless(), harmless()].concat();
    let (agreed, good) = intents(PAYLOAD, &agreed_actions);
    let (other, evil) = intents(evil_payload, &other_actions);
    assert_ne!(agreed, other);
    assert_eq!(good.len(), 1);
    assert_eq!(evil, [], "the same order casts all power for other actions");
}

/// Somebody gives up 1 base unit a hundred times, due to alice. Her agent pays a transaction for each.
#[test]
fn dust_that_strangers_withdraw_to_a_holder_costs_it_no_transactions() {
    let mut chain = Chain::deployed();
    chain.lock("bob", 1000);
    let (to, amount) = (named("alice"), Amount::of(1).to_word());
    for _ in 0..100 {
        chain.ok("bob", GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount });
    }
    let unlocks_at = chain.set.governance().withdrawals().last().unwrap().unlocks_at;
    let orders = BTreeMap::new();
    let mut question = Question::default();
    question.add_holder(to, &orders);
    let view = chain.view_of(unlocks_at, &question);
    let duty = holder(&view, to, &orders, |_| IntentProgress::Open);
    let count = duty.intents.len();
    assert!(count < 10, "{count} transactions in one block, for {count} base units");
}
