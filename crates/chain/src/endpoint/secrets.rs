//! The secret parts of an endpoint's address, and their removal from texts.

use super::{Address, Endpoint, has_socket_ending};
use crate::endpoint::EndpointFailure;
use alloy_json_rpc::{ErrorPayload, Response, ResponsePacket, ResponsePayload, RpcError};
use alloy_transport::{Authorization, HttpError, TransportError, TransportErrorKind};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use url::Url;

/// The replacement for a secret.
const HIDDEN: &str = "[hidden]";

/// Parts of paths that aren't secret, in lower case: words that occur in the URLs of many nodes and
/// providers. Any other part of a path can be a key.
const PATH_WORDS: [&str; 24] = [
    "api",
    "arbitrum",
    "archive",
    "base",
    "beacon",
    "eth",
    "ethereum",
    "evm",
    "execution",
    "holesky",
    "hoodi",
    "http",
    "https",
    "json-rpc",
    "jsonrpc",
    "mainnet",
    "optimism",
    "rpc",
    "sepolia",
    "v1",
    "v2",
    "v3",
    "ws",
    "wss",
];

/// The minimum length of parameter names that are hidden, because a key can be in the place of a name, and
/// of the secrets that are searched for in a revert's data. Shorter ones occur there by chance.
const MIN_KEY_LENGTH: usize = 8;

/// The minimum length of secrets that are searched for everywhere. Shorter ones occur by chance in any text, and hiding
/// them there would show them.
const MIN_SEARCHED_LENGTH: usize = 4;

/// The maximum number of characters that an error repeats of an endpoint's answer. Some endpoints answer
/// with a whole page.
const MAX_ANSWER: usize = 500;

/// The parts of an endpoint's address that no error may show, longest first.
#[derive(Clone)]
pub(super) struct Secrets(Vec<SecretText>);

/// A text to hide.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SecretText {
    /// The text as it is compared: each character as [`first`] gives it.
    compared: Vec<u8>,
    place: Place,
}

/// The places in which a secret is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// Where it isn't a part of a longer word, for a short secret with its surroundings in the address.
    BetweenWords,
}

impl SecretText {
    /// A text that is hidden wherever it is long enough not to occur by chance.
    fn of(text: &str) -> Self {
        let compared = compared(text);
        let place = match compared.len() < MIN_SEARCHED_LENGTH {
            true => Place::BetweenWords,
            false => Place::Anywhere,
        };
        Self { compared, place }
    }

    /// A secret, hidden everywhere if it is long enough, otherwise where it is next to what surrounds it in the address.
    fn with(before: &str, secret: &str, after: &str) -> Option<Self> {
        let place = Place::BetweenWords;
        match compared(secret) {
            compared if compared.is_empty() => None,
            short if short.len() < MIN_SEARCHED_LENGTH => {
                let compared = compared(&format!("{before}{secret}{after}"));
                (compared != short).then_some(Self { compared, place })
            }
            compared => Some(Self { compared, place: Place::Anywhere }),
        }
    }

    /// The end of the secret in a text, in bytes, if it begins at this position.
    fn end_at(&self, text: &str, at: usize) -> Option<usize> {
        let mut end = at;
        for expected in &self.compared {
            let (found, length) = first(text.as_bytes().get(end..)?)?;
            if found != *expected {
                return None;
            }
            end += length;
        }
        let is_in_words = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        let is_within_word = |outside: Option<char>, inside: Option<&u8>| {
            outside.is_some_and(char::is_alphanumeric) && inside.is_some_and(is_in_words)
        };
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        let is_apart = !is_within_word(before, self.compared.first())
            && !is_within_word(after, self.compared.last());
        (self.place == Place::Anywhere || is_apart).then_some(end)
    }

    /// Whether a text has the secret.
    fn is_in(&self, text: &str) -> bool {
        text.char_indices().any(|(at, _)| self.end_at(text, at).is_some())
    }
}

/// A text as it is compared.
fn compared(text: &str) -> Vec<u8> {
    let (mut compared, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, length)) = first(rest) {
        compared.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    compared
}

/// The first byte of a text as it is compared, and the number of bytes that it takes. Servers repeat a request in many
/// forms, so percent-encoding (of a percent sign too), the plus sign for a blank, escapes of JSON, and the case of
/// letters make no difference.
fn first(text: &[u8]) -> Option<(u8, usize)> {
    let (mut byte, mut length) = match text {
        [] => return None,
        [b'\\', b'/', ..] => (b'/', 2),
        [b'\\', b'u', b'0', b'0', code @ ..] => {
            hexadecimal(code).map_or((b'\\', 1), |byte| (byte, 6))
        }
        [byte, ..] => (*byte, 1),
    };
    while byte == b'%' {
        let Some(decoded) = text.get(length..).and_then(hexadecimal) else { break };
        byte = decoded;
        length += 2;
    }
    let blank = if byte == b'+' { b' ' } else { byte };
    Some((blank.to_ascii_lowercase(), length))
}

