//! The examination of a set before a command builds on it.

use canon_chain::{
    audit::{AuditError, ExaminedSet, set_parameters},
    deploy::{ExamineError, SetParameters},
};
use canon_protocol::BlockNumber;
use eyre::{Report, eyre};

use crate::{chain::Chain, exit::Failure, progress};

/// The next step if something isn't genuine.
pub(crate) const AUDIT_IT: &str = "`canon audit` shows what is wrong";

/// Finds the set and checks that it is genuine.
///
/// # Errors
///
/// If it isn't genuine, or the chain can't be read.
pub(crate) async fn examine(chain: &Chain) -> Result<ExaminedSet, Failure> {
    let bar = progress::bar("Reading blocks", 0)?;
    let searched = |block: BlockNumber| bar.set_position(block.get());
    let found = ExaminedSet::find(chain.client(), chain.registry(), searched).await;
    bar.finish_and_clear();
    let found = found.map_err(|error| match error {
        AuditError::Chain(error) => chain.unread(error),
        AuditError::Examine(error) => not_genuine("the set", error),
        error => {
            let report = Report::msg(error.to_string()).wrap_err("the set can't be examined");
            Failure::internal(report, "use an endpoint that has the logs of old blocks")
        }
    })?;
    chain.note_age(&found.present.block);
    Ok(found)
}

/// Reads the parameters in force.
///
/// # Errors
///
/// If a contract doesn't answer, or the chain can't be read.
pub(crate) async fn parameters_in_force(chain: &Chain) -> Result<SetParameters, Failure> {
    let found = set_parameters(chain.client(), chain.registry()).await;
    found.map_err(|error| chain.unread(error))?.ok_or_else(unanswered)
}

/// The failure for a contract that isn't genuine.
pub(crate) fn not_genuine(what: &str, error: ExamineError) -> Failure {
    match error {
        ExamineError::NotGenuine(reason) => {
            Failure::refused(eyre!("{reason}").wrap_err(format!("{what} isn't genuine")), AUDIT_IT)
        }
        error => Failure::internal(
            Report::msg(error.to_string()).wrap_err(format!("{what} can't be examined")),
            "try again later, or use another endpoint",
        ),
    }
}

/// The failure for a contract that doesn't answer.
pub(crate) fn unanswered() -> Failure {
    Failure::refused(eyre!("the canonical rollup or Proposals doesn't answer"), AUDIT_IT)
}
