//! Many histories, run in parallel.

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

/// The number of calls of one history.
const CALLS_OF_A_HISTORY: u64 = 2_000;

/// Histories of consecutive seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histories {
    /// The first seed.
    pub first_seed: u64,
    /// The least number of calls in all histories together.
    pub calls: u64,
    /// The number of histories that run at a time.
    pub threads: NonZeroUsize,
}

impl Histories {
    /// Runs the histories, each with a few thousand calls.
    ///
    /// # Errors
    ///
    /// The first difference found between the rules and the bytecode. Histories already running are
    /// finished; no others are started.
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
