//! How often what failed is tried again.

use canon_chain::Severity;

/// The failures in a row of something that is tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    failures: u32,
    most: u32,
}

impl Retries {
    /// For one question: a person waits for the answer, and a dead endpoint may take its time for each failure.
    pub(crate) const QUESTION: Self = Self { failures: 0, most: 4 };

    /// For a part of a long way, most of which was paid for already. One step can take ten requests.
    pub(crate) const PROGRESS: Self = Self { failures: 0, most: 12 };

    /// Counts a failure, and returns whether there is another attempt.
    pub(crate) const fn allow(&mut self, severity: Severity) -> bool {
        self.failures += 1;
        matches!(severity, Severity::Retry) && self.failures < self.most
    }
}
