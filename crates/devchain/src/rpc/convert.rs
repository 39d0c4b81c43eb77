//! Blocks, transactions and receipts in the form of the RPC.

use alloy_consensus::{Sealed, Transaction as _};
use alloy_eips::BlockNumberOrTag;
use alloy_network::primitives::BlockTransactions;
use alloy_primitives::U256;
use alloy_rpc_types_eth::{self as rpc, Log, TransactionReceipt};

use alloy_rlp::{Encodable, length_of_length};

use crate::block::{Block, Tx};

pub(crate) fn block(block: &Block, full: bool) -> rpc::Block {
    let transactions = if full {
        BlockTransactions::Full(
            (0..block.transactions.len()).map(|position| mined(block, position)).collect(),
        )
    } else {
        BlockTransactions::Hashes(block.transactions.iter().map(|tx| *tx.tx_hash()).collect())
    };
    let header = Sealed::new_unchecked(block.header.clone(), block.hash);
    let header = rpc::Header::from_sealed(header).with_size(Some(U256::from(rlp_length(block))));
    rpc::Block::new(header, transactions).with_withdrawals(Some(Default::default()))
}

/// The length of a block's RLP encoding: header, transactions, no ommers, no withdrawals.
fn rlp_length(block: &Block) -> usize {
    let list = |payload: usize| payload + length_of_length(payload);
    let transactions = block.transactions.iter().map(|tx| tx.inner().length()).sum();
    list(block.header.length() + list(transactions) + list(0) + list(0))
}

/// A transaction in a block.
pub(super) fn mined(block: &Block, position: usize) -> rpc::Transaction {
    let tx = &block.transactions[position];
    rpc::Transaction {
        inner: Tx::clone(tx),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        block_timestamp: Some(block.header.timestamp),
        transaction_index: Some(position as u64),
        effective_gas_price: Some(tx.effective_gas_price(Some(block.base_fee()))),
    }
}

/// A transaction in the pool.
pub(super) fn waiting(tx: &Tx) -> rpc::Transaction {
    rpc::Transaction {
        inner: tx.clone(),
        block_hash: None,
        block_number: None,
        block_timestamp: None,
        transaction_index: None,
        effective_gas_price: Some(tx.max_fee_per_gas()),
    }
}

pub(crate) fn receipt(block: &Block, position: usize) -> TransactionReceipt {
    let (tx, receipt) = (&block.transactions[position], &block.receipts[position]);
    let transaction_hash = *tx.tx_hash();
    let mut log_index = receipt.first_log..;
    TransactionReceipt {
        inner: receipt.envelope.clone().map_logs(|log| Log {
            inner: log,
            block_hash: Some(block.hash),
            block_number: Some(block.number()),
            block_timestamp: Some(block.header.timestamp),
            transaction_hash: Some(transaction_hash),
            transaction_index: Some(position as u64),
            log_index: log_index.next(),
            removed: false,
        }),
        transaction_hash,
        transaction_index: Some(position as u64),
        block_hash: Some(block.hash),
        block_number: Some(block.number()),
        gas_used: receipt.gas_used,
        effective_gas_price: tx.effective_gas_price(Some(block.base_fee())),
        blob_gas_used: None,
        blob_gas_price: None,
        from: tx.signer(),
        to: tx.to(),
        contract_address: receipt.contract_address,
    }
}

/// The number of blocks from the `safe` and from the `finalized` block to the head: one epoch and
/// two.
const SAFE_DEPTH: u64 = 32;
const FINALIZED_DEPTH: u64 = 64;

/// The number of the block with this tag; `None` for the pending block.
pub(super) const fn number_of(tag: BlockNumberOrTag, head: u64) -> Option<u64> {
    match tag {
        BlockNumberOrTag::Number(number) => Some(number),
        BlockNumberOrTag::Earliest => Some(0),
        BlockNumberOrTag::Latest => Some(head),
        BlockNumberOrTag::Safe => Some(head.saturating_sub(SAFE_DEPTH)),
        BlockNumberOrTag::Finalized => Some(head.saturating_sub(FINALIZED_DEPTH)),
        BlockNumberOrTag::Pending => None,
    }
}
