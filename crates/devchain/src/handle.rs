//! The handle with which a program owns and controls a chain.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_client::RpcClient;
use alloy_signer_local::PrivateKeySigner;

use crate::{
    chain::Chain,
    config::{DevchainConfig, Mining},
    direct::{Executed, UnsignedCall},
    dump,
    error::{Error, Result},
    exec::CallEnd,
    mining::MinedBlock,
    rewind::{Reorg, ReorgOptions, SnapshotId},
    transactions,
    transport::DevchainTransport,
};

/// The interval at which clients of this chain ask whether a transaction was mined.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// An Ethereum L1 in this process. Clones share one chain.
///
/// All methods are synchronous: a chain has no tasks and no randomness of its own. Its time is the
/// timestamp of its head, which changes only when a block is mined, unless it was given a
/// [`Clock`](crate::Clock).
#[derive(Clone)]
pub struct Devchain {
    chain: Arc<Mutex<Chain>>,
}

impl fmt::Debug for Devchain {
    /// Shows the identity and the position of the chain, not all of its blocks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = self.lock();
        f.debug_struct("Devchain")
            .field("chain_id", &chain.config.chain_id)
            .field("block_number", &chain.head().number())
            .field("block_hash", &chain.head().hash)
            .finish_non_exhaustive()
    }
}

impl Devchain {
    /// Creates a chain with a genesis block.
    pub fn new(config: DevchainConfig) -> Self {
        Self { chain: Arc::new(Mutex::new(Chain::new(config))) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("the chain is not used after a panic inside it")
    }

    /// A client for alloy's providers.
    ///
    /// A transaction sent under [`Mining::Auto`] is mined before `send_transaction` returns, so
    /// `get_receipt` on it returns at once. Under [`Mining::Manual`] it returns at once if a block
    /// was mined since; otherwise it polls every 50 ms, which `with_poll_interval` changes. If you
    /// send thousands of transactions, read receipts by hash (`get_transaction_receipt`): alloy then
    /// doesn't start a watching task for each.
    ///
    /// alloy's `call` and `estimate_gas` ask for the pending block: they see the current state, and
    /// the number and timestamp of the next block.
    ///
    /// alloy's usual providers count nonces themselves and don't notice a [`revert`](Self::revert) or
    /// a [`reorg`](Self::reorg). Build a provider that must survive one
    /// `with_simple_nonce_management`.
    pub fn client(&self) -> RpcClient {
        RpcClient::new(self.transport(), true).with_poll_interval(POLL_INTERVAL)
    }

    /// The transport under [`Self::client`], for adding layers.
    pub fn transport(&self) -> DevchainTransport {
        DevchainTransport::new(self.clone())
    }

    /// The funded accounts whose keys the chain has. See [`dev_accounts`](crate::dev_accounts).
    pub fn dev_accounts(&self) -> Vec<PrivateKeySigner> {
        self.lock().signers.clone()
    }

    /// The chain id (EIP-155).
    pub fn chain_id(&self) -> u64 {
        self.lock().config.chain_id
    }

    /// The number of the head.
    pub fn block_number(&self) -> u64 {
        self.lock().head().number()
    }

    /// The hash of the head.
    pub fn block_hash(&self) -> B256 {
        self.lock().head().hash
    }

    /// The timestamp of the head, in Unix seconds: the chain's time.
    pub fn timestamp(&self) -> u64 {
        self.lock().head().header.timestamp
    }

    /// The timestamp that the next block will have, in Unix seconds.
    pub fn next_timestamp(&self) -> u64 {
        self.lock().next_timestamp()
    }

    /// The base fee of the next block, in wei per gas.
    pub fn next_base_fee(&self) -> u64 {
        self.lock().next_base_fee()
    }

    /// The balance of an account, in wei.
    pub fn balance(&self, address: Address) -> U256 {
        self.lock().state.balance(address)
    }

    /// The number of transactions that an account has sent, without those in the pool.
    pub fn nonce(&self, address: Address) -> u64 {
        self.lock().state.nonce(address)
    }

    /// The gas that a mined transaction used, as in its receipt.
    pub fn gas_used(&self, transaction: B256) -> Option<u64> {
        let chain = self.lock();
        let (block, position) = chain.find(&transaction)?;
        Some(block.receipts[position].gas_used)
    }

    /// The number of transactions that wait in the pool.
    pub fn pool_size(&self) -> usize {
        self.lock().pool.len()
    }

    /// Sends a signed transaction in the encoding of EIP-2718, as `eth_sendRawTransaction` does.
    ///
    /// # Errors
    ///
    /// If the bytes aren't a transaction, the pool refuses it, or the chain is full.
    pub fn send_raw(&self, transaction: &[u8]) -> Result<B256> {
        let tx = transactions::decode(transaction)?;
        self.lock().submit(tx)
    }

    /// Mines a block of the executable transactions in the pool, up to the gas limit. The block may
    /// be empty. Works under either [`Mining`].
    ///
    /// # Errors
    ///
    /// If the chain is full.
    pub fn mine(&self) -> Result<MinedBlock> {
        let mut chain = self.lock();
        chain.check_room()?;
        Ok(chain.mine(u64::MAX))
    }

    /// Mines a block of unsigned calls, bypassing the pool, and returns their results. The block's
    /// base fee is zero.
    ///
    /// # Errors
    ///
    /// If the calls could together exceed the block's gas limit, one can't be executed, or the chain is
    /// full. Nothing is mined then.
    pub fn mine_unsigned(&self, calls: &[UnsignedCall]) -> Result<(MinedBlock, Vec<Executed>)> {
        self.lock().mine_unsigned(calls)
    }

    /// Calls `to` with `input` at the head, without changing anything. Returns its end.
    ///
    /// # Errors
    ///
    /// If the call can't be executed as a transaction.
    pub fn read(&self, to: Address, input: impl Into<Bytes>) -> Result<CallEnd> {
        self.lock().read(to, input.into())
    }

    /// Sets the timestamp of the next block, in Unix seconds.
    ///
    /// # Errors
    ///
    /// If it is not after the head's, or so late that later blocks couldn't have timestamps.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<()> {
        self.lock().set_next_timestamp(timestamp)
    }

