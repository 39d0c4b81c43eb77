//! The number of attempts, and the pauses between them.

use canon_chain::Severity;
use core::{future::Future, time::Duration};

/// The caller's way to pause before a retry, since this crate reads no clock.
///
/// A program sleeps. Any closure `FnMut(Duration) -> impl Future` works.
pub trait Pause: Send {
    /// Waits for `time`.
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

/// A failure that may be temporary.
pub(crate) trait Failure {
    /// The severity: what a program does about it.
    fn severity(&self) -> Severity;

    /// The pause that the endpoint requested.
    fn retry_after(&self) -> Option<Duration>;
}

/// The first pause. Each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause, unless the endpoint requests a longer one. It is longer than a slot of L1.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// The consecutive failures of a task that is retried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    failures: u32,
    most: u32,
}

impl Retries {
    /// The limit for one question. A person waits for the answer, and an unresponsive endpoint may take
    /// long for each failure.
    pub(crate) const QUESTION: Self = Self { failures: 0, most: 4 };

    /// The limit for a step of a long task. One step can take ten requests, and most of the task may
    /// already be done. The pauses add up to more than a minute and a half.
    pub(crate) const PROGRESS: Self = Self { failures: 0, most: 12 };

    /// The limit for an endpoint whose newest block is older than one that was read before. The pauses add up to 16
    /// seconds, more than a slot of L1.
    pub(crate) const LAG: Self = Self { failures: 0, most: 7 };

    /// Records a failure. Returns whether to retry, after the pause.
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
