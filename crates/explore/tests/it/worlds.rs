//! Nothing is wrong with the rules, and everything was reached.

use canon_explore::{Exploration, SmallWorld};
use canon_protocol::ProposalState::{
    self, Active, Executable, Executed, Expired, Pending, Queued, Rejected,
};

/// The quick world `name` is as it should be, and its proposals get into `expected`.
fn explore(name: &str, expected: &[ProposalState]) {
    let world = SmallWorld::QUICK.iter().find(|world| world.name == name).unwrap();
    match Exploration::new(world).run() {
        Ok(report) => {
            println!("{name}: {report}");
            assert!(!report.figures.cut_off);
            assert_eq!(report.reached.into_iter().collect::<Vec<_>>(), expected);
        }
        Err(trace) => panic!("{trace}"),
    }
}

/// All but Dropped.
const OF_THE_LOCK: &[ProposalState] =
    &[Pending, Active, Queued, Executable, Rejected, Executed, Expired];

#[test]
fn ballots() {
    explore("ballots", OF_THE_LOCK);
}

#[test]
fn leaving() {
    explore("leaving", OF_THE_LOCK);
}

#[test]
fn shortening() {
    explore("shortening", OF_THE_LOCK);
}

#[test]
fn locks() {
    explore("locks", OF_THE_LOCK);
}

#[test]
fn signals() {
    explore("signals", &[Pending, Active, Rejected]);
}

#[test]
fn replacement() {
    explore("replacement", &ProposalState::ALL);
}

#[test]
fn moves() {
    explore("moves", &[Pending, Active, Queued, Executable, Rejected, Executed]);
}

#[test]
fn names_are_unique() {
    for world in SmallWorld::all() {
        assert_eq!(SmallWorld::all().filter(|other| other.name == world.name).count(), 1);
        assert_eq!(SmallWorld::named(world.name).map(|it| it.about), Some(world.about));
    }
    assert!(SmallWorld::named("nowhere").is_none());
}
