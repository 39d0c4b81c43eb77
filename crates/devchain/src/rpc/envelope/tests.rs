use canon_testkit::properties;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::*;
use crate::rpc::error::unknown_method;

/// Answers a body as the server does, with a method that returns its parameters and one that fails.
fn answer(body: &[u8]) -> Option<String> {
    let (entries, mut answers) = open(body);
    for entry in entries {
        match entry {
            Err(refusal) => answers.add(Some(refusal)),
            Ok(Call { reply, .. }) if answers.are_full() => answers.refuse(reply),
            Ok(Call { reply, method, params }) => answers.add(reply.with(match &*method {
                "echo" => Ok(params.unwrap_or_else(|| RawValue::NULL.to_owned())),
                other => Err(unknown_method(other)),
            })),
        }
    }
    answers.into_json().map(|json| String::from_utf8(json).unwrap())
}

/// The text of a request, and the one of its answer.
#[derive(Clone, Debug)]
struct Case {
    request: String,
    answer: Option<Expected>,
}

#[derive(Clone, Debug)]
struct Expected {
    id: String,
    outcome: Result<String, i64>,
}

const IDS: &[&str] = &[
    "null",
    "0",
    "-0",
    "1",
    "-7",
    "1.5",
    "1e400",
    "-2.50E-3",
    "18446744073709551616",
    "123456789012345678901234567890",
    r#""""#,
    r#""text""#,
    r#""\u00e9\"\\ \ud800""#,
    r#""é""#,
];
const NO_IDS: &[&str] = &["true", "false", "{}", "[]", "[1]", r#"{"a":1}"#];
const PARAMS: &[&str] = &["[]", "[1, null]", r#"["a",{"b":[2]}]"#, "{}", r#"{"a": 1}"#];
const NO_PARAMS: &[&str] = &["1", "true", r#""text""#, "-1.5"];
const NO_METHODS: &[&str] = &["1", "null", "[]", r#"{"echo":1}"#];
const NO_VERSIONS: &[&str] = &[r#""1.0""#, "2.0", "null", r#""2""#, r#"["2.0"]"#];
const NO_REQUESTS: &[&str] = &["1", "null", r#""text""#, "true", "[]", r#"["2.0",1,"echo"]"#, "{}"];

/// A request with these members in any order, and others that nobody knows.
fn object(members: Vec<(&'static str, String)>) -> impl Strategy<Value = String> {
    let others = vec(select(vec![r#""id2":1"#, r#""result":[]"#, r#""jsonRPC": null"#]), 0..2);
    let space = select(vec!["", " ", "\n\t"]);
    (Just(members).prop_shuffle(), others, space).prop_map(|(members, others, space)| {
        let known = members.iter().map(|(name, value)| format!("\"{name}\":{space}{value}"));
        let all: Vec<_> = known.chain(others.iter().map(|&other| other.to_owned())).collect();
        format!("{{{space}{}{space}}}", all.join(","))
    })
}

fn case() -> impl Strategy<Value = Case> {
    let id = proptest::option::of(select(IDS));
    let params = proptest::option::of(select([PARAMS, &["null"]].concat()));
    let good = (id.clone(), params, any::<bool>()).prop_flat_map(|(id, params, known)| {
        let method = if known { r#""echo""# } else { r#""nothing""# };
        let mut members = vec![("jsonrpc", r#""2.0""#.to_owned()), ("method", method.to_owned())];
        members.extend(id.map(|id| ("id", id.to_owned())));
        members.extend(params.map(|params| ("params", params.to_owned())));
        let result = params.unwrap_or("null").to_owned();
        let outcome = if known { Ok(result) } else { Err(-32601) };
        let answer = id.map(|id| Expected { id: id.to_owned(), outcome });
        object(members).prop_map(move |request| Case { request, answer: answer.clone() })
    });
    let refused = |id: Option<&str>| {
        Some(Expected { id: id.unwrap_or("null").to_owned(), outcome: Err(-32600) })
    };
    // One member has a wrong value, or is missing.
    let bad = (id, 0..5_usize, any::<prop::sample::Index>(), any::<bool>()).prop_flat_map(
        move |(id, wrong, index, missing)| {
            let of = |position: usize, good: &str, bad: &[&'static str]| -> Option<String> {
                if wrong != position {
                    return Some(good.to_owned());
                }
                (!missing).then(|| (*index.get(bad)).to_owned())
            };
            let mut members: Vec<(&'static str, String)> = Vec::new();
            members.extend(of(0, r#""2.0""#, NO_VERSIONS).map(|value| ("jsonrpc", value)));
            members.extend(of(1, r#""echo""#, NO_METHODS).map(|value| ("method", value)));
            let answer = match wrong {
                0 | 1 => {
                    members.extend(id.map(|id| ("id", id.to_owned())));
                    refused(id)
                }
                2 => {
                    members.push(("id", (*index.get(NO_IDS)).to_owned()));
                    refused(None)
                }
                3 => {
                    members.extend(id.map(|id| ("id", id.to_owned())));
                    members.push(("params", (*index.get(NO_PARAMS)).to_owned()));
                    refused(id)
                }
                _ => {
                    let request = (*index.get(NO_REQUESTS)).to_owned();
                    return Just(Case { request, answer: refused(None) }).boxed();
                }
            };
            object(members)
                .prop_map(move |request| Case { request, answer: answer.clone() })
                .boxed()
        },
    );
    prop_oneof![3 => good, 2 => bad]
}

impl Expected {
    /// Whether an answer has this id, letter by letter, and this outcome.
    fn fits(&self, answer: &str) -> bool {
        let rest = answer.strip_prefix(&format!(r#"{{"jsonrpc":"2.0","id":{},"#, self.id));
        let rest = rest.and_then(|rest| rest.strip_suffix('}'));
        match (&self.outcome, rest) {
            (_, None) => false,
            (Ok(result), Some(rest)) => rest == format!(r#""result":{result}"#),
            (Err(code), Some(rest)) => {
                let error = rest.strip_prefix(r#""error":"#).map(serde_json::from_str::<Value>);
                error.is_some_and(|error| error.is_ok_and(|error| error["code"] == *code))
            }
        }
    }
}

proptest! {
    #![proptest_config(properties(2_000))]

    #[test]
    fn single_requests_are_answered_with_their_id(case in case()) {
        // A list is a batch, which has other rules.
        prop_assume!(!case.request.starts_with('['));
        let found = answer(case.request.as_bytes());
        match (&case.answer, &found) {
            (None, None) => {}
            (Some(expected), Some(found)) => prop_assert!(expected.fits(found), "{found}"),
            _ => prop_assert!(false, "expected {:?}, found {found:?}", case.answer),
        }
    }

    #[test]
    fn batches_are_answered_in_order_without_the_notifications(cases in vec(case(), 1..8)) {
        let requests: Vec<_> = cases.iter().map(|case| &*case.request).collect();
        let found = answer(format!(" [{}]\n", requests.join(" , ")).as_bytes());
        let expected: Vec<_> = cases.iter().filter_map(|case| case.answer.as_ref()).collect();
        let Some(found) = found else {
            prop_assert!(expected.is_empty());
            return Ok(());
        };
        let found: Vec<&RawValue> = serde_json::from_str(&found).unwrap();
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            prop_assert!(expected.fits(found.get()), "{} is not {expected:?}", found.get());
        }
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..40)) {
        let found = answer(&bytes);
        if serde_json::from_slice::<IgnoredAny>(&bytes).is_err() {
            let expected = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#;
            prop_assert!(found.is_some_and(|found| found.starts_with(expected)));
        }
    }
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(&answer(body.as_bytes()).unwrap()).unwrap()
}

#[test]
fn an_empty_batch_and_a_large_one_are_refused_once() {
    let empty = parsed("[]");
    assert_eq!((&empty["id"], &empty["error"]["code"]), (&Value::Null, &json!(-32600)));
    let request = |id: usize| json!({ "jsonrpc": "2.0", "id": id, "method": "echo" });
    let batch = |count: usize| Value::from_iter((1..=count).map(request)).to_string();
    assert_eq!(parsed(&batch(MAX_BATCH)).as_array().unwrap().len(), MAX_BATCH);
    let large = parsed(&batch(MAX_BATCH + 1));
    let [only] = &large.as_array().unwrap()[..] else { panic!("{large}") };
    assert_eq!((&only["id"], &only["error"]["code"]), (&json!(1), &json!(-32600)));
    let message = only["error"]["message"].as_str().unwrap();
    assert!(message.contains("found 1001, expected at most 1000"), "{message}");
}

#[test]
fn requests_after_a_large_answer_are_refused() {
    let params = json!(["x".repeat(MAX_BATCH_ANSWER / 2)]);
    let request =
        |id: usize| json!({ "jsonrpc": "2.0", "id": id, "method": "echo", "params": params });
    let answers = parsed(&Value::from_iter((1..=4).map(request)).to_string());
    let codes: Vec<_> =
        answers.as_array().unwrap().iter().map(|answer| answer["error"]["code"].clone()).collect();
    assert_eq!(codes, [Value::Null, Value::Null, json!(-32003), json!(-32003)]);
    assert_eq!(answers[3]["id"], 4);
}

#[test]
fn deeply_nested_values_are_no_danger() {
    let nested = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    assert_eq!(parsed(&nested)[0]["error"]["code"], -32600);
    let request = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"nothing","params":{nested}}}"#);
    assert_eq!(parsed(&request)["error"]["code"], -32601);
}
