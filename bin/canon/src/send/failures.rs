//! Errors of sending as failures of a command.

use alloy_primitives::B256;
use canon_chain::{Error, Rejection};
use canon_protocol::{ProposalsRefusal, Refusal};
use canon_views::IntendedAction;
use eyre::{Report, eyre};

use super::{Step, outbox::Delivered};
use crate::exit::{Failure, Reason, ReasonKind};

const SEND_ETHER: &str = "send ether to the account, then run the command again";
const SEE_STATUS: &str = "`canon status` shows what can be done now, and by whom";

/// The error as a report.
fn reported(error: &Error) -> Report {
    match error.as_revert().map(|revert| revert.refusal()) {
        Some(Refusal::Proposals(
            ProposalsRefusal::NotProposer { .. }
            | ProposalsRefusal::NoProposer { .. }
            | ProposalsRefusal::SlotAlreadyUsed { .. },
        )) => Report::new(Reason::new(ReasonKind::OutOfSlot, error.to_string())),
        _ => Report::msg(error.to_string()),
    }
}

/// The failure for an error before anything was sent.
pub(super) fn refused(error: Error) -> Failure {
    nothing_sent(unsent(error))
}

/// Adds to a failure that the command has sent nothing.
pub(super) fn nothing_sent(failure: Failure) -> Failure {
    Failure { report: failure.report.wrap_err("nothing was sent"), ..failure }
}

/// Adds the steps that are done to the failure of a later one.
pub(super) fn after(delivered: &[Delivered], failure: Failure) -> Failure {
    let done = delivered.iter().map(|done| match done.transaction {
        Some(transaction) => format!("{} ({})", done.step.title(), transaction.hash),
        None => done.step.title().to_owned(),
    });
    let done = done.collect::<Vec<_>>().join("; ");
    Failure { report: failure.report.wrap_err(format!("only a part is done: {done}")), ..failure }
}

/// The failure for an error that keeps a transaction from being sent. The command may have sent others before.
pub(super) fn unsent(error: Error) -> Failure {
    let report = || reported(&error);
    match &error {
        Error::Rpc { .. } | Error::NoEndpoint { .. } | Error::Head(_) => {
            Failure::internal(report(), "check --rpc-url (ETH_RPC_URL), then run the command again")
        }
        // The endpoint contradicts itself, or lacks what it should have.
        Error::LogsMissing { .. } | Error::NotCanonical { .. } | Error::NonceUserUnknown { .. } => {
            Failure::internal(report(), "run the command again later, or with another endpoint")
        }
        // Something may still be mined: its outcome isn't known.
        Error::NotMined { .. } | Error::NonceUseNotFinal { .. } => {
            Failure::internal(report(), "run the command again later: nothing is sent twice")
        }
        Error::Unread { .. } => Failure::internal(report(), "please report this"),
        Error::Journal(_) => {
            Failure::internal(report(), "check the folder for state (XDG_STATE_HOME)")
        }
        Error::Signing { .. } | Error::OtherAccount { .. } | Error::OtherChain { .. } => {
            Failure::bad_input(report(), "check the flags under \"Signing\" in --help")
        }
        Error::Rejected { rejection, .. } => rejected(&error, *rejection),
        Error::TooLittleEther { .. } => Failure::refused(report(), SEND_ETHER),
        Error::AboveCap(_) => {
            Failure::refused(report(), "run the command again once the base fee is lower")
        }
        Error::UnexpectedNonce { .. } => Failure::refused(
            report(),
            "run the command again once the account's other transactions are mined",
        ),
        Error::MoreGas { .. } => {
            Failure::refused(report(), "run the command again to see what it costs now")
        }
        // The contracts, their code or answers, or what the journal says of another chain.
        Error::Refused { .. }
        | Error::Reverted { .. }
        | Error::RevertedForNoKnownReason { .. }
        | Error::OutOfGas { .. }
        | Error::TooMuchGas { .. }
        | Error::NotCreated { .. }
        | Error::EventMissing { .. }
        | Error::OtherFamily { .. }
        | Error::NoCode { .. }
        | Error::NoAnswer { .. }
        | Error::BadAnswer { .. }
        | Error::ActionsChanged { .. }
        | Error::OutOfRange { .. }
        | Error::Unproven { .. }
        | Error::CompletionUnproven { .. }
        | Error::Inconsistent { .. } => Failure::refused(report(), SEE_STATUS),
        // The library may get further kinds. None of them is an answer of the contracts as far as is known here.
        _ => {
            Failure::internal(report(), "please report this: errors of this kind aren't known here")
        }
    }
}

