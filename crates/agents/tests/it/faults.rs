//! Endpoints that fail at every request or at random.

use crate::{
    run::{Participants, Run, Step, StepStart, Who, assert_same},
    views::Maker,
};
use canon_devchain::OldTransactions;
use canon_faults::{Fault, FaultPlan};
use canon_protocol::Slot;
use canon_testkit::histories::Rng;
use core::ops::Range;
use std::sync::{Arc, Mutex};

/// The number of blocks after which everything is settled once there are no more failures.
const REST: u32 = 3;

/// All faults of an endpoint, and the end of the process.
fn all_faults() -> Vec<Fault> {
    vec![
        Fault::Lost,
        Fault::AnswerLost,
        Fault::Doubled,
        Fault::Delayed(2),
        Fault::Stale,
        Fault::KilledBefore,
        Fault::KilledAfter,
    ]
}

/// Participants that leave all of its work to `who`.
const fn participants(who: Who) -> Participants {
    match who {
        Who::Sequencer | Who::Holder | Who::Mover => Participants::KeeperPaysNobody,
        Who::Keeper => Participants::KeeperAlonePays,
    }
}

/// Whether `fault` differs from all others in its effect on a packet. For a packet that only reads, it
/// doesn't matter whether it or its answer is lost.
const fn is_distinct(fault: &Fault, sends: bool) -> bool {
    sends || !matches!(fault, Fault::AnswerLost)
}

/// Runs the whole upgrade, step by step, with a fault at each packet of `who`. Checks that a step ends in
/// the same state, and that each intent of `who` is confirmed once.
async fn at_every_packet(who: Who, maker: Maker, faults: &[Fault]) {
    let mut run = Run::new(maker, participants(who), Some(who)).await;
    let mut cases = 0;
    for step in Step::ALL {
        run.go_to(step).await;
        let mut start = run.save(step).await;
        run.come_back_to(&mut start).await;
        // Whether each packet contains a transaction.
        let packets = Arc::new(Mutex::new(Vec::new()));
        let seen = packets.clone();
        run.place(who).0.faults.set(FaultPlan::by(move |packet| {
            let sends = packet.method_names().any(|name| name == "eth_sendRawTransaction");
            seen.lock().unwrap().push(sends);
            None
        }));
        run.step(step, |_| {}).await;
        run.blocks(REST).await;
        let (outcome, confirmed) = (run.outcome().await, run.confirmed_to(who));
        let (process, _) = run.place(who);
        assert_eq!(process.failures(), [""; 0]);
        let packets = packets.lock().unwrap().clone();
        assert_eq!(packets.len() as u64, process.faults.packets());
        for (packet, sends) in (0..).zip(packets) {
            for fault in faults.iter().filter(|fault| is_distinct(fault, sends)) {
                let case =
                    format!("{fault:?} at packet {packet} of {who:?} in {step:?} with {maker:?}");
                run.come_back_to(&mut start).await;
                run.place(who).0.faults.set(FaultPlan::At(packet, fault.clone()));
                run.step(step, |_| {}).await;
                run.place(who).0.faults.end();
                run.blocks(REST).await;
                let found = run.outcome().await;
                assert_same(&found, &outcome, || format!("{case}: {}", run.log()));
                assert_eq!(run.confirmed_to(who), confirmed, "{case}: {}", run.log());
                cases += 1;
            }
        }
        run.come_back_to(&mut start).await;
        run.step(step, |_| {}).await;
    }
    assert!(cases > 30, "{cases} cases of {who:?} with {maker:?}");
}

/// The number of L1 blocks in four slots.
const FOUR_SLOTS: u32 = 8;

#[tokio::test]
async fn a_fault_costs_a_sequencer_no_slot() {
    for (maker, fault) in [(Maker::Fold, Fault::Lost), (Maker::Reads, Fault::AnswerLost)] {
        let who = Who::Sequencer;
        let mut run = Run::new(maker, participants(who), Some(who)).await;
        run.go_to(Step::Signals).await;
        let mut start = run.save(Step::Signals).await;
        run.come_back_to(&mut start).await;
        let slots = four_slots(&mut run).await;
        let (signals, blocks) = &slots;
        assert_eq!((signals.len(), blocks.len()), (2, 4), "two signals win a round");
        let packets = run.place(who).0.faults.packets();
        assert!(packets > 40);
        for packet in 0..packets {
            run.come_back_to(&mut start).await;
            run.place(who).0.faults.set(FaultPlan::At(packet, fault.clone()));
            let case = format!("{fault:?} at packet {packet} with {maker:?}");
            assert_eq!(four_slots(&mut run).await, slots, "{case}: {}", run.log());
        }
    }
}

