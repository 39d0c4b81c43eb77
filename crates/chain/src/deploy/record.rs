//! The record of a deployment, from which it continues after an interruption.

use super::{parameters::SetParameters, step::Step};
use crate::{
    Client, Confirmed, Error, Inclusion,
    confirm::{RECEIPT, contradictory_receipt},
    tx::Fees,
};
use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, ChainId, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_transport::RpcError;
use canon_protocol::{BlockNumber, Timestamp, text};
use serde::{Deserialize, Serialize};

/// The record of a deployment. Save it at every [`DeployProgress`](super::DeployProgress). When it is
/// passed to [`deploy`](super::deploy) again, completed steps are verified and the others are done. A step whose
/// transaction the chain doesn't have isn't completed, whatever the record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRecord {
    /// The chain.
    pub chain_id: ChainId,
    /// The first owner of Asset and Registry.
    #[serde(with = "text::address")]
    pub deployer: Address,
    /// The parameters of the set.
    pub parameters: SetParameters,
    /// The first second of the rollup's slot 0, decided before anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<Timestamp>,
    /// The payment to the creator of the deployment proxy, which may or may not be on the chain; `None` if it wasn't
    /// made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_payment: Option<ProxyPayment>,
    /// The step that was begun last, whose transaction may or may not be on the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<BegunStep>,
    /// The steps that are done, in order.
    #[serde(default)]
    pub done: Vec<DoneStep>,
}

/// The payment to the creator of the deployment proxy. It is made once, whatever the endpoint says of the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyPayment {
    /// The nonce of the transaction.
    pub nonce: u64,
    /// The signed transaction (EIP-2718). If it isn't on the chain it is sent again, as that of a [`BegunStep`].
    pub raw: Bytes,
    /// The transactions whose place it has taken, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Bytes>,
}

impl ProxyPayment {
    /// The value of the payment, in wei; `None` if the transaction can't be decoded.
    pub(super) fn value(&self) -> Option<U256> {
        Some(TxEnvelope::decode_2718_exact(&self.raw).ok()?.value())
    }
}

/// A step that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BegunStep {
    /// The step.
    pub step: Step,
    /// The nonce of the transaction.
    pub nonce: u64,
    /// The signed transaction (EIP-2718). If it isn't on the chain it is sent again. Only one with the same call and
    /// nonce, and higher fees, takes its place.
    pub raw: Bytes,
    /// The transactions whose place it has taken, oldest first. One of them may still be mined instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Bytes>,
}

/// A step that is done and verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoneStep {
    /// The step.
    pub step: Step,
    /// The contract that it created or called.
    #[serde(with = "text::address")]
    pub address: Address,
    /// The receipt of its transaction; `None` if the chain already had its effect, from an interrupted run
    /// or another deployment of the same contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<StepReceipt>,
}

/// The receipt of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepReceipt {
    /// The transaction.
    pub transaction: B256,
    /// The number of its block.
    pub block: BlockNumber,
    /// The gas used by the whole transaction. It may have done more than one step.
    pub gas_used: u64,
}

impl BegunStep {
    /// The fees that the transaction offers; `None` if it can't be decoded.
    pub fn fees(&self) -> Option<Fees> {
        let envelope = TxEnvelope::decode_2718_exact(&self.raw).ok()?;
        let (max_fee, tip) = (envelope.max_fee_per_gas(), envelope.max_priority_fee_per_gas()?);
        Some(Fees { max_fee, tip })
    }
}

impl From<Inclusion> for StepReceipt {
    fn from(Inclusion { hash: transaction, block, gas_used, .. }: Inclusion) -> Self {
        Self { transaction, block, gas_used }
    }
}

impl StepReceipt {
    pub(crate) fn of(confirmed: &Confirmed) -> Self {
        confirmed.inclusion().into()
    }

    /// Reads the receipt again, since its block may have been replaced. `None` if no block of the chain has the
    /// transaction any more, or if it failed there.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn read_again(&self, client: &Client) -> Result<Option<Self>, Error> {
        let found = self.found(client).await?.filter(TransactionReceipt::status);
        let block = found.as_ref().and_then(|found| found.block_number).map(BlockNumber::of);
        let found = found.zip(block);
        Ok(found.map(|(found, block)| Self { block, gas_used: found.gas_used, ..*self }))
    }

    /// The fee, in wei.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, doesn't have the receipt, or has another one that the transaction can't have.
    pub async fn fee(&self, client: &Client) -> Result<U256, Error> {
        let found = client.inclusion(self.transaction).await?;
        let found = found.ok_or_else(|| Error::rpc(RECEIPT, RpcError::NullResp))?;
        let (used, before) = (found.gas_used, self.gas_used);
        match used == before {
            true => Ok(found.fee),
            false => {
                let contradiction = format!("{used} gas used, {before} before");
                Err(contradictory_receipt(self.transaction, &contradiction))
            }
        }
    }

    async fn found(&self, client: &Client) -> Result<Option<TransactionReceipt>, Error> {
        let found = client.provider().get_transaction_receipt(self.transaction).await;
        found.map_err(|source| Error::rpc(RECEIPT, source))
    }
}

