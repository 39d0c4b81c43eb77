//! The manifest of a deployment, with everything needed to recompute its addresses.

use super::{
    error::DeployError,
    found_receipts::with_receipts,
    origin::Create2Origin,
    parameters::SetParameters,
    plan::{ContractPlan, SetPlan},
    record::{DeployRecord, DoneStep, StepReceipt, first_block},
    step::Step,
    verify::head_since,
};
use crate::{
    Client, Error, NoWait,
    confirm::RECEIPT,
    view::{BatchedRequest, decode_reply},
};
use alloy_primitives::{Address, B256, ChainId, keccak256};
use alloy_rpc_types_eth::{Filter, TransactionReceipt};
use canon_abi::{ConstructorArgument, Contract};
use canon_protocol::{BlockNumber, ForeignText, Timestamp, text};
use core::fmt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the manifest format.
const VERSION: u32 = 1;

/// The maximum number of characters that a mismatch shows of a value: those of the Rollup's arguments fit.
const MAX_SHOWN: usize = 2000;

/// A finished deployment. In JSON, amounts in constructor arguments are base units and times are Unix
/// seconds, both as decimal strings; the parameters have units, as in their file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployManifest {
    version: u32,
    /// The chain.
    #[serde(with = "text::decimal")]
    pub chain_id: ChainId,
    /// The first owner of Asset and Registry.
    #[serde(with = "text::address")]
    pub deployer: Address,
    /// The first second of slot 0 of the first rollup.
    pub genesis: Timestamp,
    /// The parameters of the set.
    pub parameters: SetParameters,
    /// The contracts, in the order of their creation.
    pub contracts: Vec<ManifestContract>,
    /// All steps, with the contracts that they created or called.
    pub steps: Vec<ManifestStep>,
}

/// A step of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestStep {
    /// The step.
    pub step: Step,
    /// The contract that it created or called.
    #[serde(with = "text::address")]
    pub address: Address,
    /// The receipt of its transaction, whoever sent it; `None` if it isn't known.
    #[serde(default)]
    pub receipt: Option<StepReceipt>,
}

/// A contract of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestContract {
    /// The name of the contract in Solidity.
    pub contract: String,
    /// The address of the contract.
    #[serde(with = "text::address")]
    pub address: Address,
    /// The contract that executed CREATE2.
    #[serde(with = "text::address")]
    pub factory: Address,
    /// The salt that the factory was given.
    pub salt: B256,
    /// keccak256 of the creation code with the constructor's arguments.
    pub init_code_hash: B256,
    /// keccak256 of the runtime code on the chain.
    pub code_hash: B256,
    /// The constructor's arguments.
    pub arguments: Vec<ManifestArgument>,
    /// The transaction that created it, whoever sent it; `None` if it isn't known.
    pub creation: Option<StepReceipt>,
}

/// A constructor argument of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestArgument {
    /// The name of the argument in Solidity.
    pub name: String,
    /// The type of the argument in Solidity.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value of the argument.
    pub value: Value,
}

impl From<DoneStep> for ManifestStep {
    fn from(DoneStep { step, address, receipt }: DoneStep) -> Self {
        Self { step, address, receipt }
    }
}

impl From<ConstructorArgument> for ManifestArgument {
    fn from(argument: ConstructorArgument) -> Self {
        let ConstructorArgument { name, kind, value } = argument;
        Self { name, kind, value }
    }
}

