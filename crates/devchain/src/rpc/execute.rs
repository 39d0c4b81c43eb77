//! The requests that execute calls, or mined transactions once more, or hash much of the state. They change
//! nothing, so that the chain needn't wait for them.

use std::fmt;

use alloy_eips::BlockId;
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, simulate::SimulatePayload};
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions};
use serde_json::value::RawValue;

use super::{error::RpcResult, eth, json, params::Params};
use crate::{
    calls::{Overrides, Place},
    chain::Chain,
    exec::{Base, Frozen, Watch},
};

/// The rest of a request, which needs nothing of the chain but the state.
type Work = Box<dyn FnOnce(Base<'_>) -> RpcResult<Box<RawValue>> + Send>;

/// A request that has found its block, and has its call left to execute.
pub(crate) struct Execution {
    /// The number of the block in which the call takes place.
    number: u64,
    work: Work,
}

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execution").field("number", &self.number).finish_non_exhaustive()
    }
}

/// An execution with the state that it needs, taken out of the chain.
#[derive(Debug)]
pub(crate) struct Taken {
    execution: Execution,
    frozen: Frozen,
}

/// Whether [`Execution::begin`] has this method.
pub(crate) fn executes(method: &str) -> bool {
    matches!(
        method,
        "eth_call"
            | "eth_estimateGas"
            | "eth_createAccessList"
            | "eth_getAccount"
            | "eth_simulateV1"
            | "debug_traceCall"
            | "debug_traceTransaction"
            | "debug_traceBlockByNumber"
            | "debug_traceBlockByHash"
    )
}

impl Execution {
    /// Begins a request that executes something; `None` if the method is another one.
    pub(super) fn begin(
        chain: &Chain,
        method: &str,
        params: &mut Params<'_>,
    ) -> Option<RpcResult<Self>> {
        Some(match method {
            "eth_call" => call(chain, params),
            "eth_estimateGas" => estimate_gas(chain, params),
            "eth_createAccessList" => create_access_list(chain, params),
            "eth_getAccount" => get_account(chain, params),
            "eth_simulateV1" => simulate(chain, params),
            "debug_traceCall" => trace_call(chain, params),
            "debug_traceTransaction" => trace_transaction(chain, params),
            "debug_traceBlockByNumber" => {
                eth::number(params).and_then(|id| trace_block(chain, id, params))
            }
            "debug_traceBlockByHash" => {
                eth::hash(params).and_then(|id| trace_block(chain, id, params))
            }
            _ => return None,
        })
    }

    fn new(
        number: u64,
        work: impl FnOnce(Base<'_>) -> RpcResult<Box<RawValue>> + Send + 'static,
    ) -> Self {
        Self { number, work: Box::new(work) }
    }

    /// Executes it on this state.
    pub(crate) fn on(self, base: Base<'_>) -> RpcResult<Box<RawValue>> {
        (self.work)(base)
    }

    /// Takes the state that it needs out of the chain.
    pub(crate) fn take_out(self, chain: &Chain) -> Taken {
        Taken { frozen: chain.freeze(self.number), execution: self }
    }
}

impl Taken {
    /// Executes it, unless it is stopped before its end.
    pub(crate) fn run(self, watch: &Watch) -> RpcResult<Box<RawValue>> {
        self.execution.on(self.frozen.base(watch))
    }
}

/// The block that the next parameter names, with its state.
fn place(chain: &Chain, params: &mut Params<'_>, default: BlockId) -> RpcResult<Place> {
    chain.place(eth::resolve(chain, params.or(default)?)?)
}

/// The request, the block and the overrides of a call.
fn call_params(
    chain: &Chain,
    params: &mut Params<'_>,
    default: BlockId,
) -> RpcResult<(TransactionRequest, Place, Overrides)> {
    let request = params.next()?;
    let place = place(chain, params, default)?;
    Ok((request, place, Overrides { state: params.optional()?, block: params.optional()? }))
}

/// The number of the block as the call sees it.
fn number(place: &Place, overrides: Option<&BlockOverrides>) -> u64 {
    let number = overrides.and_then(|overrides| overrides.number);
    number.map_or(place.header.number, |number| number.saturating_to())
}

fn call(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let (request, place, overrides) = call_params(chain, params, BlockId::latest())?;
    let number = number(&place, overrides.block.as_ref());
    Ok(Execution::new(number, |base| json(place.on(base).call(request, overrides)?)))
}

fn estimate_gas(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    // The transaction is meant for the next block, so it is tried there.
    let (request, place, overrides) = call_params(chain, params, BlockId::pending())?;
    let number = number(&place, overrides.block.as_ref());
    Ok(Execution::new(number, |base| {
        json(alloy_primitives::U64::from(place.on(base).estimate(request, overrides)?))
    }))
}

fn create_access_list(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let (request, place, _) = call_params(chain, params, BlockId::pending())?;
    let number = place.header.number;
    Ok(Execution::new(number, |base| json(place.on(base).access_list(request)?)))
}

/// An account as the state of a block contains it. Its storage may be large.
fn get_account(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let address = params.next()?;
    let place = place(chain, params, BlockId::latest())?;
    let number = place.header.number;
    Ok(Execution::new(number, move |base| json(place.on(base).account(address)?)))
}

fn simulate(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let payload: SimulatePayload = params.next()?;
    let place = place(chain, params, BlockId::latest())?;
    let number = place.header.number;
    Ok(Execution::new(number, |base| json(place.on(base).simulate(payload)?)))
}

fn trace_call(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let request = params.next()?;
    let place = place(chain, params, BlockId::latest())?;
    let options = params.or(GethDebugTracingCallOptions::default())?;
    let number = number(&place, options.block_overrides.as_ref());
    Ok(Execution::new(number, |base| json(place.on(base).trace_call(request, options)?)))
}

fn trace_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Execution> {
    let (hash, options) = (params.next()?, params.or(GethDebugTracingOptions::default())?);
    let (block, position) = chain.mined_transaction(hash)?;
    Ok(Execution::new(block.number(), move |base| {
        json(block.trace_transaction(base, position, options)?)
    }))
}

fn trace_block(chain: &Chain, id: BlockId, params: &mut Params<'_>) -> RpcResult<Execution> {
    let options = params.or(GethDebugTracingOptions::default())?;
    let block = chain.mined(eth::existing(chain, id)?)?;
    Ok(Execution::new(block.number(), move |base| json(block.trace_block(base, &options)?)))
}
