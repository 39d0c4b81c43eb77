//! What a program does about an error.

/// What a program that runs on does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Tries the same again later: the endpoint failed, or the chain isn't ready.
    Retry,
    /// Leaves this item out and goes on with the others: trying again changes nothing.
    Skip,
    /// Stops: nothing can be trusted until a person has looked at it.
    Stop,
}