impl DeployManifest {
    /// The manifest of a finished deployment, with the present code hashes, and the transactions of other senders
    /// that events prove.
    ///
    /// # Errors
    ///
    /// [`DeployError::Stopped`] if a step isn't done; [`DeployError::NoGenesis`] if the record has none;
    /// [`DeployError::NotCreated`] if a contract has no code; otherwise if the chain can't be read.
    pub async fn of(client: &Client, record: &DeployRecord) -> Result<Self, DeployError> {
        if let Some(step) = record.next() {
            return Err(DeployError::Stopped { step });
        }
        let genesis = record.genesis.or(record.parameters.rollup.genesis);
        let genesis = genesis.ok_or(DeployError::NoGenesis)?;
        let plan = SetPlan::new(&record.parameters, record.deployer, genesis);
        let head = head_since(client, record.newest_block(), &mut NoWait).await?;
        let at = head.hash.into();
        let steps = with_receipts(client, &plan, &record.done, &head).await;
        let mut contracts = Vec::new();
        for done in &steps {
            let Some(planned) = plan.contract(done.step) else { continue };
            let (contract, address) = (planned.contract(), planned.address());
            let code = client.code(at, address).await?;
            let code = code.ok_or(DeployError::NotCreated { contract, address })?;
            contracts.push(ManifestContract::of(planned, keccak256(&code), done.receipt));
        }
        Ok(Self {
            version: VERSION,
            chain_id: record.chain_id,
            deployer: record.deployer,
            genesis,
            parameters: record.parameters.clone(),
            contracts,
            steps: steps.into_iter().map(Into::into).collect(),
        })
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// If the text isn't JSON, or isn't a manifest of this version.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let manifest: Self = serde_json::from_str(text)?;
        match manifest.version {
            VERSION => Ok(manifest),
            other => Err(serde::de::Error::custom(format_args!(
                "expected a manifest of version {VERSION}, found version {other}"
            ))),
        }
    }

    /// Whether this is the manifest of the deployment of a record.
    pub fn is_of(&self, record: &DeployRecord) -> bool {
        let steps = self.steps.iter().map(|step| (step.step, step.address));
        self.chain_id == record.chain_id
            && self.deployer == record.deployer
            && self.parameters == record.parameters
            && steps.eq(record.done.iter().map(|done| (done.step, done.address)))
    }

    /// The entry of a contract; `None` if the manifest has none.
    pub fn contract(&self, contract: Contract) -> Option<&ManifestContract> {
        self.contracts.iter().find(|one| one.contract == contract.name())
    }

    /// The address of the set's Registry; `None` if the manifest has none.
    pub fn registry(&self) -> Option<Address> {
        self.contract(Contract::Registry).map(|registry| registry.address)
    }

    /// The first block with events of the set; `None` if the creation of one of its contracts except Expect isn't
    /// known.
    pub fn first_block(&self) -> Option<BlockNumber> {
        first_block(|step| self.step(step)?.receipt)
    }

    /// The entry of a step; `None` if the manifest has none.
    fn step(&self, step: Step) -> Option<&ManifestStep> {
        self.steps.iter().find(|found| found.step == step)
    }

    /// The distinct origins of its contracts.
    pub fn origins(&self) -> Vec<Create2Origin> {
        let mut origins = vec![self.parameters.origin];
        for ManifestContract { factory, salt, .. } in &self.contracts {
            let origin = Create2Origin { factory: *factory, salt: *salt };
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins
    }

    /// The plan of the set with these parameters.
    pub fn plan(&self) -> SetPlan {
        SetPlan::new(&self.parameters, self.deployer, self.genesis)
    }
}

impl ManifestContract {
    fn of(planned: &ContractPlan, code_hash: B256, creation: Option<StepReceipt>) -> Self {
        let (contract, create2) = (planned.contract(), planned.create2());
        let arguments = contract.constructor_arguments(planned.init_code()).unwrap_or_default();
        Self {
            contract: contract.name().to_owned(),
            address: planned.address(),
            factory: create2.factory,
            salt: create2.salt,
            init_code_hash: create2.init_code_hash,
            code_hash,
            arguments: arguments.into_iter().map(Into::into).collect(),
            creation,
        }
    }
}

/// A way in which a manifest doesn't match its deployment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestMismatch {
    /// The manifest is of another chain.
    #[error("the manifest is of chain {manifest}, this is chain {chain}")]
    Chain {
        /// The chain of the manifest.
        manifest: ChainId,
        /// The chain of the endpoint.
        chain: ChainId,
    },
    /// The manifest lacks a contract.
    #[error("the manifest lacks {contract}, which its parameters put at {expected}")]
    Missing {
        /// The contract.
        contract: Contract,
        /// The address at which it should be.
        expected: Address,
    },
    /// The manifest has a contract that no deployment has.
    #[error("the manifest has \"{}\" at {address}, which no deployment creates", shown(.name))]
    Unplanned {
        /// The name of the contract.
        name: String,
        /// The address of the contract.
        address: Address,
    },
    /// The manifest has a contract once more.
    #[error("the manifest has {contract} once more, at {address}; a deployment creates it once")]
    Repeated {
        /// The contract.
        contract: Contract,
        /// The address of the further entry.
        address: Address,
    },
    /// A part of a contract's entry doesn't follow from the parameters and the shipped artifacts, or
    /// doesn't match the chain.
    #[error("{contract}: the manifest's {what} is {}, expected {}", shown(.manifest), shown(.expected))]
    Contract {
        /// The contract.
        contract: Contract,
        /// The field.
        what: &'static str,
        /// The value in the manifest.
        manifest: String,
        /// The value that follows from the parameters, or that the chain has.
        expected: String,
    },
    /// The manifest lacks a step.
    #[error("the manifest lacks the step \"{step}\"")]
    MissingStep {
        /// The step.
        step: Step,
    },
    /// The manifest has a step once more.
    #[error(
        "the manifest has the step \"{step}\" once more, with {address}; a deployment takes it once"
    )]
    RepeatedStep {
        /// The step.
        step: Step,
        /// The contract of the further entry.
        address: Address,
    },
    /// A part of a step's entry doesn't follow from the parameters, or doesn't match the chain.
    #[error(
        "step \"{step}\": the manifest's {what} is {}, expected {}", shown(.manifest), shown(.expected)
    )]
    Step {
        /// The step.
        step: Step,
        /// The field.
        what: &'static str,
        /// The value in the manifest.
        manifest: String,
        /// The value that follows from the parameters, or that the chain has.
        expected: String,
    },
    /// The chain doesn't show that a transaction of the manifest did its step.
    #[error(
        "step \"{step}\": the manifest's transaction is {transaction}, {problem}; find the one that did the step"
    )]
    Transaction {
        /// The step.
        step: Step,
        /// The transaction.
        transaction: B256,
        /// The problem.
        problem: TransactionProblem,
    },
}

