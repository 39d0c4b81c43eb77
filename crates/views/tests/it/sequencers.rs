//! The duty of sequencers.

use crate::chain::{
    BLOCK_HASH, Chain, EPOCH, EPOCH_SECONDS, N, NEW_ROLLUP, PAYLOAD, ROLLUP, SLOT,
    ViewedChain as _, harmless, named,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use canon_protocol::{ProposalId, RollupBlock, RollupCall, Round, Seconds, Slot, Timestamp};
use canon_views::{
    BlockDuty, HopelessRule, IntendedAction, Intent, PayloadStatus, Question, SeedStatus,
    SequencerIdentity, SignalDecision, SignalPlan, StatusRule, available_actions, sequencer,
};

const fn identity(proposer: Address) -> SequencerIdentity {
    SequencerIdentity { proposer, rollup: ROLLUP, blocks: BlockDuty::Skip }
}

/// A set with three stakers and a payload, at the first slot of a round.
fn chain() -> (Chain, SignalPlan) {
    let mut chain = Chain::staked(3);
    chain.write(PAYLOAD, &harmless());
    chain.next_round();
    let view = chain.view_of(chain.now(), &asked());
    let plan = SignalPlan::new(PAYLOAD, view.present.payloads[&PAYLOAD].code.hash, B256::ZERO);
    (chain, plan)
}

fn asked() -> Question {
    let mut question = Question::default();
    question.payloads.insert(PAYLOAD);
    question
}

/// The decision of the slot's proposer for the block at `next`.
fn decision(chain: &Chain, plan: &SignalPlan, next: Timestamp) -> SignalDecision {
    let view = chain.view_of(next, &asked()).present;
    sequencer(&view, &identity(chain.proposer_at(next)), Some(plan)).status
}

#[test]
fn it_signals_in_its_own_slot_alone() {
    let (chain, plan) = chain();
    let first = chain.slot_start(chain.slot());
    let view = chain.view_of(first + Seconds::of(SLOT - 1), &asked()).present;
    let owner = chain.proposer_at(first);
    for number in 0..3 {
        let proposer = named(&format!("proposer {number}"));
        let duty = sequencer(&view, &identity(proposer), Some(&plan));
        if proposer != owner {
            assert_eq!(duty.status, SignalDecision::OtherSlot);
            assert_eq!(duty.intents, []);
            continue;
        }
        assert_eq!(duty.status, SignalDecision::Signal);
        let [signal, ..] = &duty.intents[..] else { panic!("a signal first: {duty:?}") };
        assert_eq!(signal.until, Some(first + Seconds::of(SLOT - 1)));
        let other = SignalPlan { payload: named("other"), ..plan };
        assert!(
            matches!(signal.action, IntendedAction::Signal { payload: PAYLOAD, slot, .. } if slot == chain.slot())
        );
        // A slot has at most one signal, for whichever payload.
        let action = match signal.action.clone() {
            IntendedAction::Signal { proposals, rollup, slot, proposer, .. } => {
                let payload = other.payload;
                IntendedAction::Signal { proposals, rollup, slot, payload, proposer }
            }
            action => action,
        };
        assert_eq!(Intent { action, ..signal.clone() }.id(), signal.id());
    }
}

#[test]
fn it_says_why_it_does_not_signal() {
    let (chain, plan) = chain();
    let (next, own) = (chain.now(), identity(chain.proposer_at(chain.now())));
    let view = chain.view_of(next, &asked()).present;
    let decide = |own, plan| sequencer(&view, &own, plan).status;
    let changed = SignalPlan { code_hash: B256::ZERO, ..plan };
    let found = plan.code_hash;
    let later = SignalPlan { from_block: RollupBlock::of(1), ..plan };
    let unknown = SignalPlan { payload: named("other"), ..plan };
    let elsewhere = SequencerIdentity { rollup: NEW_ROLLUP, ..own };
    let early = SignalDecision::TooEarly { block: RollupBlock::ZERO, from: RollupBlock::of(1) };
    for (own, plan, expected) in [
        (own, Some(&plan), SignalDecision::Signal),
        (own, None, SignalDecision::NoPayload),
        (elsewhere, Some(&plan), SignalDecision::NotCanonical),
        (own, Some(&unknown), SignalDecision::Unknown),
        (own, Some(&later), early),
        (own, Some(&changed), SignalDecision::CodeChanged { expected: B256::ZERO, found }),
    ] {
        assert_eq!(decide(own, plan), expected);
    }
}

#[test]
fn a_slot_takes_one_signal() {
    let (mut chain, plan) = chain();
    let proposer = chain.proposer_at(chain.now());
    let vote = canon_protocol::ProposalsCall::Vote { payload: PAYLOAD };
    chain.send(proposer, crate::chain::PROPOSALS, vote).unwrap();
    let first = chain.slot_start(chain.slot());
    let last = first + Seconds::of(SLOT - 1);
    assert_eq!(decision(&chain, &plan, last), SignalDecision::SlotUsed);
    let after = last + Seconds::SECOND;
    assert_eq!(decision(&chain, &plan, after), SignalDecision::Signal);
}

#[test]
fn it_stops_when_a_signal_cannot_help() {
    let (mut chain, plan) = chain();
    let round = Round::of(chain.slot().get() / u64::from(crate::chain::M));
    for _ in 0..N {
        assert_eq!(decision(&chain, &plan, chain.now()), SignalDecision::Signal);
        chain.signal(PAYLOAD);
    }
    let reached = SignalDecision::Status(PayloadStatus::QuorumReached { round });
    assert_eq!(decision(&chain, &plan, chain.now()), reached);
    let forced = SignalPlan { status: StatusRule::Force, ..plan };
    assert_eq!(decision(&chain, &forced, chain.now()), SignalDecision::Signal);
    // The decision is the same in the next round, before and after the push.
    chain.next_round();
    assert_eq!(decision(&chain, &plan, chain.now()), reached);
    let push = canon_protocol::ProposalsCall::PushProposal { round: round.to_word() };
    chain.ok("anyone", crate::chain::PROPOSALS, push);
    let id = ProposalId::ZERO;
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    for (next, expected) in [
        (
            chain.now(),
            SignalDecision::Status(PayloadStatus::Live {
                id,
                state: canon_protocol::ProposalState::Pending,
            }),
        ),
        (
            deadlines.active,
            SignalDecision::Status(PayloadStatus::Live {
                id,
                state: canon_protocol::ProposalState::Active,
            }),
        ),
        // Without ballots it is rejected, and can be signaled for again.
        (deadlines.active + Seconds::SECOND, SignalDecision::Signal),
    ] {
        // The block of the view is a second earlier.
        chain.jump(Timestamp::of(next.get().max(chain.now().get() + 1) - 1));
        assert_eq!(decision(&chain, &plan, next.max(chain.now())), expected, "at {next}");
    }
}

#[test]
fn a_round_that_cannot_be_won_is_left_if_the_plan_says_so() {
    let (chain, plan) = chain();
    let first = chain.slot();
    let skipping = SignalPlan { hopeless: HopelessRule::Skip, ..plan };
    for (position, decides) in [
        (0, SignalDecision::Signal),
        // Three slots are left for three signals.
        (2, SignalDecision::Signal),
        (3, SignalDecision::Hopeless),
        (4, SignalDecision::Hopeless),
        (5, SignalDecision::Signal),
    ] {
        let mut chain = chain.clone();
        chain.jump(chain.slot_start(Slot::of(first.get() + position)));
        assert_eq!(decision(&chain, &skipping, chain.now()), decides, "slot {position}");
        assert_eq!(decision(&chain, &plan, chain.now()), SignalDecision::Signal);
    }
}

#[test]
fn a_round_that_is_won_is_not_hopeless() {
    let (mut chain, plan) = chain();
    let round = Round::of(chain.slot().get() / u64::from(crate::chain::M));
    for _ in 0..N {
        chain.signal(PAYLOAD);
    }
    let reached = SignalDecision::Status(PayloadStatus::QuorumReached { round });
    let won = chain.clone();
    // Two slots are left for three signals, and there are none yet.
    chain.next_round();
    chain.wait(3 * SLOT);
    for (status, hopeless, in_won, in_next) in [
        (StatusRule::Respect, HopelessRule::Signal, reached, reached),
        (StatusRule::Respect, HopelessRule::Skip, reached, reached),
        (StatusRule::Force, HopelessRule::Signal, SignalDecision::Signal, SignalDecision::Signal),
        (StatusRule::Force, HopelessRule::Skip, SignalDecision::Signal, SignalDecision::Hopeless),
    ] {
        let plan = SignalPlan { status, hopeless, ..plan };
        assert_eq!(decision(&won, &plan, won.now()), in_won, "{status:?}, {hopeless:?}");
        assert_eq!(decision(&chain, &plan, chain.now()), in_next, "{status:?}, {hopeless:?}");
    }
}

#[test]
fn it_proposes_the_block_of_its_slot_or_records_the_seed() {
    let mut chain = Chain::staked(3);
    chain.is_kept = false;
    // No seed is recorded in the first slot.
    for (position, records) in [(0, false), (1, true), (3, true)] {
        let next = chain.now() + Seconds::of(position * SLOT);
        let view = chain.view_of(next, &Question::default()).present;
        let own = identity(chain.proposer_at(next));
        let duty = sequencer(&view, &own, None);
        let is_seed = |intent: &Intent| matches!(intent.action, IntendedAction::RecordSeed { .. });
        assert_eq!(duty.intents.iter().filter(|it| is_seed(it)).count(), usize::from(records));
        let end = chain.now() + Seconds::of(EPOCH_SECONDS - 1);
        assert!(duty.intents.iter().all(|intent| intent.until == Some(end)));
        let own = SequencerIdentity { blocks: BlockDuty::Propose(BLOCK_HASH), ..own };
        let duty = sequencer(&view, &own, None);
        let [block] = &duty.intents[..] else { panic!("one intent: {duty:?}") };
        let hash = BLOCK_HASH;
        assert!(
            matches!(block.action, IntendedAction::ProposeBlock { block_hash, .. } if block_hash == hash)
        );
    }
    // A slot has one block, and it records the seed.
    chain.wait(SLOT);
    let own = SequencerIdentity {
        blocks: BlockDuty::Propose(BLOCK_HASH),
        ..identity(chain.proposer_at(chain.now()))
    };
    let block_hash = B256::ZERO;
    chain.send(own.proposer, ROLLUP, RollupCall::ProposeBlock { block_hash }).unwrap();
    let view = chain.view_in(1).present;
    assert_eq!(sequencer(&view, &own, None).intents, []);
}

#[test]
fn sequencers_break_a_silence_in_turn() {
    let mut chain = Chain::staked(3);
    chain.is_kept = false;
    // The seed of the next epoch isn't recorded.
    chain.wait(EPOCH_SECONDS);
    let epoch = 3;
    for position in 0..EPOCH {
        let next = chain.now() + Seconds::of(position * SLOT);
        let view = chain.view_of(next, &Question::default()).present;
        assert_eq!(view.rollups[&ROLLUP].proposer, None);
        for number in 0..20 {
            let proposer = named(&format!("proposer {number}"));
            let words = [proposer.into_word().0, B256::from(U256::from(epoch + 1)).0];
            let hash = U256::from_be_bytes(keccak256(words.concat()).0);
            let turn = U256::ONE + hash % U256::from(EPOCH - 1);
            let duty = sequencer(&view, &identity(proposer), None);
            let is_due = U256::from(position) >= turn;
            assert_eq!(duty.intents.len(), usize::from(is_due), "{number} in slot {position}");
        }
    }
}

#[test]
fn a_seed_that_would_draw_nobody_is_offered_to_nobody() {
    let chain = Chain::deployed();
    for position in 0..EPOCH {
        let next = chain.now() + Seconds::of(position * SLOT);
        let view = chain.view_of(next, &Question::default());
        let rollup = &view.present.rollups[&ROLLUP];
        let is_missing = matches!(rollup.seed, SeedStatus::Missing(_));
        assert_eq!((is_missing, rollup.next_set_size), (position > 0, Some(0)));
        assert_eq!(available_actions(&view), []);
    }
}
