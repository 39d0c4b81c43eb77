//! The embedded L1: its blocks, its time, and the transactions that are sent to it.

use std::collections::BTreeMap;

use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::{Provider, RootProvider};
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use canon_chain::{
    Checks, Client, Confirmed, ContractCall, NextBlock, Pending, Sender, Wait, Waited,
};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_protocol::{BlockNumber, L1Block, Seconds, Timestamp};

use crate::{
    error::{During, Error, Result},
    gas::Ledger,
    keys,
    progress::Reporter,
    scenario::L1,
    timeline::Spent,
};

/// The ether of each account, which is more than it can spend on gas.
const ETHER: u64 = 1_000;

/// The number of blocks whose state can be read. Only the state of the head is read, except when a
/// failed transaction is simulated again.
const HISTORY: u64 = 32;

/// The largest number of empty blocks that are mined. A longer quiet time is skipped with a single
/// block.
const MAX_EMPTY_BLOCKS: u64 = 20_000;

/// The percentage of gas that a transaction may use beyond the estimate of the first one of its
/// kind.
const MARGIN_PERCENT: u64 = 60;

/// The gas limit for the creation of contracts assembled by hand.
const CREATION_GAS: u64 = 5_000_000;

/// A time without transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) seconds: Seconds,
    pub(crate) blocks: u64,
}

/// The embedded L1.
#[derive(Debug)]
pub(crate) struct ChainDriver<'a> {
    chain: Devchain,
    client: Client,
    block_time: u64,
    gas_limit: u64,
    pub(crate) gas: Ledger,
    /// Gas limits of transactions that are sent in large numbers, by kind.
    limits: BTreeMap<&'static str, u64>,
    /// The key that deploys contracts assembled from opcodes.
    bytecode_deployer: Sender,
    pub(crate) report: Reporter<'a>,
}

