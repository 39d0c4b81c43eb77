//! The requests that are answered at all. There is no authentication, so that a page of the web
//! must not be able to use the browser of somebody who runs the server.
//!
//! - A page of another origin can send only some types of content without asking first, and JSON
//!   isn't one of them. It asks for CORS headers, which only pages of this machine get.
//! - A page whose name leads to this machine's address (DNS rebinding) is of the same origin for a
//!   browser. The name is in the `Host` header.

use std::net::IpAddr;

use axum::http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{CONTENT_TYPE, HOST, ORIGIN},
    uri::Authority,
};

/// The types of content that a body may have, as in geth.
const CONTENT_TYPES: [&str; 3] =
    ["application/json", "application/json-rpc", "application/jsonrequest"];

/// The reason why a request isn't answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("expected a body of type application/json: set the Content-Type header")]
    ContentType,
    #[error("the Host header is neither an IP address nor localhost: use one of them in the URL")]
    Host,
    #[error("pages of other machines can't use this chain: serve the page on localhost")]
    Origin,
}

impl AccessError {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
        }
    }
}

/// Checks the headers of a request, which needn't have a `Host` (HTTP/1.0) or an `Origin`.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), AccessError> {
    if !headers.get_all(HOST).iter().all(is_direct) {
        return Err(AccessError::Host);
    }
    if !headers.get_all(ORIGIN).iter().all(may_use) {
        return Err(AccessError::Origin);
    }
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content = content.and_then(|content| content.split(';').next()).unwrap_or_default();
    if !CONTENT_TYPES.iter().any(|known| content.trim().eq_ignore_ascii_case(known)) {
        return Err(AccessError::ContentType);
    }
    Ok(())
}

/// Whether an origin is a page that this machine serves, which gets CORS headers.
pub(crate) fn is_local_page(origin: &HeaderValue) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    origin.is_some_and(|origin| {
        is_web(&origin)
            && origin.host().is_some_and(|host| match address(host) {
                Some(address) => address.is_loopback(),
                None => is_localhost(host),
            })
    })
}

/// Whether requests of this origin are answered: those of local pages, and those of other programs,
/// such as the extensions of a browser.
fn may_use(origin: &HeaderValue) -> bool {
    let scheme = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    scheme.is_some_and(|(scheme, _)| {
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        !is_web || is_local_page(origin)
    })
}

fn is_web(origin: &Uri) -> bool {
    matches!(origin.scheme_str(), Some("http" | "https"))
}

/// Whether a `Host` header is no name that somebody else could give to this machine.
fn is_direct(host: &HeaderValue) -> bool {
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|host| address(host.host()).is_some() || is_localhost(host.host()))
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a name is `localhost` or below it, which always leads to this machine (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}
