//! Errors in using the chain.

use crate::{
    endpoint::{CHECK_KEY, EndpointFailure, NoEndpoint, refuses_key, said},
    execution::ExecutionFailure,
    rejection::Rejection,
    severity::Severity,
    tx::{fees::AboveCap, head::HeadError, journal::JournalError},
    view::RelatedFamily,
};
use alloy_primitives::{Address, B256, Bytes, ChainId, U256};
use alloy_transport::{
    RpcError, TransportError, TransportErrorKind,
    layers::{RateLimitRetryPolicy, RetryPolicy},
};
use canon_abi::{Revert, decode_revert};
use canon_protocol::{
    BlockNumber, TooLarge,
    text::{Rounding, ether, grouped},
};
use core::{fmt, time::Duration};

/// The result of reading or changing the chain.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// The reason why a read or a transaction failed. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint didn't answer, or answered with an error of its own.
    #[error("{what}: the endpoint failed ({}); {}", said(.source), endpoint_advice(.source))]
    Rpc {
        /// The request.
        what: &'static str,
        /// The endpoint's message.
        #[source]
        source: TransportError,
    },
    /// None of several endpoints can be used.
    #[error("{what}: {source}; try again, or name another endpoint")]
    NoEndpoint {
        /// The request.
        what: &'static str,
        /// The problem of each of them.
        #[source]
        source: NoEndpoint,
    },
    /// A node refused a transaction, or refused a call because of its gas.
    #[error("{what}: {rejection} ({}); {}", said(.source), .rejection.advice())]
    Rejected {
        /// The transaction to send.
        what: &'static str,
        /// The reason.
        rejection: Rejection,
        /// The endpoint's message.
        #[source]
        source: TransportError,
    },
    /// The account can't pay the most that a transaction may cost. Nothing was sent.
    #[error(
        "{what} may cost {} ether and {account} has {}: {} is missing; send ether to the account",
        ether(*.needed, Rounding::Up), ether(*.balance, Rounding::Down),
        ether(.needed.saturating_sub(*.balance), Rounding::Up)
    )]
    TooLittleEther {
        /// The transaction to send.
        what: &'static str,
        /// The account that sends it.
        account: Address,
        /// The value plus the maximum cost of the gas, in wei.
        needed: U256,
        /// The account's balance, in wei.
        balance: U256,
    },
    /// The required fees exceed a limit.
    #[error(transparent)]
    AboveCap(#[from] AboveCap),
    /// The block of a view is unsuitable for sending.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The pool has transactions of the account that the journal doesn't have, or lacks some that it has.
    #[error(
        "the endpoint's pending nonce is {found} and {expected} was expected; if something else uses the key, \
         wait until its transactions are mined, otherwise use another endpoint"
    )]
    UnexpectedNonce {
        /// The nonce that follows from the journal.
        expected: u64,
        /// The pending nonce according to the endpoint.
        found: u64,
    },
    /// The journal has a transaction for the same intent that isn't known to belong to this chain, but
    /// could be mined on it.
    #[error(
        "{transaction} of the journal was signed after block {since} of a chain that this one isn't known to \
         be; nothing is sent for the same before nonce {nonce} is used here"
    )]
    Unproven {
        /// The transaction.
        transaction: B256,
        /// The nonce of the transaction.
        nonce: u64,
        /// The newest block at the time of signing.
        since: BlockNumber,
    },
    /// According to the journal, a transaction has done the intent for good, but it isn't known whether
    /// that was on this chain.
    #[error(
        "the journal says that {transaction} has done this in block {block}; the endpoint's chain isn't known to be \
         the one that has it, so nothing is sent for the same; use an endpoint that has the block, or another journal \
         if it is of another chain"
    )]
    CompletionUnproven {
        /// The transaction.
        transaction: B256,
        /// The block of the transaction on its chain.
        block: BlockNumber,
    },
    /// The journal of transactions can't be read or written. Nothing is sent without it.
    #[error("{0}; without the journal nothing is sent")]
    Journal(#[from] JournalError),
    /// The endpoint is on another chain than expected.
    #[error("the endpoint's chain id is {found} and {expected} was expected; use another endpoint")]
    OtherChain {
        /// The expected chain.
        expected: ChainId,
        /// The chain of the endpoint.
        found: ChainId,
    },
    /// The intent must be sent by another account than the key's.
    #[error("the key is that of {found} and {expected} was expected; use the other key")]
    OtherAccount {
        /// The account that must send it.
        expected: Address,
        /// The account of the key.
        found: Address,
    },
    /// A contract refused a call; nothing was sent.
    #[error("{what} was refused: {revert}{}", next(.revert))]
    Refused {
        /// The call.
        what: &'static str,
        /// The refusal.
        revert: Revert,
    },
    /// A transaction was mined and reverted. It had no effect except for its fee.
    #[error("{what} reverted in {hash}: {revert}{}", next(.revert))]
    Reverted {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
        /// The reason, found by simulating it on the state before its block.
        revert: Revert,
    },
    /// A transaction was mined and reverted, but a simulation on the state before its block succeeds, or
    /// the endpoint returns no reason.
    #[error(
        "{what} reverted in {hash} for no reason that its endpoint can give: another transaction in the same \
         block may have done the same before; run the command again if it is still needed"
    )]
    RevertedForNoKnownReason {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
    },
    /// A transaction was mined and used up its gas.
    #[error(
        "{what} ran out of gas in {hash} at {}; run the command again: it estimates the gas anew",
        grouped(*.limit)
    )]
    OutOfGas {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
        /// The gas limit of the transaction.
        limit: u64,
    },
    /// A transaction needs more gas than allowed.
    #[error(
        "{what} needs more gas than the {} that a transaction may have (EIP-7825); check the contract \
         that it calls; a payload that it pushes or executes needs fewer or cheaper actions",
        grouped(*.max)
    )]
    TooMuchGas {
        /// The transaction to send.
        what: &'static str,
        /// The maximum.
        max: u64,
    },
    /// A transaction needs more gas than was agreed to.
    #[error(
        "{what} needs {} gas by now, and at most {} were agreed to; run the command again to see what it costs now",
        grouped(*.needed), grouped(*.agreed)
    )]
    MoreGas {
        /// The transaction to send.
        what: &'static str,
        /// The gas limit that it needs now.
        needed: u64,
        /// The highest gas limit that was agreed to.
        agreed: u64,
    },
    /// A factory doesn't create a contract at the address that follows from the contract's code and salt.
    #[error(
        "{what}: expected the contract {contract}, and the factory doesn't create it there{}; choose another factory",
        .hash.map_or_else(String::new, |hash| format!(", although {hash} succeeded"))
    )]
    NotCreated {
        /// The name of the creation.
        what: &'static str,
        /// The address of the contract.
        contract: Address,
        /// The transaction that was mined; `None` if the simulation shows it, and nothing was sent.
        hash: Option<B256>,
    },
    /// A transaction succeeded without the expected event.
    #[error("{what} succeeded in {hash} without the event {event}; check the addresses it went to")]
    EventMissing {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
        /// The signature of the event.
        event: &'static str,
    },
    /// A transaction succeeded, but the endpoint doesn't return all its logs. It may have had the expected
    /// effect.
    #[error(
        "{what} succeeded in {hash}, and the endpoint doesn't show all of its logs: the event {event} is \
         expected; nothing is sent again until it does; wait, or use another endpoint"
    )]
    LogsMissing {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
        /// The signature of the event.
        event: &'static str,
    },
    /// The block of a receipt isn't on the chain under the receipt's number.
    #[error(
        "the receipt of {transaction} is of block {number} ({}), which isn't on the endpoint's chain; wait, \
         or use another endpoint",
        .block.map_or_else(|| "no hash".to_owned(), |hash| hash.to_string())
    )]
    NotCanonical {
        /// The transaction.
        transaction: B256,
        /// The number of the block according to the receipt.
        number: BlockNumber,
        /// The hash of the block according to the receipt.
        block: Option<B256>,
    },
    /// A nonce was used too long ago for the endpoint to show the transaction that used it.
    #[error(
        "nonce {nonce} was used by block {by}, and the endpoint doesn't say by which transaction (its blocks \
         up to {searched} were searched): {transaction} may be mined, so what it does isn't sent again; wait \
         until all are searched, use an endpoint with old states and receipts, or look it up in a block \
         explorer: if it was never mined, stop the process and add the line \
         {{\"forgotten\":{{\"transaction\":\"{transaction}\"}}}} to its journal"
    )]
    NonceUserUnknown {
        /// The newest transaction under the nonce for an intent that only the journal can show to be done.
        transaction: B256,
        /// The nonce.
        nonce: u64,
        /// The last block that was searched for the transaction that used it.
        searched: BlockNumber,
        /// A block by which the nonce was used.
        by: BlockNumber,
    },
    /// An intent that only the journal can show to be done, or whose ballot could count twice, was sent under a
    /// nonce that another transaction used, in a block that can still be replaced.
    #[error(
        "{by} used nonce {nonce} in block {block} without doing it; a transaction for it can still be mined in its \
         place, so nothing is sent for the same before block {until}; wait"
    )]
    NonceUseNotFinal {
        /// The transaction that used the nonce.
        by: B256,
        /// The nonce.
        nonce: u64,
        /// The block of the transaction.
        block: BlockNumber,
        /// The first block for which the use is final.
        until: BlockNumber,
    },
    /// A transaction wasn't mined while the caller waited.
    #[error(
        "{what} ({hash}) isn't in a block yet; run the command again later: it goes on waiting, and sends nothing twice"
    )]
    NotMined {
        /// The function that was called, by its signature.
        what: &'static str,
        /// The hash of the transaction.
        hash: B256,
    },
    /// The set is of a related family of contracts.
    #[error(
        "the Registry {registry} looks like one of {family}, and this program reads only sets of Canon; check the \
         address, or read that set with its own tools"
    )]
    OtherFamily {
        /// The address of the Registry.
        registry: Address,
        /// The family.
        family: RelatedFamily,
    },
    /// There is no code where a contract is expected. An EIP-7702 delegation doesn't count as code.
    #[error("{what} has no code at {address}; check the address and the chain id")]
    NoCode {
        /// The expected contract.
        what: &'static str,
        /// The address.
        address: Address,
    },
    /// A contract doesn't answer a view: it reverts, or uses far more gas than the view needs.
    #[error("{address} doesn't answer {what}; check that it is the contract you mean")]
    NoAnswer {
        /// The request.
        what: &'static str,
        /// The contract.
        address: Address,
    },
    /// A contract's answer doesn't match its ABI.
    #[error(
        "{address} gave an answer to {what} that doesn't decode; check that it is the contract you mean"
    )]
    BadAnswer {
        /// The request.
        what: &'static str,
        /// The contract that answered.
        address: Address,
    },
    /// A part of a view was never requested, which is a defect of this program.
    #[error(
        "the view of the set at {registry} lacks an answer that wasn't asked for: a defect of this program; please \
         report it"
    )]
    Unread {
        /// The set's Registry.
        registry: Address,
    },
    /// A payload lists other actions than expected.
    #[error(
        "the payload {payload} lists other actions than those that were checked (hash {found}, not \
         {expected}); review it again"
    )]
    ActionsChanged {
        /// The payload.
        payload: Address,
        /// The expected hash: keccak256 of `abi.encode(actions)`.
        expected: B256,
        /// The hash of the list found.
        found: B256,
    },
    /// A number of a contract or a block is outside the protocol's range.
    #[error("{what}: {source}; check the contract's address and the endpoint")]
    OutOfRange {
        /// The request.
        what: &'static str,
        /// The number.
        #[source]
        source: TooLarge,
    },
    /// The addresses of a set contradict each other.
    #[error("{what} is {found} where {expected} was expected; check the Registry's address")]
    Inconsistent {
        /// The compared value.
        what: &'static str,
        /// The address that the set requires.
        expected: Address,
        /// The address found.
        found: Address,
    },
    /// The key couldn't sign.
    #[error("{what} couldn't be signed ({source}); check the key")]
    Signing {
        /// The message to sign.
        what: &'static str,
        /// The error of the signer.
        #[source]
        source: alloy_signer::Error,
    },
}