/// The byte that the first two digits of a text write.
fn hexadecimal(text: &[u8]) -> Option<u8> {
    let [high, low, ..] = text else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(16 * digit(*high)? + digit(*low)?).ok()
}

impl Secrets {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        match &endpoint.0 {
            Address::Http(url) | Address::WebSocket(url) => Self::of_url(url),
            Address::Ipc(path) if has_socket_ending(path) => Self(Vec::new()),
            // It can be a URL without its host.
            Address::Ipc(path) => Self::new(secret_parts(&path.to_string_lossy())),
        }
    }

    fn of_url(url: &Url) -> Self {
        let mut secrets = user_info(url.username(), url.password().unwrap_or_default());
        // Servers may repeat the header of a request, which contains them in base64.
        if let Some(Authorization::Basic(encoded)) = authorization(url) {
            secrets.push(SecretText::of(&encoded));
        }
        secrets.extend(secret_parts(&url[url::Position::BeforePath..]));
        Self::new(secrets)
    }

    fn new(mut secrets: Vec<SecretText>) -> Self {
        secrets.sort_by(|a, b| {
            let longer = b.compared.len().cmp(&a.compared.len());
            longer.then_with(|| a.compared.cmp(&b.compared))
        });
        secrets.dedup();
        Self(secrets)
    }

    /// A text without the secrets.
    fn hide(&self, text: &str) -> String {
        self.hide_until(text, usize::MAX)
    }

    /// The beginning of an answer without the secrets. They are hidden before the text is cut off, so that
    /// none is cut in two and missed.
    pub(super) fn beginning(&self, answer: &str) -> String {
        self.hide_until(answer, MAX_ANSWER)
    }

    /// A text without the secrets, cut off after about `most` characters. All secrets that overlap are
    /// hidden.
    fn hide_until(&self, text: &str, most: usize) -> String {
        let (mut shown, mut length) = (String::new(), 0);
        // The end of the last secret found so far, in bytes.
        let mut hidden_until = 0;
        for (at, character) in text.char_indices() {
            if length >= most {
                break;
            }
            if let Some(end) = self.0.iter().find_map(|secret| secret.end_at(text, at)) {
                if at >= hidden_until {
                    shown.push_str(HIDDEN);
                    length += HIDDEN.len();
                }
                hidden_until = hidden_until.max(end);
            } else if at >= hidden_until {
                shown.push(character);
                length += 1;
            }
        }
        shown
    }

    /// A transport's error without the secrets. Every error of a connection is passed through here.
    pub(super) fn hide_in_error(&self, error: TransportError) -> TransportError {
        match error {
            RpcError::ErrorResp(payload) => RpcError::ErrorResp(self.hide_in_payload(payload)),
            RpcError::Transport(kind) => RpcError::Transport(self.hide_in_kind(kind)),
            RpcError::LocalUsageError(error) => {
                RpcError::LocalUsageError(self.hide(&error.to_string()).into())
            }
            RpcError::DeserError { err, .. } => EndpointFailure::not_as_expected(&err).into(),
            // Nothing was sent, so these errors contain neither the endpoint nor an answer.
            RpcError::SerError(_) | RpcError::NullResp | RpcError::UnsupportedFeature(_) => error,
        }
    }

    fn hide_in_kind(&self, kind: TransportErrorKind) -> TransportErrorKind {
        let hidden = |error: HttpError| HttpError {
            status: error.status,
            body: self.beginning(&error.body),
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
            // These errors have no text of their own.
            kind => kind,
        }
    }

    /// An answer whose errors don't contain the secrets. Results are data and stay unchanged.
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
        let is_revert = payload.as_revert_data().is_some();
        let ErrorPayload { code, message, data } = payload;
        let data = data.and_then(|data| match is_revert || data.get().len() <= MAX_ANSWER {
            true => self.hide_in_data(data),
            // It is only shown, so its beginning as a text is enough.
            false => serde_json::value::to_raw_value(&self.beginning(data.get())).ok(),
        });
        ErrorPayload { code, message: self.beginning(&message).into(), data }
    }

    /// An error's data. That of a revert stays unchanged unless it contains a whole key.
    fn hide_in_data(&self, data: Box<RawValue>) -> Option<Box<RawValue>> {
        let json = data.get();
        let mut keys = self.0.iter().filter(|key| key.compared.len() >= MIN_KEY_LENGTH);
        let has_key = keys.any(|key| key.is_in(json));
        match is_hexadecimal(json) && !has_key {
            true => Some(data),
            // Without the secret the text may no longer be JSON.
            false => RawValue::from_string(self.hide(json)).ok(),
        }
    }
}

