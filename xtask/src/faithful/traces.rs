//! Traces and access lists of the same transactions on both chains.
//!
//! The following isn't compared, because anvil differs from geth, which the devchain follows:
//! - the gas of the outermost call: geth shows the gas limit, anvil what is left of it after the
//!   intrinsic cost;
//! - the gas that a transaction used, if it isn't the first one of its block: anvil shows the gas of all
//!   transactions so far. The devchain's must be that of the receipt;
//! - the texts of exceptional halts;
//! - accounts without anything in the state before a transaction: geth leaves them out;
//! - self-destructions below a call that is shown alone;
//! - selectors of precompiled contracts: geth doesn't count them;
//! - access lists of calls that fail: anvil refuses them.

use alloy_network::TransactionBuilder;
use alloy_primitives::U64;
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use serde_json::{Map, Value, json};

use super::{compare::Differ, sequence::PLENTY};

impl Differ {
    /// Compares what a call would do: its trace, the state that it needs and its access list.
    pub(super) async fn call_traces(&mut self, what: &str, request: &TransactionRequest) {
        let request = request.clone().with_gas_limit(PLENTY);
        let method = "debug_traceCall";
        let params = json!([request, "latest", { "tracer": "prestateTracer" }]);
        self.same_answer(what, method, params, without_nothing).await;
        let tracer = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
        // The base fee that a call sees isn't the same.
        if !what.ends_with("probe") {
            self.same_answer(what, method, json!([request, "latest", tracer]), outermost).await;
        }
        let params = json!([request, "latest"]);
        let [ours, theirs] = self.answers("eth_createAccessList", &params).await;
        if ours.as_ref().is_some_and(|ours| ours.get("error").is_some()) {
            self.same(&format!("{what}: access list fails"), true, theirs.is_none());
        } else {
            let [ours, theirs] = [ours, theirs].map(|answer| answer.map(sorted));
            self.same(&format!("{what}: access list"), ours, theirs);
        }
    }

    /// Compares the traces of a mined transaction.
    pub(super) async fn traces(&mut self, what: &str, receipt: &TransactionReceipt) {
        let method = "debug_traceTransaction";
        let hash = receipt.transaction_hash;
        let is_first = receipt.transaction_index == Some(0);
        let params = json!([hash, { "tracer": "callTracer" }]);
        let [ours, _] = self.answers(method, &params).await;
        // serde_json reads calls up to a depth of about 60. Then there is nothing to compare.
        if let Some(ours) = ours {
            let expected = json!(U64::from(receipt.gas_used));
            self.same(&format!("{what}: traced gas"), &ours["gasused"], &expected);
        }
        let calls = if is_first { outermost } else { outermost_without_gas };
        self.same_answer(what, method, params, calls).await;
        let with_logs = json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } });
        self.same_answer(what, method, json!([hash, with_logs]), calls).await;
        let alone = json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } });
        let without_calls = if is_first { without_calls } else { without_calls_and_gas };
        self.same_answer(what, method, json!([hash, alone]), without_calls).await;
        let before = json!([hash, { "tracer": "prestateTracer" }]);
        self.same_answer(what, method, before, without_nothing).await;
        let diff = json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } });
        self.same_answer(what, method, json!([hash, diff]), |answer| answer).await;
        let [ours, theirs] =
            self.answers(method, &json!([hash, { "tracer": "4byteTracer" }])).await;
        if let (Some(Value::Object(ours)), Some(Value::Object(mut theirs))) = (ours, theirs) {
            theirs.retain(|selector, _| ours.contains_key(selector));
            self.same(&format!("{what}: selectors"), ours, theirs);
        }
    }

    async fn same_answer(
        &mut self,
        what: &str,
        method: &'static str,
        params: Value,
        comparable: fn(Value) -> Value,
    ) {
        let answers = self.answers(method, &params).await;
        let [ours, theirs] = answers.map(|answer| answer.map(comparable));
        self.same(&format!("{what}: {method} {params}"), ours, theirs);
    }

    async fn answers(&self, method: &'static str, params: &Value) -> [Option<Value>; 2] {
        let of = async |provider: &DynProvider| {
            provider.raw_request::<_, Value>(method.into(), params).await.ok().map(normal)
        };
        [of(&self.ours).await, of(&self.theirs).await]
    }
}

/// A value without members that are null, and without capitals in names and hexadecimal numbers.
fn normal(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name.to_lowercase(), normal(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(normal).collect(),
        Value::String(text) if text.starts_with("0x") => text.to_lowercase().into(),
        other => other,
    }
}

fn edited(mut value: Value, edit: impl FnOnce(&mut Map<String, Value>)) -> Value {
    if let Value::Object(members) = &mut value {
        edit(members);
    }
    value
}

/// The outermost call, without its gas and without the texts of failures.
fn outermost(call: Value) -> Value {
    edited(without_texts(call), |members| drop(members.remove("gas")))
}

fn outermost_without_gas(call: Value) -> Value {
    edited(outermost(call), |members| drop(members.remove("gasused")))
}

fn without_calls(call: Value) -> Value {
    edited(outermost(call), |members| drop(members.remove("calls")))
}

fn without_calls_and_gas(call: Value) -> Value {
    edited(outermost_without_gas(call), |members| drop(members.remove("calls")))
}

fn without_texts(call: Value) -> Value {
    edited(call, |members| {
        if let Some(error) = members.get_mut("error") {
            *error = json!(*error == "execution reverted");
        }
        if let Some(Value::Array(calls)) = members.get_mut("calls") {
            let inner = std::mem::take(calls);
            calls.extend(inner.into_iter().map(without_texts));
        }
    })
}

fn without_nothing(accounts: Value) -> Value {
    let nothing = json!({ "balance": "0x0" });
    edited(accounts, |members| members.retain(|_, account| *account != nothing))
}

/// An access list in which the order doesn't matter.
fn sorted(answer: Value) -> Value {
    edited(answer, |members| {
        let Some(Value::Array(items)) = members.get_mut("accesslist") else { return };
        for item in items.iter_mut() {
            if let Some(Value::Array(keys)) = item.get_mut("storagekeys") {
                keys.sort_by_key(Value::to_string);
            }
        }
        items.sort_by_key(|item| item["address"].to_string());
    })
}
