//! Runs the same steps on both chains and compares their results.

use std::fmt::Debug;

use alloy_consensus::TxReceipt;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::{Filter, TransactionReceipt};
use alloy_transport::TransportError;
use canon_devchain::{Devchain, Mining};
use eyre::{Result, WrapErr, eyre};

use super::{
    plain,
    sequence::{Refusal, Sequence, Step},
};

/// The factor by which a searched estimate may exceed anvil's.
const ESTIMATE_TOLERANCE: f64 = 1.015;

pub(super) struct Differ {
    pub(super) chain: Devchain,
    pub(super) ours: DynProvider,
    pub(super) theirs: DynProvider,
    pub(super) compared: usize,
    pub(super) differences: Vec<String>,
}

/// The code of a failed call, and the data if it reverted.
fn failure(error: &TransportError) -> (i64, Option<Bytes>) {
    error.as_error_resp().map_or((0, None), |error| (error.code, error.as_revert_data()))
}

impl Differ {
    pub(super) fn new(chain: Devchain, theirs: DynProvider) -> Self {
        let ours = plain(&chain);
        Self { chain, ours, theirs, compared: 0, differences: Vec::new() }
    }

    pub(super) fn same<T: PartialEq + Debug>(&mut self, what: &str, ours: T, theirs: T) {
        self.compared += 1;
        if ours != theirs {
            self.differences.push(format!("{what}: ours {ours:?}, anvil's {theirs:?}"));
        }
    }

