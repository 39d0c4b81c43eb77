//! Transactions for somebody else to sign.

use alloy_primitives::{Address, Bytes, ChainId};
use canon_chain::tx::Preview;
use canon_protocol::{Timestamp, text};
use serde::Serialize;

/// The highest gas limit of a call that can't be simulated before another one is mined. It is more than any
/// of these calls uses.
pub(super) const UNSIMULATED_GAS: u64 = 500_000;

/// A call for somebody else to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnsignedCall {
    pub(crate) to: Address,
    pub(crate) data: Bytes,
    pub(crate) value: alloy_primitives::U256,
    pub(crate) gas: u64,
}

/// A call among several for somebody else to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnsignedStep {
    /// The description of the call.
    pub(crate) title: String,
    pub(crate) call: UnsignedCall,
    /// The numbers of the calls that have to be made before it, counted from 1.
    pub(crate) after: Vec<usize>,
}

impl From<Preview> for UnsignedCall {
    fn from(preview: Preview) -> Self {
        let Preview { to, input: data, value, gas_limit: gas, .. } = preview;
        Self { to, data, value, gas }
    }
}

/// A transaction without its signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionDocument {
    #[serde(with = "text::address")]
    to: Address,
    data: Bytes,
    /// The value in wei.
    value: String,
    chain_id: ChainId,
    gas: u64,
}

/// A transaction among several.
#[derive(Debug, Serialize)]
pub(super) struct NumberedDocument {
    /// The position, counted from 1.
    number: usize,
    step: String,
    /// The numbers of the transactions that have to be mined before it.
    after: Vec<usize>,
    #[serde(flatten)]
    transaction: TransactionDocument,
}

/// One transaction, or several in order.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum TransactionsDocument {
    One(TransactionDocument),
    Several(Vec<NumberedDocument>),
}

impl TransactionDocument {
    fn new(chain_id: ChainId, call: UnsignedCall) -> Self {
        let UnsignedCall { to, data, value, gas } = call;
        Self { to, data, value: value.to_string(), chain_id, gas }
    }
}

impl TransactionsDocument {
    pub(super) fn new(chain_id: ChainId, steps: Vec<UnsignedStep>) -> Self {
        match <[_; 1]>::try_from(steps) {
            Ok([one]) => Self::One(TransactionDocument::new(chain_id, one.call)),
            Err(steps) => {
                let all = (1..).zip(steps);
                let numbered = |(number, UnsignedStep { title, call, after })| NumberedDocument {
                    number,
                    step: title,
                    after,
                    transaction: TransactionDocument::new(chain_id, call),
                };
                Self::Several(all.map(numbered).collect())
            }
        }
    }
}

/// A batch for Safe's Transaction Builder, in the form of the files that it writes and reads (version 1.0).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SafeBatch {
    version: &'static str,
    chain_id: String,
    /// The time in milliseconds since 1970.
    created_at: u64,
    meta: SafeMeta,
    transactions: Vec<SafeTransaction>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SafeMeta {
    name: String,
    description: String,
    #[serde(with = "text::address")]
    created_from_safe_address: Address,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SafeTransaction {
    #[serde(with = "text::address")]
    to: Address,
    /// The value in wei.
    value: String,
    data: Bytes,
}

impl SafeBatch {
    /// Creates a batch of calls by a Safe. `name` is the command.
    pub(super) fn new(
        chain_id: ChainId,
        created_at: Timestamp,
        safe: Address,
        name: String,
        steps: Vec<UnsignedStep>,
    ) -> Self {
        let titles: Vec<_> = steps.iter().map(|step| step.title.as_str()).collect();
        let description = titles.join("; ");
        let transactions = steps.into_iter().map(|UnsignedStep { call, .. }| {
            let UnsignedCall { to, data, value, .. } = call;
            SafeTransaction { to, value: value.to_string(), data }
        });
        Self {
            version: "1.0",
            chain_id: chain_id.to_string(),
            created_at: created_at.get().saturating_mul(1000),
            meta: SafeMeta { name, description, created_from_safe_address: safe },
            transactions: transactions.collect(),
        }
    }
}
