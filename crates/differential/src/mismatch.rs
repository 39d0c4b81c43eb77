//! Where the rules and the bytecode differ.

use alloy_primitives::{Address, B256, Bytes, LogData, Selector};
use canon_abi::UnexpectedAnswer;
use canon_protocol::ApplyError;

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
        /// The same without the values.
        kind: OutcomeKind,
    },
    /// A view answers something else.
    #[error(transparent)]
    View(#[from] UnexpectedAnswer),
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
    ApplyError(#[from] ApplyError),
    /// The chain didn't carry a step out.
    #[error("the chain failed: {0}")]
    Chain(String),
}

/// A difference in what comes of a call, whoever calls and with whatever values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeKind {
    /// The function's selector; `None` if a contract is deployed, or without one.
    pub function: Option<Selector>,
    /// What differs.
    pub differs: Differs,
}

/// What differs in what comes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// At least one side refuses the call. `None` is a side that doesn't.
    Refusal {
        /// The rules' error.
        rules: Option<ErrorKind>,
        /// The bytecode's error.
        bytecode: Option<ErrorKind>,
    },
    /// An event: the topics of the first ones that differ. `None` is a side that has none there.
    Event {
        /// The rules' event.
        rules: Option<B256>,
        /// The bytecode's event.
        bytecode: Option<B256>,
    },
    /// What is returned.
    Answer,
}

/// An error without its values: its selector, or `None` without one.
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
    /// Whether the other is the same difference with other values: what a shrunk history has to show.
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