/// Whether a JSON text is a hexadecimal string, as the data of a revert is.
fn is_hexadecimal(json: &str) -> bool {
    let digits = json.strip_prefix("\"0x").and_then(|json| json.strip_suffix('"'));
    digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The decoded user and password of a URL; both empty if it has none.
fn credentials(url: &Url) -> (String, String) {
    (decoded(url.username()), decoded(url.password().unwrap_or_default()))
}

/// The HTTP header for a URL with user and password.
pub(super) fn authorization(url: &Url) -> Option<Authorization> {
    let (user, password) = credentials(url);
    (!user.is_empty() || url.password().is_some()).then(|| Authorization::basic(user, password))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The user and the password of an address, with each other, and each alone.
fn user_info(user: &str, password: &str) -> Vec<SecretText> {
    let mut secrets = Vec::new();
    match (user, password) {
        ("", "") => {}
        (user, "") => {
            secrets.extend(SecretText::with("", user, "@"));
        }
        (user, password) => {
            secrets.push(SecretText::of(&format!("{user}:{password}@")));
            secrets
                .extend((!user.is_empty()).then(|| SecretText::of(&format!("{user}:{password}"))));
            secrets.extend(SecretText::with("", user, "@"));
            secrets.extend(SecretText::with(":", password, "@"));
        }
    }
    secrets
}

/// The parts of a path, including its query and fragment, that can be keys. If there are any, the whole text is
/// one of them.
fn secret_parts(whole: &str) -> Vec<SecretText> {
    let (path, query) = whole.split_at(whole.find(['?', '#']).unwrap_or(whole.len()));
    let is_word = |part: &str| PATH_WORDS.contains(&&*part.to_ascii_lowercase());
    // Each with what is before it.
    let mut parts: Vec<_> = parts_of(path, &['/', ';', '&', '=']).collect();
    parts.retain(|(_, part)| !part.is_empty() && !is_word(part));
    if !parts.is_empty() {
        parts.push(("", path));
    }
    for (before, parameter) in parts_of(query, &['?', '#', '&', ';']) {
        let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
        let is_key = value.is_empty() || name.len() >= MIN_KEY_LENGTH;
        parts.extend(is_key.then_some((before, name)));
        let names = parameter.strip_suffix(value).filter(|names| !names.is_empty());
        parts.push((names.unwrap_or(before), value));
    }
    parts.retain(|(_, part)| !part.is_empty());
    if !parts.is_empty() {
        parts.extend([("", whole), ("", whole.trim_start_matches('/'))]);
    }
    let texts = parts.into_iter().filter_map(|(before, part)| match part.starts_with('/') {
        // A whole path has its surroundings.
        true => Some(SecretText::of(part)),
        false => SecretText::with(before, part, ""),
    });
    texts.collect()
}

/// The parts of a text between these characters, each with the one before it.
fn parts_of<'a>(
    text: &'a str,
    between: &'a [char],
) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
    let mut start = 0;
    text.split(between).map(move |part| {
        let at = start;
        start += part.len() + 1;
        // All of these characters have one byte.
        (&text[at.saturating_sub(1)..at], part)
    })
}

