//! The rules and the bytecode, in step.

use canon_differential::History;

#[test]
fn smoke() {
    for seed in 0..4 {
        let started = std::time::Instant::now();
        match (History { seed, calls: 1000 }).play() {
            Ok(coverage) => eprintln!("{seed}: {} in {:?}", coverage.calls, started.elapsed()),
            Err(difference) => panic!("{}", difference.shrink()),
        }
    }
}
