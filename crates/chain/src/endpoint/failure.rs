//! The reason why an endpoint gave no answer, as text.

use super::secrets::Secrets;
use alloy_transport::{TransportError, TransportErrorKind};
use core::{error::Error, time::Duration};
use std::io;
use tokio_tungstenite::tungstenite::{self, http::StatusCode};

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
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "; check the key, or user and password, in its URL"
            }
            StatusCode::TOO_MANY_REQUESTS => "; wait, or use an endpoint with a key of your own",
            _ => "",
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
        Self(format!("no {what} within {} s", limit.as_secs_f64()))
    }

    /// A lost connection couldn't be opened again within `limit`.
    pub(super) fn unconnected(reason: &str, limit: Duration) -> Self {
        Self(format!(
            "the connection was lost and couldn't be opened again within {} s: {reason}",
            limit.as_secs_f64()
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
