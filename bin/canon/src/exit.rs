//! The exit codes of the program. They are part of its interface.

use std::{error, fmt, process::ExitCode};

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

    /// Whether the reason is of this kind.
    pub(crate) fn is_for(&self, kind: ReasonKind) -> bool {
        self.report.downcast_ref::<Reason>().is_some_and(|reason| reason.kind == kind)
    }
}

/// The kinds of reasons to which commands react by going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReasonKind {
    /// The chain can't be read now, although the same request may be answered later.
    Passing,
    /// A signal isn't in its slot: the block is in a slot of another proposer, of nobody, or that was used, or the
    /// slot was over before it was mined.
    OutOfSlot,
    /// Nothing can be sent in a slot now, although a later one may be the proposer's.
    MissedSlot,
}

/// A reason in a failure's report by which commands recognize its kind.
#[derive(Debug)]
pub(crate) struct Reason {
    kind: ReasonKind,
    text: String,
}

impl Reason {
    pub(crate) const fn new(kind: ReasonKind, text: String) -> Self {
        Self { kind, text }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for Reason {}
