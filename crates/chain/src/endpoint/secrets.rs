//! What of a URL is nobody's business, and its removal from texts.

use super::{Address, Endpoint, write_origin};
use crate::endpoint::EndpointFailure;
use alloy_json_rpc::{ErrorPayload, Response, ResponsePacket, ResponsePayload, RpcError};
use alloy_transport::{Authorization, HttpError, TransportError, TransportErrorKind};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use url::Url;

/// What stands in the place of a secret.
const HIDDEN: &str = "[hidden]";

/// The least length of a part of a path or query that can be a key. Shorter ones, such as `v2` or
/// `rpc`, are words of every other message.
const MIN_KEY_LENGTH: usize = 8;

/// The most characters of an endpoint's answer that an error repeats. Some answer with whole pages.
const MAX_ANSWER: usize = 500;

/// The parts of an endpoint's address that no error may show, longest first.
#[derive(Clone)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        match &endpoint.0 {
            Address::Http(url) | Address::WebSocket(url) => Self::of_url(url),
            // Whoever knows the path still needs to be on this machine.
            Address::Ipc(_) => Self(Vec::new()),
        }
    }

    fn of_url(url: &Url) -> Self {
        let (user, password) = credentials(url);
        let mut secrets = vec![url.username().to_owned(), user, password];
        secrets.extend(url.password().map(str::to_owned));
        // Servers repeat the header of a request, which has them in base64.
        if let Some(Authorization::Basic(encoded)) = authorization(url) {
            secrets.push(encoded);
        }
        let whole = &url[url::Position::BeforePath..];
        let parts = whole.split(['/', '?', '#', '&', '=', ';']);
        let keys = [whole, url.path(), whole.trim_start_matches('/')].into_iter().chain(parts);
        for key in keys.filter(|key| key.len() >= MIN_KEY_LENGTH) {
            secrets.push(key.to_owned());
            secrets.push(decoded(key));
        }
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| core::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// A text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            match self.0.iter().find_map(|secret| rest.strip_prefix(&**secret)) {
                Some(after) => {
                    shown.push_str(HIDDEN);
                    rest = after;
                }
                None => {
                    shown.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        shown
    }

    /// An error of a transport without them. Whatever comes out of a connection passes here.
    pub(super) fn hide_in_error(&self, error: TransportError) -> TransportError {
        match error {
            RpcError::ErrorResp(payload) => RpcError::ErrorResp(self.hide_in_payload(payload)),
            RpcError::Transport(kind) => RpcError::Transport(self.hide_in_kind(kind)),
            RpcError::LocalUsageError(error) => {
                RpcError::LocalUsageError(self.hide(&error.to_string()).into())
            }
            RpcError::DeserError { err, .. } | RpcError::SerError(err) => {
                EndpointFailure::not_as_expected(&err).into()
            }
            RpcError::NullResp | RpcError::UnsupportedFeature(_) => error,
        }
    }

    fn hide_in_kind(&self, kind: TransportErrorKind) -> TransportErrorKind {
        let hidden = |error: HttpError| {
            let body = error.body.chars().take(MAX_ANSWER).collect::<String>();
            HttpError { status: error.status, body: self.hide(&body) }
        };
        match kind {
            TransportErrorKind::HttpError(error) => TransportErrorKind::HttpError(hidden(error)),
            TransportErrorKind::HttpErrorWithRetryAfter { error, retry_after } => {
                TransportErrorKind::HttpErrorWithRetryAfter { error: hidden(error), retry_after }
            }
            TransportErrorKind::Custom(error) => {
                let failure = EndpointFailure::of(&*error, self);
                TransportErrorKind::Custom(Box::new(failure))
            }
            TransportErrorKind::NonRetryable(error) => {
                let failure = EndpointFailure::of(&*error, self);
                TransportErrorKind::NonRetryable(Box::new(failure))
            }
            // These have no text of their own.
            kind => kind,
        }
    }

    /// An answer whose errors don't show them. Results stay as they are: they are data.
    pub(super) fn hide_in_answer(&self, answer: ResponsePacket) -> ResponsePacket {
        let hidden = |response: Response| match response.payload {
            ResponsePayload::Failure(payload) => {
                let payload = ResponsePayload::Failure(self.hide_in_payload(payload));
                Response { id: response.id, payload }
            }
            ResponsePayload::Success(_) => response,
        };
        match answer {
            ResponsePacket::Single(response) => ResponsePacket::Single(hidden(response)),
            ResponsePacket::Batch(responses) => {
                ResponsePacket::Batch(responses.into_iter().map(hidden).collect())
            }
        }
    }

    fn hide_in_payload(&self, payload: ErrorPayload) -> ErrorPayload {
        let ErrorPayload { code, message, data } = payload;
        let message = message.chars().take(MAX_ANSWER).collect::<String>();
        let data = data.and_then(|data| self.hide_in_data(data));
        ErrorPayload { code, message: self.hide(&message).into(), data }
    }

    /// A revert's data stays as it is, unless it has a whole key in it.
    fn hide_in_data(&self, data: Box<RawValue>) -> Option<Box<RawValue>> {
        let json = data.get();
        let has_key = self.0.iter().any(|key| key.len() >= MIN_KEY_LENGTH && json.contains(&**key));
        match is_hexadecimal(json) && !has_key {
            true => Some(data),
            // Without a secret it may no longer be JSON.
            false => RawValue::from_string(self.hide(json)).ok(),
        }
    }
}

