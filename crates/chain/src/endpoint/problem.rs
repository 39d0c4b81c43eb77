//! The reason why an endpoint isn't used.

use super::{
    Endpoint, EndpointFailure,
    failure::{CHECK_KEY, refuses_key, said, shown},
};
use crate::{
    error::{is_rate_limit, revert_data},
    range_refusal::is_range_refusal,
    rejection::Rejection,
    severity::Severity,
};
use alloy_json_rpc::{ResponsePacket, RpcError};
use alloy_primitives::{Address, ChainId};
use alloy_transport::{
    TransportError, TransportErrorKind,
    layers::{RateLimitRetryPolicy, RetryPolicy},
};
use canon_protocol::text::grouped;
use core::{fmt, time::Duration};

/// HTTP statuses about the request itself. Another endpoint would return the same, and the caller sends a
/// smaller request.
const ABOUT_THE_REQUEST: [u16; 2] = [400, 413];

/// The reason why an endpoint isn't used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointProblem {
    /// The endpoint is on another chain. It is never used again.
    #[error("its chain id is {found} and {expected} was expected")]
    OtherChain {
        /// The configured chain id, or that of the first endpoint that passed the checks.
        expected: ChainId,
        /// The chain id of the endpoint.
        found: ChainId,
    },
    /// The Registry's address has no code.
    #[error("it has no code at the Registry's address {0}; check the address and the chain id")]
    NoRegistry(Address),
    /// The newest block is too old.
    #[error(
        "its newest block {} is {} old, expected {} at most; wait until it is in sync",
        grouped(*.number), shown(*.age), shown(*.most)
    )]
    OldHead {
        /// The number of the newest block.
        number: u64,
        /// The time since that block, according to the clock.
        age: Duration,
        /// The maximum time that is accepted.
        most: Duration,
    },
    /// The newest block is from the future.
    #[error(
        "its newest block {} has the Unix time {time}, {} ahead of the clock, expected {} at most; check this \
         machine's clock, or use another endpoint",
        grouped(*.number), shown(*.ahead), shown(*.most)
    )]
    FutureHead {
        /// The number of the newest block.
        number: u64,
        /// Its time, in Unix seconds.
        time: u64,
        /// The time until that block, according to the clock.
        ahead: Duration,
        /// The maximum time that is accepted.
        most: Duration,
    },
    /// The newest block is far below, and older than, one that this or another endpoint had before.
    #[error("its newest block is {}, but there was a block {} before", grouped(*.number), grouped(*.newest))]
    HeadBehind {
        /// The number of the newest block.
        number: u64,
        /// The newest block that any endpoint had before.
        newest: u64,
    },
    /// The endpoint accepts no requests for a while, because there were too many.
    #[error(
        "it answers no more requests for now{}; wait, or use an endpoint with a key of your own",
        asked_for(.retry_after)
    )]
    Busy {
        /// The time that the endpoint requests to wait, if any.
        retry_after: Option<Duration>,
    },
    /// The endpoint refuses the key, or the user and password, in its URL.
    #[error("it refuses the request (HTTP {status}); {CHECK_KEY}")]
    Unauthorized {
        /// The HTTP status, 401 or 403.
        status: u16,
    },
    /// A request failed. The text contains no secrets.
    #[error("{0}")]
    Failed(String),
}

fn asked_for(time: &Option<Duration>) -> String {
    time.map(|time| format!(" (it asks for {})", shown(time))).unwrap_or_default()
}

impl EndpointProblem {
    /// Whether only a person can solve it.
    const fn is_for_good(&self) -> bool {
        matches!(self, Self::OtherChain { .. } | Self::NoRegistry(_) | Self::Unauthorized { .. })
    }

    /// The endpoint's problem behind an error that isn't an answer; `None` if the request is the problem.
    pub(super) fn of_error(error: &TransportError) -> Option<Self> {
        match error {
            RpcError::SerError(_)
            | RpcError::UnsupportedFeature(_)
            | RpcError::LocalUsageError(_)
            | RpcError::NullResp => None,
            RpcError::ErrorResp(_) => is_busy(error).then(|| Self::busy(error)),
            RpcError::Transport(_) if is_busy(error) => Some(Self::busy(error)),
            RpcError::Transport(kind) => {
                let status = kind.as_http_error().map(|error| error.status);
                if let Some(status) = status.filter(|status| refuses_key(*status)) {
                    return Some(Self::Unauthorized { status });
                }
                let is_answer = status.is_some_and(|status| ABOUT_THE_REQUEST.contains(&status));
                (!is_answer).then(|| Self::failed(error))
            }
            RpcError::DeserError { .. } => Some(Self::failed(error)),
        }
    }

