//! The execution of transactions and calls under a tracer.

use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::B256;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType as BuiltIn, GethDebugTracerType as Tracer,
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
use revm::{
    DatabaseCommit,
    context::{BlockEnv, TxEnv, result::ResultAndState},
    database::CacheDB,
};
use revm_inspectors::tracing::{
    DebugInspector, TraceLimitBehavior, TraceLimits, TracingInspector, TransactionContext,
};

use crate::{
    block::{Block, is_impersonated},
    calls::{Overrides, Target},
    chain::Chain,
    exec::{self, Checks, View},
    mining::history_slot,
    rpc::error::{OrServerError, RpcResult, invalid_params, server_error},
};

/// The largest number of steps in a trace of single instructions. Each takes up to some kilobytes.
const MAX_STEPS: u64 = 20_000;

/// The largest number of bytes that the calls in a trace pass to each other.
const MAX_BYTES: usize = 64 << 20;

/// The state on which a transaction of a block was executed.
struct Before<'a> {
    db: CacheDB<View<'a>>,
    block: BlockEnv,
}

impl Chain {
    /// Executes a mined transaction once more, on the state that it found.
    pub(crate) fn trace_transaction(
        &self,
        hash: B256,
        options: GethDebugTracingOptions,
    ) -> RpcResult<GethTrace> {
        let (block, position) =
            self.find(&hash).ok_or_else(|| server_error("transaction not found"))?;
        let before = self.before(block, position)?;
        self.trace_mined(block, position, &before, options)
    }

    /// Executes all transactions of a block once more.
    pub(crate) fn trace_block(
        &self,
        block: &Block,
        options: &GethDebugTracingOptions,
    ) -> RpcResult<Vec<TraceResult>> {
        if block.number() == 0 {
            return Err(server_error("genesis is not traceable"));
        }
        let mut before = self.before(block, 0)?;
        let mut traces = Vec::with_capacity(block.transactions.len());
        for (position, tx) in block.transactions.iter().enumerate() {
            let result = self.trace_mined(block, position, &before, options.clone())?;
            traces.push(TraceResult::Success { result, tx_hash: Some(*tx.tx_hash()) });
            self.replay(&mut before, block, position)?;
        }
        Ok(traces)
    }

    /// Executes a call, as `eth_call` does.
    pub(crate) fn trace_call(
        &self,
        request: TransactionRequest,
        target: Target<'_>,
        options: GethDebugTracingCallOptions,
    ) -> RpcResult<GethTrace> {
        let GethDebugTracingCallOptions {
            tracing_options,
            state_overrides,
            block_overrides,
            tx_index,
            ..
        } = options;
        if tx_index.is_some() {
            return Err(invalid_params("txIndex is not supported by the devchain"));
        }
        let overrides = Overrides { state: state_overrides, block: block_overrides };
        let prepared = self.prepare(request, target, overrides)?;
        let (db, block, tx) = (&prepared.db, prepared.block, prepared.tx);
        self.trace(db, block, tx, Checks::OfCall, TransactionContext::default(), tracing_options)
    }

    /// The state before the transaction at a position of a block.
    fn before<'a>(&'a self, block: &'a Block, position: usize) -> RpcResult<Before<'a>> {
        let version = block.versions.before;
        if !self.state.reaches(version) {
            return Err(self.too_deep(block.number())).or_server_error();
        }
        let view = View { state: &self.state, version: Some(version), blocks: &self.blocks };
        let mut before = Before { db: CacheDB::new(view), block: exec::block_env(&block.header) };
        let (slot, parent) = history_slot(&block.header);
        let Ok(()) = before.db.insert_account_storage(HISTORY_STORAGE_ADDRESS, slot, parent);
        for earlier in 0..position {
            self.replay(&mut before, block, earlier)?;
        }
        Ok(before)
    }

    /// Applies a transaction of the block to the state before it.
    fn replay(&self, before: &mut Before<'_>, block: &Block, position: usize) -> RpcResult<()> {
        let tx = &block.transactions[position];
        let checks = Checks::OfTransaction { is_impersonated: is_impersonated(tx) };
        let (env, chain_id) = (before.block.clone(), self.config.chain_id);
        let done = exec::transact(&before.db, env, chain_id, exec::tx_env(tx), checks);
        before.db.commit(done.or_server_error()?.state);
        Ok(())
    }

    fn trace_mined(
        &self,
        block: &Block,
        position: usize,
        before: &Before<'_>,
        options: GethDebugTracingOptions,
    ) -> RpcResult<GethTrace> {
        let tx = &block.transactions[position];
        let context = TransactionContext {
            block_hash: Some(block.hash),
            tx_hash: Some(*tx.tx_hash()),
            tx_index: Some(position),
        };
        let checks = Checks::OfTransaction { is_impersonated: is_impersonated(tx) };
        let (env, tx) = (before.block.clone(), exec::tx_env(tx));
        self.trace(&before.db, env, tx, checks, context, options)
    }

    fn trace(
        &self,
        db: &CacheDB<View<'_>>,
        block: BlockEnv,
        tx: TxEnv,
        checks: Checks,
        context: TransactionContext,
        options: GethDebugTracingOptions,
    ) -> RpcResult<GethTrace> {
        let mut inspector = inspector(options)?;
        let chain_id = self.config.chain_id;
        let done = exec::inspect(db, block.clone(), chain_id, tx.clone(), checks, &mut inspector);
        let done = done.or_server_error()?;
        let done = ResultAndState::new(done.result, done.state);
        let trace = inspector.get_result(Some(context), &tx, &block, &done, &mut db.clone());
        match trace.or_server_error()? {
            GethTrace::Default(frame) if frame.struct_logs.len() as u64 > MAX_STEPS => {
                Err(server_error(format!(
                    "the trace has more than {MAX_STEPS} steps: set `limit`, or use callTracer"
                )))
            }
            trace => Ok(trace),
        }
    }
}

/// The tracer that the options ask for, with limits.
fn inspector(mut options: GethDebugTracingOptions) -> RpcResult<DebugInspector> {
    use BuiltIn::{CallTracer, FourByteTracer, NoopTracer, PreStateTracer};

    match &options.tracer {
        None => {
            let limit = options.config.limit.filter(|limit| *limit > 0);
            if limit.is_some_and(|limit| limit > MAX_STEPS) {
                return Err(invalid_params(format!("limit: expected at most {MAX_STEPS}")));
            }
            // One step more shows that there are too many.
            options.config.limit = Some(limit.unwrap_or(MAX_STEPS + 1));
        }
        Some(Tracer::BuiltInTracer(CallTracer | FourByteTracer | NoopTracer | PreStateTracer)) => {}
        Some(other) => {
            return Err(invalid_params(format!(
                "unknown tracer {}: expected callTracer, prestateTracer, 4byteTracer, noopTracer or \
                 none",
                other.as_str()
            )));
        }
    }
    let limited = |inspector: TracingInspector| {
        let limits = TraceLimits::default()
            .set_max_recorded_bytes(Some(MAX_BYTES))
            .set_behavior(TraceLimitBehavior::Halt);
        inspector.with_limits(limits)
    };
    let inspector = DebugInspector::new(options);
    Ok(match inspector.map_err(|error| invalid_params(error.to_string()))? {
        DebugInspector::CallTracer(inspector, config) => {
            DebugInspector::CallTracer(limited(inspector), config)
        }
        DebugInspector::PreStateTracer(inspector, config) => {
            DebugInspector::PreStateTracer(limited(inspector), config)
        }
        DebugInspector::Default(inspector, config) => {
            DebugInspector::Default(limited(inspector), config)
        }
        other => other,
    })
}
