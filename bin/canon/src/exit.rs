//! How the program ends. The codes are part of its interface.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is as it should be.
    Success = 0,
    /// The work was done and its result is bad news.
    CheckFailed = 1,
    /// What was asked for can't be done as it was asked. clap uses the same code.
    BadInput = 2,
    /// It should have worked.
    Internal = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its exit code and what the user can do about it.
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

    pub(crate) const fn internal(report: eyre::Report, next: &'static str) -> Self {
        Self { exit: Exit::Internal, report, next }
    }
}
