//! stdout carries the result, stderr everything else. Colors appear on a terminal only, and not if
//! `NO_COLOR` is set: anstream decides both.

use std::{
    fmt,
    io::{self, Write},
};

use anstyle::{AnsiColor, Style};
use canon_protocol::ForeignText;
use serde::Serialize;

use crate::{
    cli,
    exit::{Exit, Failure},
};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();
const NEXT: Style = AnsiColor::Cyan.on_default().bold();

/// Writes the result. A reader that has seen enough is no error.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| {
            Failure::internal(
                eyre::Report::new(error).wrap_err("the result can't be written"),
                "check where stdout is redirected",
            )
        }),
    }
}

/// Writes the result as one JSON document.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Failure> {
    result(&to_json(document)?)
}

/// A JSON document as it is written.
pub(crate) fn to_json(document: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    Ok(text + "\n")
}

/// Writes what isn't the result, and a person should see before something is done.
pub(crate) fn text(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Writes a note to stderr that doesn't stop the command. If it can't be written, the result has to suffice.
pub(crate) fn note(note: &impl fmt::Display) {
    let note = note.to_string();
    let _ = writeln!(anstream::stderr().lock(), "{NOTE}note:{NOTE:#} {}", ForeignText::new(&note));
}

/// Shows why clap refuses the arguments, or what `--help` and `--version` ask for. If even that can't
/// be written, the exit code has to do.
pub(crate) fn show_refusal(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Success;
    }
    let _ = anstream::stderr().lock().write_all(cli::refusal(error).as_bytes());
    Exit::BadInput
}

/// Shows an error, its causes and what to do next. If even that can't be written, the exit code
/// has to do.
///
/// Errors repeat what endpoints, contracts and files say: what isn't visible there is escaped.
pub(crate) fn show_failure(failure: &Failure) {
    let mut stderr = anstream::stderr().lock();
    let mut chain = failure.report.chain();
    let first = chain.next().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(stderr, "{ERROR}error:{ERROR:#} {}", ForeignText::new(&first));
    for cause in chain {
        let cause = cause.to_string();
        if cause.contains('\n') {
            // A page of its own, such as the problems of a file.
            let _ = writeln!(stderr);
            for line in cause.lines() {
                let line = format!("  {}", ForeignText::new(line));
                let _ = writeln!(stderr, "{}", line.trim_end());
            }
        } else {
            let _ = writeln!(stderr, "  because {}", ForeignText::new(&cause));
        }
    }
    let _ = writeln!(stderr, "\n{NEXT}next:{NEXT:#} {}", failure.next);
}