/// The failure for a transaction that a node refused.
fn rejected(error: &Error, rejection: Rejection) -> Failure {
    let report = reported(error);
    match rejection {
        Rejection::InsufficientFunds => Failure::refused(report, SEND_ETHER),
        // They depend on what else the account sends, and on the fees of the moment.
        Rejection::NonceTooLow
        | Rejection::NonceTooHigh
        | Rejection::Underpriced
        | Rejection::ReplacementUnderpriced
        | Rejection::AlreadyKnown => {
            Failure::internal(report, "run the command again later: nothing is sent twice")
        }
        Rejection::OtherChain => {
            Failure::bad_input(report, "check --rpc-url (ETH_RPC_URL) and --chain-id")
        }
        Rejection::GasCap | Rejection::Unacceptable => Failure::refused(report, SEE_STATUS),
        // As for a kind of error that isn't known here.
        _ => Failure::internal(report, "please report this"),
    }
}

/// The failure for an error that keeps one of several steps from being sent.
pub(super) fn unsent_step(step: &Step, error: Error) -> Failure {
    let failure = unsent(error);
    Failure { report: failure.report.wrap_err(step.title().to_owned()), ..failure }
}

/// The failure for a transaction that was mined and didn't do its work.
pub(super) fn mined(step: &Step, error: &Error) -> Failure {
    let report = reported(error).wrap_err("the transaction failed");
    Failure::refused(
        report,
        match step.intent.action {
            IntendedAction::Create { .. } => "run the command again: the contract is still missing",
            _ => "`canon status` shows whether it is still needed",
        },
    )
}

/// The note on an earlier step whose nonce another transaction used.
pub(super) fn given_up(step: &Step, nonce: u64, by: B256) -> String {
    format!("not done, since {by} used its nonce, {nonce}: {}", step.title())
}

/// The failure for a step whose nonce another transaction used.
pub(super) fn displaced(step: &Step, nonce: u64, by: B256) -> Failure {
    let report = eyre!("{} wasn't done: {by} used its nonce, {nonce}", step.title());
    Failure::refused(report, "run the command again if it is still wanted: it asks anew")
}

/// The failure for a step that wasn't mined in time.
pub(super) fn too_late(step: &str) -> Failure {
    let reason = "its time was over before it was mined".to_owned();
    let report = Report::new(Reason::new(ReasonKind::OutOfSlot, reason))
        .wrap_err(format!("too late: {step}"));
    Failure::refused(report, "run the command again for what can be done by now")
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use canon_protocol::BlockNumber;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn only_answers_of_the_chain_and_of_checks_have_exit_code_1() {
        let (address, hash, number) = (Address::ZERO, B256::ZERO, BlockNumber::of(7));
        let (what, event, source) = ("a call", "an event", alloy_signer::Error::other("no key"));
        for (error, exit) in [
            (Error::Unread { registry: address }, Exit::Internal),
            (Error::LogsMissing { what, hash, event }, Exit::Internal),
            (Error::NotCanonical { transaction: hash, number, block: None }, Exit::Internal),
            (Error::NotMined { what, hash }, Exit::Internal),
            (Error::Signing { what, source }, Exit::BadInput),
            (Error::EventMissing { what, hash, event }, Exit::CheckFailed),
            (Error::NoCode { what, address }, Exit::CheckFailed),
            (Error::MoreGas { what, needed: 2, agreed: 1 }, Exit::CheckFailed),
        ] {
            let said = error.to_string();
            assert_eq!(unsent(error).exit, exit, "{said}");
        }
    }

    #[test]
    fn a_rejection_has_exit_code_1_only_if_the_transaction_itself_is_the_cause() {
        for (rejection, exit) in [
            (Rejection::InsufficientFunds, Exit::CheckFailed),
            (Rejection::GasCap, Exit::CheckFailed),
            (Rejection::Underpriced, Exit::Internal),
            (Rejection::NonceTooLow, Exit::Internal),
            (Rejection::OtherChain, Exit::BadInput),
        ] {
            let error = Error::Unread { registry: Address::ZERO };
            assert_eq!(rejected(&error, rejection).exit, exit, "{rejection:?}");
        }
    }
}
