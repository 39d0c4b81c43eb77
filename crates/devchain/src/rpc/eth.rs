//! The methods that every node has.

use std::collections::BTreeMap;

use alloy_eips::{
    BlockId, Encodable2718,
    eip2124::ForkHash,
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip7840::BlobParams,
    eip7910::{EthConfig, EthForkConfig, SystemContract},
};
use alloy_primitives::{B256, Bytes, U64, U256, keccak256};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    convert,
    error::{OrServerError, RpcResult, invalid_params, server_error},
    json,
    params::Params,
};
use crate::{
    block::{Block, Tx},
    chain::Chain,
    exec::{self, View},
    fees::{MAX_PERCENTILES, SUGGESTED_TIP},
};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "eth_chainId" => json(U64::from(chain.config.chain_id)),
        "eth_config" => json(config(chain)),
        "net_version" => json(chain.config.chain_id.to_string()),
        "net_listening" => json(true),
        "net_peerCount" => json(U64::ZERO),
        "web3_clientVersion" => json(concat!("canon-devchain/v", env!("CARGO_PKG_VERSION"))),
        "web3_sha3" => params.next::<Bytes>().and_then(|bytes| json(keccak256(bytes))),
        "eth_syncing" | "eth_mining" => json(false),
        "eth_coinbase" => json(chain.config.coinbase),
        "eth_blockNumber" => json(U64::from(chain.head().number())),
        "eth_gasPrice" => json(U256::from(u128::from(chain.next_base_fee()) + SUGGESTED_TIP)),
        "eth_maxPriorityFeePerGas" => json(U256::from(SUGGESTED_TIP)),
        "eth_blobBaseFee" => json(U64::from(1)),
        "eth_baseFee" => json(U64::from(chain.next_base_fee())),
        "eth_feeHistory" => fee_history(chain, params),
        "eth_getBalance" => get_balance(chain, params),
        "eth_getTransactionCount" => get_transaction_count(chain, params),
        "eth_getCode" => get_code(chain, params),
        "eth_getStorageAt" => get_storage_at(chain, params),
        "eth_getBlockByNumber" => number(params).and_then(|id| get_block(chain, id, params)),
        "eth_getBlockByHash" => hash(params).and_then(|id| get_block(chain, id, params)),
        "eth_getBlockReceipts" => get_block_receipts(chain, params),
        "eth_getBlockTransactionCountByNumber" => {
            number(params).and_then(|id| count(chain, id, |block| block.transactions.len()))
        }
        "eth_getBlockTransactionCountByHash" => {
            hash(params).and_then(|id| count(chain, id, |block| block.transactions.len()))
        }
        "eth_getUncleCountByBlockNumber" => number(params).and_then(|id| count(chain, id, |_| 0)),
        "eth_getUncleCountByBlockHash" => hash(params).and_then(|id| count(chain, id, |_| 0)),
        // There are no uncles.
        "eth_getUncleByBlockNumberAndIndex" => number(params).and_then(|_| json(())),
        "eth_getUncleByBlockHashAndIndex" => hash(params).and_then(|_| json(())),
        "eth_getTransactionByHash" => get_transaction(chain, params),
        "eth_getTransactionByBlockNumberAndIndex" => {
            number(params).and_then(|id| get_transaction_by_index(chain, id, params))
        }
        "eth_getTransactionByBlockHashAndIndex" => {
            hash(params).and_then(|id| get_transaction_by_index(chain, id, params))
        }
        "eth_getRawTransactionByHash" => get_raw_transaction(chain, params),
        "eth_getRawTransactionByBlockNumberAndIndex" => {
            number(params).and_then(|id| get_raw_transaction_by_index(chain, id, params))
        }
        "eth_getRawTransactionByBlockHashAndIndex" => {
            hash(params).and_then(|id| get_raw_transaction_by_index(chain, id, params))
        }
        "eth_getTransactionReceipt" => get_receipt(chain, params),
        _ => return None,
    })
}

/// The number of the block with this id; `None` for the pending block.
pub(super) fn resolve(chain: &Chain, id: BlockId) -> RpcResult<Option<u64>> {
    match id {
        BlockId::Hash(hash) => match chain.block_by_hash(hash.block_hash) {
            Some(block) => Ok(Some(block.number())),
            None => Err(server_error(format!("header for hash not found: {}", hash.block_hash))),
        },
        BlockId::Number(tag) => {
            let head = chain.head().number();
            let number = convert::number_of(tag, head);
            if number.is_some_and(|number| number > head) {
                return Err(server_error(format!("header not found: the head is block {head}")));
            }
            Ok(number)
        }
    }
}

/// The next parameter as the number of a block, or a tag.
pub(super) fn number(params: &mut Params<'_>) -> RpcResult<BlockId> {
    params.next().map(BlockId::Number)
}

/// The next parameter as the hash of a block.
pub(super) fn hash(params: &mut Params<'_>) -> RpcResult<BlockId> {
    params.next::<B256>().map(BlockId::from)
}

/// The block with this id; `None` for the pending block, which isn't stored.
fn find_block(chain: &Chain, id: BlockId) -> Option<&Block> {
    match id {
        BlockId::Hash(hash) => chain.block_by_hash(hash.block_hash),
        BlockId::Number(tag) => {
            chain.blocks.get(convert::number_of(tag, chain.head().number())? as usize)
        }
    }
}

/// What `read` returns for the block with this id, which may be the pending one; `None` without the block.
fn read_block<T>(chain: &Chain, id: BlockId, read: impl FnOnce(&Block) -> T) -> Option<T> {
    if id == BlockId::pending() {
        return Some(read(&chain.pending_block()));
    }
    find_block(chain, id).map(read)
}