    /// Runs a step on both chains: as a call, as an estimate and as a transaction.
    pub(super) async fn step(&mut self, sequence: &mut Sequence, step: Step) -> Result<()> {
        let what = format!("block {}, {}", self.chain.block_number() + 1, step.kind);
        let request = sequence.request(&step);

        let ours = self.ours.call(request.clone()).latest().await;
        let theirs = self.theirs.call(request.clone()).latest().await;
        match (&ours, &theirs) {
            (Err(ours), Err(theirs)) if failure(theirs).0 == 3 => {
                self.same(&format!("{what}: call"), failure(ours), failure(theirs));
            }
            // Exceptional halts have no common error code.
            (Err(_), Err(_)) => self.compared += 1,
            (ours, theirs) => {
                let (ours, theirs) = (ours.as_ref().ok(), theirs.as_ref().ok());
                self.same(&format!("{what}: call"), ours, theirs);
            }
        }

        let ours = self.ours.estimate_gas(request.clone()).latest().await;
        let theirs = self.theirs.estimate_gas(request.clone()).latest().await;
        let estimate = match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                self.compared += 1;
                let most = theirs as f64 * ESTIMATE_TOLERANCE;
                if ours < theirs || ours as f64 > most && !sequence.forgives(&step) {
                    let difference = format!("{what}: estimate: ours {ours}, anvil's {theirs}");
                    self.differences.push(difference);
                }
                Some(ours)
            }
            (ours, theirs) => {
                self.same(&format!("{what}: estimate fails"), ours.is_err(), theirs.is_err());
                None
            }
        };

        self.call_traces(&what, &request).await;
        let gas = step.gas.or(estimate);
        let gas = gas.ok_or_else(|| eyre!("{what}: neither estimated nor given a gas limit"))?;
        let (raw, hash) = sequence.sign(&step, gas).await?;
        self.set_timestamp(sequence.below(30) + 1).await?;
        let ours = self.chain.send_raw(&raw).wrap_err_with(|| what.clone())?;
        // Anvil mines in the background. This method waits until it has.
        let method = "eth_sendRawTransactionSync".into();
        let theirs: TransactionReceipt =
            self.theirs.raw_request(method, [raw]).await.map_err(|error| {
                eyre!("{what}: anvil refuses what the devchain accepts: {error}")
            })?;
        self.same(&format!("{what}: hash"), ours, theirs.transaction_hash);
        self.receipt(&what, hash).await?;
        self.head(&what).await?;
        self.accounts(&what, sequence, &step).await
    }

    async fn set_timestamp(&self, ahead: u64) -> Result<()> {
        let timestamp = self.chain.timestamp() + ahead;
        self.chain.set_next_timestamp(timestamp)?;
        let params = [U64::from(timestamp)];
        let _: serde_json::Value =
            self.theirs.raw_request("evm_setNextBlockTimestamp".into(), params).await?;
        Ok(())
    }

    async fn receipt(&mut self, what: &str, hash: B256) -> Result<()> {
        let ours = self.ours.get_transaction_receipt(hash).await?;
        let theirs = self.theirs.get_transaction_receipt(hash).await?;
        let (Some(ours), Some(theirs)) = (&ours, &theirs) else {
            self.same(&format!("{what}: mined"), ours.is_some(), theirs.is_some());
            return Ok(());
        };
        macro_rules! compare {
            ($($name:literal $value:expr),* $(,)?) => {
                $({
                    let value: fn(&TransactionReceipt) -> _ = $value;
                    self.same(&format!("{what}: receipt: {}", $name), value(ours), value(theirs));
                })*
            };
        }
        compare! {
            "status" |r| r.status(),
            "type" |r| r.transaction_type(),
            "gasUsed" |r| r.gas_used,
            "cumulativeGasUsed" |r| r.inner.cumulative_gas_used(),
            "effectiveGasPrice" |r| r.effective_gas_price,
            "contractAddress" |r| r.contract_address,
            "from" |r| r.from,
            "to" |r| r.to,
            "blockNumber" |r| r.block_number,
            "transactionIndex" |r| r.transaction_index,
            "logsBloom" |r| r.inner.bloom(),
            "logs" |r| {
                let log = |log: &alloy_rpc_types_eth::Log| {
                    (log.inner.clone(), log.log_index, log.block_timestamp, log.removed)
                };
                r.logs().iter().map(log).collect::<Vec<_>>()
            },
        }
        self.traces(what, ours).await;
        let ours = self.ours.get_transaction_by_hash(hash).await?.map(|tx| tx.inner);
        let theirs = self.theirs.get_transaction_by_hash(hash).await?.map(|tx| tx.inner);
        self.same(&format!("{what}: transaction"), ours, theirs);
        Ok(())
    }

    /// Compares the newest blocks, without the fields that depend on the state root.
    async fn head(&mut self, what: &str) -> Result<()> {
        let ours = self.ours.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let theirs = self.theirs.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let [ours, theirs] = [ours, theirs].map(|block| {
            block.map(|block| {
                let header = block.header.into_consensus();
                let roots = (header.transactions_root, header.receipts_root, header.logs_bloom);
                let gas = (header.gas_used, header.gas_limit, header.base_fee_per_gas);
                let rest = (header.number, header.timestamp, header.requests_hash);
                let blobs = (header.blob_gas_used, header.excess_blob_gas);
                let hashes: Vec<_> = block.transactions.hashes().collect();
                (roots, gas, rest, blobs, hashes)
            })
        });
        self.same(&format!("{what}: block"), ours, theirs);
        Ok(())
    }

    async fn accounts(&mut self, what: &str, sequence: &Sequence, step: &Step) -> Result<()> {
        let sender = sequence.dev(step.from);
        let created = sender.create(self.chain.nonce(sender).saturating_sub(1));
        let mut accounts = vec![Address::ZERO, sender, step.to.to().copied().unwrap_or(created)];
        accounts.extend(&step.touched);
        for account in accounts {
            let of = async |provider: &DynProvider| -> Result<_> {
                let mut slots = Vec::new();
                for slot in [0, 1, 9] {
                    slots.push(provider.get_storage_at(account, U256::from(slot)).await?);
                }
                Ok((
                    provider.get_balance(account).await?,
                    provider.get_transaction_count(account).await?,
                    provider.get_code_at(account).await?,
                    slots,
                ))
            };
            let (ours, theirs) = (of(&self.ours).await?, of(&self.theirs).await?);
            self.same(&format!("{what}: account {account}"), ours, theirs);
        }
        Ok(())
    }

    /// Checks that both chains refuse a transaction.
    pub(super) async fn refusal(&mut self, refusal: Refusal) {
        let Refusal { why, raw, by_anvil } = refusal;
        let ours = self.chain.send_raw(&raw).is_err();
        let theirs = if by_anvil {
            let method = "eth_sendRawTransaction".into();
            self.theirs.raw_request::<_, B256>(method, [raw]).await.is_err()
        } else {
            true
        };
        self.same(&format!("{why}: refused"), ours, theirs);
    }

    pub(super) async fn set_automine(&self, automine: bool) -> Result<()> {
        self.chain.set_mining(if automine { Mining::Auto } else { Mining::Manual });
        Ok(self.theirs.raw_request("evm_setAutomine".into(), [automine]).await?)
    }

    /// Mines a block of several transactions on both chains.
    pub(super) async fn block(&mut self, sequence: &mut Sequence, steps: Vec<Step>) -> Result<()> {
        let what = format!("block {} of {}", self.chain.block_number() + 1, steps.len());
        self.set_timestamp(12).await?;
        let mut hashes = Vec::new();
        for step in &steps {
            let sender = sequence.dev(step.from);
            let nonce = self.ours.get_transaction_count(sender).pending().await?;
            let gas = step.gas.unwrap_or(100_000);
            let (raw, hash) = sequence.sign_at(step, gas, nonce).await?;
            self.chain.send_raw(&raw)?;
            let theirs: B256 =
                self.theirs.raw_request("eth_sendRawTransaction".into(), [raw]).await?;
            self.same(&format!("{what}: hash"), hash, theirs);
            let theirs = self.theirs.get_transaction_count(sender).pending().await?;
            self.same(&format!("{what}: pending nonce"), nonce + 1, theirs);
            hashes.push(hash);
        }
        self.chain.mine()?;
        let _: serde_json::Value = self.theirs.raw_request("evm_mine".into(), ()).await?;
        for hash in hashes {
            self.receipt(&what, hash).await?;
        }
        self.head(&what).await?;
        for step in &steps {
            self.accounts(&what, sequence, step).await?;
        }
        Ok(())
    }

    /// Compares data that spans many blocks: logs and fees.
    pub(super) async fn whole_chain(&mut self) -> Result<()> {
        let head = self.chain.block_number();
        let topic = |n: u64| B256::from(U256::from(n));
        let filters = [
            Filter::new().from_block(0),
            Filter::new().from_block(head / 2).to_block(head),
            Filter::new().from_block(0).event_signature(topic(0x1111)),
            Filter::new().from_block(0).event_signature(vec![topic(1), topic(0x3333)]),
            Filter::new().from_block(0).topic2(topic(0x3333)),
            Filter::new().from_block(0).address(Address::ZERO),
        ];
        for filter in filters {
            let of = async |provider: &DynProvider| -> Result<_> {
                let logs = provider.get_logs(&filter).await?;
                let place = |log: &alloy_rpc_types_eth::Log| (log.block_number, log.log_index);
                let logs = logs.into_iter().map(|log| (place(&log), log.inner));
                Ok(logs.collect::<Vec<_>>())
            };
            let (ours, theirs) = (of(&self.ours).await?, of(&self.theirs).await?);
            self.same("logs", ours, theirs);
        }
        for blocks in [1, 10, 100] {
            let of = async |provider: &DynProvider| -> Result<_> {
                let latest = BlockNumberOrTag::Latest;
                let history = provider.get_fee_history(blocks, latest, &[20.0, 80.0]).await?;
                Ok((history.base_fee_per_gas, history.oldest_block, history.gas_used_ratio))
            };
            let (ours, theirs) = (of(&self.ours).await?, of(&self.theirs).await?);
            self.same("fee history", ours, theirs);
        }
        let of = async |provider: &DynProvider| -> Result<_> {
            let fee = provider.get_max_priority_fee_per_gas().await?;
            Ok((provider.get_gas_price().await?, fee, provider.get_chain_id().await?))
        };
        let (ours, theirs) = (of(&self.ours).await?, of(&self.theirs).await?);
        self.same("gas price, priority fee, chain id", ours, theirs);
        Ok(())
    }
}
