//! The methods that every node has.

use alloy_eips::{BlockId, BlockNumberOrTag, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides, Filter, FilterBlockOption, Log, TransactionRequest, state::StateOverride,
};
use serde_json::value::RawValue;

use super::{
    convert,
    error::{OrServerError, RpcResult, invalid_params, not_mined_yet, server_error},
    json,
    params::Params,
};
use crate::{
    block::Block,
    calls::{Overrides, Target},
    chain::Chain,
    error::Error,
    exec::View,
    fees::SUGGESTED_TIP,
    logs, transactions,
};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "eth_chainId" => json(U64::from(chain.config.chain_id)),
        "net_version" => json(chain.config.chain_id.to_string()),
        "net_listening" => json(true),
        "web3_clientVersion" => json(concat!("canon-devchain/v", env!("CARGO_PKG_VERSION"))),
        "web3_sha3" => params.next::<Bytes>().and_then(|bytes| json(keccak256(bytes))),
        "eth_syncing" | "eth_mining" => json(false),
        "eth_accounts" => {
            json(chain.signers.iter().map(|signer| signer.address()).collect::<Vec<_>>())
        }
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
        "eth_call" => call(chain, params),
        "eth_estimateGas" => estimate_gas(chain, params),
        "eth_createAccessList" => create_access_list(chain, params),
        "eth_getBlockByNumber" | "eth_getBlockByHash" => get_block(chain, params),
        "eth_getBlockReceipts" => get_block_receipts(chain, params),
        "eth_getBlockTransactionCountByNumber" | "eth_getBlockTransactionCountByHash" => {
            get_block_transaction_count(chain, params)
        }
        "eth_getUncleCountByBlockNumber" | "eth_getUncleCountByBlockHash" => json(U64::ZERO),
        "eth_getTransactionByHash" => get_transaction(chain, params),
        "eth_getTransactionByBlockNumberAndIndex" | "eth_getTransactionByBlockHashAndIndex" => {
            get_transaction_by_index(chain, params)
        }
        "eth_getRawTransactionByHash" => get_raw_transaction(chain, params),
        "eth_getTransactionReceipt" => get_receipt(chain, params),
        "eth_getLogs" => get_logs(chain, params),
        "eth_newFilter" => new_filter(chain, params),
        "eth_newBlockFilter" => {
            let next = chain.head().number() + 1;
            json(chain.filters.watch_blocks(next))
        }
        "eth_newPendingTransactionFilter" => {
            let next = chain.head().number() + 1;
            json(chain.filters.watch_pending(next))
        }
        "eth_getFilterChanges" => get_filter_changes(chain, params),
        "eth_getFilterLogs" => get_filter_logs(chain, params),
        "eth_uninstallFilter" => params.next().and_then(|id| json(chain.filters.uninstall(id))),
        "eth_sendRawTransaction" => send_raw_transaction(chain, params),
        "eth_sendRawTransactionSync" => send_raw_transaction_sync(chain, params),
        "eth_sendTransaction" => send_transaction(chain, params),
        "eth_signTransaction" => sign_transaction(chain, params),
        _ => return None,
    })
}

/// The number of the block with this id; `None` for the pending block.
fn resolve(chain: &Chain, id: BlockId) -> RpcResult<Option<u64>> {
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

/// The block with this id; `None` for the pending block, which isn't stored.
fn find_block(chain: &Chain, id: BlockId) -> Option<&Block> {
    match id {
        BlockId::Hash(hash) => chain.block_by_hash(hash.block_hash),
        BlockId::Number(tag) => {
            chain.blocks.get(convert::number_of(tag, chain.head().number())? as usize)
        }
    }
}

/// The next parameter as a block id, the latest by default.
fn block_id(params: &mut Params<'_>) -> RpcResult<BlockId> {
    params.or(BlockId::latest())
}

/// The state that the next parameter asks for.
fn view<'a>(chain: &'a Chain, params: &mut Params<'_>) -> RpcResult<View<'a>> {
    let number = resolve(chain, block_id(params)?)?;
    chain.view(number.unwrap_or_else(|| chain.head().number())).or_server_error()
}

fn fee_history(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let count: U64 = params.next()?;
    let newest = resolve(chain, BlockId::Number(params.next()?))?;
    let percentiles: Option<Vec<f64>> = params.optional()?;
    if let Some(percentiles) = &percentiles
        && (percentiles.iter().any(|p| !(0.0..=100.0).contains(p)) || !percentiles.is_sorted())
    {
        return Err(invalid_params("invalid reward percentile: must be ascending, from 0 to 100"));
    }
    let newest = newest.unwrap_or_else(|| chain.head().number());
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

/// The request, the block and the overrides of a call.
fn call_params<'a>(
    chain: &'a Chain,
    params: &mut Params<'_>,
    default: BlockId,
) -> RpcResult<(TransactionRequest, Target<'a>, Overrides)> {
    let request = params.next()?;
    let number = resolve(chain, params.or(default)?)?;
    let state: Option<StateOverride> = params.optional()?;
    let block: Option<BlockOverrides> = params.optional()?;
    Ok((request, chain.target(number)?, Overrides { state, block }))
}

fn call(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, target, overrides) = call_params(chain, params, BlockId::latest())?;
    json(chain.call(request, target, overrides)?)
}

