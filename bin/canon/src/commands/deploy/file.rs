//! The file with the parameters of a deployment.

use std::path::Path;

use canon_chain::deploy::{
    AssetParameters, CheckedParameters, Create2Origin, GovernanceParameters, RollupSettings,
    SetParameters, SignalingParameters,
};
use canon_protocol::Timestamp;
use eyre::eyre;
use serde::Deserialize;
use toml::Spanned;

use crate::{exit::Failure, toml_file::TomlFile};

/// Whether a file has the parameters of a rollup for an existing set.
fn is_of_rollup(text: &str) -> bool {
    let sections = toml::from_str::<toml::Table>(text).unwrap_or_default();
    let of_set = ["asset", "signaling", "governance"];
    sections.contains_key("rollup") && !of_set.iter().any(|name| sections.contains_key(*name))
}

const CORRECT_IT: &str = "correct the file; `canon deploy --print-config` explains every field";

/// The contents of the file, checked.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) parameters: CheckedParameters,
    /// The identifiers of the rules that may be broken.
    pub(super) accepted: Vec<&'static str>,
}

/// The fields of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeploymentFile {
    #[serde(default)]
    accept: Vec<Spanned<String>>,
    asset: AssetParameters,
    signaling: SignalingParameters,
    governance: GovernanceParameters,
    rollup: RollupSettings,
    #[serde(default)]
    origin: Create2Origin,
}

/// Returns the genesis of a rollup, if the file names it.
///
/// # Errors
///
/// If it doesn't: then each run would deploy another rollup.
pub(crate) fn named_genesis(settings: &RollupSettings) -> Result<Timestamp, Failure> {
    settings.genesis.ok_or_else(|| {
        let report = eyre!(
            "rollup.genesis: expected the first second of slot 0, found nothing: the rollup's address follows \
             from it, and without it each run would deploy another rollup"
        );
        let next = "name the time of the newest block there, in Unix seconds, or an earlier one";
        Failure::bad_input(report, next)
    })
}

impl Deployment {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it can't be read, has a mistake, or no constructor accepts its parameters.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let name_one = "name a file that `canon deploy --print-config` printed";
        let file = TomlFile::read(path, name_one)?;
        if is_of_rollup(file.text()) {
            let report = eyre!(
                "{}: expected the parameters of a whole set, found those of a rollup",
                file.name()
            );
            return Err(Failure::bad_input(report, "deploy it with `canon rollup deploy`"));
        }
        let DeploymentFile { accept, asset, signaling, governance, rollup, origin } =
            file.parse(CORRECT_IT)?;
        let accepted = file.accepted(&accept, CORRECT_IT)?;
        let parameters = SetParameters { asset, signaling, governance, rollup, origin }.check();
        let parameters = parameters.map_err(|error| file.undeployable(&error, CORRECT_IT))?;
        Ok(Self { parameters, accepted })
    }
}
