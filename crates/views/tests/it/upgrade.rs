//! A whole upgrade by duties alone: only their intents are executed.

use crate::chain::{
    BLOCK_HASH, Chain, NEW_ROLLUP, PAYLOAD, REGISTRY, ROLLUP, SLOT, ViewedChain as _, action, named,
};
use alloy_primitives::{Address, B256};
use canon_protocol::{
    Amount, AttesterStatus, Ending, Payment, ProposalId, RegistryCall, Seconds, Support, Timestamp,
    actions_hash,
};
use canon_views::{
    BlockDuty, Completion, Intent, IntentId, IntentProgress, LockMethod, MovePlan, Order,
    OrderAmount, PayOut, Question, RequestId, SequencerIdentity, SetView, SignalPlan, holder,
    keeper, mover, sequencer,
};
use std::collections::{BTreeMap, BTreeSet};

const STAKERS: usize = 3;
/// The number of seconds between blocks.
const BLOCK: u64 = 12;

/// The plans of all participants, and the intents that are done by their journals. There is no other
/// memory.
struct Agents {
    orders: BTreeMap<Address, BTreeMap<RequestId, Order>>,
    moves: Vec<MovePlan>,
    plan: SignalPlan,
    confirmed: BTreeSet<IntentId>,
}

impl Agents {
    /// The intents of all participants in the next block.
    fn intents(&self, chain: &Chain, next: Timestamp) -> Vec<(Address, Intent)> {
        let mut question = Question::default();
        question.payloads.insert(PAYLOAD);
        self.orders.iter().for_each(|(address, orders)| question.add_holder(*address, orders));
        self.moves.iter().for_each(|plan| question.add_move(plan));
        let view: SetView = chain.view_of(next, &question);
        let mut all = Vec::new();
        for rollup in [ROLLUP, NEW_ROLLUP] {
            for number in 0..STAKERS {
                let proposer = named(&format!("proposer {number}"));
                let identity =
                    SequencerIdentity { proposer, rollup, blocks: BlockDuty::Propose(BLOCK_HASH) };
                let duty = sequencer(&view.present, &identity, Some(&self.plan));
                all.extend(duty.intents.into_iter().map(|intent| (proposer, intent)));
            }
        }
        let kept = keeper(&view, PayOut::Everything).into_iter();
        all.extend(kept.map(|intent| (named("keeper"), intent)));
        for (address, orders) in &self.orders {
            let duty = holder(&view, *address, orders, |_| IntentProgress::Open);
            all.extend(duty.intents.into_iter().map(|intent| (*address, intent)));
        }
        for plan in &self.moves {
            let duty = mover(&view.present, plan);
            all.extend(duty.intents.into_iter().map(|intent| (plan.withdrawer, intent)));
        }
        all
    }

    /// Executes one block. If several participants have the same intent, the first one executes it.
    fn block(&mut self, chain: &mut Chain) {
        let next = chain.now() + Seconds::of(BLOCK);
        let intents = self.intents(chain, next);
        chain.jump(next);
        let mut done = BTreeSet::new();
        for (sender, intent) in intents {
            let id = intent.id();
            if !done.insert(id) {
                continue;
            }
            let call = intent.call(None).expect("nothing needs a permit here");
            let sent = chain.send(sender, call.contract, call.call);
            // Every call succeeds: recording a seed does even if a block recorded it before.
            assert!(sent.is_ok(), "{intent:?} at {next}: {sent:?}");
            assert!(self.confirmed.insert(id), "{intent:?} is done twice");
            if intent.completion() == Completion::Journal {
                let orders = self.orders.get_mut(&sender).unwrap();
                orders.retain(|number, order| order.subject(sender, *number) != Some(id.subject));
            }
        }
    }
}

#[test]
fn an_upgrade_goes_through_by_duties_alone_and_nothing_is_done_twice() {
    let mut chain = Chain::deployed();
    for number in 0..STAKERS {
        chain.stake(ROLLUP, number);
    }
    chain.fund("alice", 3000);
    chain.wait(SLOT);
    chain.deploy_rollup(NEW_ROLLUP);
    let actions = [action(REGISTRY, RegistryCall::Upgrade { rollup: NEW_ROLLUP })];
    let actions_hash = actions_hash(&actions);
    chain.write(PAYLOAD, &actions);
    let mut question = Question::default();
    question.payloads.insert(PAYLOAD);
    let code_hash = chain.view_of(chain.now(), &question).present.payloads[&PAYLOAD].code.hash;
    let (alice, id) = (named("alice"), ProposalId::ZERO);
    let amount = Amount::of(3000 * crate::chain::T);
    let orders = BTreeMap::from([
        (RequestId::of(1), Order::Lock { amount, method: LockMethod::Approval }),
        (
            RequestId::of(2),
            Order::Vote { id, actions_hash, support: Support::Yea, amount: OrderAmount::All },
        ),
    ]);
    let moves = (0..STAKERS).map(|number| MovePlan {
        withdrawer: named(&format!("withdrawer {number}")),
        attester: named(&format!("attester {number}")),
        from: ROLLUP,
        to: NEW_ROLLUP,
        spare: named("spare"),
    });
    let mut agents = Agents {
        orders: BTreeMap::from([(alice, orders)]),
        moves: moves.collect(),
        plan: SignalPlan::new(PAYLOAD, code_hash, B256::ZERO),
        confirmed: BTreeSet::new(),
    };
    for _ in 0..150 {
        agents.block(&mut chain);
    }
    let state = &chain.set;
    assert_eq!(state.registry().rollup(), NEW_ROLLUP);
    assert_eq!(state.governance().proposals().len(), 1, "it is signaled for once");
    assert_eq!(state.governance().proposals()[0].ending(), Ending::Executed);
    let moved = state.rollup(NEW_ROLLUP).unwrap();
    for plan in &agents.moves {
        let there = moved.member(plan.attester).map(|member| member.status());
        assert_eq!(there, Some(AttesterStatus::Validating));
    }
    // Then she withdraws.
    let to = named("bob");
    let withdraw = Order::Withdraw { amount: OrderAmount::All, to };
    agents.orders.insert(alice, BTreeMap::from([(RequestId::of(3), withdraw)]));
    for _ in 0..60 {
        agents.block(&mut chain);
    }
    let withdrawals = chain.set.governance().withdrawals();
    assert_eq!(withdrawals.len(), 1);
    assert_eq!(withdrawals[0].payment, Payment::Claimed);
    assert_eq!(chain.set.asset().balance_of(to), amount);
    let blocks = chain.set.rollup(NEW_ROLLUP).unwrap().head();
    assert!(blocks.is_some(), "the new rollup goes on");
}
