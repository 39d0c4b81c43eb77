//! Transactions that wait for a block.
//!
//! A sender's transactions are executed in the order of their nonces, and executable ones of different
//! senders in the order of arrival: there is no fee market beyond the base fee. The rules of admission
//! and the words of refusals are geth's
//! ([`validation.go`](https://github.com/ethereum/go-ethereum/blob/master/core/txpool/validation.go)).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use alloy_consensus::{Transaction, Typed2718};
use alloy_eips::{eip2718::Encodable2718, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_primitives::{Address, B256, U256, map::B256Map};

use revm::primitives::eip3860::MAX_INITCODE_SIZE;

use crate::{
    block::{Tx, is_impersonated},
    exec,
    state::State,
};

/// The largest size of a transaction that nodes relay: 128 KiB.
const MAX_TX_SIZE: usize = 128 * 1024;

/// The largest number of transactions in the pool. Those that a reorg returns may be more.
const MAX_POOL: usize = 16_384;

/// The size of the transactions in the pool from which on it takes no further one, in bytes.
const MAX_POOL_SIZE: usize = 64 << 20;

/// The percentage by which a replacement must raise both fees.
const PRICE_BUMP: u128 = 10;

/// A transaction in the pool.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) tx: Arc<Tx>,
    /// The position in the order of arrival.
    pub(crate) arrival: u64,
}

#[derive(Debug, Default)]
struct Queue {
    by_nonce: BTreeMap<u64, Waiting>,
    /// The most that all of them can cost, in wei.
    cost: U256,
}

#[derive(Debug, Default)]
pub(crate) struct Pool {
    senders: BTreeMap<Address, Queue>,
    by_hash: B256Map<(Address, u64)>,
    /// The size of all transactions, in bytes.
    size: usize,
    arrivals: u64,
}

/// The reason why a transaction wasn't admitted to the pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejected {
    #[error("already known")]
    AlreadyKnown,
    #[error("txpool is full: {MAX_POOL} transactions wait, or have {MAX_POOL_SIZE} bytes")]
    Full,
    #[error("transaction type not supported: blob transactions can't be sent to the devchain")]
    BlobTransaction,
    #[error("oversized data: transaction size {size}, limit {MAX_TX_SIZE}")]
    Oversized { size: usize },
    #[error("max initcode size exceeded: code size {size}, limit {MAX_INITCODE_SIZE}")]
    Initcode { size: usize },
    #[error("exceeds block gas limit: transaction gas limit {gas}, block gas limit {limit}")]
    BlockGasLimit { gas: u64, limit: u64 },
    #[error("transaction gas limit too high (cap: {MAX_TX_GAS_LIMIT_OSAKA}, tx: {gas})")]
    GasLimitCap { gas: u64 },
    #[error(
        "max priority fee per gas higher than max fee per gas: address {sender}, \
         maxPriorityFeePerGas: {tip}, maxFeePerGas: {fee}"
    )]
    TipAboveFee { sender: Address, tip: u128, fee: u128 },
    #[error("invalid sender: invalid chain id for signer: have {have} want {want}")]
    ChainId { have: u64, want: u64 },
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas { gas: u64, needed: u64 },
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}")]
    FloorGas { gas: u64, needed: u64 },
    #[error("set code tx must have at least one authorization tuple")]
    EmptyAuthorizations,
    #[error("sender not an eoa: address {sender}, len(code): {size}")]
    SenderNotEoa { sender: Address, size: usize },
    #[error("nonce has max value: address {sender}")]
    NonceMax { sender: Address },
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow { next: u64, nonce: u64 },
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, \
         overshot {}", cost - balance
    )]
    Funds { balance: U256, cost: U256 },
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, \
         tx cost {cost}, overshot {}", queued.saturating_add(*cost) - balance
    )]
    FundsQueued { balance: U256, queued: U256, cost: U256 },
    #[error(
        "max fee per gas less than block base fee: address {sender}, maxFeePerGas: {fee}, \
         baseFee: {base_fee}"
    )]
    BelowBaseFee { sender: Address, fee: u128, base_fee: u64 },
    #[error("replacement transaction underpriced")]
    Underpriced,
}

