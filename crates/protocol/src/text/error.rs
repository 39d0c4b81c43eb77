//! The reason why a text isn't the quantity that was expected.

use crate::ForeignText;

/// The number of characters after which a message stops repeating the text: more than any quantity
/// needs.
const MAX_FOUND: usize = 100;

/// A text isn't the quantity that was expected of it. The caller names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found \"{}\"", ForeignText::new(.found).up_to(MAX_FOUND))]
pub struct ParseQuantityError {
    kind: ErrorKind,
    found: String,
    expected: String,
}

/// The ways in which a text can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text doesn't have the form of the quantity.
    Malformed,
    /// The text has two readings, such as `5.000` for an amount: five, or five thousand.
    Ambiguous,
    /// The form is right and the value isn't within the bounds, which the error names.
    OutOfRange,
    /// The number has more decimals than the quantity can.
    TooManyDecimals,
    /// The letters of an address aren't its checksum (EIP-55).
    WrongChecksum,
    /// The calendar doesn't have the day, or the day the time.
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

    /// The expected value, to be read after "expected".
    pub fn expected(&self) -> &str {
        &self.expected
    }
}