/// Runs four slots. Returns those whose signals and those whose blocks were confirmed to the sequencer.
async fn four_slots(run: &mut Run) -> (Vec<Slot>, Vec<Slot>) {
    run.blocks(FOUR_SLOTS).await;
    run.act().await;
    let rollup = run.chain.addresses().rollup;
    let (process, _) = run.place(Who::Sequencer);
    let signals = process.signaled();
    // A block before the first signal is known from the journal.
    let blocks = process.proposed(rollup).into_iter().map(|(slot, _)| slot);
    let blocks = blocks.filter(|slot| Some(slot) >= signals.first());
    (signals.clone(), blocks.collect())
}

/// The faults in which a request fails, before or after the endpoint executed it.
const LOST: [Fault; 2] = [Fault::Lost, Fault::AnswerLost];

#[tokio::test]
async fn a_request_of_the_sequencer_that_fails_costs_time_and_nothing_else() {
    at_every_packet(Who::Sequencer, Maker::Reads, &LOST).await;
}

#[tokio::test]
async fn a_request_of_the_holder_that_fails_costs_time_and_nothing_else() {
    at_every_packet(Who::Holder, Maker::Fold, &LOST).await;
}

#[tokio::test]
async fn a_request_of_the_keeper_that_fails_costs_time_and_nothing_else() {
    at_every_packet(Who::Keeper, Maker::Fold, &LOST).await;
}

#[tokio::test]
async fn a_request_of_the_mover_that_fails_costs_time_and_nothing_else() {
    at_every_packet(Who::Mover, Maker::Reads, &LOST).await;
}

#[tokio::test]
async fn a_mover_that_is_killed_at_a_request_goes_on() {
    at_every_packet(Who::Mover, Maker::Reads, &[Fault::KilledAfter]).await;
}

