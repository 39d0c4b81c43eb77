//! The examination of a set before a command builds on it.

use alloy_primitives::Address;
use canon_chain::{
    audit::{AuditError, ExaminedSet, set_parameters},
    deploy::{ExamineError, SetParameters, simulate_takeover},
};
use canon_protocol::BlockNumber;
use eyre::{Report, eyre};

use crate::{
    chain::Chain,
    deployer::no_takeover,
    exit::Failure,
    page::{DETAILS_WIDTH, hanging},
    progress,
};

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
        AuditError::Examine(error) => not_genuine("the set", error, AUDIT_IT),
        error => {
            let report = Report::msg(error.to_string()).wrap_err("the set can't be examined");
            Failure::internal(report, "use an endpoint that has the logs of old blocks")
        }
    })?;
    chain.note_age(&found.present.block);
    Ok(found)
}

/// A rollup other than the canonical one that can be trusted with a stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProvenRollup {
    /// It was canonical before: the set's Registry lists it, and never lists it again.
    Former,
    /// It is genuine, of this set, and can become canonical.
    Genuine {
        /// The contract that created it.
        factory: Address,
    },
}

impl ProvenRollup {
    /// Checks a rollup: it must have been canonical before, or be genuine, of this set, and able to become canonical.
    ///
    /// # Errors
    ///
    /// If it isn't, the set isn't genuine, or the chain can't be read.
    pub(crate) async fn examine(chain: &Chain, rollup: Address) -> Result<Self, Failure> {
        let set = examine(chain).await?;
        if set.set.former_rollups.iter().any(|former| former.address == rollup) {
            return Ok(Self::Former);
        }
        let found = set.rollup(chain.client(), rollup).await;
        let found = found.map_err(|error| {
            let next = "check the address, and name a rollup of this set";
            not_genuine(&format!("the rollup {rollup}"), error, next)
        })?;
        let taken_over = simulate_takeover(chain.client(), &set.present.addresses, rollup).await;
        taken_over.map_err(no_takeover)?;
        Ok(Self::Genuine { factory: found.create2.factory })
    }

    /// The words for a step that builds on the rollup.
    pub(crate) fn words(self) -> Vec<String> {
        let proof = match self {
            Self::Former => "the set's Registry lists it as canonical before".to_owned(),
            Self::Genuine { factory } => {
                format!("created from the artifact by {factory}, and can become canonical")
            }
        };
        hanging("proven: ", &proof, DETAILS_WIDTH)
    }
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

/// The failure for a contract that isn't genuine, with the next step then, or that can't be examined.
pub(crate) fn not_genuine(what: &str, error: ExamineError, next: &'static str) -> Failure {
    match error {
        ExamineError::NotGenuine(reason) => {
            Failure::refused(eyre!("{reason}").wrap_err(format!("{what} isn't genuine")), next)
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
