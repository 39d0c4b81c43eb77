//! The execution of transactions and calls under a tracer.

mod meter;

use std::sync::Arc;

use alloy_consensus::Header;
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
    state::EvmState,
};
use revm_inspectors::tracing::{
    DebugInspector, TraceLimitBehavior, TraceLimits, TracingInspector, TransactionContext,
};

use crate::{
    block::{Block, Tx, is_impersonated},
    calls::{Overrides, Target},
    chain::Chain,
    exec::{self, Base, Checks, Setting, View, Watch},
    mining::history_slot,
    rpc::error::{OrServerError, RpcResult, invalid_params, server_error},
    state::Version,
};
use meter::{MAX_BYTES, Meter, Recorded};

/// The largest number of steps in a trace of single instructions.
const MAX_STEPS: u64 = 20_000;

/// A mined block, whose transactions can be executed once more.
#[derive(Clone, Debug)]
pub(crate) struct Mined {
    header: Header,
    hash: B256,
    transactions: Vec<Arc<Tx>>,
    /// The version of the state before the block.
    before: Version,
    chain_id: u64,
}

/// The state on which a transaction of a block was executed.
struct Before<'a> {
    db: CacheDB<View<'a>>,
    block: BlockEnv,
    chain_id: u64,
    watch: &'a Watch,
}

impl Chain {
    /// The block of a mined transaction, and the transaction's position in it.
    pub(crate) fn mined_transaction(&self, hash: B256) -> RpcResult<(Mined, usize)> {
        let (block, position) =
            self.find(&hash).ok_or_else(|| server_error("transaction not found"))?;
        Ok((self.mined(block)?, position))
    }

    /// A block of which all transactions can be executed once more.
    pub(crate) fn mined(&self, block: &Block) -> RpcResult<Mined> {
        if block.number() == 0 {
            return Err(server_error("genesis is not traceable"));
        }
        let before = block.versions.before;
        if !self.state.reaches(before) {
            return Err(self.too_deep(block.number())).or_server_error();
        }
        Ok(Mined {
            header: block.header.clone(),
            hash: block.hash,
            transactions: block.transactions.clone(),
            before,
            chain_id: self.config.chain_id,
        })
    }
}

impl Mined {
    pub(crate) const fn number(&self) -> u64 {
        self.header.number
    }

    /// Executes a transaction once more, on the state that it found.
    pub(crate) fn trace_transaction(
        &self,
        base: Base<'_>,
        position: usize,
        options: GethDebugTracingOptions,
    ) -> RpcResult<GethTrace> {
        let (inspector, mut meter) = inspector(options)?;
        let mut before = self.before(base);
        for tx in &self.transactions[..position] {
            let setting = before.setting(tx);
            let done = exec::transact(&before.db, &setting, exec::tx_env(tx)).or_server_error()?;
            before.db.commit(done.state);
        }
        Ok(self.trace(&before, position, inspector, &mut meter)?.0)
    }

    /// Executes all transactions once more.
    pub(crate) fn trace_block(
        &self,
        base: Base<'_>,
        options: &GethDebugTracingOptions,
    ) -> RpcResult<Vec<TraceResult>> {
        let (_, mut meter) = inspector(options.clone())?;
        let mut before = self.before(base);
        let mut traces = Vec::with_capacity(self.transactions.len());
        for (position, tx) in self.transactions.iter().enumerate() {
            meter.next_transaction();
            let (inspector, _) = inspector(options.clone())?;
            let (result, state) = self.trace(&before, position, inspector, &mut meter)?;
            before.db.commit(state);
            traces.push(TraceResult::Success { result, tx_hash: Some(*tx.tx_hash()) });
        }
        Ok(traces)
    }