impl Error {
    /// The error of a failed request. Unexpected answers aren't included, because they can be pages of any
    /// length and can contain the endpoint's URL.
    pub fn rpc(what: &'static str, source: TransportError) -> Self {
        if let Some(source) = NoEndpoint::of(&source) {
            return Self::NoEndpoint { what, source: source.clone() };
        }
        let source = match source {
            RpcError::DeserError { err, .. } => EndpointFailure::not_as_expected(&err).into(),
            source => source,
        };
        Self::Rpc { what, source }
    }

    /// The error of a failed call or transaction: a refusal if it has revert data, a rejection if the
    /// node's message is a known one, otherwise a failure of the endpoint.
    pub(crate) fn from_rpc(what: &'static str, source: TransportError) -> Self {
        if let Some(revert) = revert_of(&source) {
            return Self::Refused { what, revert };
        }
        match Rejection::of(&source) {
            Some(rejection) => Self::Rejected { what, rejection, source },
            None => Self::rpc(what, source),
        }
    }

    /// The contract's refusal; `None` for other errors.
    pub const fn as_revert(&self) -> Option<&Revert> {
        match self {
            Self::Refused { revert, .. } | Self::Reverted { revert, .. } => Some(revert),
            _ => None,
        }
    }

    /// The transaction that was mined without the expected effect; `None` for other errors.
    pub const fn mined_transaction(&self) -> Option<B256> {
        match self {
            Self::Reverted { hash, .. }
            | Self::RevertedForNoKnownReason { hash, .. }
            | Self::OutOfGas { hash, .. }
            | Self::EventMissing { hash, .. } => Some(*hash),
            Self::NotCreated { hash, .. } => *hash,
            _ => None,
        }
    }