/// Whether a JSON text is bytes in hexadecimal, as a revert's data.
fn is_hexadecimal(json: &str) -> bool {
    let digits = json.strip_prefix("\"0x").and_then(|json| json.strip_suffix('"'));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// User and password of a URL as they are sent; both empty if it has none.
fn credentials(url: &Url) -> (String, String) {
    (decoded(url.username()), decoded(url.password().unwrap_or_default()))
}

/// The header that a URL with user and password stands for.
pub(super) fn authorization(url: &Url) -> Option<Authorization> {
    let (user, password) = credentials(url);
    (!user.is_empty() || url.password().is_some()).then(|| Authorization::basic(user, password))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A text as it may be repeated in a message, although it may be an address with secrets: of a URL
/// only scheme, host and port; nothing of any other text that has a user or password in it.
pub fn without_secrets(text: &str) -> String {
    if !text.contains("://") && !text.contains('@') {
        return text.to_owned();
    }
    match Url::parse(text) {
        Ok(url) if text.contains("://") && url.has_host() => {
            let mut shown = String::new();
            // Writing to a string can't fail.
            let _ = write_origin(&mut shown, &url);
            shown
        }
        _ => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(url: &str) -> Secrets {
        Secrets::of(&url.parse().unwrap())
    }

    #[test]
    fn whatever_repeats_a_part_of_the_url_is_hidden() {
        let secrets = secrets("https://al%20ice:pa%3A55@host:1/v2/SECRETKEY/x?token=TOKEN123&a=b");
        for (text, shown) in [
            ("nothing of it", "nothing of it"),
            ("GET /v2/SECRETKEY/x?token=TOKEN123&a=b", "GET [hidden]"),
            ("https://host:1/v2/SECRETKEY/x", "https://host:1[hidden]"),
            ("no project SECRETKEY", "no project [hidden]"),
            ("token TOKEN123 is invalid, v2", "token [hidden] is invalid, v2"),
            ("al ice or al%20ice", "[hidden] or [hidden]"),
            ("pa:55 and pa%3A55", "[hidden] and [hidden]"),
            ("Basic YWwgaWNlOnBhOjU1", "Basic [hidden]"),
            ("SECRETKEYSECRETKEY", "[hidden][hidden]"),
            ("", ""),
        ] {
            assert_eq!(secrets.hide(text), shown);
        }
    }

    /// What is hidden isn't looked at again, however short the secret is.
    #[test]
    fn short_credentials_are_hidden_too() {
        assert_eq!(secrets("ws://d:e@host/").hide("denied"), "[hidden][hidden]ni[hidden][hidden]");
        assert_eq!(secrets("http://host/").hide("http://host/"), "http://host/");
        assert_eq!(secrets("geth.ipc").hide("geth.ipc"), "geth.ipc");
    }

    #[test]
    fn texts_that_may_be_addresses_are_not_repeated() {
        for (text, shown) in [
            ("forecasts", "forecasts"),
            (
                "0x00000000000000000000000000000000000000aa",
                "0x00000000000000000000000000000000000000aa",
            ),
            ("http://user:pa55word@host:1/v2/SECRETKEY", "http://host:1"),
            ("ftp://user@host/SECRETKEY", "ftp://host"),
            ("http://user:pa55word", "[hidden]"),
            ("user:pa55word@host/SECRETKEY", "[hidden]"),
            ("mailto:user@host", "[hidden]"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }
}
