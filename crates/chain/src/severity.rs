//! The severity of errors.

/// The severity of an error, which determines the reaction of a long-running program, in ascending order.
///
/// Nothing in this library ends a program. Agents and senders report an error and continue with everything
/// that doesn't depend on it. The program that runs them ends at [`Self::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Retry later: the endpoint failed, or the chain isn't ready.
    Retry,
    /// Skip this item and continue with the others, because retrying doesn't help.
    Skip,
    /// Stop, because nothing can be trusted until a person has examined it.
    Stop,
}
