//! The time of a chain: that of its blocks, and that of a clock if it follows one.

use std::{fmt, sync::Arc};

use crate::{
    chain::{Chain, MAX_TIMESTAMP},
    error::{Error, Result},
};

/// A clock that a chain follows, so that time goes on between its blocks. Clones are equal.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// A clock with the time that `now` returns, in Unix seconds.
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    fn now(&self) -> u64 {
        (self.0)().min(MAX_TIMESTAMP)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").finish_non_exhaustive()
    }
}

impl PartialEq for Clock {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Clock {}

impl Chain {
    /// The time of the clock with the offset that clients have set; `None` without a clock.
    pub(crate) fn clock_time(&self) -> Option<u64> {
        let clock = self.config.clock.as_ref()?;
        Some(clock.now().saturating_add_signed(self.time_offset))
    }

    /// Adds seconds to the time of the next blocks: to that of the clock, or to that of the head if blocks came
    /// faster than seconds passed. Returns the offset from the clock; without a clock, the sum of what was added
    /// so far.
    pub(crate) fn advance_time(&mut self, seconds: u64) -> i64 {
        // Nothing is only a question for the offset.
        if let Some(time) = self.clock_time().filter(|_| seconds > 0) {
            let ahead = self.head().header.timestamp.saturating_sub(time);
            self.time_offset = self.time_offset.saturating_add_unsigned(ahead);
        }
        self.time_offset = self.time_offset.saturating_add_unsigned(seconds);
        if self.config.clock.is_none() {
            self.increase_time(seconds);
        }
        self.time_offset
    }

    /// Sets the clock's time, from which it goes on.
    pub(crate) fn set_clock_time(&mut self, time: u64) -> Result<()> {
        if self.config.clock.is_none() {
            return Err(Error::NoClock);
        }
        self.next.timestamp = None;
        self.go_on_from(time);
        Ok(())
    }

    /// Sets the clock's time, if there is a clock.
    pub(crate) fn go_on_from(&mut self, time: u64) {
        if let Some(clock) = &self.config.clock {
            self.time_offset = signed(time) - signed(clock.now());
        }
    }

    /// Sets the offset from the clock anew: none, unless the head would be in the future.
    pub(crate) fn follow_clock(&mut self) {
        if let Some(clock) = &self.config.clock {
            self.time_offset = signed(self.head().header.timestamp.saturating_sub(clock.now()));
        }
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
