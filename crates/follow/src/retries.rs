//! The number of attempts, and the pauses between them.

use canon_chain::Severity;
use core::{future::Future, time::Duration};

/// The caller's way to let time pass before another attempt: nothing here reads a clock.
///
/// A program sleeps. Any closure `FnMut(Duration) -> impl Future` will do.
pub trait Pause: Send {
    /// Lets `time` pass.
    fn pause(&mut self, time: Duration) -> impl Future<Output = ()> + Send;
}

impl<F, Fut> Pause for F
where
    F: FnMut(Duration) -> Fut + Send,
    Fut: Future<Output = ()> + Send,
{
    fn pause(&mut self, time: Duration) -> impl Future<Output = ()> + Send {
        self(time)
    }
}

/// A failure that may pass.
pub(crate) trait Failure {
    /// The severity: what a program does about it.
    fn severity(&self) -> Severity;

    /// The pause that the endpoint asked for.
    fn retry_after(&self) -> Option<Duration>;
}

/// The first pause. Each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause, unless the endpoint asks for a longer one: more than a slot of the L1.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// The failures in a row of something that is tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    failures: u32,
    most: u32,
}

impl Retries {
    /// For one question: a person waits for the answer, and a dead endpoint may take its time for each failure.
    pub(crate) const QUESTION: Self = Self { failures: 0, most: 4 };

    /// For a part of a long way, most of which was paid for already. One step can take ten requests. The pauses
    /// add up to more than a minute and a half: a node that lags catches up.
    pub(crate) const PROGRESS: Self = Self { failures: 0, most: 12 };

    /// Counts a failure. Returns whether there is another attempt, after the pause before it.
    pub(crate) async fn allow(&mut self, failure: &impl Failure, pause: &mut impl Pause) -> bool {
        let (severity, retry_after) = (failure.severity(), failure.retry_after());
        let growing = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures += 1;
        if !matches!(severity, Severity::Retry) || self.failures >= self.most {
            return false;
        }
        pause.pause(retry_after.unwrap_or_else(|| growing.min(LONGEST_PAUSE))).await;
        true
    }
}

impl Failure for canon_chain::Error {
    fn severity(&self) -> Severity {
        self.severity()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}
