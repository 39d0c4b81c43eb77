//! Progress bars on stderr, shown only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::exit::Failure;

/// A progress bar of `length` steps, labeled with `doing`.
pub(crate) fn bar(doing: &'static str, length: u64) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{spinner} {prefix} {bar:30.cyan/dim} {pos}/{len}")
        .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    let style = style.progress_chars("━╸─");
    Ok(ProgressBar::new(length).with_style(style).with_prefix(doing))
}