fn estimate_gas(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    // The transaction is meant for the next block, so it is tried there.
    let (request, target, overrides) = call_params(chain, params, BlockId::pending())?;
    json(U64::from(chain.estimate(request, target, overrides)?))
}

fn create_access_list(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, target, _) = call_params(chain, params, BlockId::pending())?;
    json(chain.access_list(request, target)?)
}

fn get_block(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let id = params.next()?;
    let full = params.or(false)?;
    if id == BlockId::pending() {
        let pending = Block::seal(chain.next_header(), Vec::new(), 0);
        return json(convert::block(&pending, full));
    }
    json(find_block(chain, id).map(|block| convert::block(block, full)))
}

fn get_block_receipts(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let block = find_block(chain, params.next()?);
    json(block.map(|block| {
        (0..block.receipts.len())
            .map(|position| convert::receipt(block, position))
            .collect::<Vec<_>>()
    }))
}

fn get_block_transaction_count(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let block = find_block(chain, params.next()?);
    json(block.map(|block| U64::from(block.transactions.len())))
}

fn get_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    let mined = chain.find(&hash).map(|(block, position)| convert::mined(block, position));
    json(mined.or_else(|| chain.pool.get(&hash).map(|waiting| convert::waiting(&waiting.tx))))
}

fn get_transaction_by_index(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (id, index): (BlockId, U64) = (params.next()?, params.next()?);
    let position = index.to::<u64>() as usize;
    let block = find_block(chain, id).filter(|block| position < block.transactions.len());
    json(block.map(|block| convert::mined(block, position)))
}

fn get_raw_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    let mined = chain.find(&hash).map(|(block, position)| &block.transactions[position]);
    let tx = mined.or_else(|| chain.pool.get(&hash).map(|waiting| &waiting.tx));
    json(tx.map(|tx| Bytes::from(tx.encoded_2718())))
}

fn get_receipt(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    json(chain.find(&hash).map(|(block, position)| convert::receipt(block, position)))
}

/// The logs on the chain that match a filter, including its block range.
fn find_logs(chain: &Chain, filter: &Filter) -> RpcResult<Vec<Log>> {
    let head = chain.head().number();
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let block = chain.block_by_hash(hash).ok_or_else(|| server_error("unknown block"))?;
            Ok(logs::matching_logs(block, filter).collect())
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let number = |bound: Option<BlockNumberOrTag>| {
                convert::number_of(bound.unwrap_or_default(), head).unwrap_or(head + 1)
            };
            let (first, last) = (number(from_block), number(to_block));
            if first > last {
                return Err(invalid_params("invalid block range params"));
            }
            Ok(logs::search(&chain.blocks, &chain.emitters, filter, first, last.min(head)))
        }
    }
}

fn get_logs(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(find_logs(chain, &params.next()?)?)
}

fn new_filter(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let next = chain.head().number() + 1;
    json(chain.filters.watch_logs(params.next()?, next))
}

fn get_filter_changes(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(chain.filter_changes(params.next()?).ok_or_else(|| server_error("filter not found"))?)
}

fn get_filter_logs(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let filter = chain.filters.log_filter(params.next()?);
    json(find_logs(chain, filter.ok_or_else(|| server_error("filter not found"))?)?)
}

fn send_raw_transaction(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let raw: Bytes = params.next()?;
    let tx = transactions::decode(&raw).or_server_error()?;
    json(chain.submit(tx).or_server_error()?)
}

/// Answers with the receipt (EIP-7966). The chain doesn't wait: if the transaction isn't mined at
/// once, this returns an error, and the transaction stays in the pool.
fn send_raw_transaction_sync(
    chain: &mut Chain,
    params: &mut Params<'_>,
) -> RpcResult<Box<RawValue>> {
    let raw: Bytes = params.next()?;
    let tx = transactions::decode(&raw).or_server_error()?;
    let hash = chain.submit(tx).or_server_error()?;
    let (block, position) = chain.find(&hash).ok_or_else(|| not_mined_yet(hash))?;
    json(convert::receipt(block, position))
}

fn send_transaction(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, from) = transaction_of_sender(params)?;
    let tx = transactions::fill(chain, request, from)?;
    json(chain.submit(tx).or_server_error()?)
}

/// Answers with the encoding of the signed transaction, as anvil does. Geth returns it in an
/// object.
fn sign_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, from) = transaction_of_sender(params)?;
    // The placeholder signature of an impersonated account isn't valid anywhere else.
    if chain.signer(from).is_none() || chain.is_impersonated(from) {
        return Err(Error::UnknownSigner(from)).or_server_error();
    }
    json(Bytes::from(transactions::fill(chain, request, from)?.encoded_2718()))
}

/// A transaction and its sender, which must be given.
fn transaction_of_sender(params: &mut Params<'_>) -> RpcResult<(TransactionRequest, Address)> {
    let request: TransactionRequest = params.next()?;
    let from: Option<Address> = request.from;
    let from = from.ok_or_else(|| invalid_params("missing `from`"))?;
    Ok((request, from))
}