    /// The state before the first transaction.
    fn before<'a>(&self, base: Base<'a>) -> Before<'a> {
        let mut db = CacheDB::new(base.view(Some(self.before)));
        let (slot, parent) = history_slot(&self.header);
        let Ok(()) = db.insert_account_storage(HISTORY_STORAGE_ADDRESS, slot, parent);
        let block = exec::block_env(&self.header);
        Before { db, block, chain_id: self.chain_id, watch: base.watch }
    }

    /// Executes a transaction under a tracer. Returns its trace and its effects.
    fn trace(
        &self,
        before: &Before<'_>,
        position: usize,
        inspector: DebugInspector,
        meter: &mut Meter,
    ) -> RpcResult<(GethTrace, EvmState)> {
        let tx = &self.transactions[position];
        let context = TransactionContext {
            block_hash: Some(self.hash),
            tx_hash: Some(*tx.tx_hash()),
            tx_index: Some(position),
        };
        trace(&before.db, &before.setting(tx), exec::tx_env(tx), context, inspector, meter)
    }
}

impl Before<'_> {
    fn setting(&self, tx: &Tx) -> Setting<'_> {
        Setting {
            block: self.block.clone(),
            chain_id: self.chain_id,
            checks: Checks::OfTransaction { is_impersonated: is_impersonated(tx) },
            watch: self.watch,
        }
    }
}

impl Target<'_> {
    /// Executes a call under a tracer, as `eth_call` does.
    pub(crate) fn trace_call(
        self,
        request: TransactionRequest,
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
        let prepared = self.prepare(request, overrides)?;
        let (inspector, mut meter) = inspector(tracing_options)?;
        let (context, tx) = (TransactionContext::default(), prepared.tx);
        trace(&prepared.db, &prepared.setting, tx, context, inspector, &mut meter)
            .map(|traced| traced.0)
    }
}

fn trace(
    db: &CacheDB<View<'_>>,
    setting: &Setting<'_>,
    tx: TxEnv,
    context: TransactionContext,
    mut inspector: DebugInspector,
    meter: &mut Meter,
) -> RpcResult<(GethTrace, EvmState)> {
    let done = exec::inspect(db, setting, tx.clone(), (&mut *meter, &mut inspector));
    let done = done.or_server_error()?;
    let done = ResultAndState::new(done.result, done.state);
    if let DebugInspector::PreStateTracer(..) = inspector {
        meter.count_accounts(&done.state).map_err(server_error)?;
    }
    let trace = inspector.get_result(Some(context), &tx, &setting.block, &done, &mut db.clone());
    Ok((trace.or_server_error()?, done.state))
}

/// The tracer that the options ask for, and the limit of what it records.
fn inspector(mut options: GethDebugTracingOptions) -> RpcResult<(DebugInspector, Meter)> {
    use BuiltIn::{CallTracer, FourByteTracer, NoopTracer, PreStateTracer};

    let recorded = match &options.tracer {
        None => {
            options.config.limit = options.config.limit.filter(|limit| *limit > 0);
            if options.config.limit.is_some_and(|limit| limit > MAX_STEPS) {
                return Err(invalid_params(format!("limit: expected at most {MAX_STEPS}")));
            }
            Recorded::Steps(options.config)
        }
        Some(Tracer::BuiltInTracer(CallTracer | FourByteTracer | PreStateTracer)) => {
            Recorded::Calls
        }
        Some(Tracer::BuiltInTracer(NoopTracer)) => Recorded::Nothing,
        Some(other) => {
            return Err(invalid_params(format!(
                "unknown tracer {}: expected callTracer, prestateTracer, 4byteTracer, noopTracer or \
                 none",
                other.as_str()
            )));
        }
    };
    let limited = |inspector: TracingInspector| {
        let limits = TraceLimits::default()
            .set_max_recorded_bytes(Some(MAX_BYTES))
            .set_behavior(TraceLimitBehavior::Halt);
        inspector.with_limits(limits)
    };
    let inspector = DebugInspector::new(options);
    let inspector = match inspector.map_err(|error| invalid_params(error.to_string()))? {
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
    };
    Ok((inspector, Meter::new(recorded)))
}
