//! The endpoints of a chain: their addresses as people write them, and their connections.
//!
//! The URLs of providers contain keys, so nothing here prints a URL. An [`Endpoint`] is displayed as its
//! scheme and host, and [`secrets`] removes everything else from error texts.
//!
//! The logs of libraries aren't covered: at level TRACE, tungstenite logs the path, and the header with
//! user and password (target `tungstenite`). Nothing here installs a subscriber. A program that does must
//! disable this target, for example with the directive `tungstenite=off`.

mod connect;
mod endpoints;
mod failover;
mod failure;
mod guard;
mod http;
mod ipc;
mod patience;
mod problem;
mod secrets;
mod socket;
mod tls;
mod websocket;

pub use connect::Timeouts;
pub use endpoints::{EndpointChecks, Endpoints};
pub use failover::DEVELOPMENT_CHAINS;
pub use problem::{EndpointNote, EndpointProblem, NoEndpoint};
pub use secrets::without_secrets;

pub(crate) use failure::{CHECK_KEY, EndpointFailure, refuses_key, said};

use canon_protocol::ForeignText;
use core::{fmt, str::FromStr};
use std::path::{Path, PathBuf};
use url::Url;

/// The file extensions of IPC sockets. Other paths are kept secret like those of URLs, because a mistyped
/// URL can look like a path.
const SOCKET_ENDINGS: [&str; 3] = ["ipc", "sock", "socket"];

/// A way to reach a chain: an http, https, ws or wss URL, or the path of an IPC socket.
///
/// `Display` and `Debug` show the scheme, the host and the port of a URL, or the path of a socket, which
/// isn't secret. User, password, path and query are used only for connecting.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Address);

/// The address with its secrets. For that reason it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
enum Address {
    Http(Url),
    WebSocket(Url),
    Ipc(PathBuf),
}

/// The reason why a text isn't an endpoint. The message describes the expected text, and never repeats the
/// text found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEndpointError {
    /// The text is empty.
    #[error(
        "expected the URL of an endpoint (http, https, ws or wss) or the path of an IPC socket, found nothing"
    )]
    Empty,
    /// The text is neither a URL nor a path.
    #[error(
        "expected the URL of an endpoint, such as http://localhost:8545, or the path of an IPC socket, such as /run/geth.ipc"
    )]
    NeitherUrlNorPath,
    /// The text is a URL that can't be parsed.
    #[error(
        "expected the URL of an endpoint, such as http://localhost:8545, found one that can't be parsed ({0})"
    )]
    InvalidUrl(url::ParseError),
    /// The text is a URL with another scheme.
    #[error("expected a URL that begins with http, https, ws or wss, found another scheme")]
    UnsupportedScheme,
    /// The text begins with `~`, which only a shell expands to a folder.
    #[error(
        "expected a URL, or the path of an IPC socket without ~, which isn't expanded here: write the folder in full"
    )]
    Tilde,
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        if text.is_empty() {
            return Err(ParseEndpointError::Empty);
        }
        if text.starts_with('~') {
            return Err(ParseEndpointError::Tilde);
        }
        if text.contains("://") {
            let url = Url::parse(text).map_err(ParseEndpointError::InvalidUrl)?;
            return match url.scheme() {
                "http" | "https" => Ok(Self(Address::Http(url))),
                "ws" | "wss" => Ok(Self(Address::WebSocket(url))),
                _ => Err(ParseEndpointError::UnsupportedScheme),
            };
        }
        let path = Path::new(text);
        match begins_as_path(text) || has_socket_ending(path) {
            true => Ok(Self(Address::Ipc(path.to_owned()))),
            false => Err(ParseEndpointError::NeitherUrlNorPath),
        }
    }
}

/// Whether a text begins like a path. `//host/key` is a URL without its scheme.
fn begins_as_path(text: &str) -> bool {
    (Path::new(text).has_root() && !text.starts_with("//"))
        || text.starts_with("./")
        || text.starts_with("../")
}

