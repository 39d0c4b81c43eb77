//! What can go wrong between us and the chain.

use crate::{endpoint::EndpointFailure, severity::Severity};
use alloy_primitives::{Address, B256, Bytes, ChainId};
use alloy_transport::{RpcError, TransportError};
use canon_abi::{Revert, decode_revert};
use canon_protocol::{ForeignText, TooLarge};
use core::fmt;

/// The result of anything that asks or changes the chain.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why a read or a transaction failed. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint didn't answer, or answered with an error of its own.
    #[error("{what}: the endpoint failed ({}); try again or use another endpoint", foreign(.source))]
    Rpc {
        /// What was asked.
        what: &'static str,
        /// What the endpoint said.
        #[source]
        source: TransportError,
    },
    /// A call was refused by a contract; nothing was sent.
    #[error("{what} was refused: {revert}{}", next(.revert))]
    Refused {
        /// What was called.
        what: &'static str,
        /// The refusal.
        revert: Revert,
    },
    /// A transaction was mined and reverted: it had no effect but its fee.
    #[error("{what} reverted in {hash}: {revert}{}", next(.revert))]
    Reverted {
        /// What was sent.
        what: &'static str,
        /// The transaction.
        hash: B256,
        /// Why, found by executing it again on the state before its block; transactions earlier in
        /// the same block may have made the difference.
        revert: Revert,
    },
    /// A transaction was mined and used all its gas.
    #[error("{what} ran out of gas in {hash} at {limit}; send it again with more")]
    OutOfGas {
        /// What was sent.
        what: &'static str,
        /// The transaction.
        hash: B256,
        /// Its gas limit.
        limit: u64,
    },
    /// A transaction needs more gas than a transaction may have.
    #[error("{what} needs {needed} gas and a transaction may have {max} (EIP-7825); split it")]
    TooMuchGas {
        /// What was to be sent.
        what: &'static str,
        /// The estimate.
        needed: u64,
        /// The limit.
        max: u64,
    },
    /// A transaction succeeded without doing what it was sent for.
    #[error("{what} succeeded in {hash} without the event {event}; check the addresses it went to")]
    EventMissing {
        /// What was sent.
        what: &'static str,
        /// The transaction.
        hash: B256,
        /// The event's signature.
        event: &'static str,
    },
    /// A transaction isn't in a block after all the waiting that was asked for.
    #[error(
        "{what} ({hash}) isn't in a block yet; wait longer, or send it again with a higher fee"
    )]
    NotMined {
        /// What was sent.
        what: &'static str,
        /// The transaction.
        hash: B256,
    },
    /// There is no code where a contract is expected. An EIP-7702 delegation isn't code.
    #[error("{what} has no code at {address}; check the address and the chain id")]
    NoCode {
        /// What was expected there.
        what: &'static str,
        /// The address.
        address: Address,
    },
    /// A contract doesn't answer a view: it reverts, or needs far more gas than the view takes.
    #[error("{address} doesn't answer {what}; check that it is the contract you mean")]
    NoAnswer {
        /// What was asked.
        what: &'static str,
        /// The contract.
        address: Address,
    },
    /// A contract answered with something else than its ABI promises.
    #[error(
        "{address} gave an answer to {what} that doesn't decode; check that it is the contract you mean"
    )]
    BadAnswer {
        /// What was asked.
        what: &'static str,
        /// Who answered.
        address: Address,
    },
    /// A contract answered with a number that the protocol rules out.
    #[error("{what}: {source}; check that the contract is one of Canon's")]
    OutOfRange {
        /// What was asked.
        what: &'static str,
        /// The number.
        #[source]
        source: TooLarge,
    },
    /// Addresses that should be one set contradict each other.
    #[error("{what} is {found} where {expected} was expected; check the Registry's address")]
    Inconsistent {
        /// What was compared.
        what: &'static str,
        /// What the set's wiring needs.
        expected: Address,
        /// What was found.
        found: Address,
    },
    /// The endpoint is on another chain than when the client connected.
    #[error("the endpoint is on chain {found} where chain {expected} was expected; connect again")]
    WrongChain {
        /// The chain when the client connected.
        expected: ChainId,
        /// The chain now.
        found: ChainId,
    },
    /// The key couldn't sign.
    #[error("{what} couldn't be signed ({source}); check the key")]
    Signing {
        /// What was to be signed.
        what: &'static str,
        /// What the signer said.
        #[source]
        source: alloy_signer::Error,
    },
}

impl Error {
    /// A failed request. An answer that isn't what was asked for is left out of the error: it can be
    /// a page of any length, and can repeat the endpoint's URL.
    pub fn rpc(what: &'static str, source: TransportError) -> Self {
        let source = match source {
            RpcError::DeserError { err, .. } => EndpointFailure::not_as_expected(&err).into(),
            source => source,
        };
        Self::Rpc { what, source }
    }

    /// A failed request: a refusal if it carries revert data, otherwise the endpoint's fault.
    pub(crate) fn from_rpc(what: &'static str, source: TransportError) -> Self {
        match revert_of(&source) {
            Some(revert) => Self::Refused { what, revert },
            None => Self::rpc(what, source),
        }
    }

    /// The contract's refusal, if that is what it is.
    pub const fn as_revert(&self) -> Option<&Revert> {
        match self {
            Self::Refused { revert, .. } | Self::Reverted { revert, .. } => Some(revert),
            _ => None,
        }
    }

    /// What a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Rpc { .. } | Self::NotMined { .. } => Severity::Retry,
            Self::Inconsistent { .. } | Self::Signing { .. } | Self::WrongChain { .. } => {
                Severity::Stop
            }
            _ => Severity::Skip,
        }
    }

    /// Whether trying the same again may help: the endpoint failed, or a block was waited for.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Rpc { .. } | Self::NotMined { .. })
    }
}

/// The refusal in an endpoint's answer.
fn revert_of(error: &TransportError) -> Option<Revert> {
    revert_data(error).map(|data| decode_revert(&data))
}

/// The data that a call reverted with, if that is what the endpoint's error says. Endpoints send reverts
/// without data without a `data` field.
pub fn revert_data(error: &TransportError) -> Option<Bytes> {
    let RpcError::ErrorResp(payload) = error else { return None };
    let empty = || payload.message.contains("execution reverted").then(Bytes::new);
    payload.as_revert_data().or_else(empty)
}

/// What an endpoint said, as a terminal may show it.
fn foreign(source: &TransportError) -> String {
    ForeignText::new(&source.to_string()).to_string()
}

/// "; do this next", or nothing.
fn next(revert: &Revert) -> impl fmt::Display + '_ {
    struct Next(Option<&'static str>);
    impl fmt::Display for Next {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.map_or(Ok(()), |hint| write!(f, "; {hint}"))
        }
    }
    Next(revert.hint())
}

/// Names the question whose answer is out of range.
pub(crate) trait InRange<T> {
    fn in_range(self, what: &'static str) -> Result<T>;
}

impl<T> InRange<T> for Result<T, TooLarge> {
    fn in_range(self, what: &'static str) -> Result<T> {
        self.map_err(|source| Error::OutOfRange { what, source })
    }
}
