//! The requests that mine blocks, which may be many.

use alloy_primitives::{B256, Bytes, U64};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Progress, convert,
    error::{OrServerError, RpcResult, invalid_params, not_mined_yet},
    json,
    methods::{Method, mine},
    params::Params,
    sign,
};
use crate::{
    block::Tx,
    calls::MAX_CALL_GAS,
    chain::Chain,
    config::Mining,
    transactions::{self, Signing},
};

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
        /// The seconds from each block to the next one, if not the usual ones.
        interval: Option<u64>,
    },
    /// A block for each transaction that can be executed, if they are mined automatically.
    Waiting,
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

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    mine(&["evm_mine"], 1, Mine::evm),
    mine(&["anvil_mine", "hardhat_mine"], 2, |chain, params| Mine::anvil(chain, params)),
    mine(&["eth_sendTransaction"], 1, |chain, params| {
        let tx = sign::completed(chain, params, Signing::ValidUnlessImpersonated)?;
        Mine::sending(chain, tx)
    }),
    mine(&["eth_sendUnsignedTransaction"], 1, |chain, params| {
        let tx = sign::completed(chain, params, Signing::Placeholder)?;
        Mine::sending(chain, tx)
    }),
    mine(&["eth_sendRawTransaction"], 1, |chain, params| {
        let tx = transactions::decode(&params.next::<Bytes>()?).or_server_error()?;
        Mine::sending(chain, tx)
    }),
    mine(&["eth_sendRawTransactionSync"], 2, |chain, params| {
        let raw = params.next::<Bytes>()?;
        // The chain never waits for a block, however long the client would.
        params.optional::<U64>()?;
        let tx = transactions::decode(&raw).or_server_error()?;
        let hash = chain.admit(tx).or_server_error()?;
        Ok(Mine { left: Left::Waiting, answer: Answer::Receipt(hash) })
    }),
];

impl Mine {
    /// Adds a transaction to the pool. The answer is its hash.
    fn sending(chain: &mut Chain, tx: Tx) -> RpcResult<Self> {
        let hash = chain.admit(tx).or_server_error()?;
        Ok(Self { left: Left::Waiting, answer: Answer::Ready(json(hash)?) })
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

    fn anvil(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Self> {
        let blocks: Option<U64> = params.optional()?;
        let interval: Option<U64> = params.optional()?;
        // Clients write zero for the usual interval.
        let interval = interval.map(|interval| interval.to()).filter(|interval| *interval > 0);
        let mine = Self::blocks(blocks, interval, json(())?)?;
        if let Left::Blocks { count, interval: Some(interval) } = mine.left {
            chain.check_seconds(interval, count.saturating_sub(1)).or_server_error()?;
        }
        Ok(mine)
    }

    fn blocks(
        blocks: Option<U64>,
        interval: Option<u64>,
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
                let mined = chain.mine(MAX_CALL_GAS);
                if let Some(interval) = interval.filter(|_| *count > 0) {
                    chain.increase_time(interval);
                }
                Some(mined.gas_used)
            }
            Self::Waiting => chain.mine_waiting(),
        })
    }
}

impl Answer {
    /// The chain doesn't wait for a receipt: if the transaction isn't mined yet, this is an error,
    /// and the transaction stays in the pool.
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
