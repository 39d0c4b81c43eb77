//! The errors of a rehearsal, apart from the failures that a scenario asks for.

use canon_protocol::Timestamp;

use crate::refusal::ObservedRefusal;

/// The result of simulating a scenario.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure that ends a rehearsal. A refusal that a scenario provokes is an event, not an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call that must succeed failed, or the embedded chain didn't answer.
    #[error("{act}: {source}")]
    Chain {
        /// The step that failed.
        act: &'static str,
        /// The reason why it failed.
        #[source]
        source: Box<canon_chain::Error>,
    },
    /// The set couldn't be deployed.
    #[error("deploying: {0}")]
    Deployment(#[source] Box<canon_chain::deploy::DeployError>),
    /// The set's events can't be folded into a state.
    #[error("following the set: {0}")]
    Following(#[source] Box<canon_follow::FollowError>),
    /// The embedded chain refused to be driven.
    #[error("the embedded chain can't go on ({0})")]
    Devchain(#[from] canon_devchain::Error),
    /// A transaction was sent but isn't in any block.
    #[error("{act}: a transaction was left out of the block at {time}")]
    NotIncluded {
        /// The step that failed.
        act: &'static str,
        /// The block's time.
        time: Timestamp,
    },
    /// The state isn't what the rehearsal expects after its own transactions.
    #[error("{0}; this is a fault of the rehearsal: report it with the scenario and its seed")]
    Unexpected(String),
}

/// The contract's refusal in an error. Any other error is returned as an error.
pub(crate) fn refusal_of(error: canon_chain::Error, act: &'static str) -> Result<ObservedRefusal> {
    let refusal = error.as_revert().map(ObservedRefusal::from);
    refusal.ok_or_else(|| Error::Chain { act, source: Box::new(error) })
}

/// Adds the step that failed to an error of the chain.
pub(crate) trait During<T> {
    fn during(self, act: &'static str) -> Result<T>;
}

impl<T> During<T> for canon_chain::Result<T> {
    fn during(self, act: &'static str) -> Result<T> {
        self.map_err(|source| Error::Chain { act, source: Box::new(source) })
    }
}
