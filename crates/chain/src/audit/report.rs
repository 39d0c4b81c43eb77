//! The report of an audit.

use crate::deploy::{Create2Origin, FindingLevel, ManifestArgument, SetParameters};
use alloy_primitives::{Address, B256, ChainId};
use canon_protocol::{Amount, Configuration, Seconds, Timestamp, text};
use canon_views::BlockView;
use serde::{Serialize, Serializer};

/// The report of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// The chain.
    #[serde(with = "text::decimal")]
    pub chain_id: ChainId,
    /// The block whose state was read.
    pub block: BlockView,
    /// The set's Registry.
    #[serde(with = "text::address")]
    pub registry: Address,
    /// The account that deployed the set; `None` if the set isn't genuine.
    #[serde(with = "text::address::option")]
    pub deployer: Option<Address>,
    /// The contracts in office.
    pub contracts: Vec<AuditedContract>,
    /// The parameters in force, with the present supply as the initial one; `None` if a contract doesn't
    /// answer. In JSON, amounts are base units and durations seconds.
    #[serde(serialize_with = "without_units")]
    pub parameters: Option<SetParameters>,
    /// The findings, errors first.
    pub findings: Vec<Finding>,
}

/// A contract in office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditedContract {
    /// The name of the contract in Solidity.
    pub contract: &'static str,
    /// The address of the contract.
    #[serde(with = "text::address")]
    pub address: Address,
    /// The factory and the salt from which its address follows, with the shipped artifact and the arguments
    /// in its constructor's events; `None` if it doesn't follow from any.
    pub origin: Option<Create2Origin>,
    /// keccak256 of the creation code with the arguments; `None` if the address doesn't prove them.
    pub init_code_hash: Option<B256>,
    /// keccak256 of the runtime code; `None` if there is none.
    pub code_hash: Option<B256>,
    /// The owner of the contract; `None` if it has none.
    #[serde(with = "text::address::option")]
    pub owner: Option<Address>,
    /// The constructor arguments that the address proves.
    pub arguments: Vec<ManifestArgument>,
}

/// A finding of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The severity.
    pub level: FindingLevel,
    /// The name of the rule, or of the check of the contracts.
    pub id: &'static str,
    /// The values found and expected, and the consequence.
    pub text: String,
    /// The page and section that explain it, for a rule.
    pub source: Option<&'static str>,
}

/// Parameters for programs, without the units that files for people have.
#[derive(Serialize)]
struct ParametersDocument<'a> {
    name: &'a str,
    symbol: &'a str,
    #[serde(with = "text::address::option")]
    initial_holder: Option<Address>,
    total_supply: Amount,
    issued_per_second: Amount,
    block_reward: Amount,
    n: u32,
    m: u32,
    configuration: Configuration,
    genesis: Option<Timestamp>,
    slot_duration: Seconds,
    epoch_slots: u64,
    minimum_stake: Amount,
    exit_delay: Seconds,
}

fn without_units<S: Serializer>(
    parameters: &Option<SetParameters>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let document = parameters.as_ref().map(|parameters| {
        let SetParameters { asset, signaling, governance, rollup, .. } = parameters;
        ParametersDocument {
            name: &asset.name,
            symbol: &asset.symbol,
            initial_holder: asset.initial_holder,
            total_supply: asset.initial_supply,
            issued_per_second: asset.issued_per_second,
            block_reward: asset.block_reward,
            n: signaling.n,
            m: signaling.m,
            configuration: governance.configuration(),
            genesis: rollup.genesis,
            slot_duration: rollup.slot_duration,
            epoch_slots: rollup.epoch_slots,
            minimum_stake: rollup.minimum_stake,
            exit_delay: rollup.exit_delay,
        }
    });
    document.serialize(serializer)
}

impl Finding {
    pub(super) const fn new(level: FindingLevel, id: &'static str, text: String) -> Self {
        Self { level, id, text, source: None }
    }

    pub(super) const fn error(id: &'static str, text: String) -> Self {
        Self::new(FindingLevel::Error, id, text)
    }

    pub(super) const fn note(id: &'static str, text: String) -> Self {
        Self::new(FindingLevel::Note, id, text)
    }
}

impl AuditReport {
    /// The level of the worst finding; `None` if there are no findings.
    pub fn worst(&self) -> Option<FindingLevel> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}
