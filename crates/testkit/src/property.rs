//! Property tests that draw the same cases every time.

use proptest::test_runner::{Config, RngSeed};

/// The seed of the cases of all property tests.
const SEED: u64 = 0x0ca2_0000;

/// The configuration of a property test with this many cases, drawn from a fixed seed. Every run has the
/// same cases, so no failures are recorded in files.
pub fn properties(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(SEED), ..Config::default() }
}
