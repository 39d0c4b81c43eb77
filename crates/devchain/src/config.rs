//! The configuration of a chain.

use std::num::NonZeroU64;

use alloy_primitives::{Address, U256, address};

use crate::clock::Clock;

/// The parameters of a [`Devchain`](crate::Devchain). Two chains with equal parameters and equal
/// inputs have equal blocks, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevchainConfig {
    /// The chain id that transactions must be signed for (EIP-155). Default 31337, as in anvil.
    pub chain_id: u64,
    /// The timestamp of block 0, in Unix seconds. Default 1 January 2026, 00:00 UTC.
    pub genesis_timestamp: u64,
    /// Seconds from a block to the next one, if no timestamp was set for it. Default 1. A block is at
    /// least one second after its parent, even with 0. A chain with a clock doesn't need it.
    pub block_time: u64,
    /// The clock that gives the timestamp of a block for which none was set. A block is at least one
    /// second after its parent even if the clock isn't. A dump doesn't contain it. Default none: time
    /// changes only with blocks.
    pub clock: Option<Clock>,
    /// The gas limit of each block. Default 60 million, as on mainnet since November 2025.
    pub gas_limit: u64,
    /// The base fee of blocks 0 and 1, in wei per gas. From block 2 on it follows from EIP-1559.
    /// Default 1 gwei.
    pub base_fee: u64,
    /// The account that receives priority fees, and `COINBASE` in the EVM. Default: the zero
    /// address.
    pub coinbase: Address,
    /// The seed of the dev accounts and of each block's RANDAO.
    pub seed: u64,
    /// The number of dev accounts that are funded and whose keys the chain has. Default 10. See
    /// [`Devchain::dev_accounts`](crate::Devchain::dev_accounts).
    pub dev_accounts: usize,
    /// The balance of each dev account, in wei. Default 10,000 ether.
    pub dev_balance: U256,
    /// Further balances at genesis, in wei.
    pub alloc: Vec<(Address, U256)>,
    /// The mode of mining. Default [`Mining::Auto`].
    pub mining: Mining,
    /// The number of blocks behind the head whose state can be read, which is also the largest
    /// depth of a reorg. Blocks, receipts and logs are always kept. Default 1024.
    pub history_blocks: u64,
    /// The memory from which on no further block is mined, in bytes: that of all blocks, with their
    /// transactions and logs, and of the state with its history. It is an estimate, rather too large.
    /// Default 4 GiB, which are about 4 million empty blocks.
    pub max_size: u64,
}

impl Default for DevchainConfig {
    fn default() -> Self {
        Self {
            chain_id: 31337,
            genesis_timestamp: 1_767_225_600,
            block_time: 1,
            clock: None,
            gas_limit: 60_000_000,
            base_fee: 1_000_000_000,
            coinbase: address!("0x0000000000000000000000000000000000000000"),
            seed: 0,
            dev_accounts: 10,
            dev_balance: U256::from(10_000) * U256::from(10).pow(U256::from(18)),
            alloc: Vec::new(),
            mining: Mining::Auto,
            history_blocks: 1024,
            max_size: 4 << 30,
        }
    }
}

/// The mode of mining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// Each transaction is mined in its own block as soon as it can be executed.
    Auto,
    /// Transactions wait in the pool until [`Devchain::mine`](crate::Devchain::mine) is called.
    Manual,
    /// As [`Self::Manual`], and [`serve`](crate::serve) mines a block each time that this number of
    /// seconds has passed in reality. Each block is also that much later than the one before it.
    Interval(NonZeroU64),
}