/// A value that may be from the manifest, safe to show.
fn shown(value: &str) -> impl fmt::Display + '_ {
    ForeignText::new(value).up_to(MAX_SHOWN)
}

/// The reason why the chain doesn't show that a transaction did a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionProblem {
    /// No block has it.
    NotFound,
    /// It failed.
    Failed,
    /// It didn't emit the event of the step.
    NoEvent,
}

impl fmt::Display for TransactionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "which no block of the endpoint has",
            Self::Failed => "which failed",
            Self::NoEvent => "which doesn't have the event of this step",
        })
    }
}

impl DeployManifest {
    /// All parts of the manifest that don't follow from its parameters and the shipped artifacts, or don't
    /// match the chain, and all entries beyond those of a deployment.
    ///
    /// A known transaction must be in its block, have used its gas, and have the event of its step. The creation of
    /// Expect emits none, so that its transaction may be any that succeeded. Transactions that the manifest doesn't
    /// know aren't searched for.
    ///
    /// # Errors
    ///
    /// If the chain can't be read.
    pub async fn mismatches(&self, client: &Client) -> Result<Vec<ManifestMismatch>, Error> {
        let chain = client.chain_id();
        if self.chain_id != chain {
            return Ok(vec![ManifestMismatch::Chain { manifest: self.chain_id, chain }]);
        }
        let plan = self.plan();
        let at = client.head().await?.hash.into();
        let receipts = self.receipts(client).await?;
        let mut mismatches = self.surplus();
        for step in Step::ALL {
            let Some(planned) = plan.contract(step) else { continue };
            let (contract, address) = (planned.contract(), planned.address());
            let Some(found) = self.contract(contract) else {
                mismatches.push(ManifestMismatch::Missing { contract, expected: address });
                continue;
            };
            let code = client.code(at, address).await?.unwrap_or_default();
            let creation = self.step(step).and_then(|step| step.receipt);
            let expected = ManifestContract::of(planned, keccak256(&code), creation);
            mismatches.extend(found.differences(&expected, contract));
        }
        for step in Step::ALL {
            match self.step(step) {
                Some(found) => mismatches.extend(found.mismatches(&plan, &receipts)),
                None => mismatches.push(ManifestMismatch::MissingStep { step }),
            }
        }
        Ok(mismatches)
    }

