//! Many histories, on all cores.

use crate::{
    coverage::Coverage,
    history::{Difference, History},
};
use core::num::NonZeroUsize;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// Calls of one history.
const CALLS_OF_A_HISTORY: u64 = 2_000;

/// Histories of consecutive seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histories {
    /// The first seed.
    pub first_seed: u64,
    /// Calls of all of them together, at least.
    pub calls: u64,
    /// The number of histories that run at a time.
    pub threads: NonZeroUsize,
}

impl Histories {
    /// Runs them, each with some thousand calls.
    ///
    /// # Errors
    ///
    /// A difference between the rules and the bytecode. Histories that run then run to
    /// their end; no others begin.
    pub fn run(self) -> Result<Coverage, Box<Difference>> {
        let seeds = self.calls.div_ceil(CALLS_OF_A_HISTORY);
        let next = AtomicU64::new(0);
        let all = Mutex::new(Ok(Coverage::default()));
        thread::scope(|scope| {
            for _ in 0..self.threads.get() {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= seeds {
                            return;
                        }
                        let seed = self.first_seed + number;
                        let outcome = History { seed, calls: CALLS_OF_A_HISTORY }.run();
                        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                        match (&mut *all, outcome) {
                            (Ok(all), Ok(coverage)) => all.add(&coverage),
                            (Err(_), _) => return,
                            (all, Err(difference)) => {
                                *all = Err(difference);
                                return;
                            }
                        }
                    }
                });
            }
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