impl<'a> ChainDriver<'a> {
    /// A chain on which these accounts can pay for gas.
    pub(crate) async fn new(
        l1: L1,
        seed: u64,
        accounts: &[Address],
        report: Reporter<'a>,
    ) -> Result<Self> {
        let ether = U256::from(ETHER) * U256::from(10).pow(U256::from(18));
        let chain = Devchain::new(DevchainConfig {
            genesis_timestamp: l1.start.get(),
            block_time: l1.block_time.get(),
            gas_limit: l1.gas_limit,
            seed,
            dev_accounts: 0,
            alloc: accounts.iter().map(|account| (*account, ether)).collect(),
            mining: Mining::Manual,
            history_blocks: HISTORY,
            ..DevchainConfig::default()
        });
        let provider = RootProvider::<alloy_network::Ethereum>::new(chain.client());
        let client = Client::connect(provider).await.during("connecting")?;
        let key = keys::key(seed, keys::BYTECODE_DEPLOYER, 0);
        let bytecode_deployer = Sender::new(client.clone(), key).with_nonce(0);
        Ok(Self {
            chain,
            client,
            block_time: l1.block_time.get(),
            gas_limit: l1.gas_limit,
            gas: Ledger::default(),
            limits: BTreeMap::new(),
            bytecode_deployer,
            report,
        })
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn chain(&self) -> &Devchain {
        &self.chain
    }

    /// The time of the newest block.
    pub(crate) fn now(&self) -> Timestamp {
        // This driver mines all blocks, with timestamps in the range.
        Timestamp::new(self.chain.timestamp()).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn block(&self) -> BlockNumber {
        BlockNumber::of(self.chain.block_number())
    }

    /// The newest block, for reading at it.
    pub(crate) fn head(&self) -> BlockId {
        self.chain.block_hash().into()
    }

    /// The time and the base fee of the block that a transaction sent now is mined in.
    pub(crate) fn next(&self) -> NextBlock {
        NextBlock {
            timestamp: Timestamp::new(self.chain.next_timestamp()),
            base_fee: self.chain.next_base_fee().into(),
        }
    }

    /// The time that the next block will have.
    pub(crate) fn next_time(&self) -> Timestamp {
        Timestamp::new(self.chain.next_timestamp()).unwrap_or(Timestamp::MAX)
    }

    /// The earliest time such that the first block at or after it is the last block that isn't
    /// after `time`.
    pub(crate) const fn last_block_until(&self, time: Timestamp) -> Timestamp {
        Timestamp::of(time.get().saturating_sub(self.block_time - 1))
    }

    /// Mines empty blocks until the next block is at `time` or, if no block is due then, the first
    /// one after it. Mines nothing if the next block is late enough already.
    pub(crate) fn wait_until(&self, time: Timestamp) -> Result<Idle> {
        let (from, first) = (self.chain.timestamp(), self.chain.block_number());
        let missing = time.get().saturating_sub(self.chain.next_timestamp());
        let blocks = missing.div_ceil(self.block_time);
        if blocks > MAX_EMPTY_BLOCKS {
            self.chain.set_next_timestamp(from + blocks * self.block_time)?;
            self.chain.mine()?;
        } else {
            for _ in 0..blocks {
                self.chain.mine()?;
            }
        }
        let seconds = Seconds::new(self.chain.timestamp() - from).unwrap_or(Seconds::MAX);
        Ok(Idle { seconds, blocks: self.chain.block_number() - first })
    }

    /// Mines a block of the waiting transactions.
    pub(crate) fn mine(&self) -> Result<()> {
        self.chain.mine()?;
        Ok(())
    }

    /// Mines blocks until no transaction waits.
    pub(crate) fn mine_all(&self) -> Result<()> {
        loop {
            let before = self.chain.pool_size();
            self.chain.mine()?;
            match self.chain.pool_size() {
                0 => return Ok(()),
                left if left < before => {}
                _ => return Err(Error::NotIncluded { act: "mining", time: self.now() }),
            }
        }
    }

    /// Sends a transaction that must succeed, and mines it.
    pub(crate) async fn send(
        &mut self,
        act: &'static str,
        sender: &mut Sender,
        call: ContractCall,
    ) -> Result<Confirmed> {
        let next = self.next();
        let pending = sender.submit(call, Checks::Full, next).await.during(act)?;
        self.mine()?;
        self.confirm(act, &pending).await
    }

    /// Returns the result of a transaction in the last block.
    pub(crate) async fn confirm(
        &mut self,
        act: &'static str,
        pending: &Pending,
    ) -> Result<Confirmed> {
        let confirmed = self.client.confirm(pending).await.during(act)?;
        let confirmed = confirmed.ok_or_else(|| Error::NotIncluded { act, time: self.now() })?;
        self.gas.record(act, confirmed.gas_used);
        Ok(confirmed)
    }

    /// All events of a kind that a contract has emitted, with their blocks.
    pub(crate) async fn logs<E: SolEvent>(
        &self,
        emitter: Address,
    ) -> canon_chain::Result<Vec<(L1Block, E)>> {
        let what = "eth_getLogs";
        let filter = Filter::new()
            .address(emitter)
            .event_signature(E::SIGNATURE_HASH)
            .from_block(0)
            .to_block(self.chain.block_number());
        let logs = self.client.provider().get_logs(&filter).await;
        let logs = logs.map_err(|source| canon_chain::Error::rpc(what, source))?;
        let event = |log: &Log| {
            let number = BlockNumber::new(log.block_number?)?;
            let timestamp = log.block_timestamp.and_then(Timestamp::new)?;
            Some((L1Block { number, timestamp }, E::decode_log(&log.inner).ok()?.data))
        };
        Ok(logs.iter().filter_map(event).collect())
    }

    /// A way to wait for blocks: mining them.
    pub(crate) fn miner(&self) -> impl Wait + use<> {
        let chain = self.chain.clone();
        move |_| {
            let waited = if chain.mine().is_ok() { Waited::Again } else { Waited::GiveUp };
            std::future::ready(waited)
        }
    }

    /// Deploys a contract for which there is no artifact.
    pub(crate) async fn create(
        &mut self,
        act: &'static str,
        code: Bytes,
    ) -> Result<(Address, u64)> {
        let (call, next) = (ContractCall::create_with(act, code), self.next());
        let checks = Checks::AtReceipt { gas_limit: CREATION_GAS };
        let pending = self.bytecode_deployer.submit(call, checks, next).await.during(act)?;
        self.mine()?;
        let Confirmed { created, gas_used, .. } = self.confirm(act, &pending).await?;
        let address = created.ok_or_else(|| {
            Error::Unexpected(format!("{act}: the receipt names no created contract"))
        })?;
        Ok((address, gas_used))
    }

    /// Begins a batch of `of` transactions of one kind, as many in a block as fit.
    pub(crate) fn batch(&mut self, act: &'static str, of: u64) -> Batch<'_, 'a> {
        let room = self.gas_limit;
        self.report.update(act, 0, of);
        Batch {
            driver: self,
            act,
            of,
            room,
            sent: Vec::new(),
            spent: Spent::default(),
            confirmed: Vec::new(),
        }
    }
}

/// A batch of transactions of one kind. The first one is estimated, and all others get the gas
/// limit that follows from it. Every receipt is checked.
#[derive(Debug)]
#[must_use = "the last block is mined by finish"]
pub(crate) struct Batch<'s, 'a> {
    driver: &'s mut ChainDriver<'a>,
    act: &'static str,
    of: u64,
    /// The gas left in the next block.
    room: u64,
    sent: Vec<Pending>,
    spent: Spent,
    confirmed: Vec<Confirmed>,
}

impl Batch<'_, '_> {
    /// Sends a transaction, after mining a block if the next one is full.
    pub(crate) async fn add(&mut self, sender: &mut Sender, call: ContractCall) -> Result<()> {
        let act = self.act;
        let gas_limit = match self.driver.limits.get(act) {
            Some(limit) => *limit,
            None => {
                let next = self.driver.next();
                let estimate = sender.gas_limit(&call, next).await.during(act)?;
                let limit = estimate + estimate * MARGIN_PERCENT / 100;
                self.driver.limits.insert(act, limit);
                limit
            }
        };
        if gas_limit > self.room {
            self.flush().await?;
        }
        self.room -= gas_limit;
        let checks = Checks::AtReceipt { gas_limit };
        let pending = sender.submit(call, checks, self.driver.next()).await.during(act)?;
        self.sent.push(pending);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.driver.mine()?;
        for pending in std::mem::take(&mut self.sent) {
            let confirmed = self.driver.confirm(self.act, &pending).await?;
            self.spent.add(confirmed.gas_used);
            self.confirmed.push(confirmed);
        }
        self.room = self.driver.gas_limit;
        self.driver.report.update(self.act, self.confirmed.len() as u64, self.of);
        Ok(())
    }

    /// Mines the transactions that are left.
    pub(crate) async fn finish(mut self) -> Result<(Spent, Vec<Confirmed>)> {
        if !self.sent.is_empty() {
            self.flush().await?;
        }
        Ok((self.spent, self.confirmed))
    }
}
