//! The configuration as plain data.

use std::num::NonZeroU64;

use alloy_primitives::{Address, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

use super::ImageError;
use crate::{
    chain::MAX_TIMESTAMP,
    config::{DevchainConfig, Mining},
};

/// The largest number of dev accounts in a dump. Each costs the derivation of a key.
const MAX_DEV_ACCOUNTS: u64 = 10_000;

#[derive(Debug, RlpEncodable, RlpDecodable)]
pub(super) struct ConfigImage {
    chain_id: u64,
    genesis_timestamp: u64,
    block_time: u64,
    gas_limit: u64,
    base_fee: u64,
    coinbase: Address,
    seed: u64,
    dev_accounts: u64,
    dev_balance: U256,
    alloc: Vec<Allocation>,
    mining: u8,
    /// The interval's seconds; 0 in the other modes of mining.
    interval: u64,
    history_blocks: u64,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct Allocation {
    address: Address,
    balance: U256,
}

const AUTO: u8 = 0;
const MANUAL: u8 = 1;
const INTERVAL: u8 = 2;

impl ConfigImage {
    pub(super) fn of(config: &DevchainConfig) -> Self {
        let (mining, interval) = match config.mining {
            Mining::Auto => (AUTO, 0),
            Mining::Manual => (MANUAL, 0),
            Mining::Interval(seconds) => (INTERVAL, seconds.get()),
        };
        Self {
            chain_id: config.chain_id,
            genesis_timestamp: config.genesis_timestamp,
            block_time: config.block_time,
            gas_limit: config.gas_limit,
            base_fee: config.base_fee,
            coinbase: config.coinbase,
            seed: config.seed,
            dev_accounts: config.dev_accounts as u64,
            dev_balance: config.dev_balance,
            alloc: config
                .alloc
                .iter()
                .map(|&(address, balance)| Allocation { address, balance })
                .collect(),
            mining,
            interval,
            history_blocks: config.history_blocks,
        }
    }

    pub(super) fn restore(self) -> Result<DevchainConfig, ImageError> {
        if self.dev_accounts > MAX_DEV_ACCOUNTS {
            return Err(ImageError::Config("too many dev accounts"));
        }
        if self.genesis_timestamp > MAX_TIMESTAMP {
            return Err(ImageError::Config("genesis is too late"));
        }
        let mining = match (self.mining, NonZeroU64::new(self.interval)) {
            (AUTO, None) => Mining::Auto,
            (MANUAL, None) => Mining::Manual,
            (INTERVAL, Some(seconds)) => Mining::Interval(seconds),
            _ => return Err(ImageError::Config("no such mode of mining")),
        };
        Ok(DevchainConfig {
            chain_id: self.chain_id,
            genesis_timestamp: self.genesis_timestamp,
            block_time: self.block_time,
            clock: None,
            gas_limit: self.gas_limit,
            base_fee: self.base_fee,
            coinbase: self.coinbase,
            seed: self.seed,
            dev_accounts: self.dev_accounts as usize,
            dev_balance: self.dev_balance,
            alloc: self.alloc.into_iter().map(|item| (item.address, item.balance)).collect(),
            mining,
            history_blocks: self.history_blocks,
            ..DevchainConfig::default()
        })
    }
}
