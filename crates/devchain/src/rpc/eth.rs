//! The methods that every node has.

use std::collections::BTreeMap;

use alloy_consensus::{TrieAccount, proofs::storage_root_unhashed};
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
    methods::{Method, answer},
    params::Params,
};
use crate::{
    block::{Block, Tx},
    chain::Chain,
    exec::{self, View},
    fees::{MAX_PERCENTILES, SUGGESTED_TIP},
};

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    answer(&["eth_chainId"], 0, |chain, _| json(U64::from(chain.config.chain_id))),
    answer(&["eth_config"], 0, |chain, _| json(config(chain))),
    answer(&["net_version"], 0, |chain, _| json(chain.config.chain_id.to_string())),
    answer(&["net_listening"], 0, |_, _| json(true)),
    answer(&["net_peerCount"], 0, |_, _| json(U64::ZERO)),
    answer(&["web3_clientVersion"], 0, |_, _| {
        json(concat!("canon-devchain/v", env!("CARGO_PKG_VERSION")))
    }),
    answer(&["web3_sha3"], 1, |_, params| json(keccak256(params.next::<Bytes>()?))),
    answer(&["eth_syncing", "eth_mining"], 0, |_, _| json(false)),
    answer(&["eth_coinbase"], 0, |chain, _| json(chain.config.coinbase)),
    answer(&["eth_blockNumber"], 0, |chain, _| json(U64::from(chain.head().number()))),
    answer(&["eth_gasPrice"], 0, |chain, _| {
        json(U256::from(u128::from(chain.next_base_fee()) + SUGGESTED_TIP))
    }),
    answer(&["eth_maxPriorityFeePerGas"], 0, |_, _| json(U256::from(SUGGESTED_TIP))),
    answer(&["eth_blobBaseFee"], 0, |_, _| json(U64::from(1))),
    answer(&["eth_baseFee"], 0, |chain, _| json(U64::from(chain.next_base_fee()))),
    answer(&["eth_feeHistory"], 3, |chain, params| fee_history(chain, params)),
    answer(&["eth_getAccount"], 2, |chain, params| get_account(chain, params)),
    answer(&["eth_getBalance"], 2, |chain, params| get_balance(chain, params)),
    answer(&["eth_getTransactionCount"], 2, |chain, params| get_transaction_count(chain, params)),
    answer(&["eth_getCode"], 2, |chain, params| get_code(chain, params)),
    answer(&["eth_getStorageAt"], 3, |chain, params| get_storage_at(chain, params)),
    answer(&["eth_getBlockByNumber"], 2, |chain, params| get_block(chain, number(params)?, params)),
    answer(&["eth_getBlockByHash"], 2, |chain, params| get_block(chain, hash(params)?, params)),
    answer(&["eth_getBlockReceipts"], 1, |chain, params| get_block_receipts(chain, params)),
    answer(&["eth_getBlockTransactionCountByNumber"], 1, |chain, params| {
        count(chain, number(params)?, |block| block.transactions.len())
    }),
    answer(&["eth_getBlockTransactionCountByHash"], 1, |chain, params| {
        count(chain, hash(params)?, |block| block.transactions.len())
    }),
    answer(&["eth_getUncleCountByBlockNumber"], 1, |chain, params| {
        count(chain, number(params)?, |_| 0)
    }),
    answer(&["eth_getUncleCountByBlockHash"], 1, |chain, params| {
        count(chain, hash(params)?, |_| 0)
    }),
    // There are no uncles.
    answer(&["eth_getUncleByBlockNumberAndIndex"], 2, |_, params| {
        number(params).and(position(params)).and(json(()))
    }),
    answer(&["eth_getUncleByBlockHashAndIndex"], 2, |_, params| {
        hash(params).and(position(params)).and(json(()))
    }),
    answer(&["eth_getTransactionByHash"], 1, |chain, params| get_transaction(chain, params)),
    answer(&["eth_getTransactionByBlockNumberAndIndex"], 2, |chain, params| {
        get_transaction_by_index(chain, number(params)?, params)
    }),
    answer(&["eth_getTransactionByBlockHashAndIndex"], 2, |chain, params| {
        get_transaction_by_index(chain, hash(params)?, params)
    }),
    answer(&["eth_getRawTransactionByHash", "debug_getRawTransaction"], 1, |chain, params| {
        get_raw_transaction(chain, params)
    }),
    answer(&["eth_getRawTransactionByBlockNumberAndIndex"], 2, |chain, params| {
        get_raw_transaction_by_index(chain, number(params)?, params)
    }),
    answer(&["eth_getRawTransactionByBlockHashAndIndex"], 2, |chain, params| {
        get_raw_transaction_by_index(chain, hash(params)?, params)
    }),
    answer(&["eth_getTransactionReceipt"], 1, |chain, params| get_receipt(chain, params)),
];

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

/// What `read` returns for the block with this id, which may be the pending one; `None` without the
/// block.
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

/// The rules of the chain, which it has from genesis on (EIP-7910). Of the system contracts, only
/// those that are there.
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

/// An account as the state of a block contains it. Blocks have no root of all accounts, but the one
/// of an account's storage follows from its slots.
fn get_account(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let address = params.next()?;
    let view = view(chain, params)?;
    let info = view.account(address).cloned().unwrap_or_default();
    let storage_root = storage_root_unhashed(view.state.slots(address, view.version));
    json(TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash))
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

/// What `of` says of a transaction by its position in a block; null without the block or the
/// transaction.
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
fn transaction<'a>(chain: &'a Chain, hash: &B256) -> Option<&'a Tx> {
    let mined = chain.find(hash).map(|(block, position)| &block.transactions[position]);
    mined.or_else(|| chain.pool.get(hash).map(|waiting| &waiting.tx)).map(|tx| &**tx)
}

/// Under the name `debug_getRawTransaction`, geth answers with no bytes if there is no such
/// transaction. Here it is null, so that nobody takes it for an empty one.
fn get_raw_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(transaction(chain, &hash).map(|tx| Bytes::from(tx.encoded_2718())))
}

fn get_receipt(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(chain.find(&hash).map(|(block, position)| convert::receipt(block, position)))
}
