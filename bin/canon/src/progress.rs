//! Progress on stderr, as it goes on where that is a terminal.

use std::{
    cell::RefCell,
    io::{self, IsTerminal as _},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{exit::Failure, output};

/// A progress bar of `length` steps, labeled with `doing`.
pub(crate) fn bar(doing: &'static str, length: u64) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{spinner} {prefix} {bar:30.cyan/dim} {pos}/{len}")
        .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    let style = style.progress_chars("━╸─");
    Ok(ProgressBar::new(length).with_style(style).with_prefix(doing))
}

/// A wait: one line that a terminal shows as it changes, and otherwise a note at its start.
#[derive(Debug, Default)]
pub(crate) struct Countdown(RefCell<Option<ProgressBar>>);

impl Countdown {
    /// Shows what is waited for; `None` ends the wait.
    pub(crate) fn show(&self, waiting: Option<&str>) {
        let mut shown = self.0.borrow_mut();
        match (waiting, &*shown) {
            (Some(waiting), Some(bar)) => bar.set_message(waiting.to_owned()),
            (Some(waiting), None) => {
                if !io::stderr().is_terminal() {
                    output::note(&waiting);
                }
                *shown = Some(ProgressBar::new_spinner().with_message(waiting.to_owned()));
            }
            (None, Some(bar)) => {
                bar.finish_and_clear();
                *shown = None;
            }
            (None, None) => {}
        }
        if let Some(bar) = &*shown {
            bar.tick();
        }
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.show(None);
    }
}