impl DeployRecord {
    /// The record of a new deployment.
    pub const fn new(chain_id: ChainId, deployer: Address, parameters: SetParameters) -> Self {
        Self {
            chain_id,
            deployer,
            parameters,
            genesis: None,
            proxy_payment: None,
            begun: None,
            done: Vec::new(),
        }
    }

    /// Whether a step is done.
    pub fn is_done(&self, step: Step) -> bool {
        self.find(step).is_some()
    }

    /// The first step that isn't done; `None` if all are done.
    pub fn next(&self) -> Option<Step> {
        self.steps_left().next()
    }

    /// The steps that aren't done, in order.
    pub fn steps_left(&self) -> impl Iterator<Item = Step> {
        Step::ALL.into_iter().filter(|step| !self.is_done(*step))
    }

    /// The address of the contract that a step created or called; `None` if the step isn't done.
    pub fn address(&self, step: Step) -> Option<Address> {
        self.find(step).map(|done| done.address)
    }

    /// The first block with events of the set, from which an [`SetExaminer`](super::SetExaminer) can start.
    ///
    /// `None` if the creation of one of the set's contracts except Expect isn't recorded, because the chain
    /// already had it or the step isn't done.
    pub fn first_block(&self) -> Option<BlockNumber> {
        first_block(|step| self.find(step)?.receipt)
    }

    /// The record as the chain has it now: with the receipts read again, and without the steps whose
    /// transactions aren't in its blocks, because blocks were replaced or the record is of another fork.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn read_again(&self, client: &Client) -> Result<Self, Error> {
        let mut record = Self { done: Vec::new(), ..self.clone() };
        for done in &self.done {
            let receipt = match done.receipt {
                None => None,
                Some(receipt) => match receipt.read_again(client).await? {
                    None => continue,
                    found => found,
                },
            };
            record.insert(DoneStep { receipt, ..*done });
        }
        Ok(record)
    }

    /// Whether an endpoint knows one of the record's transactions that blocks have had, in a block or in its pool. If it
    /// knows none, its chain isn't the one of the record. `true` if the record has no receipts.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn is_known_to(&self, client: &Client) -> Result<bool, Error> {
        for StepReceipt { transaction, .. } in self.receipts() {
            let found = client.provider().get_transaction_by_hash(transaction).await;
            let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(self.receipts().next().is_none())
    }

    /// Adds a step that is done.
    pub(super) fn insert(&mut self, done: DoneStep) {
        self.remove(done.step);
        self.done.push(done);
        self.done.sort_by_key(|done| done.step);
    }

    /// Removes a step that isn't done after all.
    pub(super) fn remove(&mut self, step: Step) {
        self.done.retain(|done| done.step != step);
    }

    /// The known receipts, in the order of the steps.
    pub fn receipts(&self) -> impl Iterator<Item = StepReceipt> {
        self.done.iter().filter_map(|done| done.receipt)
    }

    /// The newest block with a known receipt; block 0 if there is none.
    pub fn newest_block(&self) -> BlockNumber {
        self.receipts().map(|receipt| receipt.block).max().unwrap_or(BlockNumber::ZERO)
    }

    fn find(&self, step: Step) -> Option<&DoneStep> {
        self.done.iter().find(|done| done.step == step)
    }

    /// A gas limit that suffices for all steps that aren't done.
    pub fn most_gas_left(&self) -> u64 {
        self.steps_left().map(Step::most_gas).sum()
    }

    /// The gas used by all steps with known receipts.
    pub fn gas_used(&self) -> u64 {
        self.receipts().map(|receipt| receipt.gas_used).sum()
    }

    /// The fees of all steps with known receipts, in wei.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or doesn't have one of the receipts.
    pub async fn fee(&self, client: &Client) -> Result<U256, Error> {
        let mut fee = U256::ZERO;
        for receipt in self.receipts() {
            fee += receipt.fee(client).await?;
        }
        Ok(fee)
    }
}

/// The first block with events of a set that these steps deployed; `None` if the creation of one of its contracts
/// except Expect has no receipt.
pub(super) fn first_block(receipt: impl Fn(Step) -> Option<StepReceipt>) -> Option<BlockNumber> {
    // The constructor of Expect emits no events, and all sets with the same origin share it.
    let creations = Step::ALL.into_iter().filter(|s| s.creates().is_some() && *s != Step::Expect);
    let block = |step| receipt(step).map(|receipt| receipt.block);
    let blocks: Option<Vec<_>> = creations.map(block).collect();
    blocks?.into_iter().min()
}
