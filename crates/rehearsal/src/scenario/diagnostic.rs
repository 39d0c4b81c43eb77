//! What is wrong with a scenario file, and where.

use std::{fmt, ops::Range};

/// A scenario file that can't be played. Shown, it names for each problem the file, the line, the
/// column, the field and what was expected, and quotes the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    /// The file, as the user named it.
    pub file: String,
    /// At least one, in the order of the file.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Counted from 1; 0 if the file doesn't have what is meant.
    pub line: usize,
    /// In characters, counted from 1; 0 if the file doesn't have what is meant.
    pub column: usize,
    /// The path of the field, such as `governance.voting_delay`; empty if the file as a whole is
    /// meant or can't be parsed.
    pub field: String,
    /// What was expected there, and what was found.
    pub message: String,
    /// The line, as it stands in the file.
    quote: String,
    /// How many characters of it are meant.
    width: usize,
}

impl Problem {
    /// Something that the file doesn't have.
    pub(super) const fn nowhere(field: String, message: String) -> Self {
        Self { line: 0, column: 0, field, message, quote: String::new(), width: 0 }
    }

    /// `span` is a range of bytes in `text`.
    pub(super) fn new(text: &str, span: Range<usize>, field: String, message: String) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let quote = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count();
        let meant = text.get(start..span.end).unwrap_or_default();
        let width = meant.lines().next().unwrap_or_default().chars().count().max(1);
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            field,
            message,
            quote: quote.replace('\t', " "),
            width,
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n\n")?;
            }
            let Problem { line, column, field, message, quote, width } = problem;
            match line {
                0 => write!(f, "{}: ", self.file)?,
                _ => write!(f, "{}:{line}:{column}: ", self.file)?,
            }
            if !field.is_empty() {
                write!(f, "{field}: ")?;
            }
            if *line == 0 {
                f.write_str(message)?;
                continue;
            }
            let gutter = line.to_string().len();
            write!(f, "{message}\n{:gutter$} |\n{line} | {quote}\n{:gutter$} | ", "", "")?;
            write!(f, "{:1$}{2}", "", column - 1, "^".repeat(*width))?;
        }
        Ok(())
    }
}
