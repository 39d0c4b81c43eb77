//! Where the rules and the bytecode differ.

use alloy::primitives::{Address, Bytes};
use canon_protocol::Misfit;

/// The rules and the bytecode disagree. Texts are for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// One side accepts a call that the other refuses, or they refuse it differently.
    #[error("{call}\n  the rules:    {rules}\n  the bytecode: {bytecode}")]
    Outcome {
        /// What was called.
        call: String,
        /// What the rules say.
        rules: String,
        /// What the bytecode does.
        bytecode: String,
    },
    /// A view answers something else.
    #[error("{view} at {contract}\n  the rules:    {rules}\n  the bytecode: {bytecode}")]
    View {
        /// The view with its arguments.
        view: String,
        /// Where it was asked.
        contract: Address,
        /// What the rules say, ABI-encoded.
        rules: String,
        /// What the bytecode answers.
        bytecode: String,
    },
    /// The chain's events, folded, don't give the state.
    #[error("the events of the chain give another state than the one that was reached")]
    Events,
    /// A log of the chain isn't an event of the contract that emitted it.
    #[error("{emitter} emitted a log that the rules don't know: {data}")]
    Log {
        /// Who emitted it.
        emitter: Address,
        /// Its data.
        data: Bytes,
    },
    /// An event doesn't fit the state that it was emitted in.
    #[error("an event doesn't fit the state: {0}")]
    Misfit(#[from] Misfit),
    /// The chain didn't carry a step out.
    #[error("the chain failed: {0}")]
    Chain(String),
}

impl Mismatch {
    /// Whether the other is a difference of the same kind: what a shrunk history has to show.
    pub fn is_like(&self, other: &Self) -> bool {
        core::mem::discriminant(self) == core::mem::discriminant(other)
    }
}

impl From<canon_devchain::Error> for Mismatch {
    fn from(error: canon_devchain::Error) -> Self {
        Self::Chain(error.to_string())
    }
}
