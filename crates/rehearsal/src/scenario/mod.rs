//! Scenarios: what happens in a rehearsal, written in TOML.
//!
//! A file is read in two stages. The first knows names, types and places in the file; the second
//! makes the protocol's own types of the values and checks how they go together. A file that fails
//! either gets a [`FileError`], which lists every problem with its line.

mod examine;
mod model;
mod raw;
mod scale;
mod validate;

pub use model::{
    AssetPlan, BallotPlan, Does, End, HolderGroup, KeeperPlan, L1, PayloadKind, ProposalPlan,
    Reason, RollupKind, RollupPlan, Route, Scenario, Sequencers, SignalingPlan,
};
pub use scale::ScaleError;
pub use validate::{MAX_HOLDERS, MAX_SEQUENCERS};

use canon_toml_file::FileError;
use examine::Examiner;

/// The scenario that is simulated when none is named: a successful upgrade.
pub const DEFAULT: &str = include_str!("../../../../scenarios/upgrade.toml");

impl Scenario {
    /// Reads a scenario. `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// If the file has a problem; it lists all of them.
    pub fn read(file: &str, text: &str) -> Result<Self, FileError> {
        let mut examiner = Examiner::new(text);
        let scenario = match toml::from_str(text) {
            Ok(raw) => Some(validate::validate(&raw, &mut examiner)),
            Err(error) => {
                examiner.unparsed(&error);
                None
            }
        };
        let mut problems = examiner.problems;
        problems.sort_by_key(|problem| (problem.line, problem.column));
        match scenario.filter(|_| problems.is_empty()) {
            Some(scenario) => Ok(scenario),
            None => Err(FileError { file: file.to_owned(), problems }),
        }
    }
}
