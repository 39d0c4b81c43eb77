//! Blocks as they are stored, and their sealing.

use std::sync::{Arc, OnceLock};

use alloy_consensus::{
    BlockBody, Eip658Value, Header, Receipt, ReceiptEnvelope, Transaction, TxEnvelope,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS},
    proofs::ordered_trie_root_with_encoder,
    transaction::Recovered,
};
use alloy_eips::{eip2718::Encodable2718, eip4895::Withdrawals, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, Log, Signature, U256};
use alloy_rlp::encode;
use alloy_rpc_types_eth::TxGasAndReward;

use crate::{exec::CallEnd, state::Version};

/// The memory of an empty block, with its place in the indexes and its changes of the state, in bytes.
const BLOCK_SIZE: usize = 1_024;

/// The memory of a transaction without data, and its receipt without logs, in bytes.
const TX_SIZE: usize = 1_024;

/// The memory of a log without data, in bytes.
const LOG_SIZE: usize = 256;

/// A signed transaction with its sender, which is recovered only once. Transactions of impersonated
/// accounts have a placeholder instead of a signature.
pub(crate) type Tx = Recovered<TxEnvelope>;

/// The placeholder for the signature of an impersonated account. It contains the sender, so that
/// equal transactions of different senders have different hashes. It can't be mistaken for a
/// signature, because a valid one has no zero in it.
pub(crate) fn placeholder_signature(sender: Address) -> Signature {
    Signature::new(U256::from_be_bytes(sender.into_word().0), U256::ZERO, false)
}

pub(crate) fn is_impersonated(tx: &TxEnvelope) -> bool {
    tx.signature().s().is_zero()
}

/// The result of executing a transaction.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Receipts contain only whether it is a success.
    pub(crate) end: CallEnd,
    pub(crate) gas_used: u64,
    pub(crate) logs: Vec<Log>,
    pub(crate) contract_address: Option<Address>,
}

impl Outcome {
    /// The outcome of a transaction of which only this much is known.
    pub(crate) fn without_data(success: bool, gas_used: u64, logs: Vec<Log>) -> Self {
        let data = Bytes::new();
        let end = if success { CallEnd::Success(data) } else { CallEnd::Revert(data) };
        Self { end, gas_used, logs, contract_address: None }
    }
}

/// The receipt of a transaction, with the further fields of its RPC form.
#[derive(Debug)]
pub(crate) struct MinedReceipt {
    pub(crate) envelope: ReceiptEnvelope,
    pub(crate) gas_used: u64,
    pub(crate) contract_address: Option<Address>,
    /// The number of logs of earlier transactions in the block.
    pub(crate) first_log: u64,
}

/// The state before and after a block. Before it isn't the same as after its parent if the state was
/// edited in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StateVersions {
    pub(crate) before: Version,
    pub(crate) after: Version,
}

#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) header: Header,
    pub(crate) hash: B256,
    pub(crate) transactions: Vec<Arc<Tx>>,
    pub(crate) receipts: Vec<MinedReceipt>,
    pub(crate) versions: StateVersions,
    rewards: OnceLock<Vec<TxGasAndReward>>,
}

impl Block {
    /// Completes a header with the fields that follow from the transactions, and hashes it.
    ///
    /// The state root isn't computed: it is zero in every block. Nothing inside the EVM can read
    /// it, and computing it would take longer than everything else.
    pub(crate) fn seal(
        mut header: Header,
        executed: Vec<(Arc<Tx>, Outcome)>,
        versions: StateVersions,
    ) -> Self {
        let mut transactions = Vec::with_capacity(executed.len());
        let mut receipts = Vec::with_capacity(executed.len());
        let (mut gas_used, mut first_log) = (0, 0);
        let mut bloom = Bloom::ZERO;
        for (tx, outcome) in executed {
            gas_used += outcome.gas_used;
            let logs = outcome.logs.len() as u64;
            let receipt = Receipt {
                status: Eip658Value::Eip658(outcome.end.is_success()),
                cumulative_gas_used: gas_used,
                logs: outcome.logs,
            };
            let envelope = ReceiptEnvelope::from_typed(tx.tx_type(), receipt);
            bloom |= *envelope.logs_bloom();
            receipts.push(MinedReceipt {
                envelope,
                gas_used: outcome.gas_used,
                contract_address: outcome.contract_address,
                first_log,
            });
            transactions.push(tx);
            first_log += logs;
        }
        header.gas_used = gas_used;
        header.logs_bloom = bloom;
        header.transactions_root =
            ordered_trie_root_with_encoder(&transactions, |tx, out| tx.encode_2718(out));
        header.receipts_root =
            ordered_trie_root_with_encoder(&receipts, |r, out| r.envelope.encode_2718(out));
        let hash = header.hash_slow();
        Self { header, hash, transactions, receipts, versions, rewards: OnceLock::new() }
    }

    /// The memory that the block takes, in bytes: an estimate that is rather too large.
    pub(crate) fn size(&self) -> u64 {
        let logs = self.receipts.iter().flat_map(|receipt| receipt.envelope.logs());
        let logs = logs.map(|log| LOG_SIZE + log.data.data.len());
        let transactions = self.transactions.iter().map(|tx| TX_SIZE + tx.input().len());
        (BLOCK_SIZE + transactions.sum::<usize>() + logs.sum::<usize>()) as u64
    }

    pub(crate) const fn number(&self) -> u64 {
        self.header.number
    }

    pub(crate) fn base_fee(&self) -> u64 {
        self.header.base_fee_per_gas.unwrap_or_default()
    }

    /// The block in RLP, without ommers and withdrawals.
    pub(crate) fn encoded(&self) -> Bytes {
        let transactions = self.transactions.iter().map(|tx| tx.inner().clone()).collect();
        let withdrawals = Some(Withdrawals::default());
        let body = BlockBody { transactions, ommers: Vec::new(), withdrawals };
        encode(alloy_consensus::Block::new(self.header.clone(), body)).into()
    }

    /// The gas used and the priority fee of each transaction, cheapest first.
    pub(crate) fn rewards(&self) -> &[TxGasAndReward] {
        self.rewards.get_or_init(|| {
            let mut rewards: Vec<_> = self
                .transactions
                .iter()
                .zip(&self.receipts)
                .map(|(tx, receipt)| TxGasAndReward {
                    gas_used: receipt.gas_used,
                    reward: tx.effective_tip_per_gas(self.base_fee()).unwrap_or_default(),
                })
                .collect();
            rewards.sort();
            rewards
        })
    }
}

/// The header of a block without the fields that follow from its transactions.
pub(crate) fn open_header(
    parent_hash: B256,
    number: u64,
    timestamp: u64,
    gas_limit: u64,
    base_fee: u64,
    coinbase: Address,
    prevrandao: B256,
) -> Header {
    Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: coinbase,
        state_root: B256::ZERO,
        number,
        gas_limit,
        timestamp,
        mix_hash: prevrandao,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(base_fee),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
