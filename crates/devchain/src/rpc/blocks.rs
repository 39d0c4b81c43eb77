//! The methods that set when and how blocks are made.

use std::num::NonZeroU64;

use alloy_primitives::{Address, B256, U64};
use serde_json::value::RawValue;

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    params::Params,
};
use crate::{chain::Chain, config::Mining};

/// The smallest gas limit of a block (`MinGasLimit` of geth).
const MIN_GAS_LIMIT: u64 = 5_000;

/// A time above this counts milliseconds, as on anvil.
const MAX_SECONDS: u64 = 1_000_000_000_000;

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "anvil_setAutomine" | "evm_setAutomine" => set_automine(chain, params),
        "anvil_getAutomine" | "hardhat_getAutomine" => json(mining(chain) == Mining::Auto),
        "anvil_setIntervalMining" | "evm_setIntervalMining" => set_interval_mining(chain, params),
        "anvil_getIntervalMining" => json(match mining(chain) {
            Mining::Interval(seconds) => Some(seconds),
            Mining::Auto | Mining::Manual => None,
        }),
        "anvil_setNextBlockTimestamp" | "evm_setNextBlockTimestamp" => {
            set_next_timestamp(chain, params)
        }
        "anvil_increaseTime" | "evm_increaseTime" => increase_time(chain, params),
        "anvil_setTime" | "evm_setTime" => set_time(chain, params),
        "anvil_setBlockTimestampInterval" => set_timestamp_interval(chain, params),
        "anvil_removeBlockTimestampInterval" => json(chain.timestamp_interval.take().is_some()),
        "anvil_setNextBlockBaseFeePerGas" | "hardhat_setNextBlockBaseFeePerGas" => {
            set_next_base_fee(chain, params)
        }
        "anvil_setMinGasPrice" | "hardhat_setMinGasPrice" => Err(invalid_params(format!(
            "{method} is not supported when EIP-1559 is active: set the base fee of the next block"
        ))),
        "anvil_setBlockGasLimit" | "evm_setBlockGasLimit" => set_gas_limit(chain, params),
        "anvil_setCoinbase" | "hardhat_setCoinbase" => set_coinbase(chain, params),
        "anvil_setPrevRandao" | "hardhat_setPrevRandao" => set_prevrandao(chain, params),
        _ => return None,
    })
}

fn mining(chain: &Chain) -> Mining {
    *chain.mining.borrow()
}

/// As on anvil, this only ends automatic mining, not the one at intervals.
fn set_automine(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    match (params.next()?, mining(chain)) {
        (true, _) => chain.set_mining(Mining::Auto),
        (false, Mining::Auto) => chain.set_mining(Mining::Manual),
        (false, Mining::Manual | Mining::Interval(_)) => {}
    }
    json(())
}

fn set_interval_mining(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let seconds: U64 = params.next()?;
    let seconds = NonZeroU64::new(seconds.to());
    chain.set_mining(seconds.map_or(Mining::Manual, Mining::Interval));
    json(())
}

fn set_next_timestamp(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let timestamp: U64 = params.next()?;
    chain.set_next_timestamp(timestamp.to()).or_server_error()?;
    json(())
}

fn increase_time(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let seconds: U64 = params.next()?;
    chain.check_seconds(seconds.to(), 1).or_server_error()?;
    json(chain.advance_time(seconds.to()))
}

/// Sets the time of the clock. Answers with the seconds from the time before, 0 if it was later.
fn set_time(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let time: U64 = params.next()?;
    let time = match time.to::<u64>() {
        milliseconds if milliseconds > MAX_SECONDS => milliseconds / 1000,
        seconds => seconds,
    };
    let before = chain.next_timestamp();
    chain.set_clock_time(time).or_server_error()?;
    json(time.saturating_sub(before))
}

fn set_timestamp_interval(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let seconds: U64 = params.next()?;
    chain.check_seconds(seconds.to(), 1).or_server_error()?;
    chain.timestamp_interval = Some(seconds.to());
    json(())
}

fn set_next_base_fee(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let base_fee: U64 = params.next()?;
    chain.next.base_fee = Some(base_fee.to());
    json(())
}

fn set_gas_limit(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let gas_limit: U64 = params.next()?;
    let gas_limit = gas_limit.to();
    if gas_limit < MIN_GAS_LIMIT {
        return Err(invalid_params(format!(
            "gas limit of a block: found {gas_limit}, expected at least {MIN_GAS_LIMIT}"
        )));
    }
    chain.config.gas_limit = gas_limit;
    json(true)
}

fn set_coinbase(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let coinbase: Address = params.next()?;
    chain.config.coinbase = coinbase;
    json(())
}

fn set_prevrandao(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let prevrandao: B256 = params.next()?;
    chain.next.prevrandao = Some(prevrandao);
    json(())
}
