//! Whether an endpoint refused a range of blocks, according to its message.

use crate::error::is_rate_limit;
use alloy_json_rpc::ErrorPayload;
use alloy_transport::{RpcError, TransportError, TransportErrorKind};

/// The HTTP status for a request that is too large, which QuickNode also uses for ranges.
const TOO_LARGE: u16 = 413;

/// The HTTP status for any invalid request.
const BAD_REQUEST: u16 = 400;

/// JSON-RPC codes without relation to the length of a range: a missing resource, an unsupported method, an
/// invalid request, an unknown method, a syntax error, and pruned history (EIP-4444).
const OTHER_CODES: [i64; 6] = [-32001, -32004, -32600, -32601, -32700, 4444];

/// The messages of endpoints, in lower case, for which a shorter range doesn't help: about the rate of
/// requests, missing blocks, the method and the key.
const OTHER_TEXTS: [&str; 19] = [
    "rate limit",
    "too many requests",
    "request limit",
    "requests per",
    "per second",
    "quota",
    "credits",
    "pruned",
    "pruning",
    "trie node",
    "archive",
    "history",
    "not found",
    "unknown block",
    "beyond current head",
    "the method",
    "unauthorized",
    "forbidden",
    "api key",
];

/// The messages of endpoints, in lower case, about a range with too many blocks or logs. They occur with
/// many codes, including those for too many requests and for an invalid request.
///
/// Sources: reth `rpc-eth-types/src/logs_utils.rs`; Nethermind's tests of `eth_getLogs`; answers of
/// Alchemy, Cloudflare, dRPC, Infura, PublicNode and QuickNode in public issues.
const RANGE_TEXTS: [&str; 7] = [
    "range",
    "results",
    "response size",
    "query timeout",
    "too many logs",
    "logs matched",
    "too many blocks",
];

/// Whether the endpoint refused the range of an `eth_getLogs`, so that a shorter one may be accepted.
/// Endpoints have no common code or text for that. A JSON-RPC error or a status 400 with an unknown text
/// counts as a refusal too, because some endpoints report a request that takes too long as an internal
/// error.
pub fn is_range_refusal(error: &TransportError) -> bool {
    match error {
        RpcError::ErrorResp(payload) => match is_about_range(&text(payload)) {
            Some(is_about_range) => is_about_range,
            None => !is_rate_limit(error) && !OTHER_CODES.contains(&payload.code),
        },
        RpcError::Transport(TransportErrorKind::HttpError(error)) => match error.status {
            TOO_LARGE => true,
            BAD_REQUEST => is_about_range(&error.body).unwrap_or(true),
            _ => false,
        },
        _ => false,
    }
}

/// The message with the data, in which some endpoints put the reason.
fn text(payload: &ErrorPayload) -> String {
    let data = payload.data.as_ref().map_or("", |data| data.get());
    format!("{} {data}", payload.message)
}

