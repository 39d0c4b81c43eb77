//! The envelope of JSON-RPC 2.0: the requests in a body, and the bytes of their answers. Nothing here
//! knows a chain or a socket.
//!
//! Where the specification leaves a choice, it is geth's: `"params": null` stands for no parameters,
//! and a batch that is too large is answered by one refusal in a list.

use std::fmt;

use alloy_json_rpc::{ErrorPayload, Response, ResponsePayload, SerializedRequest};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::error::{RpcResult, batch_too_large, invalid_request};

/// The largest number of requests in a batch.
pub(crate) const MAX_BATCH: usize = 1_000;

/// The size of a batch's answer, in bytes, from which on its further requests are refused.
pub(crate) const MAX_BATCH_ANSWER: usize = 25 << 20;

/// A request, or the refusal of something that isn't one.
pub(crate) type Entry = Result<Call, Answer>;

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) reply: Reply,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
}

/// The id of a request, as it was written. A request without one is a notification, which has no
/// answer.
#[derive(Debug)]
pub(crate) struct Reply(Option<Box<RawValue>>);

/// The answer of a request, or the refusal of a body.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The id of the request; `None` is null, for a request whose id isn't known.
    id: Option<Box<RawValue>>,
    result: RpcResult<Box<RawValue>>,
}

/// The answers of a body, in the order of its requests.
#[derive(Debug)]
pub(crate) struct Answers {
    form: Form,
    json: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Single,
    Batch,
}

/// Reads a body. Returns its requests, and the answers to be filled in their order.
pub(crate) fn open(body: &[u8]) -> (Vec<Entry>, Answers) {
    let single = |entry| (vec![entry], Answers { form: Form::Single, json: Vec::new() });
    let batch = |entries| (entries, Answers { form: Form::Batch, json: Vec::new() });
    let Ok(raw) = serde_json::from_slice::<&RawValue>(body) else {
        return single(Err(Answer::refusal(None, ErrorPayload::parse_error())));
    };
    if !raw.get().starts_with('[') {
        return single(Call::parse(raw));
    }
    match serde_json::from_str::<FirstOf<'_>>(raw.get()) {
        Ok(FirstOf { count: 1..=MAX_BATCH, first }) => {
            batch(first.into_iter().map(Call::parse).collect())
        }
        Ok(FirstOf { count: 0, .. }) => single(Err(invalid(None, "found an empty batch"))),
        Ok(FirstOf { count, first }) => {
            let id = first.into_iter().find_map(|raw| Call::parse(raw).ok()?.reply.0);
            let found = format!("batch too large: found {count}, expected at most {MAX_BATCH}");
            batch(vec![Err(invalid(id, &found))])
        }
        Err(error) => single(Err(invalid(None, &error.to_string()))),
    }
}

fn invalid(id: Option<Box<RawValue>>, why: &str) -> Answer {
    Answer::refusal(id, invalid_request(format!("invalid request: {why}")))
}

impl Call {
    fn parse(raw: &RawValue) -> Entry {
        // serde would also take a list, with the members in order.
        if !raw.get().starts_with('{') {
            return Err(invalid(None, "expected an object"));
        }
        let members: Members =
            serde_json::from_str(raw.get()).map_err(|error| invalid(None, &format!("{error}")))?;
        let Members { jsonrpc, id, method, params } = members;
        if id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(invalid(None, "expected a string, a number or null as `id`"));
        }
        if jsonrpc.as_deref().and_then(text).as_deref() != Some("2.0") {
            return Err(invalid(id, "expected \"2.0\" as `jsonrpc`"));
        }
        let Some(method) = method.as_deref().and_then(text) else {
            return Err(invalid(id, "expected a string as `method`"));
        };
        let params = params.filter(|params| params.get() != "null");
        if params.as_deref().is_some_and(|params| !params.get().starts_with(['[', '{'])) {
            return Err(invalid(id, "expected a list as `params`"));
        }
        Ok(Self { reply: Reply(id), method, params })
    }
}

impl Reply {
    /// The answer with this result; `None` for a notification.
    pub(crate) fn with(self, result: RpcResult<Box<RawValue>>) -> Option<Answer> {
        self.0.map(|id| Answer { id: Some(id), result })
    }
}

/// The answer of a request that alloy has read already.
pub(crate) fn respond(request: &SerializedRequest, result: RpcResult<Box<RawValue>>) -> Response {
    let payload = result.map_or_else(ResponsePayload::Failure, ResponsePayload::Success);
    Response { id: request.id().clone(), payload }
}

impl Answer {
    const fn refusal(id: Option<Box<RawValue>>, error: ErrorPayload) -> Self {
        Self { id, result: Err(error) }
    }
}

impl Answers {
    /// Whether further requests are to be answered by [`Self::refuse`] without being carried out.
    pub(crate) fn are_full(&self) -> bool {
        self.form == Form::Batch && self.json.len() >= MAX_BATCH_ANSWER
    }

    /// Refuses a request because the answers of those before it are too large.
    pub(crate) fn refuse(&mut self, reply: Reply) {
        self.add(reply.with(Err(batch_too_large(MAX_BATCH_ANSWER))));
    }

    /// Adds the next answer.
    pub(crate) fn add(&mut self, answer: Option<Answer>) {
        let Some(answer) = answer else { return };
        if self.form == Form::Batch {
            self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        }
        serde_json::to_writer(&mut self.json, &Written::of(&answer))
            .expect("answers consist of JSON");
    }

    /// The body of the answer; `None` if there was nothing but notifications.
    pub(crate) fn into_json(mut self) -> Option<Vec<u8>> {
        if self.json.is_empty() {
            return None;
        }
        if self.form == Form::Batch {
            self.json.push(b']');
        }
        Some(self.json)
    }
}

/// The members of a request, as far as they are there.
#[derive(Deserialize)]
struct Members {
    #[serde(default, deserialize_with = "present")]
    jsonrpc: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    method: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    params: Option<Box<RawValue>>,
}

/// A member that is there, be it null. serde takes null for a member that isn't.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Whether the specification allows the value as an id.
fn is_id(raw: &RawValue) -> bool {
    raw.get() == "null"
        || raw.get().starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit())
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// The length of a list, and its first values: not more than a batch may have, however long it is.
struct FirstOf<'a> {
    count: usize,
    first: Vec<&'a RawValue>,
}

impl<'de> Deserialize<'de> for FirstOf<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = FirstOf<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FirstOf<'de>, A::Error> {
                let mut first = Vec::new();
                while first.len() < MAX_BATCH
                    && let Some(raw) = list.next_element()?
                {
                    first.push(raw);
                }
                let mut count = first.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(FirstOf { count, first })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// An answer in the form of the specification.
#[derive(Serialize)]
struct Written<'a> {
    jsonrpc: &'static str,
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WrittenError<'a>>,
}

#[derive(Serialize)]
struct WrittenError<'a> {
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl<'a> Written<'a> {
    fn of(answer: &'a Answer) -> Self {
        let error = answer.result.as_ref().err().map(|error| WrittenError {
            code: error.code,
            message: &error.message,
            data: error.data.as_deref(),
        });
        let result = answer.result.as_deref().ok();
        Self { jsonrpc: "2.0", id: answer.id.as_deref(), result, error }
    }
}

#[cfg(test)]
mod tests;
