//! The exit codes of the program. They are part of its interface.

use std::process::ExitCode;

/// The outcome of a command, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked, and every check passed.
    Success = 0,
    /// The command ran to its end, and a check failed.
    CheckFailed = 1,
    /// The arguments or files are wrong. clap uses the same code.
    BadInput = 2,
    /// An internal error, or a failure of the machine or the network. The input isn't at fault.
    Internal = 3,
    /// There is nothing to do now. The message says when there will be.
    NothingToDo = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its exit code and the next step for the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) report: eyre::Report,
    pub(crate) next: &'static str,
}

impl Failure {
    pub(crate) const fn bad_input(report: eyre::Report, next: &'static str) -> Self {
        Self { exit: Exit::BadInput, report, next }
    }

    /// A refusal by the chain, by a check, or by the person who was asked.
    pub(crate) const fn refused(report: eyre::Report, next: &'static str) -> Self {
        Self { exit: Exit::CheckFailed, report, next }
    }

    pub(crate) const fn nothing_to_do(report: eyre::Report, next: &'static str) -> Self {
        Self { exit: Exit::NothingToDo, report, next }
    }

    pub(crate) const fn internal(report: eyre::Report, next: &'static str) -> Self {
        Self { exit: Exit::Internal, report, next }
    }
}
