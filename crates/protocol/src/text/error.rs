//! The error of a text that isn't the expected quantity.

use crate::ForeignText;

/// The number of characters of the text that a message repeats, which is more than any quantity needs.
const MAX_FOUND: usize = 100;

/// The error of a text that isn't the expected quantity. The caller names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found \"{}\"", ForeignText::new(.found).up_to(MAX_FOUND))]
pub struct ParseQuantityError {
    kind: ErrorKind,
    found: String,
    expected: String,
}

/// The kind of mistake in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text doesn't have the form of the quantity.
    Malformed,
    /// The text has two readings, such as `5.000` for an amount: five, or five thousand.
    Ambiguous,
    /// The form is right, but the value is out of the bounds, which the error names.
    OutOfRange,
    /// The number has more decimals than the quantity allows.
    TooManyDecimals,
    /// The letters of an address don't match its checksum (EIP-55).
    WrongChecksum,
    /// The calendar doesn't have the day, or the time of day doesn't exist.
    NotOnCalendar,
}

impl ParseQuantityError {
    pub(super) fn new(kind: ErrorKind, found: &str, expected: impl Into<String>) -> Self {
        Self { kind, found: found.to_owned(), expected: expected.into() }
    }

    /// The kind of mistake.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The text.
    pub fn found(&self) -> &str {
        &self.found
    }

    /// The expected value, for use after "expected".
    pub fn expected(&self) -> &str {
        &self.expected
    }
}
