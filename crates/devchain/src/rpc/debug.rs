//! The methods that answer with encodings.

use alloy_eips::Encodable2718;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::encode;
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
        "debug_getRawTransaction" => raw_transaction(chain, params),
        "debug_getRawBlock" => raw_block(chain, params),
        "debug_getRawHeader" => raw_header(chain, params),
        "debug_getRawReceipts" => raw_receipts(chain, params),
        _ => return None,
    })
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