    /// The endpoint's problem that an answer shows. JSON-RPC errors are answers, except for the error of
    /// too many requests.
    pub(super) fn of_answer(answer: &ResponsePacket) -> Option<Self> {
        answer.responses().iter().find_map(|response| {
            let error = RpcError::ErrorResp(response.payload.as_error()?.clone());
            is_busy(&error).then(|| Self::busy(&error))
        })
    }

    pub(super) fn failed(error: &TransportError) -> Self {
        Self::Failed(match error {
            // The answer can contain the endpoint's URL.
            RpcError::DeserError { err, .. } => EndpointFailure::not_as_expected(err).to_string(),
            error => said(error),
        })
    }

    fn busy(error: &TransportError) -> Self {
        Self::Busy { retry_after: RateLimitRetryPolicy::default().backoff_hint(error) }
    }
}

/// Whether there were too many requests. Some endpoints use the same code for problems of a single request.
fn is_busy(error: &TransportError) -> bool {
    is_rate_limit(error)
        && !is_range_refusal(error)
        && Rejection::of(error).is_none()
        && revert_data(error).is_none()
}

/// A note that an endpoint isn't used for a while, or never again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointNote {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The reason.
    pub problem: EndpointProblem,
}

impl fmt::Display for EndpointNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is skipped: {}", self.endpoint, self.problem)
    }
}

/// The error that no endpoint can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no endpoint can be used ({})", list(.0))]
pub struct NoEndpoint(
    /// All endpoints with their problems, in order.
    pub Vec<EndpointNote>,
);

impl NoEndpoint {
    /// The instance inside a request's error, if there is one.
    pub(crate) fn of(error: &TransportError) -> Option<&Self> {
        let RpcError::Transport(TransportErrorKind::Custom(error)) = error else { return None };
        error.downcast_ref()
    }

    /// The severity. Trying again may help, unless no endpoint can recover.
    pub(crate) const fn severity(&self) -> Severity {
        let mut notes = self.0.as_slice();
        while let [note, others @ ..] = notes {
            if !note.problem.is_for_good() {
                return Severity::Retry;
            }
            notes = others;
        }
        Severity::Stop
    }

    /// The problems of those that may be used again.
    fn passing(&self) -> impl Iterator<Item = &EndpointProblem> {
        self.0.iter().map(|note| &note.problem).filter(|problem| !problem.is_for_good())
    }

    /// Whether there were too many requests for all that may be used again.
    pub(crate) fn is_rate_limit(&self) -> bool {
        let is_busy = |problem: &EndpointProblem| matches!(problem, EndpointProblem::Busy { .. });
        self.severity() == Severity::Retry && self.passing().all(is_busy)
    }

    /// The time after which the first of them may answer, if all named one.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let asked = self.passing().map(|problem| match problem {
            EndpointProblem::Busy { retry_after } => *retry_after,
            _ => None,
        });
        // `None` is less than any time.
        asked.min().flatten()
    }
}

fn list(notes: &[EndpointNote]) -> String {
    let one = |note: &EndpointNote| format!("{}: {}", note.endpoint, note.problem);
    notes.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_endpoints_are_worth_another_try_as_the_best_of_them_is() {
        use EndpointProblem::{Busy, Failed, NoRegistry, OtherChain, Unauthorized};
        let busy = |seconds: u64| Busy { retry_after: Some(Duration::from_secs(seconds)) };
        let unasked = Busy { retry_after: None };
        let failed = Failed("timeout".to_owned());
        let unauthorized = Unauthorized { status: 401 };
        let (other, missing) =
            (OtherChain { expected: 1, found: 2 }, NoRegistry(Address::default()));
        for (problems, expected) in [
            (vec![busy(7), busy(4)], (Severity::Retry, true, Some(4))),
            (vec![busy(7), unauthorized.clone()], (Severity::Retry, true, Some(7))),
            (vec![busy(7), unasked], (Severity::Retry, true, None)),
            // One that failed may answer at once.
            (vec![busy(7), failed.clone()], (Severity::Retry, false, None)),
            (vec![unauthorized.clone(), failed], (Severity::Retry, false, None)),
            (vec![unauthorized.clone()], (Severity::Stop, false, None)),
            (vec![other, unauthorized, missing], (Severity::Stop, false, None)),
        ] {
            let endpoint: Endpoint = "http://localhost:8545".parse().unwrap();
            let note = |problem| EndpointNote { endpoint: endpoint.clone(), problem };
            let source = NoEndpoint(problems.into_iter().map(note).collect());
            let error = crate::Error::NoEndpoint { what: "a request", source };
            let after = error.retry_after().map(|after| after.as_secs());
            assert_eq!((error.severity(), error.is_rate_limit(), after), expected, "{error}");
        }
    }
}