impl Pool {
    /// Admits a transaction that offers at least this fee, in wei per gas. It replaces one with the same sender and
    /// nonce if its fees are sufficiently higher.
    pub(crate) fn add(
        &mut self,
        tx: Arc<Tx>,
        state: &State,
        chain_id: u64,
        block_gas_limit: u64,
        least_fee: u64,
    ) -> Result<B256, Rejected> {
        let hash = *tx.tx_hash();
        if self.by_hash.contains_key(&hash) {
            return Err(Rejected::AlreadyKnown);
        }
        if self.len() >= MAX_POOL || self.size >= MAX_POOL_SIZE {
            return Err(Rejected::Full);
        }
        check_alone(&tx, chain_id, block_gas_limit)?;
        self.check_against(&tx, state)?;
        let fee = tx.max_fee_per_gas();
        if fee < least_fee.into() {
            return Err(Rejected::BelowBaseFee { sender: tx.signer(), fee, base_fee: least_fee });
        }
        self.put(tx);
        Ok(hash)
    }

    /// Adds a transaction without any checks, such as one whose block a reorg has removed.
    pub(crate) fn put(&mut self, tx: Arc<Tx>) {
        self.insert(Waiting { tx, arrival: self.arrivals });
        self.arrivals += 1;
    }

    fn insert(&mut self, waiting: Waiting) {
        let tx = &waiting.tx;
        self.remove(tx.signer(), tx.nonce());
        let queue = self.senders.entry(tx.signer()).or_default();
        queue.cost = queue.cost.saturating_add(cost(tx));
        self.size += tx.encode_2718_len();
        self.by_hash.insert(*tx.tx_hash(), (tx.signer(), tx.nonce()));
        queue.by_nonce.insert(tx.nonce(), waiting);
    }

    /// The pool in which these transactions wait, after this number of arrivals.
    pub(crate) fn of(waiting: Vec<Waiting>, arrivals: u64) -> Self {
        let mut pool = Self { arrivals, ..Self::default() };
        waiting.into_iter().for_each(|waiting| pool.insert(waiting));
        pool
    }

    /// The number of transactions that have ever arrived.
    pub(crate) const fn arrivals(&self) -> u64 {
        self.arrivals
    }

    pub(crate) fn remove(&mut self, sender: Address, nonce: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else { return };
        if let Some(gone) = queue.by_nonce.remove(&nonce) {
            queue.cost = queue.cost.saturating_sub(cost(&gone.tx));
            self.size -= gone.tx.encode_2718_len();
            self.by_hash.remove(gone.tx.tx_hash());
        }
        if queue.by_nonce.is_empty() {
            self.senders.remove(&sender);
        }
    }

