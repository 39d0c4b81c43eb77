//! The methods that set when and how blocks are made.

use std::num::NonZeroU64;

use alloy_primitives::{Address, B256, U64};
use serde_json::value::RawValue;

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    methods::{Method, answer},
    params::Params,
};
use crate::{chain::Chain, config::Mining};

/// The smallest gas limit of a block (`MinGasLimit` of geth).
const MIN_GAS_LIMIT: u64 = 5_000;

/// A time above this counts milliseconds, as on anvil.
const MAX_SECONDS: u64 = 1_000_000_000_000;

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    answer(&["anvil_setAutomine", "evm_setAutomine"], 1, |chain, params| {
        set_automine(chain, params)
    }),
    answer(&["anvil_getAutomine", "hardhat_getAutomine"], 0, |chain, _| {
        json(mining(chain) == Mining::Auto)
    }),
    answer(&["anvil_setIntervalMining", "evm_setIntervalMining"], 1, |chain, params| {
        set_interval_mining(chain, params)
    }),
    answer(&["anvil_getIntervalMining"], 0, |chain, _| {
        json(match mining(chain) {
            Mining::Interval(seconds) => Some(seconds),
            Mining::Auto | Mining::Manual => None,
        })
    }),
    answer(&["anvil_setNextBlockTimestamp", "evm_setNextBlockTimestamp"], 1, set_next_timestamp),
    answer(&["anvil_increaseTime", "evm_increaseTime"], 1, increase_time),
    answer(&["anvil_setTime", "evm_setTime"], 1, set_time),
    answer(&["anvil_setBlockTimestampInterval"], 1, set_timestamp_interval),
    answer(&["anvil_removeBlockTimestampInterval"], 0, |chain, _| {
        json(chain.timestamp_interval.take().is_some())
    }),
    answer(
        &["anvil_setNextBlockBaseFeePerGas", "hardhat_setNextBlockBaseFeePerGas"],
        1,
        set_next_base_fee,
    ),
    answer(&["anvil_setMinGasPrice", "hardhat_setMinGasPrice"], 1, |_, _| {
        Err(invalid_params(
            "a minimum gas price is not supported when EIP-1559 is active: set the base fee of the \
             next block (anvil_setNextBlockBaseFeePerGas)",
        ))
    }),
    answer(&["anvil_setBlockGasLimit", "evm_setBlockGasLimit"], 1, set_gas_limit),
    answer(&["anvil_setCoinbase", "hardhat_setCoinbase"], 1, set_coinbase),
    answer(&["anvil_setPrevRandao", "hardhat_setPrevRandao"], 1, set_prevrandao),
];

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
