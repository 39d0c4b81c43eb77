//! The reason why an endpoint gave no answer, as text.

use super::secrets::Secrets;
use alloy_primitives::B256;
use alloy_transport::{TransportError, TransportErrorKind};
use canon_protocol::{ForeignText, Seconds, Timestamp, text};
use core::{error::Error, time::Duration};
use std::io;
use tokio_tungstenite::tungstenite::{self, http::StatusCode};

/// The advice after a status that [`refuses_key`].
pub(crate) const CHECK_KEY: &str = "check the key, or user and password, in its URL";

/// The maximum number of characters of a request's error as text: an answer's message and data, each cut off already,
/// and what is around them. A revert's data is as long as the contract made it.
const MAX_SAID: usize = 1500;

/// A request's error as text that is safe to show. All texts of errors with an endpoint's words come from here.
pub(crate) fn said(error: &TransportError) -> String {
    ForeignText::new(&error.to_string()).up_to(MAX_SAID).to_string()
}

/// Whether an endpoint that answers with this HTTP status doesn't accept the key, or the user and password, of its URL.
pub(crate) const fn refuses_key(status: u16) -> bool {
    matches!(status, 401 | 403)
}

/// A duration as text, rounded up to seconds.
pub(super) fn shown(time: Duration) -> text::Duration {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    text::Duration(Seconds::new(seconds).unwrap_or(Seconds::MAX))
}

/// The innermost reason why an endpoint gave no answer, without the endpoint's secrets.
///
/// The errors of HTTP and WebSocket clients contain the URL, and wrap the reason in layers without
/// information. So they are replaced by this error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct EndpointFailure(String);

impl EndpointFailure {
    /// The reason inside a client's error.
    pub(super) fn of(error: &(dyn Error + 'static), secrets: &Secrets) -> Self {
        let mut reason = error;
        loop {
            if let Some(rustls::Error::InvalidCertificate(problem)) = reason.downcast_ref() {
                return Self::untrusted(problem);
            }
            if let Some(tungstenite::Error::Http(response)) = reason.downcast_ref() {
                return Self::refused_handshake(response.status());
            }
            if let Some(rustls::Error::InvalidMessage(_)) = reason.downcast_ref() {
                return Self::no_tls();
            }
            match cause(reason) {
                Some(deeper) => reason = deeper,
                None => return Self(secrets.beginning(&reason.to_string())),
            }
        }
    }

    fn untrusted(problem: &rustls::CertificateError) -> Self {
        Self(format!(
            "its certificate isn't trusted ({problem}); if a certificate authority of your own signed \
             it, name that authority's certificate (PEM) in SSL_CERT_FILE"
        ))
    }

    /// The error of a server that refused the request for a WebSocket connection with an HTTP status.
    fn refused_handshake(status: StatusCode) -> Self {
        let advice = match status {
            status if refuses_key(status.as_u16()) => format!("; {CHECK_KEY}"),
            StatusCode::TOO_MANY_REQUESTS => {
                "; wait, or use an endpoint with a key of your own".to_owned()
            }
            _ => String::new(),
        };
        Self(format!("HTTP error: {status}{advice}"))
    }

    fn no_tls() -> Self {
        Self(
            "it doesn't speak TLS; if it is meant to be reached without, write http:// or ws://"
                .to_owned(),
        )
    }

    /// The error of an IPC socket that can't be connected to.
    pub(super) fn ipc(error: &io::Error) -> Self {
        Self(match error.kind() {
            io::ErrorKind::NotFound => {
                "there is no IPC socket at this path; check the path, and that the node runs"
                    .to_owned()
            }
            io::ErrorKind::ConnectionRefused => {
                "no node listens on this IPC socket, or it isn't one; check that the node runs"
                    .to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "this user may not open the IPC socket; check its permissions".to_owned()
            }
            _ => error.to_string(),
        })
    }

    /// The error of an endpoint that took longer than `limit`.
    pub(super) fn timeout(what: &str, limit: Duration) -> Self {
        Self(format!("no {what} within {}", shown(limit)))
    }

    /// A lost connection couldn't be opened again within `limit`.
    pub(super) fn unconnected(reason: &str, limit: Duration) -> Self {
        Self(format!(
            "the connection was lost and couldn't be opened again within {}: {reason}",
            shown(limit)
        ))
    }

    /// The endpoint left too many requests without an answer.
    pub(super) fn unanswered(requests: usize) -> Self {
        Self(format!("it left more than {requests} requests without an answer"))
    }

    /// The error of an answer with more bytes than `limit`.
    pub(super) fn too_large(limit: usize) -> Self {
        Self(format!("its answer has more than {} MiB", limit >> 20))
    }

    /// The error of a connection that the endpoint closed.
    pub(super) fn closed() -> Self {
        Self("it closed the connection, or sent something else than JSON".to_owned())
    }

    /// The error of a connection that was lost.
    pub(super) fn lost(reason: impl ToString) -> Self {
        Self(format!("the connection was lost ({})", reason.to_string()))
    }

    /// The reason why a connection ended, as text without the endpoint's secrets.
    pub(super) fn of_connection(reason: &str, secrets: &Secrets) -> Self {
        Self(secrets.beginning(reason))
    }

    /// The error of a connection that can't be prepared on this machine.
    pub(super) fn unprepared(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }

    /// The error of a receipt that doesn't say which block has its transaction.
    pub(crate) fn receipt_without_block() -> Self {
        Self("its receipt has no block".to_owned())
    }

    /// The error of a receipt that contradicts the transaction that it is of, or itself.
    pub(crate) fn receipt_contradicts(transaction: B256, contradiction: &str) -> Self {
        Self(format!("its receipt of {transaction} contradicts what was sent: {contradiction}"))
    }

    /// The error of a block whose time is later than all that contracts can have.
    pub(crate) fn time_of_block(number: u64, time: u64) -> Self {
        Self(format!(
            "its block {number} has the Unix time {time}, expected {} at most",
            Timestamp::MAX.get()
        ))
    }

    /// The error of an answer that isn't the requested JSON. The answer isn't included, because it can be a
    /// page of any length and can contain the request.
    pub(crate) fn not_as_expected(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self(format!("its answer isn't the JSON that was asked for (line {line}, column {column})"))
    }
}

impl From<EndpointFailure> for TransportError {
    fn from(failure: EndpointFailure) -> Self {
        TransportErrorKind::custom(failure)
    }
}

/// The error inside an error. The `source` of an `io::Error` skips the error that it wraps itself.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_handshake_has_the_advice_of_its_status() {
        let said = |status: u16| {
            EndpointFailure::refused_handshake(StatusCode::from_u16(status).unwrap()).to_string()
        };
        for status in [401, 403] {
            assert!(said(status).ends_with(&format!("; {CHECK_KEY}")), "{}", said(status));
        }
        assert!(said(429).ends_with("a key of your own"), "{}", said(429));
        assert_eq!(said(502), "HTTP error: 502 Bad Gateway");
    }

    #[test]
    fn a_time_limit_is_shown_in_its_units_and_never_as_nothing() {
        for (limit, expected) in
            [(30_000, "30 s"), (500, "1 s"), (90_000, "1 min 30 s"), (3_600_000, "1 h")]
        {
            let failure = EndpointFailure::timeout("answer", Duration::from_millis(limit));
            assert_eq!(failure.to_string(), format!("no answer within {expected}"));
        }
    }
}