fn has_socket_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| SOCKET_ENDINGS.contains(&ending))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Http(url) | Address::WebSocket(url) => write_origin(f, url),
            Address::Ipc(path) if has_socket_ending(path) => {
                let is_whole = begins_as_path(&path.to_string_lossy());
                let name = path.file_name().filter(|_| !is_whole).unwrap_or(path.as_os_str());
                write!(f, "{}", ForeignText::new(name.as_encoded_bytes()))
            }
            Address::Ipc(_) => f.write_str("an IPC socket"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Writes the scheme, the host and the port.
fn write_origin(f: &mut impl fmt::Write, url: &Url) -> fmt::Result {
    write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
    url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [&str; 6] = ["alice", "pa55word", "SECRETKEY", "secretkey", "token", "abc1234"];

    /// Texts that people write for an endpoint, each with the part that may be shown, if any.
    pub(super) const ADDRESSES: [(&str, Option<&str>); 31] = [
        ("http://localhost:8545", Some("http://localhost:8545")),
        ("https://alice:pa55word@host/v2/SECRETKEY?token=1", Some("https://host")),
        ("http://host:1?key=abc1234", Some("http://host:1")),
        ("HTTPS://host:443/SECRETKEY", Some("https://host")),
        ("ws://127.0.0.1:1/SECRETKEY", Some("ws://127.0.0.1:1")),
        ("wss://[::1]:8546/#SECRETKEY", Some("wss://[::1]:8546")),
        ("http://xn--hxajbheg2az3al.gr/SECRETKEY", Some("http://xn--hxajbheg2az3al.gr")),
        ("/home/ada/geth.ipc", Some("/home/ada/geth.ipc")),
        ("./reth.sock", Some("./reth.sock")),
        ("./a\u{1b}[31m.ipc", Some(r"./a\u{1b}[31m.ipc")),
        // URLs without their scheme, a slash or their host.
        ("http:host/SECRETKEY", None),
        ("http:/host/SECRETKEY", None),
        ("https:/host/SECRETKEY", None),
        ("https:host/v2/SECRETKEY", None),
        ("wss:host/SECRETKEY", None),
        ("//host/SECRETKEY", None),
        ("//alice:pa55word@host/v2/SECRETKEY", None),
        ("host/v2/SECRETKEY", None),
        ("host:8545/SECRETKEY", None),
        ("alice:pa55word@host/v2/SECRETKEY", None),
        ("/v2/SECRETKEY", None),
        ("/SECRETKEY", None),
        ("./SECRETKEY", None),
        ("../v2/SECRETKEY", None),
        // URLs with other schemes, and some that can't be parsed.
        ("ftp://alice:pa55word@host/v2/SECRETKEY", None),
        ("file:///SECRETKEY", None),
        ("SECRETKEY://host", None),
        ("http://?key=abc1234", None),
        ("http://alice:pa55word", None),
        ("https://host:65536/SECRETKEY", None),
        ("https://SECRET KEY/", None),
    ];

    #[test]
    fn endpoints_are_shown_without_their_secrets() {
        for (text, shown) in ADDRESSES {
            let said = match text.parse::<Endpoint>() {
                Ok(endpoint) => {
                    // A text that may be a path is parsed as one.
                    let shown = shown.unwrap_or("an IPC socket");
                    assert_eq!(endpoint.to_string(), shown, "{text}");
                    assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown})"));
                    format!("{endpoint} {endpoint:?}")
                }
                Err(error) => {
                    assert_eq!(shown, None, "{text}");
                    format!("{error} {error:?}")
                }
            };
            assert!(SECRETS.iter().all(|secret| !said.contains(secret)), "{text}: {said}");
        }
        assert_eq!("geth.ipc".parse::<Endpoint>().unwrap().to_string(), "geth.ipc");
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        use ParseEndpointError::{Empty, InvalidUrl, NeitherUrlNorPath, Tilde, UnsupportedScheme};
        for (text, expected) in [
            ("", Empty),
            ("~/geth.ipc", Tilde),
            ("~alice/geth.ipc", Tilde),
            ("localhost:8545", NeitherUrlNorPath),
            ("alice:pa55word@host/v2/SECRETKEY", NeitherUrlNorPath),
            ("//alice:pa55word@host/v2/SECRETKEY", NeitherUrlNorPath),
            ("http:host/SECRETKEY", NeitherUrlNorPath),
            ("ftp://alice:pa55word@host/v2/SECRETKEY", UnsupportedScheme),
            ("file:///SECRETKEY", UnsupportedScheme),
            ("SECRETKEY://host", UnsupportedScheme),
            ("http://", InvalidUrl(url::ParseError::EmptyHost)),
            ("http://alice:pa55word", InvalidUrl(url::ParseError::InvalidPort)),
            ("https://host:65536/SECRETKEY", InvalidUrl(url::ParseError::InvalidPort)),
            ("https://SECRET KEY/", InvalidUrl(url::ParseError::IdnaError)),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap_err(), expected, "{text}");
        }
    }
}
