//! The methods of development nodes about accounts and the chain as a whole, under anvil's names if
//! anvil has them.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    params::Params,
};
use crate::{
    chain::Chain,
    rewind::{self, OldTransactions, SnapshotId},
    transactions,
};

/// The largest number of blocks that one request removes: the usual length of the history. Snapshots keep more.
const MAX_DEPTH: u64 = 1_024;

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "anvil_setBalance" | "hardhat_setBalance" | "evm_setAccountBalance" => {
            set_balance(chain, params)
        }
        "anvil_addBalance" => add_balance(chain, params),
        "anvil_setNonce" | "hardhat_setNonce" | "evm_setAccountNonce" => set_nonce(chain, params),
        "anvil_setCode" | "hardhat_setCode" | "evm_setAccountCode" => set_code(chain, params),
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
        "anvil_autoImpersonateAccount" | "hardhat_autoImpersonateAccount" => {
            params.next().and_then(|enabled| {
                chain.impersonate_all = enabled;
                json(())
            })
        }
        "anvil_snapshot" | "evm_snapshot" => json(U256::from(chain.snapshot().number())),
        "anvil_revert" | "evm_revert" => {
            params.next::<U64>().and_then(|id| json(chain.revert(SnapshotId(id.to())).is_ok()))
        }
        "anvil_reset" | "hardhat_reset" => reset(chain, params),
        "anvil_reorg" => reorg(chain, params, OldTransactions::Drop),
        "devchain_reorg" => reorg(chain, params, OldTransactions::ReturnToPool),
        "anvil_rollback" => rollback(chain, params),
        "anvil_dumpState" | "hardhat_dumpState" | "devchain_dump" => super::dump(chain),
        "anvil_loadState" | "hardhat_loadState" | "devchain_load" => load(chain, params),
        // There is no log that could be enabled, and nothing is logged either way.
        "anvil_setLoggingEnabled" | "hardhat_setLoggingEnabled" => {
            params.next::<bool>().and_then(|_| json(()))
        }
        _ => return None,
    })
}

fn set_balance(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, balance) = (params.next()?, params.next()?);
    chain.set_balance(address, balance);
    json(())
}

fn add_balance(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (address, more): (Address, U256) = (params.next()?, params.next()?);
    let balance = chain.state.balance(address).checked_add(more);
    let balance = balance.ok_or_else(|| invalid_params("the balance would exceed 256 bits"))?;
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

/// The options of a reset. Those of a fork may be there without a value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResetOptions {
    forking: Option<Forking>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Forking {
    json_rpc_url: Option<Value>,
}

/// Starts again from genesis.
fn reset(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let options: Option<ResetOptions> = params.optional()?;
    let forking = options.and_then(|options| options.forking);
    if forking.is_some_and(|forking| forking.json_rpc_url.is_some()) {
        return Err(invalid_params(
            "the devchain can't fork another chain: leave out `jsonRpcUrl`",
        ));
    }
    chain.replace(Chain::new(chain.genesis.clone()));
    json(())
}

/// Refuses to remove blocks that aren't there, or too many of them.
fn check_depth(chain: &Chain, depth: u64, next: &str) -> RpcResult<()> {
    chain.check_depth(depth).or_server_error()?;
    if depth > MAX_DEPTH {
        let message =
            format!("too many blocks: found {depth}, expected at most {MAX_DEPTH}; {next}");
        return Err(invalid_params(message));
    }
    Ok(())
}

/// Replaces blocks. The transactions of the new ones must be signed already.
fn reorg(
    chain: &mut Chain,
    params: &mut Params<'_>,
    old: OldTransactions,
) -> RpcResult<Box<RawValue>> {
    let depth = params.next::<U64>()?.to::<u64>();
    let transactions: Vec<(Bytes, u64)> = params.or(Vec::new())?;
    check_depth(chain, depth, "a snapshot (`evm_revert`) removes any number of blocks")?;
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
    rewind::check_gas(&blocks).map_err(invalid_params)?;
    chain.reorg(depth, blocks, old).or_server_error()?;
    json(())
}

/// Removes blocks, one by default, with their transactions.
fn rollback(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let depth = params.or(U64::from(1))?.to::<u64>();
    check_depth(chain, depth, "remove the rest with further requests")?;
    chain.remove_blocks(depth).or_server_error()?;
    chain.follow_clock();
    json(())
}

fn load(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let dump: Bytes = params.next()?;
    chain.replace(crate::dump::load(&dump).or_server_error()?);
    json(true)
}
