//! Deploying a set, a further rollup, or an upgrade payload.
//!
//! Every step is verified on chain before the next begins: the code is the artifact's, getters
//! answer the constructor's arguments, ownership is where it should be. At the end nothing is left
//! with the deployer. An interrupted deployment goes on from its [`DeployRecord`].

mod error;
mod further;
pub mod human;
mod parameters;
mod record;
mod run;
mod step;
mod verify;

pub use error::DeployError;
pub use further::{Created, deploy_rollup, deploy_upgrade_payload};
pub use parameters::{
    AssetParameters, CheckedParameters, GovernanceParameters, InvalidParameters, RollupParameters,
    SetParameters, SignallingParameters,
};
pub use record::{Begun, DeployRecord, Done, StepReceipt};
pub use run::{DeployedSet, Progress, deploy};
pub use step::Step;