    /// The reason why a node refused a transaction; `None` for other errors.
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected { rejection, .. } => Some(*rejection),
            _ => None,
        }
    }

    /// Whether the endpoint, or each of several that can be used, refused because of too many requests.
    pub fn is_rate_limit(&self) -> bool {
        match self {
            Self::Rpc { source, .. } => is_rate_limit(source),
            Self::NoEndpoint { source, .. } => source.is_rate_limit(),
            _ => false,
        }
    }

    /// The time to wait before an endpoint is asked again, if it named one; 5 minutes at most. The shortest of
    /// several.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rpc { source, .. } => RateLimitRetryPolicy::default().backoff_hint(source),
            Self::NoEndpoint { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// The severity, which determines the reaction of a program.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Rpc { source, .. } if is_unauthorized(source) => Severity::Stop,
            Self::Rpc { .. }
            | Self::NotMined { .. }
            | Self::LogsMissing { .. }
            | Self::NotCanonical { .. }
            | Self::NonceUserUnknown { .. }
            | Self::NonceUseNotFinal { .. }
            | Self::AboveCap(_)
            | Self::Head(_)
            | Self::UnexpectedNonce { .. } => Severity::Retry,
            Self::Rejected { rejection, .. } => rejection.severity(),
            Self::NoEndpoint { source, .. } => source.severity(),
            Self::Inconsistent { .. }
            | Self::Signing { .. }
            | Self::Journal(_)
            | Self::OtherChain { .. }
            | Self::OtherAccount { .. }
            | Self::OtherFamily { .. }
            | Self::Unread { .. } => Severity::Stop,
            Self::Refused { .. }
            | Self::Reverted { .. }
            | Self::RevertedForNoKnownReason { .. }
            | Self::OutOfGas { .. }
            | Self::TooMuchGas { .. }
            | Self::MoreGas { .. }
            | Self::TooLittleEther { .. }
            | Self::NotCreated { .. }
            | Self::EventMissing { .. }
            | Self::NoCode { .. }
            | Self::NoAnswer { .. }
            | Self::BadAnswer { .. }
            | Self::ActionsChanged { .. }
            | Self::Unproven { .. }
            | Self::CompletionUnproven { .. }
            | Self::OutOfRange { .. } => Severity::Skip,
        }
    }

    /// Whether the contracts' code or answers are the cause. Another endpoint would return the same, unless
    /// this one is wrong.
    pub const fn is_of_the_contracts(&self) -> bool {
        matches!(
            self,
            Self::OtherFamily { .. }
                | Self::NoCode { .. }
                | Self::NoAnswer { .. }
                | Self::BadAnswer { .. }
                | Self::ActionsChanged { .. }
                | Self::OutOfRange { .. }
                | Self::Inconsistent { .. }
                | Self::NotCreated { .. }
                | Self::Refused { .. }
        )
    }

    /// Whether retrying may help.
    pub const fn is_temporary(&self) -> bool {
        matches!(self.severity(), Severity::Retry)
    }
}