/// The block with this id, which must exist.
pub(super) fn existing(chain: &Chain, id: BlockId) -> RpcResult<&Block> {
    find_block(chain, id).ok_or_else(|| server_error("block not found"))
}

/// The next parameter as a block id, the latest by default.
pub(super) fn block_id(params: &mut Params<'_>) -> RpcResult<BlockId> {
    params.or(BlockId::latest())
}

/// The state that the next parameter asks for.
fn view<'a>(chain: &'a Chain, params: &mut Params<'_>) -> RpcResult<View<'a>> {
    let number = resolve(chain, block_id(params)?)?;
    chain.view(number.unwrap_or_else(|| chain.head().number())).or_server_error()
}

/// The rules of the chain, which it has from genesis on (EIP-7910). Of the system contracts, only those that
/// are there.
fn config(chain: &Chain) -> EthConfig {
    let ForkHash(fork_id) = ForkHash::from(chain.blocks[0].hash);
    let current = EthForkConfig {
        activation_time: 0,
        blob_schedule: BlobParams::osaka(),
        chain_id: chain.config.chain_id,
        fork_id: fork_id.into(),
        precompiles: exec::precompiles(),
        system_contracts: BTreeMap::from([(
            SystemContract::HistoryStorage,
            HISTORY_STORAGE_ADDRESS,
        )]),
    };
    EthConfig { current, next: None, last: None }
}

fn fee_history(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let count: U64 = params.next()?;
    let head = chain.head().number();
    let newest = convert::number_of(params.next()?, head).unwrap_or(head);
    if newest > head {
        let message = format!("request beyond head block: requested {newest}, head {head}");
        return Err(server_error(message));
    }
    let percentiles: Option<Vec<f64>> = params.optional()?;
    if let Some(percentiles) = &percentiles
        && (percentiles.iter().any(|p| !(0.0..=100.0).contains(p)) || !percentiles.is_sorted())
    {
        return Err(invalid_params("invalid reward percentile: must be ascending, from 0 to 100"));
    }
    if let Some(found) = percentiles.as_ref().map(Vec::len).filter(|len| *len > MAX_PERCENTILES) {
        let message = format!(
            "invalid reward percentile: over the query limit {MAX_PERCENTILES}, found {found}"
        );
        return Err(invalid_params(message));
    }
    json(chain.fee_history(count.to(), newest, percentiles.as_deref()))
}

fn get_balance(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let address = params.next()?;
    json(view(chain, params)?.account(address).map_or(U256::ZERO, |info| info.balance))
}

fn get_transaction_count(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let address = params.next()?;
    let Some(number) = resolve(chain, block_id(params)?)? else {
        return json(U64::from(chain.pool.next_nonce(address, &chain.state)));
    };
    let view = chain.view(number).or_server_error()?;
    json(U64::from(view.account(address).map_or(0, |info| info.nonce)))
}

fn get_code(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let address = params.next()?;
    json(view(chain, params)?.code(address))
}

fn get_storage_at(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, key) = (params.next()?, params.next()?);
    json(B256::from(view(chain, params)?.slot(address, key)))
}

fn get_block(chain: &Chain, id: BlockId, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let full = params.or(false)?;
    json(read_block(chain, id, |block| convert::block(block, full)))
}

fn get_block_receipts(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let block = find_block(chain, params.next()?);
    json(block.map(|block| {
        (0..block.receipts.len())
            .map(|position| convert::receipt(block, position))
            .collect::<Vec<_>>()
    }))
}

/// A number that a block has; null without the block.
fn count(chain: &Chain, id: BlockId, of: fn(&Block) -> usize) -> RpcResult<Box<RawValue>> {
    json(read_block(chain, id, |block| U64::from(of(block))))
}

fn get_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    let mined = chain.find(&hash).map(|(block, position)| convert::mined(block, position));
    json(mined.or_else(|| chain.pool.get(&hash).map(|waiting| convert::waiting(&waiting.tx))))
}

fn get_transaction_by_index(
    chain: &Chain,
    id: BlockId,
    params: &mut Params<'_>,
) -> RpcResult<Box<RawValue>> {
    by_index(chain, id, params, convert::mined)
}

fn get_raw_transaction_by_index(
    chain: &Chain,
    id: BlockId,
    params: &mut Params<'_>,
) -> RpcResult<Box<RawValue>> {
    by_index(chain, id, params, |block, position| {
        Bytes::from(block.transactions[position].encoded_2718())
    })
}

/// What `of` says of a transaction by its position in a block; null without the block or the transaction.
fn by_index<T: Serialize>(
    chain: &Chain,
    id: BlockId,
    params: &mut Params<'_>,
    of: impl FnOnce(&Block, usize) -> T,
) -> RpcResult<Box<RawValue>> {
    let position = position(params)?;
    json(read_block(chain, id, |block| {
        (position < block.transactions.len()).then(|| of(block, position))
    }))
}

/// The next parameter as an index in a block.
fn position(params: &mut Params<'_>) -> RpcResult<usize> {
    let index: U64 = params.next()?;
    Ok(index.to::<u64>() as usize)
}

/// The transaction with this hash, mined or in the pool.
pub(super) fn transaction<'a>(chain: &'a Chain, hash: &B256) -> Option<&'a Tx> {
    let mined = chain.find(hash).map(|(block, position)| &block.transactions[position]);
    mined.or_else(|| chain.pool.get(hash).map(|waiting| &waiting.tx)).map(|tx| &**tx)
}

fn get_raw_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(transaction(chain, &hash).map(|tx| Bytes::from(tx.encoded_2718())))
}

fn get_receipt(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(chain.find(&hash).map(|(block, position)| convert::receipt(block, position)))
}
