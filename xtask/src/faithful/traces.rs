//! Traces, access lists and simulations of the same transactions on both chains.

use alloy_network::TransactionBuilder;
use alloy_primitives::B256;
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::TransactionRequest;
use eyre::Result;
use serde_json::{Value, json};

use super::{compare::Differ, sequence::PLENTY};

impl Differ {
    /// Compares what a call would do: its trace, the state that it needs and its access list.
    pub(super) async fn call_traces(
        &mut self,
        what: &str,
        request: &TransactionRequest,
    ) -> Result<()> {
        let request = request.clone().with_gas_limit(PLENTY);
        for options in [
            json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
            json!({ "tracer": "prestateTracer" }),
        ] {
            let params = json!([request, "latest", options]);
            self.same_answer(what, "debug_traceCall", params).await;
        }
        self.same_answer(what, "eth_createAccessList", json!([request, "latest"])).await;
        Ok(())
    }

    /// Compares the traces of a mined transaction.
    pub(super) async fn traces(&mut self, what: &str, hash: B256) -> Result<()> {
        for options in [
            json!({ "tracer": "callTracer" }),
            json!({ "tracer": "callTracer", "tracerConfig": { "withLog": true } }),
            json!({ "tracer": "callTracer", "tracerConfig": { "onlyTopCall": true } }),
            json!({ "tracer": "prestateTracer" }),
            json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } }),
            json!({ "tracer": "4byteTracer" }),
        ] {
            self.same_answer(what, "debug_traceTransaction", json!([hash, options])).await;
        }
        Ok(())
    }

    async fn same_answer(&mut self, what: &str, method: &'static str, params: Value) {
        let of = async |provider: &DynProvider| -> Option<Value> {
            provider.raw_request::<_, Value>(method.into(), &params).await.ok().map(normal)
        };
        let (ours, theirs) = (of(&self.ours).await, of(&self.theirs).await);
        self.same(&format!("{what}: {method} {params}"), ours, theirs);
    }
}

/// A value without members that are null, and without capitals in hexadecimal numbers.
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
