//! The failures of a deployment, with the next step after each.

use canon_chain::deploy::{DeployError, RecordFileError};
use eyre::{Report, eyre};

use super::prepare::Beginning;
use crate::{deployer, exit::Failure};

/// The next step if a record is of another chain.
pub(super) const OTHER_RECORD: &str = "use the endpoint of the record's chain; to deploy on this one, name another --manifest, \
     or delete the record";

/// Whether a deployment has a record on disk, from which it can be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordState {
    Missing,
    Kept,
}

/// How a deployment that stopped goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GoOn {
    /// With the same command and `--resume`.
    Resume,
    /// With the same command: nothing was sent, or somebody else sends.
    Repeat,
}

impl GoOn {
    /// The way for a deployment that began in this way.
    pub(super) const fn after(beginning: Beginning, record: RecordState) -> Self {
        match (beginning, record) {
            (Beginning::Resumed, _) | (Beginning::New, RecordState::Kept) => Self::Resume,
            (Beginning::New, RecordState::Missing) | (Beginning::Unsigned, _) => Self::Repeat,
        }
    }

    /// The next step, if nothing is wrong.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Resume => "run the same command with --resume",
            Self::Repeat => "run the same command again",
        }
    }

    /// The next step after a failure.
    pub(super) const fn next_step(self) -> &'static str {
        match self {
            Self::Resume => "remove the cause, then run the same command with --resume",
            Self::Repeat => "remove the cause, then run the same command again",
        }
    }

    /// The failure for an error of the deployer.
    pub(super) fn undeployed(self, error: DeployError) -> Failure {
        deployer::undeployed(error, self.next_step())
    }

    /// The failure for a record that can't be read or written.
    pub(super) fn unrecorded(self, error: RecordFileError) -> Failure {
        let report = Report::new(error)
            .wrap_err("the record of the deployment, without which nothing is sent, can't be kept");
        Failure::internal(report, self.next_step())
    }

    /// The failure before a deployment begins. Its salt is the only way out if a contract belongs to another set, or if
    /// the set can't be finished.
    pub(super) fn unfinishable(self, error: DeployError) -> Failure {
        const OTHER_SALT: &str = "choose another salt in [origin]";
        match error {
            error @ DeployError::OtherSet { .. } => {
                Failure::bad_input(eyre!("{error}"), OTHER_SALT)
            }
            error @ DeployError::Unfinishable { found: None, .. } => {
                Failure::refused(eyre!("{error}"), OTHER_SALT)
            }
            error @ DeployError::Unfinishable { .. } => Failure::bad_input(
                eyre!("{error}"),
                "correct rollup.genesis, or choose another salt",
            ),
            error => self.undeployed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_begun_and_is_sent_here_is_resumed() {
        for (beginning, record, expected) in [
            (Beginning::New, RecordState::Missing, GoOn::Repeat),
            (Beginning::New, RecordState::Kept, GoOn::Resume),
            (Beginning::Resumed, RecordState::Missing, GoOn::Resume),
            (Beginning::Resumed, RecordState::Kept, GoOn::Resume),
            (Beginning::Unsigned, RecordState::Missing, GoOn::Repeat),
            (Beginning::Unsigned, RecordState::Kept, GoOn::Repeat),
        ] {
            assert_eq!(GoOn::after(beginning, record), expected, "{beginning:?}, {record:?}");
        }
    }
}
