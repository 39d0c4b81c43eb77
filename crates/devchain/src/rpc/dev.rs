//! The methods of development nodes about accounts and the chain as a whole, under anvil's names if
//! anvil has them.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    methods::{Method, answer},
    params::Params,
};
use crate::{
    chain::Chain,
    rewind::{self, OldTransactions, SnapshotId},
    transactions,
};

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    answer(&["anvil_setBalance", "hardhat_setBalance", "evm_setAccountBalance"], 2, set_balance),
    answer(&["anvil_addBalance"], 2, add_balance),
    answer(&["anvil_setNonce", "hardhat_setNonce", "evm_setAccountNonce"], 2, set_nonce),
    answer(&["anvil_setCode", "hardhat_setCode", "evm_setAccountCode"], 2, set_code),
    answer(&["anvil_setStorageAt", "hardhat_setStorageAt"], 3, set_storage_at),
    answer(&["anvil_impersonateAccount", "hardhat_impersonateAccount"], 1, |chain, params| {
        chain.impersonated.insert(params.next()?);
        json(())
    }),
    answer(
        &["anvil_stopImpersonatingAccount", "hardhat_stopImpersonatingAccount"],
        1,
        |chain, params| {
            chain.impersonated.remove(&params.next::<Address>()?);
            json(())
        },
    ),
    answer(
        &["anvil_autoImpersonateAccount", "hardhat_autoImpersonateAccount"],
        1,
        |chain, params| {
            chain.impersonate_all = params.next()?;
            json(())
        },
    ),
    answer(&["anvil_snapshot", "evm_snapshot"], 0, |chain, _| {
        json(U256::from(chain.snapshot().number()))
    }),
    answer(&["anvil_revert", "evm_revert"], 1, |chain, params| {
        json(chain.revert(SnapshotId(params.next::<U64>()?.to())).is_ok())
    }),
    answer(&["anvil_reset", "hardhat_reset"], 1, reset),
    answer(&["anvil_reorg"], 2, |chain, params| reorg(chain, params, OldTransactions::Drop)),
    answer(&["devchain_reorg"], 2, |chain, params| {
        reorg(chain, params, OldTransactions::ReturnToPool)
    }),
    answer(&["anvil_rollback"], 1, rollback),
    answer(&["anvil_dumpState", "hardhat_dumpState", "devchain_dump"], 1, |chain, params| {
        // Anvil keeps old states only if this is true. Here a dump always has them.
        params.optional::<bool>()?;
        super::dump(chain)
    }),
    answer(&["anvil_loadState", "hardhat_loadState", "devchain_load"], 1, load),
    // There is no log that could be enabled, and nothing is logged either way.
    answer(&["anvil_setLoggingEnabled", "hardhat_setLoggingEnabled"], 1, |_, params| {
        params.next::<bool>()?;
        json(())
    }),
];

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

/// Replaces blocks. The transactions of the new ones must be signed already.
fn reorg(
    chain: &mut Chain,
    params: &mut Params<'_>,
    old: OldTransactions,
) -> RpcResult<Box<RawValue>> {
    let depth = params.next::<U64>()?.to::<u64>();
    let transactions: Vec<(Bytes, u64)> = params.or(Vec::new())?;
    chain.check_depth(depth).or_server_error()?;
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
    let depth: U64 = params.or(U64::from(1))?;
    chain.remove_blocks(depth.to()).or_server_error()?;
    chain.follow_clock();
    json(())
}

fn load(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let dump: Bytes = params.next()?;
    chain.replace(crate::dump::load(&dump).or_server_error()?);
    json(true)
}
