//! States with the same fingerprint behave alike: an exploration that doesn't merge states shows no
//! difference between them.

use canon_explore::{Exploration, Model, Scope, State};
use std::collections::HashMap;

/// The findings in a state: whether it passes its check, and for each step whether it passes its
/// check, with the fingerprint of the next state.
type Findings = (bool, Vec<(u128, bool)>);

/// The findings in `state`, and the states after it.
fn findings(model: &Exploration, state: &State) -> (Findings, Vec<State>) {
    let successors = model.successors(state);
    let next = successors.iter().map(|(step, after)| {
        (model.fingerprint(after), model.check_step(state, step, after).is_ok())
    });
    let mut next: Vec<_> = next.collect();
    next.sort_unstable();
    next.dedup();
    let states = successors.into_iter().map(|(_, after)| after).collect();
    ((model.check_state(state).is_ok(), next), states)
}

/// Explores the quick scope `name` for `depth` steps without merging states. There must be at least
/// `times` times as many states as fingerprints.
fn compare(name: &str, depth: usize, times: usize) {
    let scope = Scope::QUICK.iter().find(|scope| scope.name == name).unwrap();
    let model = Exploration::new(scope);
    let mut known: HashMap<u128, Vec<State>> = HashMap::new();
    let mut known_findings = HashMap::new();
    let mut frontier = vec![model.initial()];
    let mut states = 0;
    for _ in 0..depth {
        let mut next = Vec::new();
        for state in frontier {
            let fingerprint = model.fingerprint(&state);
            let same = known.entry(fingerprint).or_default();
            if same.contains(&state) {
                continue;
            }
            let (found, after) = findings(&model, &state);
            let expected = known_findings.entry(fingerprint).or_insert_with(|| found.clone());
            assert_eq!(*expected, found, "{:#?} and {state:#?}", same.first());
            next.extend(after);
            same.push(state);
            states += 1;
        }
        frontier = next;
    }
    println!("{name}: {states} states, {} fingerprints", known.len());
    assert!(states >= times * known.len(), "{states} states, {} fingerprints", known.len());
}

#[test]
fn ballots() {
    compare("ballots", 28, 4);
}

#[test]
fn leaving() {
    compare("leaving", 12, 2);
}

#[test]
fn shortening() {
    compare("shortening", 10, 4);
}

#[test]
fn locks() {
    compare("locks", 20, 4);
}

#[test]
fn signals() {
    compare("signals", 12, 4);
}

#[test]
fn replacement() {
    compare("replacement", 10, 3);
}

#[test]
fn moves() {
    compare("moves", 8, 4);
}
