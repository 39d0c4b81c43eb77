//! Histories in which both sides must agree, with at least 200,000 calls. `cargo xtask
//! differential` runs any number of calls.

use canon_differential::{Histories, History};
use canon_protocol::ProposalState;
use std::{num::NonZeroUsize, thread};

const CALLS: u64 = 200_000;

#[test]
fn the_rules_and_the_bytecode_agree_and_everything_is_reached() {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let histories = Histories { first_seed: 1_000, calls: CALLS, threads };
    let coverage = histories.run().unwrap_or_else(|difference| panic!("{}", difference.shrink()));
    println!("{coverage}");
    assert!(coverage.calls >= CALLS);
    assert_eq!(coverage.missing_states(), [] as [ProposalState; 0]);
    assert_eq!(coverage.missing_events(), [] as [String; 0]);
    assert_eq!(coverage.missing_refusals(), [] as [&str; 0]);
    assert!(coverage.successes > coverage.calls / 3, "most calls make sense");
    assert!(coverage.reorgs > 100 && coverage.comparisons > 100);
}

#[test]
fn a_seed_replays() {
    let history = History { seed: 5, calls: 400 };
    let coverage = history.run().unwrap();
    assert_eq!(history.run().unwrap(), coverage);
    assert_ne!(History { seed: 7, ..history }.run().unwrap(), coverage);
}
