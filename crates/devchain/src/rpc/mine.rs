//! The requests that mine blocks, which may be many.

use alloy_primitives::U64;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Progress,
    error::{OrServerError, RpcResult, invalid_params},
    json,
    params::Params,
};
use crate::chain::Chain;

/// The largest number of blocks that one request mines.
const MAX_BLOCKS: u64 = 1_000_000;

/// The number of blocks after which others may use the chain.
const BLOCKS_AT_ONCE: u64 = 64;

/// Blocks that are left to mine, and the answer when there are none.
#[derive(Debug)]
pub(crate) struct Mine {
    left: u64,
    /// The seconds from the next block to the one after it, if not the usual ones.
    interval: Option<u64>,
    answer: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MineOptions {
    Timestamp(U64),
    Options { timestamp: Option<U64>, blocks: Option<U64> },
}

impl Mine {
    /// Reads a request that mines blocks; `None` if the method is another one.
    pub(super) fn read(
        chain: &mut Chain,
        method: &str,
        params: &mut Params<'_>,
    ) -> Option<RpcResult<Self>> {
        match method {
            "evm_mine" => Some(Self::evm(chain, params)),
            "anvil_mine" | "hardhat_mine" => Some(Self::anvil(params)),
            _ => None,
        }
    }

    fn evm(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Self> {
        let (timestamp, blocks) = match params.optional()? {
            None => (None, None),
            Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
            Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
        };
        let mine = Self::new(blocks, None, json("0x0")?)?;
        if let Some(timestamp) = timestamp {
            chain.set_next_timestamp(timestamp.to()).or_server_error()?;
        }
        Ok(mine)
    }

    fn anvil(params: &mut Params<'_>) -> RpcResult<Self> {
        let blocks = params.optional()?;
        let interval: Option<U64> = params.optional()?;
        // Clients write zero for the usual interval.
        let interval = interval.map(|interval| interval.to()).filter(|interval| *interval > 0);
        Self::new(blocks, interval, json(())?)
    }

    fn new(blocks: Option<U64>, interval: Option<u64>, answer: Box<RawValue>) -> RpcResult<Self> {
        let left = blocks.map_or(1, |blocks| blocks.to());
        if left > MAX_BLOCKS {
            let message = format!(
                "too many blocks: found {left}, expected at most {MAX_BLOCKS}; mine the rest with \
                 further requests"
            );
            return Err(invalid_params(message));
        }
        Ok(Self { left, interval, answer })
    }

    /// Mines the next blocks, up to a number that doesn't take long.
    pub(crate) fn some(mut self, chain: &mut Chain) -> Progress {
        for _ in 0..self.left.min(BLOCKS_AT_ONCE) {
            chain.mine();
            self.left -= 1;
            if let Some(interval) = self.interval.filter(|_| self.left > 0) {
                chain.increase_time(interval);
            }
        }
        if self.left == 0 { Progress::Answered(Ok(self.answer)) } else { Progress::Mining(self) }
    }
}
