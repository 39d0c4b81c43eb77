//! The requests that mine blocks, which may be many.

use alloy_primitives::{B256, U64};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Progress, convert,
    error::{OrServerError, RpcResult, invalid_params, not_mined_yet},
    json,
    params::Params,
    sign,
};
use crate::{chain::Chain, config::Mining, mining::MAX_MINED_GAS};

/// The largest number of blocks that one request mines.
const MAX_BLOCKS: u64 = 1_000_000;

/// The number of blocks after which others may use the chain.
const BLOCKS_AT_ONCE: usize = 64;

/// The gas of mined transactions after which others may use the chain.
const GAS_AT_ONCE: u64 = 60_000_000;

/// The blocks that a request has left to mine, and its answer when there are none.
#[derive(Debug)]
pub(crate) struct Mine {
    left: Left,
    answer: Answer,
}

#[derive(Debug)]
enum Left {
    Blocks {
        count: u64,
        /// The seconds between the blocks, if not the usual ones.
        interval: Option<Interval>,
    },
    /// A block for each transaction that can be executed, if they are mined automatically.
    Waiting,
}

/// A number of seconds between the blocks of one request.
#[derive(Clone, Copy, Debug)]
enum Interval {
    /// Before each block, as on anvil.
    Before(u64),
    /// Before each block but the first one, as on Hardhat.
    Between(u64),
}

#[derive(Debug)]
enum Answer {
    Ready(Box<RawValue>),
    /// The receipt of a transaction (EIP-7966).
    Receipt(B256),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MineOptions {
    Timestamp(U64),
    Options { timestamp: Option<U64>, blocks: Option<U64> },
}

impl Mine {
    /// Begins a request that mines blocks; `None` if the method is another one.
    pub(super) fn begin(
        chain: &mut Chain,
        method: &str,
        params: &mut Params<'_>,
    ) -> Option<RpcResult<Self>> {
        Some(match method {
            "evm_mine" => Self::evm(chain, params),
            "anvil_mine" => Self::many(chain, params, Interval::Before),
            "hardhat_mine" => Self::many(chain, params, Interval::Between),
            "eth_sendRawTransactionSync" => sign::send(chain, method, params)?
                .map(|hash| Self { left: Left::Waiting, answer: Answer::Receipt(hash) }),
            _ => sign::send(chain, method, params)?.and_then(|hash| {
                Ok(Self { left: Left::Waiting, answer: Answer::Ready(json(hash)?) })
            }),
        })
    }

    fn evm(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Self> {
        let (timestamp, blocks) = match params.optional()? {
            None => (None, None),
            Some(MineOptions::Timestamp(timestamp)) => (Some(timestamp), None),
            Some(MineOptions::Options { timestamp, blocks }) => (timestamp, blocks),
        };
        let mine = Self::blocks(blocks, None, json("0x0")?)?;
        if let Some(timestamp) = timestamp {
            chain.set_next_timestamp(timestamp.to()).or_server_error()?;
        }
        Ok(mine)
    }

    fn many(
        chain: &Chain,
        params: &mut Params<'_>,
        interval_of: fn(u64) -> Interval,
    ) -> RpcResult<Self> {
        let blocks: Option<U64> = params.optional()?;
        let interval: Option<U64> = params.optional()?;
        // Clients write zero for the usual interval.
        let seconds = interval.map(|interval| interval.to()).filter(|seconds| *seconds > 0);
        let mine = Self::blocks(blocks, seconds.map(interval_of), json(())?)?;
        if let (Left::Blocks { count, .. }, Some(seconds)) = (&mine.left, seconds) {
            chain.check_seconds(seconds, *count).or_server_error()?;
        }
        Ok(mine)
    }

    fn blocks(
        blocks: Option<U64>,
        interval: Option<Interval>,
        answer: Box<RawValue>,
    ) -> RpcResult<Self> {
        let count = blocks.map_or(1, |blocks| blocks.to());
        if count > MAX_BLOCKS {
            let message = format!(
                "too many blocks: found {count}, expected at most {MAX_BLOCKS}; mine the rest with \
                 further requests"
            );
            return Err(invalid_params(message));
        }
        Ok(Self { left: Left::Blocks { count, interval }, answer: Answer::Ready(answer) })
    }

    /// Mines the next blocks, up to an amount that doesn't take long.
    pub(crate) fn some(mut self, chain: &mut Chain) -> Progress {
        let mut gas = 0;
        for _ in 0..BLOCKS_AT_ONCE {
            match self.left.mine_one(chain) {
                Ok(Some(used)) => gas += used,
                Ok(None) => return Progress::Answered(self.answer.read(chain)),
                Err(error) => return Progress::Answered(Err(error)),
            }
            if gas >= GAS_AT_ONCE {
                break;
            }
        }
        Progress::Mining(self)
    }
}

impl Left {
    /// Mines one block. Returns the gas of its transactions; `None` if nothing was left.
    fn mine_one(&mut self, chain: &mut Chain) -> RpcResult<Option<u64>> {
        let is_done = match self {
            Self::Blocks { count, .. } => *count == 0,
            // Another request may have changed the mode meanwhile.
            Self::Waiting => *chain.mining.borrow() != Mining::Auto,
        };
        if is_done {
            return Ok(None);
        }
        chain.check_room().or_server_error()?;
        Ok(match self {
            Self::Blocks { count, interval } => {
                *count -= 1;
                if let Some(Interval::Before(seconds)) = *interval {
                    chain.advance_time(seconds);
                }
                let mined = chain.mine(MAX_MINED_GAS);
                if let (Some(Interval::Between(seconds)), 1..) = (*interval, *count) {
                    chain.increase_time(seconds);
                }
                Some(mined.gas_used)
            }
            Self::Waiting => chain.mine_waiting(),
        })
    }
}

impl Answer {
    /// The chain doesn't wait for a receipt: if the transaction isn't mined yet, this is an error, and
    /// the transaction stays in the pool.
    fn read(self, chain: &Chain) -> RpcResult<Box<RawValue>> {
        match self {
            Self::Ready(answer) => Ok(answer),
            Self::Receipt(hash) => {
                let (block, position) = chain.find(&hash).ok_or_else(|| not_mined_yet(hash))?;
                json(convert::receipt(block, position))
            }
        }
    }
}
