//! Sequencers; each test is about one property.

use crate::{
    process::{Process, Status, is_done},
    test_chain::{BLOCK_HASH, TestChain},
    views::Maker,
};
use alloy_primitives::Address;
use canon_abi::Registry;
use canon_chain::tx::TxEvent;
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_protocol::{Epoch, RollupBlock, Seconds, Slot};
use canon_views::{
    BlockDuty, IntentSubject, PayOut, Present, Question, RollupView, SeedStatus, SignalDecision,
    SignalPlan,
};

/// A set with stakers, and the agents of all of them.
struct Sequencers {
    chain: TestChain,
    process: Process,
    rollup: Address,
}

impl Sequencers {
    async fn new(count: u64, blocks: BlockDuty, maker: Maker) -> Self {
        let mut chain = TestChain::new().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, count).await;
        let mut process = Process::new(&chain, maker).await;
        for number in 0..count {
            process.add_sequencer(number, rollup, blocks, None);
        }
        Self { chain, process, rollup }
    }

    fn plan(&mut self, plan: Option<SignalPlan>) {
        for actor in 0..self.process.actors.len() {
            self.process.sequencer(actor).plan = plan;
        }
    }

    /// The intent of the only sequencer in the next block, if it hasn't executed it: the slot's block, or
    /// the seed if the slot has no proposer.
    async fn due(&self) -> Option<IntentSubject> {
        let (rollup, RollupView { slot, proposer, head, seed, .. }) =
            (self.rollup, self.look().await);
        let slot = slot.unwrap();
        match (proposer, seed) {
            (Some(_), _) => {
                let is_free = head.is_none_or(|head| head.slot < slot);
                is_free.then_some(IntentSubject::ProposeBlock { rollup, slot })
            }
            (None, SeedStatus::Missing(epoch)) => Some(IntentSubject::RecordSeed { rollup, epoch }),
            (None, _) => None,
        }
    }

    /// The rollup, with the slot of the next block.
    async fn look(&self) -> RollupView {
        self.chain.look().await.rollups.remove(&self.rollup).unwrap()
    }
}

fn slots(first: Slot, count: u64) -> impl Iterator<Item = Slot> {
    (first.get()..first.get() + count).map(Slot::of)
}

#[tokio::test]
async fn each_slot_gets_one_block_by_its_proposer() {
    for maker in Maker::ALL {
        let Sequencers { chain, mut process, rollup } =
            Sequencers::new(5, BlockDuty::Propose(BLOCK_HASH), maker).await;
        let mut expected = Vec::new();
        for _ in 0..60 {
            let present = chain.look().await;
            let RollupView { slot, proposer, .. } = &present.rollups[&rollup];
            let due = slot.zip(*proposer);
            expected.extend(due.filter(|due| Some(*due) != expected.last().copied()));
            process.run_block(&chain).await;
        }
        process.act(&chain).await;
        assert!(expected.len() >= 27, "60 blocks are 30 slots, and the first epochs have no seed");
        let first = expected[0].0;
        assert!(expected.iter().map(|(slot, _)| *slot).eq(slots(first, expected.len() as u64)));
        assert_eq!(process.proposed(rollup), expected);
        assert_eq!(process.failures(), [""; 0]);
        let head = chain.look().await.rollups[&rollup].head.unwrap();
        assert_eq!(head.number.get(), expected.len() as u64);
    }
}

#[tokio::test]
async fn the_agreed_block_comes_first() {
    for maker in Maker::ALL {
        let mut all = Sequencers::new(3, BlockDuty::Propose(BLOCK_HASH), maker).await;
        let (_, plan) = all.chain.upgrade("1").await;
        let from = RollupBlock::of(10);
        all.plan(Some(SignalPlan { from_block: from, ..plan }));
        let Sequencers { chain, mut process, rollup } = all;
        for _ in 0..60 {
            let head = chain.look().await.rollups[&rollup].head;
            let block = head.map_or(RollupBlock::ZERO, |head| head.number);
            process.run_block(&chain).await;
            let decision = SignalDecision::TooEarly { block, from };
            for actor in 0..3 {
                let is_too_early = *process.status(actor) == Status::Signal(decision);
                assert_eq!(is_too_early, block < from, "at block {block}");
            }
            if !process.signaled().is_empty() {
                break;
            }
        }
        let blocks = process.proposed(rollup);
        let first = blocks[0].0;
        // The slot of the tenth block has a second L1 block.
        assert_eq!(process.signaled(), [Slot::of(first.get() + 9)]);
        assert!(blocks.iter().map(|(slot, _)| *slot).eq(slots(first, 10)), "{blocks:?}");
    }
}

