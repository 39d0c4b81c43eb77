//! Histories in which both sides have to agree, 200,000 calls and more. `cargo xtask differential`
//! plays as many as one likes.

use canon_differential::{Coverage, Difference, History};
use canon_protocol::ProposalState;
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

const CALLS: u64 = 200_000;
const CALLS_OF_A_HISTORY: u64 = 2_000;

/// Plays histories on all cores until there were [`CALLS`] calls.
fn play() -> Result<Coverage, Box<Difference>> {
    let histories = CALLS.div_ceil(CALLS_OF_A_HISTORY);
    let next = AtomicU64::new(0);
    let all = Mutex::new(Ok(Coverage::default()));
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= histories {
                        return;
                    }
                    let outcome = History { seed, calls: CALLS_OF_A_HISTORY }.play();
                    let mut all = all.lock().unwrap();
                    match (&mut *all, outcome) {
                        (Ok(all), Ok(coverage)) => all.add(&coverage),
                        (all, Err(difference)) => *all = Err(difference),
                        (Err(_), Ok(_)) => return,
                    }
                }
            });
        }
    });
    all.into_inner().unwrap()
}

#[test]
fn the_rules_and_the_bytecode_agree_and_everything_is_reached() {
    let coverage = play().unwrap_or_else(|difference| panic!("{}", difference.shrink()));
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
    let coverage = history.play().unwrap();
    assert_eq!(history.play().unwrap(), coverage);
    assert_ne!(History { seed: 7, ..history }.play().unwrap(), coverage);
}
