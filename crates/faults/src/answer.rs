//! The answers to requests.

use alloy_json_rpc::{ErrorPayload, Id, Response, ResponsePayload, SerializedRequest};
use core::fmt;
use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

/// The answer of an endpoint to a request.
pub enum Answer {
    /// The node's answer.
    Node,
    /// The node's answer to the same method with these parameters.
    Asked(Value),
    /// The node's answer, with the result changed by a function. A refusal isn't changed.
    Changed(Box<dyn FnOnce(Value) -> Value + Send>),
    /// This result. The node isn't asked.
    Result(Value),
    /// A refusal with this code and message. The node isn't asked.
    Refusal(i64, String),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("Node"),
            Self::Asked(params) => f.debug_tuple("Asked").field(params).finish(),
            Self::Changed(_) => f.debug_tuple("Changed").finish_non_exhaustive(),
            Self::Result(result) => f.debug_tuple("Result").field(result).finish(),
            Self::Refusal(code, words) => {
                f.debug_tuple("Refusal").field(code).field(words).finish()
            }
        }
    }
}

/// The parameters of a request, as JSON; null if it has none.
pub fn params(request: &SerializedRequest) -> Value {
    request.params().map_or(Value::Null, parse)
}

/// A response with a result.
pub fn success(id: Id, result: &Value) -> Response {
    Response { id, payload: ResponsePayload::Success(raw(result)) }
}

/// A response that refuses a request.
pub fn failure(id: Id, code: i64, words: impl Into<String>) -> Response {
    let payload = ErrorPayload { code, message: words.into().into(), data: None };
    Response { id, payload: ResponsePayload::Failure(payload) }
}

/// Parses a JSON value.
pub(crate) fn parse(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).expect("a raw value is JSON")
}

fn raw(value: &Value) -> Box<RawValue> {
    to_raw_value(value).expect("a value is JSON")
}
