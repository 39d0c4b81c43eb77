//! Every property holds in the quick scopes, and the proposals reach every expected state.

use canon_explore::{Exploration, Scope};
use canon_protocol::ProposalState::{
    self, Active, Executable, Executed, Expired, Pending, Queued, Rejected,
};

/// Checks that the quick scope `name` has no violation, and that its proposals reach the states
/// `expected`.
fn explore(name: &str, expected: &[ProposalState]) {
    let scope = Scope::QUICK.iter().find(|scope| scope.name == name).unwrap();
    match Exploration::new(scope).run() {
        Ok(report) => {
            println!("{name}: {report}");
            assert!(!report.figures.cut_off);
            assert_eq!(report.reached.into_iter().collect::<Vec<_>>(), expected);
        }
        Err(trace) => panic!("{trace}"),
    }
}

/// All states that a proposal through the lock can reach.
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
    for scope in Scope::all() {
        assert_eq!(Scope::all().filter(|other| other.name == scope.name).count(), 1);
        assert_eq!(Scope::named(scope.name).map(|it| it.about), Some(scope.about));
    }
    assert!(Scope::named("nowhere").is_none());
}
