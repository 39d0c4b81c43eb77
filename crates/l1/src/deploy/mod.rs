//! Deploying a set, a further rollup, or an upgrade payload.
//!
//! Every contract is created with CREATE2 ([`Create2`]), so that its address is known before anything
//! is sent ([`SetPlan`]) and proves its constructor, its arguments and its first storage. Every step is
//! verified on chain before the next begins; at the end nothing is left with the deployer. An
//! interrupted deployment goes on from its [`DeployRecord`].

mod constructor;
mod create2;
mod error;
mod further;
mod genuine;
pub mod human;
mod parameters;
mod plan;
mod proxy;
mod record;
mod run;
mod step;
mod verify;

pub use constructor::constructor_of;
pub use create2::{Create2, Origin};
pub use error::DeployError;
pub use further::{Created, Upgrade, create, deploy_rollup, deploy_upgrade_payload};
pub use genuine::{Examiner, GenuineSet, NotGenuine};
pub use parameters::{
    AssetParameters, CheckedParameters, GovernanceParameters, InvalidParameters, RollupParameters,
    SetParameters, SignallingParameters,
};
pub use plan::{Creation, SetPlan};
pub use proxy::DEPLOYMENT_PROXY;
pub use record::{Begun, DeployRecord, Done, StepReceipt};
pub use run::{DeployedSet, Progress, deploy};
pub use step::Step;
