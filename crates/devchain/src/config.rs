//! What a chain is made from.

use alloy_primitives::{Address, U256, address};

/// The parameters of a [`Devchain`](crate::Devchain). Two chains with equal parameters and equal
/// inputs have equal blocks, bit for bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevchainConfig {
    /// The chain id that transactions must be signed for (EIP-155). Default 31337, as in anvil.
    pub chain_id: u64,
    /// The timestamp of block 0, in Unix seconds. Default 1 January 2026, 00:00 UTC.
    pub genesis_timestamp: u64,
    /// Seconds from a block to the next one when no timestamp was set for it. At least 1; 0 is
    /// clamped to 1. Default 1.
    pub block_time: u64,
    /// The gas limit of each block. Default 60 million, as on mainnet since November 2025.
    pub gas_limit: u64,
    /// The base fee of blocks 0 and 1, in wei per gas; from there on EIP-1559 decides. Default
    /// 1 gwei.
    pub base_fee: u64,
    /// Receives the priority fees, and is `COINBASE` in the EVM. Default: the zero address.
    pub coinbase: Address,
    /// Derives the dev accounts and the RANDAO of each block.
    pub seed: u64,
    /// How many dev accounts to fund; their keys are known to the chain. Default 10.
    /// See [`Devchain::dev_accounts`](crate::Devchain::dev_accounts).
    pub dev_accounts: usize,
    /// The balance of each dev account, in wei. Default 10,000 ether.
    pub dev_balance: U256,
    /// Further balances at genesis, in wei.
    pub alloc: Vec<(Address, U256)>,
    /// When transactions are mined. Default [`Mining::Auto`].
    pub mining: Mining,
    /// For how many blocks behind the head the state stays readable, and how deep a reorg can go.
    /// Blocks, receipts and logs are kept for ever. Default 1024.
    pub history_blocks: u64,
}

impl Default for DevchainConfig {
    fn default() -> Self {
        Self {
            chain_id: 31337,
            genesis_timestamp: 1_767_225_600,
            block_time: 1,
            gas_limit: 60_000_000,
            base_fee: 1_000_000_000,
            coinbase: address!("0x0000000000000000000000000000000000000000"),
            seed: 0,
            dev_accounts: 10,
            dev_balance: U256::from(10_000) * U256::from(10).pow(U256::from(18)),
            alloc: Vec::new(),
            mining: Mining::Auto,
            history_blocks: 1024,
        }
    }
}

/// When transactions are mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mining {
    /// Each transaction gets a block of its own as soon as it can be executed.
    Auto,
    /// Transactions wait in the pool for [`Devchain::mine`](crate::Devchain::mine).
    Manual,
}
