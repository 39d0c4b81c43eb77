//! The end of a command's help: examples, and the exit codes.

use std::fmt;

use clap::builder::StyledStr;

use crate::{exit::Exit, page::hanging};

/// The width of help texts, in columns.
pub(crate) const WIDTH: usize = 98;

/// The meaning of exit code 0 for commands that can also sign.
pub(crate) const SIGNED: &str = "it was done or signed, or with --dry-run, can be";

/// The end of the help of a command. The texts that commands have in common are in the [table](CommandKind::texts).
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandHelp {
    kind: CommandKind,
    success: &'static str,
    failed: &'static [&'static str],
    input: &'static [&'static str],
    internal: Option<&'static str>,
    later: Option<&'static str>,
    intro: &'static str,
}

/// The kind of a command, by which its exit codes have a meaning in common with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandKind {
    /// It sends transactions to a set.
    Sends,
    /// It creates contracts for a set, with transactions.
    Creates,
    /// It reads a set.
    Reads,
    /// It needs no set.
    Alone,
}

/// The meanings of exit codes that commands of a kind have in common. The lists have a part before and a part after
/// that of the command.
struct CommonTexts {
    failed: [&'static [&'static str]; 2],
    input: [&'static [&'static str]; 2],
    internal: &'static str,
}

const NO_DEPLOYMENT: &str = "no Canon deployment at the given address";

impl CommandKind {
    /// The table of the texts in common.
    const fn texts(self) -> CommonTexts {
        match self {
            Self::Sends => CommonTexts {
                failed: [&["the contracts refuse it"], &["the answer was no"]],
                input: [&["flags", "canon.toml", "no key"], &[NO_DEPLOYMENT]],
                internal: "no endpoint answers, or the outcome isn't known: run it again",
            },
            Self::Creates => CommonTexts {
                failed: [&[], &["the chain refuses it"]],
                input: [&["flags", "canon.toml", "no key"], &[NO_DEPLOYMENT]],
                internal: "no endpoint answers, or an internal error",
            },
            Self::Reads => CommonTexts {
                failed: [&[], &[]],
                input: [&["flags", "canon.toml"], &[NO_DEPLOYMENT]],
                internal: "no endpoint answers, or an internal error",
            },
            Self::Alone => CommonTexts {
                failed: [&[], &[]],
                input: [&["flags"], &[]],
                internal: "an internal error",
            },
        }
    }
}

impl CommandHelp {
    const fn new(kind: CommandKind, success: &'static str) -> Self {
        let (failed, input): (&[_], &[_]) = (&[], &[]);
        Self { kind, success, failed, input, internal: None, later: None, intro: "" }
    }

    /// The help of a command that sends transactions to a set.
    pub(crate) const fn sending() -> Self {
        Self::new(CommandKind::Sends, "it was done, or with --dry-run, can be")
    }

    /// The help of a command that creates contracts. `success` is the meaning of exit code 0.
    pub(crate) const fn creating(success: &'static str) -> Self {
        Self::new(CommandKind::Creates, success)
    }

    /// The help of a command that reads a set. `success` is the meaning of exit code 0.
    pub(crate) const fn reading(success: &'static str) -> Self {
        Self::new(CommandKind::Reads, success)
    }

    /// The help of a command that needs no set. `success` is the meaning of exit code 0.
    pub(crate) const fn alone(success: &'static str) -> Self {
        Self::new(CommandKind::Alone, success)
    }

    /// Replaces the meaning of exit code 0.
    pub(crate) const fn success(self, success: &'static str) -> Self {
        Self { success, ..self }
    }

    /// Adds reasons for exit code 1.
    pub(crate) const fn failed(self, failed: &'static [&'static str]) -> Self {
        Self { failed, ..self }
    }

    /// Adds kinds of bad input, for exit code 2.
    pub(crate) const fn input(self, input: &'static [&'static str]) -> Self {
        Self { input, ..self }
    }

    /// Replaces the meaning of exit code 3.
    pub(crate) const fn internal(self, internal: &'static str) -> Self {
        Self { internal: Some(internal), ..self }
    }

    /// Sets the meaning of exit code 4.
    pub(crate) const fn later(self, later: &'static str) -> Self {
        Self { later: Some(later), ..self }
    }

    /// Sets the text before the exit codes, with its titles.
    pub(crate) const fn after(self, intro: &'static str) -> Self {
        Self { intro, ..self }
    }

    /// The exit codes of the command with their meanings.
    fn codes(&self) -> impl Iterator<Item = (Exit, String)> {
        let CommonTexts { failed: [before, after], input: [flags, deployment], internal } =
            self.kind.texts();
        let failed = either(&[before, self.failed, after].concat());
        let input = either(&[flags, self.input, deployment].concat());
        let internal = self.internal.unwrap_or(internal);
        [
            (Exit::Success, Some(self.success.to_owned())),
            (Exit::CheckFailed, (!failed.is_empty()).then_some(failed)),
            (Exit::BadInput, Some(format!("bad input: {input}"))),
            (Exit::Internal, Some(internal.to_owned())),
            (Exit::NothingToDo, self.later.map(str::to_owned)),
        ]
        .into_iter()
        .filter_map(|(code, meaning)| Some((code, meaning?)))
    }
}

/// The texts of a list with "or" before the last one.
fn either(texts: &[&str]) -> String {
    match texts {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., last] => format!("{}, or {last}", before.join(", ")),
    }
}

impl fmt::Display for CommandHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.intro.is_empty() {
            writeln!(f, "{}\n", self.intro)?;
        }
        f.write_str("Exit codes:")?;
        for (code, meaning) in self.codes() {
            for line in hanging(&format!("  {}  ", code as u8), &meaning, WIDTH) {
                write!(f, "\n{line}")?;
            }
        }
        Ok(())
    }
}

impl From<CommandHelp> for StyledStr {
    fn from(help: CommandHelp) -> Self {
        help.to_string().into()
    }
}