/// Whether a text is about the length of a range; `None` if the text is unknown.
fn is_about_range(text: &str) -> Option<bool> {
    let text = text.to_lowercase();
    let has = |texts: &[&str]| texts.iter().any(|part| text.contains(part));
    if has(&OTHER_TEXTS) {
        return Some(false);
    }
    has(&RANGE_TEXTS).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use serde_json::value::RawValue;

    fn answer(code: i64, message: &'static str) -> TransportError {
        RpcError::ErrorResp(ErrorPayload { code, message: message.into(), data: None })
    }

    #[test]
    fn ranges_that_are_too_long_are_recognized() {
        for (endpoint, code, message) in [
            (
                "Alchemy",
                -32602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block \
                 range and no limit on the response size, or you can request any block range with a \
                 cap of 10K logs in the response.",
            ),
            (
                "Alchemy",
                -32600,
                "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block \
                 range. Based on your parameters, this block range should work: [0x1, 0xa].",
            ),
            (
                "Infura",
                -32005,
                "query returned more than 10000 results. Try with this block range [0x1, 0x2].",
            ),
            ("Infura", -32602, "range 1000000 exceeds limit of 10000"),
            ("Infura", -32005, "query timeout exceeded"),
            ("QuickNode", -32614, "eth_getLogs is limited to a 10,000 range"),
            (
                "QuickNode",
                -32602,
                "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range",
            ),
            ("Ankr", -32062, "Block range is too large"),
            ("Ankr", -32600, "block range is too wide"),
            (
                "Cloudflare",
                -32047,
                "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
            ),
            ("dRPC", 35, "ranges over 10000 blocks are not supported on freetier"),
            ("PublicNode", -32701, "exceed maximum block range: 50000"),
            ("geth", -32000, "exceed maximum block range: 5000"),
            ("geth", -32000, "query timeout exceeded"),
            ("reth", -32602, "query exceeds max block range 100000"),
            ("reth", -32602, "query exceeds max results 20000, retry with the range 1-2"),
            ("Erigon", -32000, "query exceeds max results 20000"),
            ("Erigon", -32005, "logs matched by query exceeds limit of 10000"),
            ("Nethermind", -32005, "Too many logs requested. Max logs per response is 20000."),
            ("Besu", -32005, "Requested range exceeds maximum RPC range limit"),
            ("others", -32005, "requested too many blocks from 1 to 5000, maximum is set to 2048"),
            // Unknown texts.
            ("others", -32603, "internal error"),
            ("others", -32000, "request failed"),
        ] {
            assert!(is_range_refusal(&answer(code, message)), "{endpoint}: {code} {message}");
        }
        // The reason is in the data.
        let data =
            RawValue::from_string(r#"{"payload":"range 9009594 is bigger"}"#.into()).unwrap();
        let message = "limit exceeded".into();
        let payload = ErrorPayload { code: -32005, message, data: Some(data) };
        assert!(is_range_refusal(&RpcError::ErrorResp(payload)));
    }

    #[test]
    fn other_errors_are_no_refusals_of_the_range() {
        for (code, message) in [
            (429, "Your app has exceeded its compute units per second capacity."),
            (429, "Too Many Requests"),
            (-32005, "daily request count exceeded, request rate limited"),
            (-32005, "project ID request rate exceeded"),
            (-32005, "too many requests"),
            (-32005, "limit exceeded"),
            (-32016, "over rate limit"),
            (-32012, "credits limited to 6000/sec"),
            (-32007, "100/second request limit reached - reduce calls per second"),
            (-32000, "monthly quota exceeded"),
            (-32601, "the method eth_getLogs does not exist/is not available"),
            (-32601, "Method not found"),
            (-32601, "Unavailable"),
            (-32004, "Unsupported"),
            (-32600, "Invalid request"),
            (-32700, "parse error"),
            (4444, "Pruned history unavailable"),
            (4444, "block is out of reach"),
            (-32000, "pruned history unavailable"),
            (-32000, "old data not available due to pruning"),
            (-32701, "Archive requests require a personal token"),
            (
                -32602,
                "Receipts for block 1 are neither stored nor reproducible from state history.",
            ),
            (-32000, "missing trie node 5c4d (path )"),
            (-32001, "Resource not found"),
            (-32001, "Unavailable"),
            (-32000, "header not found"),
            (-32000, "unknown block"),
            (-32602, "block range extends beyond current head block"),
            (-32000, "Unauthorized"),
            (-32000, "Must be authenticated! Invalid API key"),
        ] {
            assert!(!is_range_refusal(&answer(code, message)), "{code} {message}");
        }
        assert!(!is_range_refusal(&TransportErrorKind::custom_str("block range is too large")));
        assert!(!is_range_refusal(&RpcError::NullResp));
    }

    #[test]
    fn of_statuses_of_http_few_are_about_the_range() {
        let http = |status, body: &str| TransportErrorKind::http_error(status, body.to_owned());
        for status in [401, 402, 403, 404, 405, 408, 429, 500, 502, 503, 504] {
            assert!(!is_range_refusal(&http(status, "block range is too large")), "{status}");
        }
        assert!(is_range_refusal(&http(413, "")));
        assert!(is_range_refusal(&http(400, "block range is too large")));
        assert!(is_range_refusal(&http(400, "too long")));
        assert!(!is_range_refusal(&http(400, "invalid API key")));
        let wait = Some(Duration::from_secs(1));
        let wait = TransportErrorKind::http_error_with_retry_after(503, "block range".into(), wait);
        assert!(!is_range_refusal(&wait));
    }
}
