//! Scenarios: the descriptions of rehearsals, written in TOML.
//!
//! A file is read in two stages. The first one knows names, types and positions in the file; the
//! second one converts the values to the protocol's types and checks how they fit together. If
//! either fails, the [`FileError`] lists every problem with its line.

mod examine;
mod model;
mod raw;
mod scale;
mod validate;

pub use model::{
    AssetPlan, BallotPlan, BallotTime, ChangedList, Does, End, HolderGroup, KeeperPlan, L1,
    PayloadKind, ProposalPlan, Reason, RollupKind, RollupPlan, Route, Scenario, Sequencers,
    SignalingPlan,
};
pub use scale::ScaleError;
pub use validate::{MAX_HOLDERS, MAX_SEQUENCERS};

use canon_toml_file::FileError;
use examine::Examiner;

/// The scenario that is simulated when none is named: a successful upgrade.
pub const DEFAULT: &str = include_str!("../../../../scenarios/upgrade.toml");

impl Scenario {
    /// Reads a scenario. `file` is the name of the file in errors.
    ///
    /// # Errors
    ///
    /// If the file has problems. The error lists all of them.
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
