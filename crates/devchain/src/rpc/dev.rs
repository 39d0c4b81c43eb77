//! The methods that only development nodes have, under anvil's names if anvil has them.

use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::{json as value, value::RawValue};

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    params::Params,
};
use crate::{
    chain::Chain,
    config::Mining,
    rewind::{OldTransactions, SnapshotId},
    transactions,
};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "evm_mine" => evm_mine(chain, params),
        "anvil_mine" | "hardhat_mine" => anvil_mine(chain, params),
        "evm_setAutomine" => set_automine(chain, params),
        "anvil_getAutomine" | "hardhat_getAutomine" => json(chain.mining == Mining::Auto),
        "evm_setNextBlockTimestamp" => set_next_timestamp(chain, params),
        "evm_increaseTime" => increase_time(chain, params),
        "anvil_setNextBlockBaseFeePerGas" | "hardhat_setNextBlockBaseFeePerGas" => {
            set_next_base_fee(chain, params)
        }
        "anvil_setPrevRandao" | "hardhat_setPrevRandao" => set_prevrandao(chain, params),
        "anvil_setBalance" | "hardhat_setBalance" => set_balance(chain, params),
        "anvil_setNonce" | "hardhat_setNonce" | "evm_setAccountNonce" => set_nonce(chain, params),
        "anvil_setCode" | "hardhat_setCode" => set_code(chain, params),
        "anvil_setStorageAt" | "hardhat_setStorageAt" => set_storage_at(chain, params),
        "anvil_impersonateAccount" | "hardhat_impersonateAccount" => {
            params.next().and_then(|account| {
                chain.impersonated.insert(account);
                json(())
            })
        }
        "anvil_stopImpersonatingAccount" | "hardhat_stopImpersonatingAccount" => {
            params.next::<Address>().and_then(|account| {
                chain.impersonated.remove(&account);
                json(())
            })
        }
        "anvil_autoImpersonateAccount" => params.next().and_then(|enabled| {
            chain.impersonate_all = enabled;
            json(())
        }),
        "anvil_dropTransaction" | "hardhat_dropTransaction" => drop_transaction(chain, params),
        "anvil_dropAllTransactions" => {
            chain.pool.clear();
            json(())
        }
        "txpool_status" => json(txpool_status(chain)),
        "evm_snapshot" => json(U256::from(chain.snapshot().number())),
        "evm_revert" => {
            params.next::<U64>().and_then(|id| json(chain.revert(SnapshotId(id.to())).is_ok()))
        }
        "anvil_reorg" => reorg(chain, params, OldTransactions::Drop),
        "devchain_reorg" => reorg(chain, params, OldTransactions::ReturnToPool),
        "devchain_dump" => json(Bytes::from(crate::dump::dump(chain))),
        "devchain_load" => load(chain, params),
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MineOptions {
    Timestamp(U64),
    Options { timestamp: Option<U64>, blocks: Option<U64> },
}

fn evm_mine(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (timestamp, blocks) = match params.optional()? {
        None => (None, None),
        Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
        Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
    };
    if let Some(timestamp) = timestamp {
        chain.set_next_timestamp(timestamp.to()).or_server_error()?;
    }
    for _ in 0..blocks.map_or(1, |blocks| blocks.to()) {
        chain.mine();
    }
    json("0x0")
}

fn anvil_mine(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let blocks: U64 = params.or(U64::from(1))?;
    let interval: Option<U64> = params.optional()?;
    for index in 0..blocks.to::<u64>() {
        if let Some(interval) = interval.filter(|_| index > 0) {
            chain.increase_time(interval.to());
        }
        chain.mine();
    }
    json(())
}

fn set_automine(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    chain.set_mining(if params.next()? { Mining::Auto } else { Mining::Manual });
    json(())
}

fn set_next_timestamp(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let timestamp: U64 = params.next()?;
    chain.set_next_timestamp(timestamp.to()).or_server_error()?;
    json(())
}

fn increase_time(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let seconds: U64 = params.next()?;
    chain.increase_time(seconds.to());
    json(seconds.to::<u64>())
}

fn set_next_base_fee(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let base_fee: U64 = params.next()?;
    chain.next.base_fee = Some(base_fee.to());
    json(())
}

fn set_prevrandao(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let prevrandao: B256 = params.next()?;
    chain.next.prevrandao = Some(prevrandao);
    json(())
}

fn set_balance(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, balance) = (params.next()?, params.next()?);
    chain.set_balance(address, balance);
    json(())
}

fn set_nonce(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, nonce): (Address, U64) = (params.next()?, params.next()?);
    chain.state.edit(address, |info| info.nonce = nonce.to());
    json(())
}

fn set_code(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, code): (Address, Bytes) = (params.next()?, params.next()?);
    chain.state.set_code(address, code).map_err(invalid_params)?;
    json(())
}

fn set_storage_at(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, key, word): (Address, U256, B256) =
        (params.next()?, params.next()?, params.next()?);
    chain.state.set_slot(address, key, word.into());
    json(true)
}

fn drop_transaction(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    let Some(waiting) = chain.pool.get(&hash) else { return json(None::<B256>) };
    let (sender, nonce) = (waiting.tx.signer(), waiting.tx.nonce());
    chain.pool.remove(sender, nonce);
    json(hash)
}

fn txpool_status(chain: &Chain) -> serde_json::Value {
    let pending = chain.pool.ready(&chain.state, 0).len();
    let queued = chain.pool.len() - pending;
    value!({ "pending": U64::from(pending), "queued": U64::from(queued) })
}

/// Replaces blocks. The transactions of the new ones must be signed already.
fn reorg(
    chain: &mut Chain,
    params: &mut Params<'_>,
    old: OldTransactions,
) -> RpcResult<Box<RawValue>> {
    let depth = params.next::<U64>()?.to::<u64>();
    let transactions: Vec<(Bytes, u64)> = params.or(Vec::new())?;
    let mut blocks = Vec::new();
    for (raw, index) in transactions {
        if index >= depth {
            let message = format!("block index {index} is not below the depth, {depth}");
            return Err(invalid_params(message));
        }
        let index = index as usize;
        blocks.resize(blocks.len().max(index + 1), Vec::new());
        blocks[index].push(transactions::decode(&raw).or_server_error()?.into());
    }
    chain.reorg(depth, blocks, old).or_server_error()?;
    json(())
}

fn load(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let dump: Bytes = params.next()?;
    *chain = crate::dump::load(&dump).or_server_error()?;
    json(true)
}
