//! Deploying a set, a further rollup, or an upgrade payload.
//!
//! Every contract is created with CREATE2 from a [`Create2Origin`]. So its address is known before anything
//! is sent ([`SetPlan`]), and proves its constructor, its arguments and its initial storage. Every step is
//! verified on chain before the next one begins; at the end the deployer owns nothing. An interrupted
//! deployment continues from its [`DeployRecord`], which is saved in a [`RecordFile`]. The result is a
//! [`DeployManifest`]. A table of [rules](rules()) judges parameters. A [`SetExaminer`] checks a set that somebody
//! else deployed.

mod construction;
mod constructor;
mod error;
mod found_receipts;
mod further;
mod genuine;
mod invalid;
mod manifest;
mod origin;
mod parameters;
mod plan;
mod proxy;
mod record;
mod record_file;
mod registry_history;
mod rules;
mod run;
mod sequence;
mod step;
mod verdict;
mod verify;
mod versions;

pub use constructor::ConstructorEvents;
pub use error::DeployError;
pub use further::{
    CreationState, Upgrade, check_creation, plan_rollup, plan_upgrade_payload, simulate_actions,
    simulate_takeover, verify_rollup, verify_upgrade_payload,
};
pub use genuine::SetExaminer;
pub use invalid::{InvalidParameters, ParameterProblem};
pub use manifest::{
    DeployManifest, ManifestArgument, ManifestContract, ManifestMismatch, ManifestStep,
    TransactionProblem,
};
pub use origin::Create2Origin;
pub use parameters::{
    AssetParameters, CheckedParameters, GovernanceParameters, RollupSettings, SetParameters,
    SignalingParameters,
};
pub use plan::{ContractPlan, SetPlan};
pub use proxy::{DEPLOYMENT_PROXY, PROXY_COST, PROXY_CREATOR};
pub use record::{BegunStep, DeployRecord, DoneStep, ProxyPayment, StepReceipt};
pub use record_file::{RecordFile, RecordFileError};
pub use rules::{
    BrokenRule, FindingLevel, Rule, RuleSubject, SetFacts, broken_rules, rules,
    rules_broken_by_rollup, whole_way,
};
pub use run::{DeployProgress, DeployedSet, deploy, ensure_can_be_finished, find_done};
pub use sequence::{SimulatedSteps, simulate_steps};
pub use step::Step;
pub use verdict::{ExamineError, FormerRollup, GenuineSet, NotGenuine};