/// Tries all faults at all packets of `who`.
async fn all_that_goes_wrong(who: Who) {
    for maker in Maker::ALL {
        at_every_packet(who, maker, &all_faults()).await;
    }
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn all_that_goes_wrong_at_the_sequencer() {
    all_that_goes_wrong(Who::Sequencer).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn all_that_goes_wrong_at_the_holder() {
    all_that_goes_wrong(Who::Holder).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn all_that_goes_wrong_at_the_keeper() {
    all_that_goes_wrong(Who::Keeper).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn all_that_goes_wrong_at_the_mover() {
    all_that_goes_wrong(Who::Mover).await;
}

/// Temporary faults of an endpoint. None of them ends the process.
fn endpoint_faults() -> Vec<Fault> {
    let delays = [1, 3, 10, 40].map(Fault::Delayed);
    let others = [Fault::Lost, Fault::AnswerLost, Fault::Doubled, Fault::Stale];
    delays.into_iter().chain(others).collect()
}

/// The most blocks that are replaced at once.
const DEEPEST: u32 = 4;

/// The kind of the chain's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blocks {
    Ordinary,
    /// From time to time, up to four blocks are replaced.
    Replaced,
    /// From time to time, base fees are above the cap for a few blocks.
    Expensive,
}

/// The most that transactions offer at [`Blocks::Expensive`], in wei per gas.
const CAP: u128 = 4_000_000_000;

/// A base fee above the cap. It falls by an eighth with each empty block.
const ABOVE_CAP: u64 = 5_000_000_000;

/// The number of blocks after which the cap suffices again.
const EXPENSIVE_BLOCKS: u32 = 8;

/// Runs the upgrade until the stakes have moved, at an endpoint that fails by a plan. `after_block` is
/// called after every block. The first settings are those of the step `first`.
async fn run_upgrade(
    run: &mut Run,
    start: &mut StepStart,
    first: Step,
    plan: FaultPlan,
    mut after_block: impl FnMut(&mut Run),
) {
    run.come_back_to(start).await;
    let process = &mut run.processes[0];
    process.faults.set(plan);
    process.attempts = 3;
    run.set_up(first).await;
    run.step(Step::Orders, &mut after_block).await;
    run.set_up(Step::Signals).await;
    run.step(Step::Signals, &mut after_block).await;
    // An order that was taken back and given up waits until that is final. The vote counts the power after it.
    run.step(Step::Orders, |_| {}).await;
    run.blocks(DEEPEST).await;
    for step in [Step::Vote, Step::Execution, Step::Moves] {
        run.go_to(step).await;
        run.step(step, &mut after_block).await;
    }
    run.processes[0].faults.end();
    run.blocks(REST).await;
}

/// Runs the upgrade with random faults, for each seed. Checks that it ends in the same state.
async fn at_random(maker: Maker, seeds: Range<u64>, faults: &[Fault], blocks: Blocks) {
    let first = match blocks {
        // Signals are given at the same time as the orders.
        Blocks::Ordinary => Step::Signals,
        // Orders whose blocks are replaced, or that wait for lower fees, can be executed after the proposal,
        // whose vote then counts other power.
        Blocks::Replaced | Blocks::Expensive => Step::Orders,
    };
    let mut run = Run::new(maker, Participants::All, None).await;
    if blocks == Blocks::Expensive {
        run.processes[0].set_cap(CAP);
    }
    let first_block = run.chain.devchain.block_number();
    let mut start = run.save(Step::Orders).await;
    run_upgrade(&mut run, &mut start, first, FaultPlan::Never, |_| {}).await;
    let outcome = run.outcome().await;
    let done = run.done_since(first_block, "no faults").await;
    let mut above_cap = 0;
    for seed in seeds {
        let (rng, percent, faults) = (Rng::new(seed), 2 + seed % 16, faults.to_vec());
        let mut rng_of_blocks = Rng::new(!seed);
        let after_block = |run: &mut Run| match blocks {
            Blocks::Replaced if rng_of_blocks.chance(1, 8) => {
                let old = [OldTransactions::Drop, OldTransactions::ReturnToPool];
                let old = *rng_of_blocks.pick(&old).unwrap();
                run.reorganize(rng_of_blocks.between(1, DEEPEST.into()), old);
            }
            Blocks::Expensive if rng_of_blocks.chance(1, 40) => {
                run.chain.devchain.set_base_fee_next(ABOVE_CAP);
            }
            _ => {}
        };
        let plan = FaultPlan::Random { rng, percent, faults };
        run_upgrade(&mut run, &mut start, first, plan, after_block).await;
        if blocks == Blocks::Expensive {
            run.blocks(EXPENSIVE_BLOCKS).await;
        }
        let found = run.outcome().await;
        assert_same(&found, &outcome, || format!("seed {seed}: {}", run.log()));
        assert_eq!(run.chain.devchain.pool_size(), 0, "seed {seed}: {}", run.log());
        let found = run.done_since(first_block, &format!("seed {seed}")).await;
        assert_eq!(found, done, "seed {seed}: {}", run.log());
        let failures = run.processes[0].failures();
        above_cap +=
            failures.iter().filter(|one| one.contains("wait until the base fee is lower")).count();
    }
    assert_eq!(above_cap > 0, blocks == Blocks::Expensive, "{above_cap} offers above the cap");
}

#[tokio::test]
async fn endpoints_that_fail_at_random_cost_time_and_nothing_else() {
    at_random(Maker::Fold, 0..150, &endpoint_faults(), Blocks::Ordinary).await;
}

#[tokio::test]
async fn processes_that_are_killed_at_random_go_on() {
    at_random(Maker::Reads, 150..200, &all_faults(), Blocks::Ordinary).await;
}

#[tokio::test]
async fn what_reorganizations_take_back_is_done_again() {
    at_random(Maker::Fold, 1_000..1_040, &endpoint_faults(), Blocks::Replaced).await;
    at_random(Maker::Reads, 1_040..1_060, &all_faults(), Blocks::Replaced).await;
}

#[tokio::test]
async fn what_the_cap_holds_back_is_done_later() {
    at_random(Maker::Fold, 2_000..2_030, &endpoint_faults(), Blocks::Expensive).await;
    at_random(Maker::Reads, 2_030..2_040, &all_faults(), Blocks::Expensive).await;
}
