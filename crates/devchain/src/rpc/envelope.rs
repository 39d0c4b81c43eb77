//! The envelope of JSON-RPC 2.0: the requests in a body, and the bytes of their answers. Nothing
//! here knows a chain or a socket.
//!
//! Where the specification leaves a choice, it is geth's: `"params": null` stands for no
//! parameters, and a batch that is too large is answered by one refusal in a list.

use std::fmt;

use alloy_json_rpc::{ErrorPayload, Response, ResponsePayload, SerializedRequest};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::error::{RpcResult, batch_too_large, invalid_request};

/// The largest number of requests in a batch.
const MAX_BATCH: usize = 1_000;

/// The size of a batch's answer, in bytes, from which on its further requests are refused.
const MAX_BATCH_ANSWER: usize = 25 << 20;

/// The requests of a body.
#[derive(Debug)]
pub(crate) struct Requests {
    form: Form,
    entries: Vec<Entry>,
}

/// A request, or the refusal of something that isn't one.
type Entry = Result<Call, Answer>;

#[derive(Debug)]
struct Call {
    reply: Reply,
    method: String,
    params: Option<Box<RawValue>>,
}

/// The id of a request, as it was written. A request without one is a notification, which has no
/// answer.
#[derive(Debug)]
struct Reply(Option<Box<RawValue>>);

/// The answer of a request, or the refusal of a body.
#[derive(Debug)]
struct Answer {
    /// The id of the request; `None` is null, for a request whose id isn't known.
    id: Option<Box<RawValue>>,
    result: RpcResult<Box<RawValue>>,
}

/// The answers of a body, in the order of its requests.
#[derive(Debug)]
struct Answers {
    form: Form,
    json: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Single,
    Batch,
}

/// Reads a body.
pub(crate) fn open(body: &[u8]) -> Requests {
    let single = |entry| Requests { form: Form::Single, entries: vec![entry] };
    let batch = |entries| Requests { form: Form::Batch, entries };
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

impl Requests {
    /// Carries the requests out, one after another. Returns the body of their answers, each of
    /// which `admit` may replace; `None` if there was nothing but notifications.
    pub(crate) async fn answer<F: Future<Output = RpcResult<Box<RawValue>>>>(
        self,
        carry_out: impl Fn(String, Option<Box<RawValue>>) -> F,
        mut admit: impl FnMut(RpcResult<Box<RawValue>>) -> RpcResult<Box<RawValue>>,
    ) -> Option<Vec<u8>> {
        let mut answers = Answers { form: self.form, json: Vec::new() };
        for entry in self.entries {
            answers.add(match entry {
                Err(refusal) => Some(refusal),
                Ok(Call { reply, .. }) if answers.are_full() => {
                    reply.with(Err(batch_too_large(MAX_BATCH_ANSWER)))
                }
                Ok(Call { reply, method, params }) => {
                    let result = carry_out(method, params).await;
                    reply.with(admit(result))
                }
            });
        }
        answers.into_json()
    }
}

/// The length of an answer with this result, about.
pub(crate) fn length(result: &RpcResult<Box<RawValue>>) -> usize {
    match result {
        Ok(value) => value.get().len(),
        Err(error) => error.message.len() + error.data.as_ref().map_or(0, |data| data.get().len()),
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
    fn with(self, result: RpcResult<Box<RawValue>>) -> Option<Answer> {
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
    /// Whether further requests are refused without being carried out.
    fn are_full(&self) -> bool {
        self.form == Form::Batch && self.json.len() >= MAX_BATCH_ANSWER
    }

    /// Adds the next answer.
    fn add(&mut self, answer: Option<Answer>) {
        let Some(answer) = answer else { return };
        if self.form == Form::Batch {
            self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        }
        serde_json::to_writer(&mut self.json, &Written::of(&answer))
            .expect("answers consist of JSON");
    }

    fn into_json(mut self) -> Option<Vec<u8>> {
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
