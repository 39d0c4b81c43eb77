//! Differences between the rules and the bytecode.

use alloy_primitives::{Address, B256, Bytes, LogData, Selector};
use canon_abi::UnexpectedAnswer;
use canon_protocol::ApplyError;

/// A difference between the rules and the bytecode. Texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// One side accepts a call that the other refuses, or they refuse it differently.
    #[error("{call}\n  the rules:    {rules}\n  the bytecode: {bytecode}")]
    Outcome {
        /// The call.
        call: String,
        /// The outcome by the rules.
        rules: String,
        /// The outcome of the bytecode.
        bytecode: String,
        /// The kind of the difference, without the values.
        kind: OutcomeKind,
    },
    /// A view's answer differs from the one that follows from the state.
    #[error(transparent)]
    View(#[from] UnexpectedAnswer),
    /// The state folded from the chain's events differs from the state of the rules.
    #[error("the events of the chain give another state than the one that was reached")]
    Events,
    /// A log of the chain isn't an event of the contract that emitted it.
    #[error("{emitter} emitted a log that the rules don't know: {data}")]
    Log {
        /// The contract that emitted it.
        emitter: Address,
        /// Its data.
        data: Bytes,
    },
    /// An event doesn't fit the state that it was emitted in.
    #[error("an event doesn't fit the state: {0}")]
    ApplyError(#[from] ApplyError),
    /// A view ended by an exceptional halt, which no rule has.
    #[error("a view of {contract} halts: {reason}")]
    Halt {
        /// The contract.
        contract: Address,
        /// The reason.
        reason: String,
    },
    /// The chain couldn't carry out a step.
    #[error("the chain failed: {0}")]
    Chain(String),
}

/// The kind of a difference between two outcomes, regardless of the caller and the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeKind {
    /// The function's selector; `None` for a deployment or calldata without a selector.
    pub function: Option<Selector>,
    /// The part of the outcome that differs.
    pub differs: Differs,
}

/// The part of an outcome that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// At least one side refuses the call. `None` stands for a side that accepts it.
    Refusal {
        /// The rules' error.
        rules: Option<ErrorKind>,
        /// The bytecode's error.
        bytecode: Option<ErrorKind>,
    },
    /// An event differs: the topics of the first ones that differ. `None` stands for a side without
    /// an event there.
    Event {
        /// The rules' event.
        rules: Option<B256>,
        /// The bytecode's event.
        bytecode: Option<B256>,
    },
    /// The returned value differs.
    Answer,
}

/// An error without its arguments: its selector, or `None` if it has none.
pub type ErrorKind = Option<Selector>;

impl Differs {
    pub(crate) fn of(
        rules: Result<Vec<LogData>, Bytes>,
        bytecode: Result<Vec<LogData>, Bytes>,
    ) -> Self {
        let error = |data: Bytes| data.first_chunk::<4>().map(Selector::from);
        match (rules, bytecode) {
            (Ok(rules), Ok(bytecode)) => {
                let both = rules.iter().zip(&bytecode);
                let same = both.take_while(|(ours, theirs)| ours == theirs).count();
                if same == rules.len().max(bytecode.len()) {
                    return Self::Answer;
                }
                let topic = |logs: &[LogData]| logs.get(same)?.topics().first().copied();
                Self::Event { rules: topic(&rules), bytecode: topic(&bytecode) }
            }
            (rules, bytecode) => {
                Self::Refusal { rules: rules.err().map(error), bytecode: bytecode.err().map(error) }
            }
        }
    }
}

impl Mismatch {
    /// Whether `other` is the same difference with other values. A shrunk history must show such a
    /// difference.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Outcome { kind, .. }, Self::Outcome { kind: other, .. }) => kind == other,
            (Self::View(view), Self::View(other)) => view.function == other.function,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

impl From<canon_devchain::Error> for Mismatch {
    fn from(error: canon_devchain::Error) -> Self {
        Self::Chain(error.to_string())
    }
}