    /// Removes the transactions with nonces that the chain has already used.
    pub(crate) fn remove_stale(&mut self, state: &State) {
        let stale: Vec<(Address, u64)> = self
            .senders
            .iter()
            .flat_map(|(sender, queue)| {
                let passed = queue.by_nonce.range(..state.nonce(*sender));
                passed.map(|(nonce, _)| (*sender, *nonce))
            })
            .collect();
        for (sender, nonce) in stale {
            self.remove(sender, nonce);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { arrivals: self.arrivals, ..Self::default() };
    }

    pub(crate) fn get(&self, hash: &B256) -> Option<&Waiting> {
        let (sender, nonce) = self.by_hash.get(hash)?;
        self.senders.get(sender)?.by_nonce.get(nonce)
    }

    /// All transactions, in the order of their arrival.
    pub(crate) fn all(&self) -> Vec<&Waiting> {
        let mut all: Vec<_> =
            self.senders.values().flat_map(|queue| queue.by_nonce.values()).collect();
        all.sort_by_key(|waiting| waiting.arrival);
        all
    }

    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// The nonce that the sender's next transaction should have.
    pub(crate) fn next_nonce(&self, sender: Address, state: &State) -> u64 {
        let mut next = state.nonce(sender);
        if let Some(queue) = self.senders.get(&sender) {
            for (nonce, _) in queue.by_nonce.range(next..) {
                if *nonce != next {
                    break;
                }
                next += 1;
            }
        }
        next
    }

    /// The transactions that can be executed now, in the order of their execution.
    pub(crate) fn ready(&self, state: &State, base_fee: u64) -> Vec<Waiting> {
        // One iterator for each sender, over its consecutive nonces whose transactions pay the base
        // fee.
        let mut queues: Vec<_> = self
            .senders
            .iter()
            .map(|(sender, queue)| {
                let next = state.nonce(*sender);
                queue
                    .by_nonce
                    .range(next..)
                    .zip(next..)
                    .take_while(move |((nonce, waiting), expected)| {
                        *nonce == expected && waiting.tx.max_fee_per_gas() >= base_fee.into()
                    })
                    .map(|((_, waiting), _)| waiting)
                    .peekable()
            })
            .collect();
        let mut heads: BinaryHeap<_> = queues
            .iter_mut()
            .enumerate()
            .filter_map(|(index, queue)| Some(Reverse((queue.peek()?.arrival, index))))
            .collect();
        let mut ready = Vec::new();
        while let Some(Reverse((_, index))) = heads.pop() {
            ready.extend(queues[index].next().cloned());
            heads.extend(queues[index].peek().map(|next| Reverse((next.arrival, index))));
        }
        ready
    }

    /// The checks that depend on the chain and the rest of the pool.
    fn check_against(&self, tx: &Tx, state: &State) -> Result<(), Rejected> {
        let (sender, nonce) = (tx.signer(), tx.nonce());
        let code = state.account(sender).and_then(|info| info.code.as_ref());
        if let Some(code) = code.filter(|code| !code.is_empty() && !code.is_eip7702())
            && !is_impersonated(tx)
        {
            return Err(Rejected::SenderNotEoa { sender, size: code.len() });
        }
        let next = state.nonce(sender);
        if nonce < next {
            return Err(Rejected::NonceTooLow { next, nonce });
        }
        let (balance, cost) = (state.balance(sender), cost(tx));
        if balance < cost {
            return Err(Rejected::Funds { balance, cost });
        }
        let Some(queue) = self.senders.get(&sender) else { return Ok(()) };
        let mut queued = queue.cost;
        if let Some(old) = queue.by_nonce.get(&nonce) {
            if !outbids(tx, &old.tx) {
                return Err(Rejected::Underpriced);
            }
            queued -= self::cost(&old.tx);
        }
        if balance < queued.saturating_add(cost) {
            return Err(Rejected::FundsQueued { balance, queued, cost });
        }
        Ok(())
    }
}

/// The checks that depend on the transaction alone.
fn check_alone(tx: &Tx, chain_id: u64, block_gas_limit: u64) -> Result<(), Rejected> {
    let sender = tx.signer();
    if tx.is_eip4844() {
        return Err(Rejected::BlobTransaction);
    }
    let size = tx.encode_2718_len();
    if size > MAX_TX_SIZE {
        return Err(Rejected::Oversized { size });
    }
    if tx.is_create() && tx.input().len() > MAX_INITCODE_SIZE {
        return Err(Rejected::Initcode { size: tx.input().len() });
    }
    let gas = tx.gas_limit();
    if gas > block_gas_limit {
        return Err(Rejected::BlockGasLimit { gas, limit: block_gas_limit });
    }
    if gas > MAX_TX_GAS_LIMIT_OSAKA {
        return Err(Rejected::GasLimitCap { gas });
    }
    let fee = tx.max_fee_per_gas();
    if let Some(tip) = tx.max_priority_fee_per_gas().filter(|tip| *tip > fee) {
        return Err(Rejected::TipAboveFee { sender, tip, fee });
    }
    if let Some(have) = tx.chain_id().filter(|have| *have != chain_id) {
        return Err(Rejected::ChainId { have, want: chain_id });
    }
    if tx.nonce() == u64::MAX {
        return Err(Rejected::NonceMax { sender });
    }
    if tx.authorization_list().is_some_and(<[_]>::is_empty) {
        return Err(Rejected::EmptyAuthorizations);
    }
    let (intrinsic, floor) = exec::intrinsic_gas(&exec::tx_env(tx));
    if gas < intrinsic {
        return Err(Rejected::IntrinsicGas { gas, needed: intrinsic });
    }
    if gas < floor {
        return Err(Rejected::FloorGas { gas, needed: floor });
    }
    Ok(())
}

/// The most that a transaction can cost its sender, in wei.
fn cost(tx: &Tx) -> U256 {
    (U256::from(tx.max_fee_per_gas()) * U256::from(tx.gas_limit())).saturating_add(tx.value())
}

fn outbids(new: &Tx, old: &Tx) -> bool {
    let bumped =
        |old: u128| (old.saturating_mul(100 + PRICE_BUMP) / 100).max(old.saturating_add(1));
    let tip = |tx: &Tx| tx.max_priority_fee_per_gas().unwrap_or_else(|| tx.max_fee_per_gas());
    new.max_fee_per_gas() >= bumped(old.max_fee_per_gas()) && tip(new) >= bumped(tip(old))
}
