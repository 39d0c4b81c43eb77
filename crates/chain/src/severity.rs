//! The severity of errors.

/// The severity of an error: what a long-running program does about it, the mildest first.
///
/// Nothing in this library ends a program: agents and senders report an error and go on with what doesn't depend on
/// it. The program that runs them ends at [`Self::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Tries the same again later: the endpoint failed, or the chain isn't ready.
    Retry,
    /// Leaves this item out and goes on with the others: trying again changes nothing.
    Skip,
    /// Stops: nothing can be trusted until a person has looked at it.
    Stop,
}
