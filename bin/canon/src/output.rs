//! The output: stdout carries the result, stderr everything else. Colors appear only on a terminal, and not
//! if `NO_COLOR` is set; anstream decides both.

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

/// Writes the result to stdout. A reader that closes the pipe early is not an error.
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

/// Returns a JSON document as the text that is printed.
pub(crate) fn to_json(document: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    Ok(text + "\n")
}

/// Writes a text to stderr that isn't part of the result, such as a preview of what is about to be sent.
pub(crate) fn text(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Writes a note to stderr. A failure to write it is ignored.
pub(crate) fn note(note: &impl fmt::Display) {
    let note = note.to_string();
    let _ = writeln!(anstream::stderr().lock(), "{NOTE}note:{NOTE:#} {}", ForeignText::new(&note));
}

/// Shows why clap refuses the arguments, or the text of `--help` or `--version`. A failure to write it is
/// ignored.
pub(crate) fn show_refusal(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Success;
    }
    let _ = anstream::stderr().lock().write_all(cli::refusal(error).as_bytes());
    Exit::BadInput
}

/// Shows an error, its causes and what to do next. A failure to write it is ignored, since the exit code
/// reports the error too.
///
/// Errors repeat texts of endpoints, contracts and files, so invisible characters in them are escaped.
pub(crate) fn show_failure(failure: &Failure) {
    let mut stderr = anstream::stderr().lock();
    let mut chain = failure.report.chain();
    let first = chain.next().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(stderr, "{ERROR}error:{ERROR:#} {}", ForeignText::new(&first));
    for cause in chain {
        let cause = cause.to_string();
        if cause.contains('\n') {
            // A cause of several lines, such as the problems of a file, is set apart.
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
