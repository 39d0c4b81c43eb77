//! The methods that trace, and those that answer with encodings.

use alloy_eips::{BlockId, Encodable2718};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::encode;
use alloy_rpc_types_trace::geth::{GethDebugTracingCallOptions, GethDebugTracingOptions};
use serde_json::value::RawValue;

use super::{error::RpcResult, eth, json, params::Params};
use crate::chain::Chain;

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "debug_traceTransaction" => trace_transaction(chain, params),
        "debug_traceCall" => trace_call(chain, params),
        "debug_traceBlockByNumber" => {
            eth::number(params).and_then(|id| trace_block(chain, id, params))
        }
        "debug_traceBlockByHash" => eth::hash(params).and_then(|id| trace_block(chain, id, params)),
        "debug_getRawTransaction" => raw_transaction(chain, params),
        "debug_getRawBlock" => raw_block(chain, params),
        "debug_getRawHeader" => raw_header(chain, params),
        "debug_getRawReceipts" => raw_receipts(chain, params),
        _ => return None,
    })
}

fn trace_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (hash, options) = (params.next()?, params.or(GethDebugTracingOptions::default())?);
    json(chain.trace_transaction(hash, options)?)
}

fn trace_call(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let request = params.next()?;
    let number = eth::resolve(chain, eth::block_id(params)?)?;
    let options = params.or(GethDebugTracingCallOptions::default())?;
    json(chain.trace_call(request, chain.target(number)?, options)?)
}

fn trace_block(chain: &Chain, id: BlockId, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let options = params.or(GethDebugTracingOptions::default())?;
    json(chain.trace_block(eth::existing(chain, id)?, &options)?)
}

/// Geth answers with no bytes if there is no such transaction. Here it is null, so that nobody takes
/// it for an empty one.
fn raw_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(eth::transaction(chain, &hash).map(|tx| Bytes::from(tx.encoded_2718())))
}

fn raw_block(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(eth::existing(chain, params.next()?)?.encoded())
}

fn raw_header(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(Bytes::from(encode(&eth::existing(chain, params.next()?)?.header)))
}

fn raw_receipts(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let block = eth::existing(chain, params.next()?)?;
    let encoded =
        |receipt: &crate::block::MinedReceipt| Bytes::from(receipt.envelope.encoded_2718());
    json(block.receipts.iter().map(encoded).collect::<Vec<_>>())
}