/// A text that can be repeated in a message even if it may be an address with secrets. An endpoint is shown
/// as by its `Display`. Any other text is hidden if it could be part of a URL or of a mistyped one: if it
/// has a slash, or a character that precedes a host or a query.
pub fn without_secrets(text: &str) -> String {
    if !text.contains(['/', '@', '?']) {
        return text.to_owned();
    }
    match text.parse::<Endpoint>() {
        Ok(Endpoint(Address::Ipc(path))) if !has_socket_ending(&path) => HIDDEN.to_owned(),
        Ok(endpoint) => endpoint.to_string(),
        Err(_) => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::tests::ADDRESSES;

    fn secrets(url: &str) -> Secrets {
        Secrets::of(&url.parse().unwrap())
    }

    #[test]
    fn whatever_repeats_a_part_of_the_url_is_hidden() {
        let secrets = secrets("https://al%20ice:pa%3A55@host:1/v2/SECRETKEY/x?token=TOKEN123&a=q");
        for (text, shown) in [
            ("nothing of it", "nothing of it"),
            ("GET /v2/SECRETKEY/x?token=TOKEN123&a=q", "GET [hidden]"),
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

    #[test]
    fn the_form_in_which_a_secret_is_repeated_makes_no_difference() {
        let key = "https://host/v2/SecretKEY0123456789?token=Tok3n+SECRET%2Fxyz";
        for (url, text, shown) in [
            (key, "invalid token Tok3n SECRET/xyz!", "invalid token [hidden]!"),
            (key, "no project secretkey0123456789", "no project [hidden]"),
            (key, "NO PROJECT SECRETKEY0123456789", "NO PROJECT [hidden]"),
            (key, "token Tok3n%20SECRET%2fxyz, 5 %", "token [hidden], 5 %"),
            (key, "token Tok3n%2BSECRET%252Fxyz", "token [hidden]"),
            (key, "token Tok3n%25252BSECRET%25252fxyz", "token [hidden]"),
            (key, r"at \/v2\/SecretKEY0123456789", "at [hidden]"),
            (key, r"token=Tok3n+SECRET\/xyz", "token=[hidden]"),
            (key, r"Tok3n\u002bSECRET\u002Fxyz", "[hidden]"),
            (key, r"C:\users\u00, 100%, %", r"C:\users\u00, 100%, %"),
            ("http://host/?key=ab%2Bcd%3d", "ab+cd= or AB CD=", "[hidden] or [hidden]"),
            ("http://host/?key=ab+cd", "100%ab+cd%", "100%[hidden]%"),
            ("http://host/?key=%20%20", "two  blanks", "two  blanks"),
            ("http://z%C3%BCrich@host/", "zürich, Z%c3%bcrich", "[hidden], [hidden]"),
        ] {
            assert_eq!(secrets(url).hide(text), shown, "{url}");
        }
    }

    #[test]
    fn short_keys_are_hidden_too_but_not_the_words_of_paths() {
        for (url, text, shown) in [
            ("http://host?key=abc1234", "bad key abc1234", "bad key [hidden]"),
            ("http://host/?abc1234", "/?abc1234", "[hidden]"),
            ("http://host/?abc1234=", "no abc1234", "no [hidden]"),
            ("http://host/?abc12345=x", "no abc12345", "no [hidden]"),
            ("http://host/#abc1234", "no abc1234", "no [hidden]"),
            ("http://host/?key=ab%2Fcd", "ab/cd and ab%2Fcd", "[hidden] and [hidden]"),
            ("http://host/v3/abc1234", "v3: no abc1234", "v3: no [hidden]"),
            ("http://host/V3/Mainnet/rpc", "no /V3/Mainnet/rpc", "no /V3/Mainnet/rpc"),
            ("http://host/v2/id=abc1234", "no abc1234", "no [hidden]"),
            ("http://host/v2?key=abc1234", "POST /v2: no abc1234", "POST /v2: no [hidden]"),
            ("http://host/", "http://host/", "http://host/"),
            // The second secret begins within the first one.
            ("http://host/?a=wxab&b=abcdef", "wxabcdef, ab", "[hidden], ab"),
        ] {
            assert_eq!(secrets(url).hide(text), shown, "{url}");
        }
    }

    /// Hiding a letter wherever it occurs would show it.
    #[test]
    fn a_secret_of_one_to_three_letters_is_hidden_only_where_it_is_in_the_address() {
        for (url, text, shown) in [
            ("http://d:e@host/", "denied: d, e", "denied: d, e"),
            ("http://d:e@host/", "http://d:e@host/ denied", "http://[hidden]host/ denied"),
            ("http://d:e@host/", "bad:eel, d:e", "bad:eel, [hidden]"),
            ("http://d@host/", "no //d@host, bad@host", "no //[hidden]host, bad@host"),
            ("http://:e@host/", "denied for :e@host", "denied for [hidden]host"),
            (
                "http://d:password@host/",
                "denied: password, d:password@x",
                "denied: [hidden], [hidden]x",
            ),
            ("http://alice:e@host/", "denied: alice:e@, e", "denied: [hidden], e"),
            ("http://host/k/", "ok: no /k, /key", "ok: no [hidden], /key"),
            ("http://host/v2/k", "ok: POST /v2/k", "ok: POST [hidden]"),
            ("http://host/?key=k", "ok: bad key=k, key=kk", "ok: bad [hidden], key=kk"),
            ("http://host/?k", "ok: bad ?k", "ok: bad [hidden]"),
            ("http://host/#k", "ok: bad #k", "ok: bad [hidden]"),
            ("http://host/?key=%6B", "ok: bad key=%6B or key=k", "ok: bad [hidden] or [hidden]"),
        ] {
            assert_eq!(secrets(url).hide(text), shown, "{url}");
        }
    }

    #[test]
    fn a_path_without_the_ending_of_a_socket_is_hidden() {
        for (path, text, shown) in [
            ("geth.ipc", "no geth.ipc", "no geth.ipc"),
            ("/home/alice/geth.ipc", "no /home/alice/geth.ipc", "no /home/alice/geth.ipc"),
            ("/v2/SECRETKEY", "no /v2/SECRETKEY, v2", "no [hidden], v2"),
            ("/v2/?key=abc1234", "no key abc1234", "no key [hidden]"),
            ("/", "no / here", "no / here"),
        ] {
            assert_eq!(secrets(path).hide(text), shown, "{path}");
        }
    }

    /// Tests a key at every position around the cut, next to characters of several bytes and other keys.
    #[test]
    fn an_answer_is_cut_after_its_secrets_are_hidden() {
        const KEY: &str = "SECRETKEYSECRETKEYSECRETKEYSEC";
        let secrets = secrets(&format!("http://host/{KEY}?token=0123456789"));
        for at in (MAX_ANSWER - 60)..=(MAX_ANSWER + 20) {
            for before in ["a".repeat(at), "é".repeat(at), "0123456789".repeat(at / 10)] {
                let answer = format!("{before}{KEY}{}", "z".repeat(2 * MAX_ANSWER));
                let body = secrets.hide_in_kind(TransportErrorKind::HttpError(HttpError {
                    status: 403,
                    body: answer.clone(),
                }));
                let payload = ErrorPayload { code: 1, message: answer.into(), data: None };
                let message = secrets.hide_in_payload(payload).message;
                for shown in [body.as_http_error().unwrap().body.clone(), message.into()] {
                    let length = shown.chars().count();
                    assert!(!shown.contains("SECRET") && !shown.contains("0123"), "{at}: {shown}");
                    assert!((MAX_ANSWER..MAX_ANSWER + HIDDEN.len()).contains(&length), "{length}");
                }
            }
        }
        assert_eq!(secrets.beginning("short"), "short");
    }

    #[test]
    fn the_data_of_an_error_is_cut_too_but_not_that_of_a_revert() {
        let secrets = secrets("http://host/SECRETKEY");
        let long = format!("0x{}", "ab".repeat(MAX_ANSWER));
        for (message, data, shown) in [
            ("failed", format!("\"SECRETKEY{}\"", "z".repeat(5_000_000)), Some("[hidden]zzz")),
            ("failed", format!("{{\"a\":\"{}\"}}", "z".repeat(MAX_ANSWER)), Some("zzz")),
            ("failed", format!("\"{long}\""), Some("0xabab")),
            ("failed", "{\"a\":\"SECRETKEY\"}".to_owned(), Some("{\"a\":\"[hidden]\"}")),
            ("execution reverted", format!("\"{long}\""), None),
            ("execution reverted", format!("{{\"data\":\"{long}\"}}"), None),
        ] {
            let raw = RawValue::from_string(data.clone()).unwrap();
            let payload = ErrorPayload { code: 3, message: message.into(), data: Some(raw) };
            let hidden = secrets.hide_in_payload(payload).data.unwrap();
            match shown {
                Some(shown) => {
                    assert!(hidden.get().contains(shown), "{data:.40}");
                    assert!(hidden.get().len() < 2 * MAX_ANSWER, "{data:.40}");
                }
                None => assert_eq!(hidden.get(), data),
            }
        }
    }

    #[test]
    fn a_request_that_cannot_be_written_is_not_blamed_on_the_answer() {
        let error = serde_json::from_str::<u8>("x").unwrap_err();
        let shown = secrets("http://host/").hide_in_error(RpcError::SerError(error)).to_string();
        assert!(shown.starts_with("serialization error"), "{shown}");
    }

    #[test]
    fn texts_that_may_be_addresses_are_not_repeated() {
        for (text, shown) in ADDRESSES {
            assert_eq!(without_secrets(text), shown.unwrap_or(HIDDEN), "{text}");
        }
        for text in ["forecasts", "0x00000000000000000000000000000000000000aa", "10 %", "1,000"] {
            assert_eq!(without_secrets(text), text);
        }
        for text in ["user:pa55word@host", "mailto:user@host", "host:1?key=abc1234", "?abc"] {
            assert_eq!(without_secrets(text), HIDDEN, "{text}");
        }
    }
}
