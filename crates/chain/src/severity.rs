//! The severity of errors.

/// The severity of an error: what a long-running program does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Tries the same again later: the endpoint failed, or the chain isn't ready.
    Retry,
    /// Leaves this item out and goes on with the others: trying again changes nothing.
    Skip,
    /// Stops: nothing can be trusted until a person has looked at it.
    Stop,
}
