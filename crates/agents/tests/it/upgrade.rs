//! A whole upgrade by agents alone.

use crate::{
    process::{Process, Status, is_done},
    test_chain::{BLOCK_HASH, TestChain, attester, key, tokens},
    views::Maker,
};
use canon_protocol::{
    Amount, ProposalId, ProposalState, RollupBlock, Seconds, Slot, Support, Tally,
};
use canon_views::{
    BlockDuty, IntentSubject, LockMethod, MovePhase, Order, OrderAmount, PayOut, PayloadStatus,
    Question, SignalDecision, SignalPlan,
};

const ID: ProposalId = ProposalId::ZERO;
const STAKERS: u64 = 8;

const fn push(subject: IntentSubject) -> bool {
    matches!(subject, IntentSubject::Push { .. })
}

/// A holder's orders: lock all its tokens, and vote on the plan's payload.
const fn orders(plan: &SignalPlan, amount: u128, support: Support) -> [Order; 2] {
    let lock = Order::Lock { amount: tokens(amount), method: LockMethod::Permit };
    let (actions_hash, amount) = (plan.actions_hash, OrderAmount::All);
    [lock, Order::Vote { id: ID, actions_hash, support, amount }]
}

/// The slots with signals from `first` on, if there is one in every slot until a round of ten has six.
fn signals_from(first: Slot) -> Vec<Slot> {
    let (position, first) = (first.get() % 10, first.get());
    let last = if position <= 4 { first + 5 } else { first - position + 15 };
    (first..=last).map(Slot::of).collect()
}

#[tokio::test]
async fn from_the_first_signal_to_the_new_rollups_blocks() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let old = chain.addresses().rollup;
        chain.stake(old, STAKERS).await;
        let (new, plan) = chain.upgrade("1").await;
        let mut question = Question::default();
        question.payloads.insert(plan.payload);
        let mut process = Process::new(&chain, maker).await;
        for number in 0..STAKERS {
            process.add_sequencer(number, old, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        }
        let voters = [(5_000, Support::Yea), (3_000, Support::Yea), (1_000, Support::Nea)];
        for (number, (amount, support)) in (0..).zip(voters) {
            chain.endow(key("holder", number).address(), tokens(amount)).await;
            process.add_holder(number, orders(&plan, amount, support));
        }
        process.add_keeper(&chain, PayOut::No);

        // The sequencers signal until the keeper pushes.
        process.run_until(&chain, 120, is_done(push)).await;
        let signals = process.signaled();
        assert_eq!(signals, signals_from(signals[0]));

        // There are no signals while the proposal is live.
        let view = chain.ask(question.clone()).await;
        let state = ProposalState::Pending;
        assert_eq!(view.payload_status(plan.payload), Some(PayloadStatus::Live { id: ID, state }));
        let deadlines = view.proposal(ID).unwrap().deadlines();
        chain.skip_until_next_is(deadlines.voting_starts());
        process.run_blocks(&chain, 2).await;
        let proposal = *chain.look().await.proposal(ID).unwrap();
        assert_eq!(proposal.state, ProposalState::Active);
        assert_eq!(proposal.tally, Tally { yea: tokens(8_000), nea: tokens(1_000) });

        // The stakers announce their moves while it is queued.
        chain.skip_until_next_is(deadlines.active + Seconds::SECOND);
        let movers: Vec<_> =
            (0..STAKERS).map(|number| process.add_mover(number, old, new)).collect();
        process.run_block(&chain).await;
        let ready_at = chain.now() + Seconds::HOUR;
        process.run_block(&chain).await;
        for mover in &movers {
            assert_eq!(*process.status(*mover), Status::Move(MovePhase::Waiting { ready_at }));
        }

        // The proposal is executed in the first possible block.
        chain.skip_until_next_is(deadlines.earliest_execution());
        process.run_block(&chain).await;
        let view = chain.ask(question.clone()).await;
        assert_eq!(view.addresses.rollup, new);
        assert_eq!(view.proposal(ID).unwrap().state, ProposalState::Executed);
        let executed = PayloadStatus::Executed { id: ID };
        assert_eq!(view.payload_status(plan.payload), Some(executed));

        // The stakes move.
        chain.skip_until_next_is(ready_at.max(chain.next()));
        process.run_blocks(&chain, 2).await;
        for (number, mover) in (0..).zip(movers) {
            assert_eq!(*process.status(mover), Status::Move(MovePhase::Moved));
            let mut question = Question::default();
            question.rollups.insert(new, [attester(number)].into());
            let view = chain.ask(question).await;
            let there = view.attester(new, attester(number)).unwrap();
            assert_eq!(there.withdrawer, key("withdrawer", number).address());
        }
        for number in 0..usize::try_from(STAKERS).unwrap() {
            process.sequencer(number).identity.rollup = new;
        }
        // The stakers are in the set from the epoch after the next one on, and then propose in every slot.
        let new_block = |subject| matches!(subject, IntentSubject::ProposeBlock { rollup, .. } if rollup == new);
        process.run_until(&chain, 20, is_done(new_block)).await;
        process.run_blocks(&chain, 20).await;
        let blocks = process.proposed(new);
        let first = blocks[0].0.get();
        assert!(blocks.iter().map(|(slot, _)| slot.get()).eq(first..first + 11), "{blocks:?}");
        for number in 0..usize::try_from(STAKERS).unwrap() {
            let status = Status::Signal(SignalDecision::Status(executed));
            assert_eq!(*process.status(number), status);
        }
        assert_eq!(process.signaled(), signals, "nobody signaled again");
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn a_rejected_payload_is_signaled_for_again() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let old = chain.addresses().rollup;
        chain.stake(old, 4).await;
        let (_, plan) = chain.upgrade("1").await;
        let mut question = Question::default();
        question.payloads.insert(plan.payload);
        let mut process = Process::new(&chain, maker).await;
        for number in 0..4 {
            process.add_sequencer(number, old, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        }
        chain.endow(key("holder", 0).address(), tokens(5_000)).await;
        process.add_holder(0, orders(&plan, 5_000, Support::Nea));
        process.add_keeper(&chain, PayOut::No);
        process.run_until(&chain, 120, is_done(push)).await;
        let first_signals = process.signaled();
        let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
        chain.skip_until_next_is(deadlines.voting_starts());
        process.run_blocks(&chain, 2).await;
        let tally = Tally { yea: Amount::ZERO, nea: tokens(5_000) };
        assert_eq!(chain.look().await.proposal(ID).unwrap().tally, tally);

        chain.skip_until_next_is(deadlines.active + Seconds::SECOND);
        let view = chain.ask(question.clone()).await;
        assert_eq!(view.payload_status(plan.payload), Some(PayloadStatus::Rejected { id: ID }));
        process.run_until(&chain, 120, is_done(push)).await;
        let signals = process.signaled().split_off(first_signals.len());
        assert_eq!(signals, signals_from(signals[0]));
        let view = chain.ask(question.clone()).await;
        assert_eq!(view.governance.proposals.len(), 2);
        let (id, state) = (ProposalId::of(1), ProposalState::Pending);
        assert_eq!(view.payload_status(plan.payload), Some(PayloadStatus::Live { id, state }));
        let block = view.rollups[&old].head.map_or(RollupBlock::ZERO, |head| head.number);
        assert_eq!(block.get(), process.proposed(old).len() as u64);
        assert_eq!(process.failures(), [""; 0]);
    }
}