#[tokio::test]
async fn who_leaves_the_blocks_records_the_seeds() {
    for maker in Maker::ALL {
        let Sequencers { chain, mut process, rollup } =
            Sequencers::new(3, BlockDuty::Skip, maker).await;
        // A time without calls, so that there are no proposers.
        chain.skip_until_next_is(chain.now() + Seconds::HOUR);
        let everybody: Vec<_> = (0..3).map(|actor| process.address(actor)).collect();
        let mut expected: Vec<(Epoch, Address)> = Vec::new();
        for _ in 0..50 {
            let present = chain.look().await;
            let RollupView { seed, proposer, .. } = present.rollups[&rollup];
            if let SeedStatus::Missing(epoch) = seed {
                // In a slot without a proposer, every sequencer's turn is the epoch's second slot, which is
                // its last.
                let recorders =
                    proposer.map_or_else(|| everybody.clone(), |proposer| vec![proposer]);
                expected.extend(recorders.into_iter().map(|recorder| (epoch, recorder)));
            }
            process.run_block(&chain).await;
        }
        process.act(&chain).await;
        assert_eq!(process.seeded(rollup), expected);
        assert_eq!(process.confirmed().len(), expected.len(), "nothing else is done");
        assert_eq!(process.failures(), [""; 0]);
        // All three record the seed of the first epoch, and one of them that of each later epoch.
        let (first, later) = expected.split_at(3);
        assert!(first.iter().map(|(epoch, _)| epoch).all(|epoch| *epoch == first[0].0));
        let epochs = later.iter().map(|(epoch, _)| epoch.get());
        assert!(epochs.eq((1..=later.len() as u64).map(|step| first[0].0.get() + step)));
        assert!(later.len() >= 10, "50 blocks are 12 epochs");
    }
}

