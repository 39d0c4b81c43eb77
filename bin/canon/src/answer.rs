//! The parts of an answer that a command asked for. A part that is missing isn't zero.

use std::fmt;

use alloy_primitives::Address;
use canon_protocol::{ProposalId, Slot};
use canon_views::{AttesterView, BallotView, HolderView, PayloadView, Present, RollupView};
use eyre::eyre;

use crate::exit::Failure;

/// A holder that the question named.
///
/// # Errors
///
/// If the answer lacks it.
pub(crate) fn holder(present: &Present, account: Address) -> Result<&HolderView, Failure> {
    present.holders.get(&account).ok_or_else(|| lacking(format_args!("the holder {account}")))
}

/// A holder's ballot on a proposal that the question named.
///
/// # Errors
///
/// If the answer lacks it.
pub(crate) fn ballot(
    present: &Present,
    account: Address,
    id: ProposalId,
) -> Result<BallotView, Failure> {
    let ballot = holder(present, account)?.ballots.get(&id).copied();
    ballot.ok_or_else(|| lacking(format_args!("the ballot of {account} on proposal {id}")))
}

/// A rollup that the question named.
///
/// # Errors
///
/// If the answer lacks it, since the rollup doesn't answer.
pub(crate) fn rollup(present: &Present, rollup: Address) -> Result<&RollupView, Failure> {
    present.rollups.get(&rollup).ok_or_else(|| lacking(format_args!("rollup {rollup}")))
}

/// An attester that the question named; one that isn't registered has the status of none.
///
/// # Errors
///
/// If the answer lacks it, as for a rollup that doesn't answer.
pub(crate) fn attester(
    present: &Present,
    rollup: Address,
    attester: Address,
) -> Result<AttesterView, Failure> {
    let found = present.attester(rollup, attester).copied();
    found.ok_or_else(|| lacking(format_args!("attester {attester} of rollup {rollup}")))
}

/// A payload that the question named.
///
/// # Errors
///
/// If the answer lacks it.
pub(crate) fn payload(present: &Present, payload: Address) -> Result<PayloadView, Failure> {
    let found = present.payloads.get(&payload).copied();
    found.ok_or_else(|| lacking(format_args!("the payload {payload}")))
}

/// The slot of the next block.
///
/// # Errors
///
/// If the answer lacks it, as before the rollup's genesis.
pub(crate) fn slot(rollup: &RollupView) -> Result<Slot, Failure> {
    rollup.slot.ok_or_else(|| lacking(format_args!("the slot of the next block")))
}

/// The failure for an answer without something that was asked for.
fn lacking(what: fmt::Arguments<'_>) -> Failure {
    let report = eyre!("the answer lacks {what}");
    Failure::internal(report, "run the command again, or use another endpoint")
}

#[cfg(test)]
mod tests {
    use canon_protocol::Seconds;
    use canon_testkit::chain::Chain;
    use canon_views::{BlockView, Question};

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_an_answer_lacks_is_named_and_not_taken_for_zero() {
        let chain = Chain::staked(3);
        let (question, block) = (Question::default(), BlockView::default());
        let mut present =
            Present::of_state(&chain.set, &chain.foreign, block, &question, Seconds::SECOND);
        let (one, rollup) = (Address::repeat_byte(1), present.addresses.rollup);
        let other = Address::repeat_byte(2);
        let lacks = |failure: Option<Failure>, what: &str| {
            let failure = failure.unwrap();
            assert_eq!(failure.report.to_string(), format!("the answer lacks {what}"));
            assert_eq!(failure.exit, Exit::Internal);
        };
        lacks(holder(&present, one).err(), &format!("the holder {one}"));
        lacks(ballot(&present, one, ProposalId::of(3)).err(), &format!("the holder {one}"));
        let missing = format!("attester {one} of rollup {rollup}");
        lacks(attester(&present, rollup, one).err(), &missing);
        lacks(super::rollup(&present, other).err(), &format!("rollup {other}"));
        let missing = format!("attester {one} of rollup {other}");
        lacks(attester(&present, other, one).err(), &missing);
        lacks(payload(&present, one).err(), &format!("the payload {one}"));
        let canonical = present.rollups.get_mut(&rollup).unwrap();
        canonical.slot = None;
        lacks(slot(canonical).err(), "the slot of the next block");
    }
}
