//! The methods that answer with encodings.

use alloy_eips::Encodable2718;
use alloy_primitives::Bytes;
use alloy_rlp::encode;
use serde_json::value::RawValue;

use super::{
    error::RpcResult,
    eth, json,
    methods::{Method, answer},
    params::Params,
};
use crate::chain::Chain;

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    answer(&["debug_getRawBlock"], 1, |chain, params| raw_block(chain, params)),
    answer(&["debug_getRawHeader"], 1, |chain, params| raw_header(chain, params)),
    answer(&["debug_getRawReceipts"], 1, |chain, params| raw_receipts(chain, params)),
];

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