    /// Sets the timestamp of the next block to `seconds` after the head, or after the timestamp that
    /// was already set. It is at least one second after the head, and not later than
    /// [`Self::set_next_timestamp`] allows. With a clock, adds `seconds` to the clock's time instead, for all
    /// blocks to come. Returns the timestamp of the next block.
    pub fn increase_time(&self, seconds: u64) -> u64 {
        let mut chain = self.lock();
        chain.advance_time(seconds);
        chain.next_timestamp()
    }

    /// Sets the RANDAO value of the next block (EIP-4399).
    pub fn set_prevrandao_next(&self, prevrandao: B256) {
        self.lock().next.prevrandao = Some(prevrandao);
    }

    /// Sets the base fee of the next block, in wei per gas. Those of later blocks follow from it.
    pub fn set_base_fee_next(&self, base_fee: u64) {
        self.lock().next.base_fee = Some(base_fee);
    }

    /// Sets the mode of mining. Transactions already in the pool stay there until the next one is
    /// sent or [`Self::mine`] is called.
    pub fn set_mining(&self, mining: Mining) {
        self.lock().set_mining(mining);
    }

    /// Saves the present chain: head, state, pool, and the settings for the next block. The history
    /// back to a snapshot is kept as long as the snapshot exists. The oldest snapshots go when there are
    /// more than 1,024, or when the transactions in their pools have more than 256 MiB.
    pub fn snapshot(&self) -> SnapshotId {
        self.lock().snapshot()
    }

    /// Reverts the chain to a snapshot. This uses up the snapshot and all later ones.
    ///
    /// # Errors
    ///
    /// If the snapshot doesn't exist any more.
    pub fn revert(&self, snapshot: SnapshotId) -> Result<()> {
        self.lock().revert(snapshot)
    }

    /// Replaces the newest blocks by others. The new blocks have the timestamps of the old ones,
    /// another RANDAO, and so other hashes. Receipts and logs of the old blocks are gone. Changes
    /// made through this handle since the last remaining block are undone as well.
    ///
    /// # Errors
    ///
    /// If a transaction can't be decoded, or the history doesn't reach back that far. The chain is
    /// unchanged then.
    pub fn reorg(&self, options: ReorgOptions) -> Result<Reorg> {
        let decode = |block: &Vec<Bytes>| {
            block.iter().map(|raw| transactions::decode(raw).map(Arc::new)).collect()
        };
        let blocks = options.blocks.iter().map(decode).collect::<Result<_>>()?;
        self.lock().reorg(options.depth, blocks, options.old)
    }

    /// Sets an account's balance, in wei.
    pub fn set_balance(&self, address: Address, balance: U256) {
        self.lock().set_balance(address, balance);
    }

    /// Sets an account's nonce.
    pub fn set_nonce(&self, address: Address, nonce: u64) {
        self.lock().state.edit(address, |info| info.nonce = nonce);
    }

    /// Sets an account's code.
    ///
    /// # Errors
    ///
    /// If the bytes begin like an EIP-7702 delegation and aren't one.
    pub fn set_code(&self, address: Address, code: impl Into<Bytes>) -> Result<()> {
        self.lock().state.set_code(address, code.into()).map_err(Error::Code)
    }

    /// Sets a storage slot of an account.
    pub fn set_storage(&self, address: Address, slot: U256, value: U256) {
        self.lock().state.set_slot(address, slot, value);
    }

    /// Writes the whole chain to a file: state, history, blocks, receipts, pool, and the settings for
    /// the next block. Equal chains have equal dumps.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn dump(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_bytes())
            .map_err(|source| Error::Io { path: path.to_owned(), source })
    }

    /// Reads a chain from a file that [`Self::dump`] wrote.
    ///
    /// # Errors
    ///
    /// If the file can't be read, was made by another version, or is damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes)
    }

    /// Returns the bytes that [`Self::dump`] writes.
    pub fn to_bytes(&self) -> Vec<u8> {
        dump::dump(&self.lock())
    }

    /// Reads a chain from bytes that [`Self::to_bytes`] returned.
    ///
    /// # Errors
    ///
    /// If the bytes aren't a dump, were made by another version, or are damaged.
    pub fn from_bytes(dump: &[u8]) -> Result<Self> {
        Ok(Self { chain: Arc::new(Mutex::new(dump::load(dump)?)) })
    }

    /// Lets `eth_sendTransaction` send from an account whose key the chain doesn't have.
    pub fn impersonate(&self, address: Address) {
        self.lock().impersonated.insert(address);
    }

    /// Ends [`Self::impersonate`].
    pub fn stop_impersonating(&self, address: Address) {
        self.lock().impersonated.remove(&address);
    }
}