#[tokio::test]
async fn after_a_silence_sequencers_come_back_by_themselves() {
    for maker in Maker::ALL {
        let Sequencers { chain, mut process, rollup } =
            Sequencers::new(3, BlockDuty::Propose(BLOCK_HASH), maker).await;
        process.run_blocks(&chain, 8).await;
        for _ in 0..2 {
            // All agents are offline for an hour, so that no epoch has a seed.
            chain.skip_until_next_is(chain.now() + Seconds::HOUR);
            let RollupView { clock, slot, proposer, .. } = &chain.look().await.rollups[&rollup];
            assert_eq!(*proposer, None);
            // The seed of the next epoch is recorded in this one.
            let first = clock.first_slot(clock.epoch_of(slot.unwrap()).next()).unwrap();
            let before = process.proposed(rollup).len();
            process.run_blocks(&chain, 16).await;
            let last = clock.slot_at(chain.now()).unwrap();
            process.act(&chain).await;
            let blocks = process.proposed(rollup).split_off(before);
            let count = last.steps_since(first).unwrap() + 1;
            assert!(count >= 6, "16 blocks are 8 slots");
            assert!(blocks.iter().map(|(slot, _)| *slot).eq(slots(first, count)), "{blocks:?}");
        }
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn nothing_is_recorded_in_the_first_slot_of_an_epoch() {
    let mut all = Sequencers::new(1, BlockDuty::Skip, Maker::Reads).await;
    let mut epochs = Vec::new();
    let mut sent_in = [0, 0];
    for _ in 0..24 {
        let RollupView { clock, slot, seed, .. } = all.look().await;
        let position = clock.position_in_epoch(slot.unwrap());
        assert_eq!(position == 0, seed == SeedStatus::NotYet);
        epochs.push(clock.epoch_of(slot.unwrap()));
        let Sequencers { chain, process, .. } = &mut all;
        let before = process.entries.len();
        process.run_block(chain).await;
        sent_in[usize::try_from(position).unwrap()] += process.sent_since(before).len();
    }
    epochs.dedup();
    assert_eq!(sent_in, [0, epochs.len()], "once per epoch, in its second slot");
}

#[tokio::test]
async fn what_is_not_mined_in_its_slot_is_missed_and_not_sent_again() {
    for maker in Maker::ALL {
        let mut all = Sequencers::new(1, BlockDuty::Propose(BLOCK_HASH), maker).await;
        let block = |subject| matches!(subject, IntentSubject::ProposeBlock { .. });
        all.process.run_until(&all.chain, 20, is_done(block)).await;
        let (confirmed, before) = (all.process.confirmed(), all.process.entries.len());
        // Fees quadruple in every block, so that the offer is never enough.
        let mut missed = Vec::new();
        for base_fee in [10, 40, 160, 640, 2_560, 10_240].map(|gwei| gwei * 1_000_000_000) {
            missed.extend(all.due().await);
            all.chain.devchain.set_base_fee_next(base_fee);
            all.process.run_block(&all.chain).await;
        }
        missed.dedup();
        // The missed block would have recorded the next epoch's seed. Without it there are no more
        // proposers, so only the seed is due.
        assert_eq!(missed.iter().map(|subject| block(*subject)).collect::<Vec<_>>(), [true, false]);
        assert_eq!(all.process.confirmed(), confirmed, "nothing is mined meanwhile");
        assert_eq!(all.process.sent_since(before), missed, "once per slot");
        // Fees fall again. New intents use the nonces of those that were given up.
        all.chain.devchain.set_base_fee_next(1_000_000_000);
        let after = all.process.entries.len();
        let mut due = Vec::new();
        for _ in 0..20 {
            due.extend(all.due().await);
            all.process.run_block(&all.chain).await;
        }
        due.dedup();
        let Sequencers { chain, mut process, .. } = all;
        assert_eq!(chain.devchain.pool_size(), 0, "nothing is left behind");
        process.act(&chain).await;
        assert_eq!(process.confirmed_since(after), due, "{}", process.log());
        assert!(due.len() >= 8, "20 blocks are 10 slots, and the first epoch has no proposers");
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn the_plan_changes_without_a_restart() {
    for maker in Maker::ALL {
        let mut all = Sequencers::new(2, BlockDuty::Propose(BLOCK_HASH), maker).await;
        let (_, one) = all.chain.upgrade("1").await;
        let (_, other) = all.chain.upgrade("2").await;
        let payloads = [one.payload, other.payload];
        let counts = |present: &Present| payloads.map(|payload| present.payloads[&payload].signals);
        let mut question = Question::default();
        question.payloads.extend(payloads);
        all.process.run_blocks(&all.chain, 8).await;
        // At the beginning of a round.
        loop {
            let present = all.chain.look().await;
            let slot = present.rollups[&all.rollup].slot.unwrap();
            let rules = present.signaling.unwrap().rules;
            if slot == rules.first_slot(rules.round_of(slot)) {
                break;
            }
            all.process.run_block(&all.chain).await;
        }
        // Each setting is kept for two slots.
        for (plan, expected) in [(Some(one), [2, 0]), (Some(other), [2, 2]), (None, [2, 2])] {
            all.plan(plan);
            all.process.run_blocks(&all.chain, 4).await;
            let present = all.chain.ask(question.clone()).await;
            assert_eq!(counts(&present), expected);
        }
        assert_eq!(all.process.signaled().len(), 4);
        let nothing = Status::Signal(SignalDecision::NoPayload);
        assert!((0..2).all(|actor| *all.process.status(actor) == nothing));
        assert_eq!(all.process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn a_reorganization_is_lived_through() {
    for maker in Maker::ALL {
        for old in [OldTransactions::ReturnToPool, OldTransactions::Drop] {
            let mut all = Sequencers::new(3, BlockDuty::Propose(BLOCK_HASH), maker).await;
            let (_, plan) = all.chain.upgrade("1").await;
            all.plan(Some(plan));
            let Sequencers { chain, mut process, .. } = all;
            process.add_keeper(&chain, PayOut::No);
            chain.mine();
            let push = |subject| matches!(subject, IntentSubject::Push { .. });
            process.run_until(&chain, 90, is_done(push)).await;
            assert_eq!(chain.look().await.governance.proposals.len(), 1);
            // The block of the push and two more are replaced by empty ones.
            let options = ReorgOptions { depth: 3, old, ..ReorgOptions::default() };
            chain.devchain.reorg(options).unwrap();
            assert_eq!(chain.look().await.governance.proposals.len(), 0);
            let before = process.entries.len();
            process.run_blocks(&chain, 40).await;
            assert_eq!(chain.look().await.governance.proposals.len(), 1, "{}", process.log());
            let taken_back = process.entries[before..].iter().filter(|entry| {
                let subject = entry.report.intent.map(|id| id.subject);
                matches!(entry.report.event, TxEvent::TakenBack { .. }) && subject.is_some_and(push)
            });
            assert_eq!(taken_back.count(), 1, "{maker:?} {old:?}:\n{}", process.log());
            let pushes = process.confirmed_since(before).into_iter().filter(|one| push(*one));
            assert_eq!(pushes.count(), 1);
        }
    }
}

#[tokio::test]
async fn nobody_signals_in_slots_of_a_rollup_that_was_replaced() {
    for maker in Maker::ALL {
        let mut sequencers = Sequencers::new(1, BlockDuty::Propose(BLOCK_HASH), maker).await;
        let (new, plan) = sequencers.chain.upgrade("1").await;
        let registry = sequencers.chain.addresses().registry;
        sequencers.chain.as_governance(registry, Registry::upgradeCall { rollup: new }).await;
        sequencers.plan(Some(plan));
        let Sequencers { chain, mut process, rollup } = sequencers;
        process.run_blocks(&chain, 20).await;
        assert!(!process.proposed(rollup).is_empty(), "it works on");
        assert_eq!(process.signaled(), []);
        assert_eq!(*process.status(0), Status::Signal(SignalDecision::NotCanonical));
        assert_eq!(process.failures(), [""; 0]);
    }
}
