//! Mistakes in TOML files written by users: each with its place, its field and what was expected.

mod secret;

use std::{fmt, ops::Range};

use canon_protocol::ForeignText;
use toml::de::{DeTable, DeValue};

pub use secret::{looks_like_a_secret, may_have_a_secret};

/// The mistakes in a TOML file. Displayed, each one names the file, the line, the column, the field and what
/// was expected, and quotes the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file, as the user named it.
    pub file: String,
    /// At least one mistake, in the order of the file.
    pub problems: Vec<Problem>,
}

/// One mistake. Displayed, it is `line:column: field: message`, without the text of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1; 0 if the file lacks the field.
    pub line: usize,
    /// The column in characters, counted from 1; 0 if the file lacks the field.
    pub column: usize,
    /// The path of the field, such as `governance.voting_delay`; empty if the mistake belongs to no field.
    pub field: String,
    /// The value expected there, and the value found.
    pub message: String,
    quote: Option<Quote>,
}

/// The line with a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Quote {
    /// The text of the line, with spaces for tabs.
    line: String,
    /// The number of wrong characters.
    width: usize,
}

impl Problem {
    /// A problem with a field that the file lacks.
    pub const fn nowhere(field: String, message: String) -> Self {
        Self { line: 0, column: 0, field, message, quote: None }
    }

    /// A problem with the value of `field`, a path such as `governance.voting_delay`, which is looked up in
    /// `text`.
    pub fn of_field(text: &str, field: &str, message: String) -> Self {
        let (table, _) = DeTable::parse_recoverable(text);
        match span_of(table.get_ref(), field) {
            Some(span) => Self::new(text, span, field.to_owned(), message),
            None => Self::nowhere(field.to_owned(), message),
        }
    }

    /// A problem at `span` whose line isn't stored, since it may contain a secret.
    pub fn unquoted(text: &str, span: Range<usize>, field: String, message: String) -> Self {
        Self { quote: None, ..Self::new(text, span, field, message) }
    }

    /// A problem with a value that isn't what was expected. `span` is its range of bytes in `text`.
    pub fn expected(text: &str, span: Range<usize>, field: String, expected: &str) -> Self {
        let found = text.get(span.clone()).unwrap_or_default().trim();
        let message = if found.is_empty() || found.contains('\n') {
            format!("expected {expected}")
        } else {
            format!("expected {expected}, found {found}")
        };
        Self::new(text, span, field, message)
    }

    /// A problem that the TOML parser found in `text`. A line that may have a secret isn't repeated: the file may be
    /// another one than the user meant.
    pub fn unparsed(text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let field = path_at(text, &span);
        // A salt has as many digits as a key, and is no secret.
        if !field.ends_with("salt") && may_have_a_secret(line_at(text, span.start)) {
            let message = "expected a field with its value, found what may be a key or a mnemonic";
            return Self::unquoted(text, span, String::new(), message.to_owned());
        }
        let message = error.message().trim().replace('\n', ", ");
        Self::new(text, span, field, message)
    }

    /// A problem at `span`, a range of bytes in `text`.
    pub fn new(text: &str, span: Range<usize>, field: String, message: String) -> Self {
        let start = boundary(text, span.start);
        let before = &text[..start];
        let quote = line_at(text, start);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let meant = text.get(start..span.end).unwrap_or_default();
        let width = meant.lines().next().unwrap_or_default().chars().count().max(1);
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            field,
            message,
            quote: Some(Quote { line: quote.replace('\t', " "), width }),
        }
    }
}

/// The last boundary between characters at or before a position in bytes.
fn boundary(text: &str, position: usize) -> usize {
    let mut start = position.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    start
}

/// The line with a position in bytes.
fn line_at(text: &str, position: usize) -> &str {
    let before = &text[..boundary(text, position)];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or_default()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", ForeignText::new(&self.field))?;
        }
        write!(f, "{}", ForeignText::new(&self.message))
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("\n\n")?;
            }
            let blank = if problem.line == 0 { " " } else { "" };
            write!(f, "{}:{blank}{problem}", ForeignText::new(&self.file))?;
            let Problem { line, column, quote: Some(quote), .. } = problem else { continue };
            let gutter = line.to_string().len();
            // Escaped characters are wider than the original ones.
            let mut rest = quote.line.chars();
            let mut shown = |count| {
                let part: String = rest.by_ref().take(count).collect();
                ForeignText::new(&part).to_string()
            };
            let (before, meant, after) = (shown(column - 1), shown(quote.width), shown(usize::MAX));
            let (indent, width) = (before.chars().count(), meant.chars().count().max(1));
            write!(f, "\n{:gutter$} |\n{line} | {before}{meant}{after}\n", "")?;
            write!(f, "{:gutter$} | {:indent$}{}", "", "", "^".repeat(width))?;
        }
        Ok(())
    }
}

/// The range of a field's value in bytes; `None` if the table lacks the field.
fn span_of(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    let value = table.get(key)?;
    match (rest, value.get_ref()) {
        (None, _) => Some(value.span()),
        (Some(rest), DeValue::Table(inner)) => span_of(inner, rest),
        (Some(_), _) => None,
    }
}

/// The path of the innermost key or value of a file that covers a span.
fn path_at(text: &str, span: &Range<usize>) -> String {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut path = String::new();
    descend(table.get_ref(), span, &mut path);
    path
}

fn descend(table: &DeTable<'_>, span: &Range<usize>, path: &mut String) {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table {
        let inside = covers(key.span()) || covers(value.span()) || holds(value.get_ref(), span);
        if !inside {
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => descend(inner, span, path),
            DeValue::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    let found = covers(item.span()) || holds(item.get_ref(), span);
                    if let (true, DeValue::Table(inner)) = (found, item.get_ref()) {
                        path.push_str(&format!("[{position}]"));
                        descend(inner, span, path);
                        break;
                    }
                }
            }
            _ => {}
        }
        return;
    }
}

/// Whether some part of a table or an array covers a span. The span of a table with a header is only that of
/// the header.
fn holds(value: &DeValue<'_>, span: &Range<usize>) -> bool {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    match value {
        DeValue::Table(table) => table.iter().any(|(key, value)| {
            covers(key.span()) || covers(value.span()) || holds(value.get_ref(), span)
        }),
        DeValue::Array(items) => {
            items.iter().any(|item| covers(item.span()) || holds(item.get_ref(), span))
        }
        _ => false,
    }
}
