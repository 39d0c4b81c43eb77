//! Endpoints that fail, at every request and at random.

use crate::{
    run::{Cast, Run, Step, Who},
    views::Maker,
};
use canon_faults::{Fault, Plan};

/// Blocks after which everything is settled once nothing fails any more.
const REST: u32 = 3;

/// What an endpoint does wrong, and a process that is killed.
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

/// Those who act beside `who` take nothing from it.
const fn cast(who: Who) -> Cast {
    match who {
        Who::Sequencer | Who::Holder | Who::Mover => Cast::KeeperPaysNobody,
        Who::Keeper => Cast::KeeperAlonePays,
    }
}

/// The whole upgrade, step by step, with a fault at each packet of `who`: a step ends in the same state,
/// and all that `who` has to do is done once.
async fn at_every_packet(who: Who, maker: Maker, faults: &[Fault]) {
    let cast = cast(who);
    let mut run = Run::new(maker, cast, Some(who)).await;
    let mut cases = 0;
    for step in Step::ALL {
        run.skip_to(step).await;
        let start = run.step_start(step);
        let mut expected = Run::at_step(&start, maker, cast, Some(who)).await;
        expected.step(step, cast, |_| {}).await;
        expected.blocks(REST).await;
        let packets = expected.place(who).0.faults.packets();
        let (outcome, confirmed) = (expected.outcome().await, expected.confirmed_to(who));
        assert_eq!(expected.place(who).0.failures(), [""; 0]);
        for packet in 0..packets {
            for fault in faults {
                let case = format!("{step:?}, {maker:?}, {fault:?} at packet {packet} of {who:?}");
                let mut run = Run::at_step(&start, maker, cast, Some(who)).await;
                run.place(who).0.faults.set(Plan::At(packet, fault.clone()));
                run.step(step, cast, |_| {}).await;
                run.place(who).0.faults.end();
                run.blocks(REST).await;
                assert_eq!(run.outcome().await, outcome, "{case}: {}", run.story());
                assert_eq!(run.confirmed_to(who), confirmed, "{case}: {}", run.story());
                cases += 1;
            }
        }
        run.step(step, cast, |_| {}).await;
    }
    println!("{cases} cases of {who:?} with {maker:?}");
}

#[tokio::test]
async fn sequencer() {
    at_every_packet(Who::Sequencer, Maker::Reads, &[Fault::Lost]).await;
}
#[tokio::test]
async fn holder() {
    at_every_packet(Who::Holder, Maker::Reads, &[Fault::Lost]).await;
}
#[tokio::test]
async fn keeper() {
    at_every_packet(Who::Keeper, Maker::Reads, &[Fault::Lost]).await;
}
#[tokio::test]
async fn mover() {
    at_every_packet(Who::Mover, Maker::Reads, &[Fault::Lost]).await;
}
#[tokio::test]
async fn keeper2() {
    at_every_packet(Who::Keeper, Maker::Fold, &all_faults()).await;
}
