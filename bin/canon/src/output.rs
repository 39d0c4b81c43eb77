//! The output: stdout carries the result, stderr everything else. Colors appear only on a terminal, and not
//! if `NO_COLOR` is set; anstream decides both.

use std::{
    env, fmt,
    io::{self, IsTerminal as _, Write},
};

use anstream::adapter::strip_str;
use anstyle::Style;
use canon_protocol::ForeignText;
use eyre::eyre;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::{
    cli,
    exit::{Exit, Failure},
    page::{WIDTH, hanging},
    style::{ERROR, NEXT, WARNING, styled},
};

/// Writes a result for people to stdout, with styles.
pub(crate) fn report(text: &str) -> Result<(), Failure> {
    result(&styled(text))
}

/// Writes a result for programs to stdout, as it is. A reader that closes the pipe early is not an error.
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

/// Writes what a command has done to stdout, as it is. Nothing else says it, so it goes to stderr if stdout doesn't take
/// it.
///
/// # Errors
///
/// If stdout doesn't take it, also if its reader is gone. `next` is the next step.
pub(crate) fn outcome(text: &str, next: &'static str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| {
        let mut stderr = anstream::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        let title = "it is done, and stdout doesn't take the result, which is above";
        Failure::internal(eyre::Report::new(error).wrap_err(title), next)
    })
}

/// Checks that somebody reads stdout, before anything is done that is told only there.
///
/// # Errors
///
/// If the reader is gone.
pub(crate) fn ensure_read() -> Result<(), Failure> {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::OUT)];
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    // What can't be polled may still be written to.
    let is_polled = poll(&mut polled, Some(&Timespec::default())).is_ok();
    match is_polled && polled.iter().any(|one| one.revents().intersects(gone)) {
        true => Err(Failure::internal(
            eyre!("stdout has no reader, and the result is written there: nothing was sent"),
            "run the command again with stdout open, or redirected to a file",
        )),
        false => Ok(()),
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
    let _ = stderr.write_all(styled(text).as_bytes()).and_then(|()| stderr.flush());
}

/// The columns for errors and notes: those of the terminal of stderr, otherwise `COLUMNS`, otherwise 80.
fn columns() -> usize {
    let terminal = Some(io::stderr()).filter(io::Stderr::is_terminal).and_then(terminal_size_of);
    let set = || env::var_os("COLUMNS")?.to_str()?.parse().ok();
    terminal.map(|(Width(columns), _)| usize::from(columns)).or_else(set).unwrap_or(WIDTH)
}

/// Writes a text behind a label to stderr, wrapped. A failure to write it is ignored.
fn labeled(stderr: &mut impl Write, label: &str, style: Style, text: &str) {
    let text = ForeignText::new(text).to_string();
    for (position, line) in hanging(label, &text, columns()).into_iter().enumerate() {
        let _ = match (position, line.strip_prefix(label)) {
            (0, Some(text)) => writeln!(stderr, "{style}{label}{style:#}{text}"),
            _ => writeln!(stderr, "{line}"),
        };
    }
}

/// Writes a note to stderr. A failure to write it is ignored.
pub(crate) fn note(note: &impl fmt::Display) {
    labeled(&mut anstream::stderr().lock(), "note: ", WARNING, &note.to_string());
}

/// Shows why clap refuses the arguments, or the text of `--help` or `--version`. A failure to write it is
/// ignored.
pub(crate) fn show_refusal(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Success;
    }
    let mut stderr = anstream::stderr().lock();
    for line in cli::refusal(error).lines() {
        let indent: String = line.chars().take_while(|one| *one == ' ').collect();
        let is_usage = strip_str(line).to_string().starts_with("Usage: ");
        let lines = match is_usage {
            true => vec![line.to_owned()],
            false => hanging(&indent, line, columns()),
        };
        for line in lines {
            let _ = writeln!(stderr, "{line}");
        }
    }
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
    labeled(&mut stderr, "error: ", ERROR, &first);
    for cause in chain {
        let cause = cause.to_string();
        if cause.contains('\n') {
            // A cause of several lines is set apart: a list, or a part of a file, whose lines stay as they are.
            let is_list = cause.lines().all(|line| !line.starts_with(' '));
            let _ = writeln!(stderr);
            for line in cause.lines() {
                if is_list {
                    labeled(&mut stderr, "  ", Style::new(), line);
                } else {
                    let line = format!("  {}", ForeignText::new(line));
                    let _ = writeln!(stderr, "{}", line.trim_end());
                }
            }
        } else {
            labeled(&mut stderr, "  because ", Style::new(), &cause);
        }
    }
    let _ = writeln!(stderr);
    labeled(&mut stderr, "next: ", NEXT, failure.next);
}