/// Whether an endpoint doesn't accept the key, or the user and password, of its URL. One that names a time to wait
/// means something else.
const fn is_unauthorized(error: &TransportError) -> bool {
    let RpcError::Transport(TransportErrorKind::HttpError(http)) = error else { return false };
    refuses_key(http.status)
}

/// Whether an endpoint refused a request because there were too many.
pub(crate) fn is_rate_limit(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(payload) => payload.is_retry_err(),
        RpcError::Transport(kind) => {
            kind.as_http_error().is_some_and(|error| error.is_rate_limit_err())
                || matches!(kind, TransportErrorKind::HttpErrorWithRetryAfter { .. })
        }
        _ => false,
    }
}

/// The contract's refusal in an endpoint's answer.
fn revert_of(error: &TransportError) -> Option<Revert> {
    revert_data(error).map(|data| decode_revert(&data))
}

/// The data that a call reverted with; `None` for other errors.
pub fn revert_data(error: &TransportError) -> Option<Bytes> {
    match ExecutionFailure::of(error)? {
        ExecutionFailure::Reverted(data) => Some(data),
        ExecutionFailure::OutOfGas | ExecutionFailure::Exceptional => None,
    }
}

/// The next step after an endpoint failed.
const fn endpoint_advice(source: &TransportError) -> &'static str {
    match is_unauthorized(source) {
        true => CHECK_KEY,
        false => "try again or use another endpoint",
    }
}