    /// The entries that no deployment has, or that the manifest has already.
    fn surplus(&self) -> Vec<ManifestMismatch> {
        let mut mismatches = Vec::new();
        let mut contracts = BTreeSet::new();
        for ManifestContract { contract: name, address, .. } in &self.contracts {
            let address = *address;
            let mut planned = Step::ALL.into_iter().filter_map(Step::creates);
            match planned.find(|contract| contract.name() == name.as_str()) {
                None => {
                    mismatches.push(ManifestMismatch::Unplanned { name: name.clone(), address });
                }
                Some(contract) if !contracts.insert(name) => {
                    mismatches.push(ManifestMismatch::Repeated { contract, address });
                }
                Some(_) => {}
            }
        }
        let mut steps = BTreeSet::new();
        for ManifestStep { step, address, .. } in self.steps.iter().copied() {
            if !steps.insert(step) {
                mismatches.push(ManifestMismatch::RepeatedStep { step, address });
            }
        }
        mismatches
    }

    /// The receipts that the chain has of the manifest's transactions.
    async fn receipts(&self, client: &Client) -> Result<BTreeMap<B256, TransactionReceipt>, Error> {
        let receipts = self.steps.iter().filter_map(|step| step.receipt);
        let transactions: BTreeSet<_> = receipts.map(|receipt| receipt.transaction).collect();
        let requests = transactions.iter().map(|hash| BatchedRequest::new(RECEIPT, (*hash,)));
        let requests = requests.collect::<Result<Vec<_>, Error>>()?;
        let replies = client.batch(&requests).await?;
        let mut found = BTreeMap::new();
        for (transaction, reply) in transactions.into_iter().zip(replies) {
            if let Some(receipt) = decode_reply::<Option<TransactionReceipt>>(RECEIPT, reply)? {
                found.insert(transaction, receipt);
            }
        }
        Ok(found)
    }
}

impl ManifestStep {
    /// The parts that don't follow from the plan, or don't match the receipts that the chain has.
    fn mismatches(
        &self,
        plan: &SetPlan,
        receipts: &BTreeMap<B256, TransactionReceipt>,
    ) -> Vec<ManifestMismatch> {
        let Self { step, address, receipt } = *self;
        let mut mismatches = Vec::new();
        let mut compare = |what, manifest: String, expected: String| {
            if manifest != expected {
                mismatches.push(ManifestMismatch::Step { step, what, manifest, expected });
            }
        };
        compare("address", address.to_string(), plan.address(step).to_string());
        let Some(StepReceipt { transaction, block, gas_used }) = receipt else { return mismatches };
        let found = receipts.get(&transaction).and_then(|found| Some((found, found.block_number?)));
        let Some((found, number)) = found else {
            let problem = TransactionProblem::NotFound;
            mismatches.push(ManifestMismatch::Transaction { step, transaction, problem });
            return mismatches;
        };
        compare("block", block.to_string(), BlockNumber::of(number).to_string());
        compare("gas used", gas_used.to_string(), found.gas_used.to_string());
        let emitted = |event: Filter| found.logs().iter().any(|log| event.matches(&log.inner));
        let did_step = plan.event(step).is_none_or(emitted);
        let problem = match (found.status(), did_step) {
            (true, true) => return mismatches,
            (true, false) => TransactionProblem::NoEvent,
            (false, _) => TransactionProblem::Failed,
        };
        mismatches.push(ManifestMismatch::Transaction { step, transaction, problem });
        mismatches
    }
}

impl ManifestContract {
    fn differences(&self, expected: &Self, contract: Contract) -> Vec<ManifestMismatch> {
        let arguments = |entry: &Self| {
            let one = |ManifestArgument { name, kind, value }: &ManifestArgument| {
                format!("{kind} {name} = {value}")
            };
            entry.arguments.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let creation = |entry: &Self| match entry.creation {
            Some(StepReceipt { transaction, block, gas_used }) => {
                format!("{transaction} in block {block} with {gas_used} gas")
            }
            None => "unknown".to_owned(),
        };
        let fields = |entry: &Self| {
            [
                ("address", entry.address.to_string()),
                ("factory", entry.factory.to_string()),
                ("salt", entry.salt.to_string()),
                ("init code hash", entry.init_code_hash.to_string()),
                ("code hash", entry.code_hash.to_string()),
                ("arguments", arguments(entry)),
                ("creation", creation(entry)),
            ]
        };
        let pairs = fields(self).into_iter().zip(fields(expected));
        let differing = pairs.filter(|((_, found), (_, expected))| found != expected);
        let mismatch = |((what, manifest), (_, expected))| ManifestMismatch::Contract {
            contract,
            what,
            manifest,
            expected,
        };
        differing.map(mismatch).collect()
    }
}