/// The hint of a refusal, after "; ", or nothing.
fn next(revert: &Revert) -> impl fmt::Display + '_ {
    struct Next(Option<&'static str>);
    impl fmt::Display for Next {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.map_or(Ok(()), |hint| write!(f, "; {hint}"))
        }
    }
    Next(revert.hint())
}

/// Adds the name of the request to an error of a number that is out of range.
pub(crate) trait InRange<T> {
    fn in_range(self, what: &'static str) -> Result<T>;
}

impl<T> InRange<T> for Result<T, TooLarge> {
    fn in_range(self, what: &'static str) -> Result<T> {
        self.map_err(|source| Error::OutOfRange { what, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_json_rpc::ErrorPayload;

    fn answer(code: i64, message: &'static str, data: Option<&str>) -> TransportError {
        let data = data.map(|data| serde_json::value::RawValue::from_string(data.into()).unwrap());
        RpcError::ErrorResp(ErrorPayload { code, message: message.into(), data })
    }

    #[test]
    fn failed_requests_fall_into_classes() {
        let http = TransportErrorKind::http_error_with_retry_after;
        let busy = (true, None, Severity::Retry);
        for (source, expected) in [
            (TransportErrorKind::custom_str("connection reset"), (false, None, Severity::Retry)),
            (http(502, String::new(), None), (false, None, Severity::Retry)),
            (http(401, String::new(), None), (false, None, Severity::Stop)),
            (http(403, String::new(), None), (false, None, Severity::Stop)),
            (http(429, String::new(), None), busy),
            (
                http(429, String::new(), Some(Duration::from_secs(7))),
                (true, Some(7), Severity::Retry),
            ),
            (answer(429, "Too Many Requests", None), busy),
            (
                answer(-32005, "rate limited, try again in 4s", None),
                (true, Some(4), Severity::Retry),
            ),
            (
                answer(-32005, "exceeded", Some(r#"{"rate":{"backoff_seconds":30}}"#)),
                (true, Some(30), Severity::Retry),
            ),
            (answer(-32000, "something else", None), (false, None, Severity::Retry)),
            // For a full block, Besu uses the code that others use for too many requests.
            (
                answer(-32005, "Transaction gas limit exceeds block gas limit", None),
                (false, None, Severity::Skip),
            ),
            (
                answer(-32000, "insufficient funds for transfer", None),
                (false, None, Severity::Skip),
            ),
            (answer(-32000, "nonce too low", None), (false, None, Severity::Retry)),
            (answer(-32000, "invalid chain ID", None), (false, None, Severity::Stop)),
            // The message is the contract's, not the node's.
            (answer(3, "execution reverted: nonce too low", None), (false, None, Severity::Skip)),
        ] {
            let text = source.to_string();
            let error = Error::from_rpc("a request", source);
            let after = error.retry_after().map(|after| after.as_secs());
            assert_eq!((error.is_rate_limit(), after, error.severity()), expected, "{text}");
            assert_eq!(error.is_temporary(), error.severity() == Severity::Retry, "{text}");
            let is_shown = error.to_string().contains(&text) || error.as_revert().is_some();
            assert!(is_shown, "{error} doesn't show {text}");
        }
    }
}
