//! Checks: the comparison of an expected value with the one found.

use std::fmt::Display;

use serde::Serialize;

/// The relation that the two values of a check must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The found value equals the expected one.
    Equal,
    /// The found value is at least the expected one.
    AtLeast,
    /// The found value is at most the expected one.
    AtMost,
}

/// A property that the state of the chain must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The contract, or the kind of the property.
    pub area: String,
    /// The value that is compared.
    pub subject: String,
    /// The relation of the two values.
    pub relation: Relation,
    /// The expected value.
    pub expected: String,
    /// The value found.
    pub found: String,
    /// Whether the relation holds.
    pub holds: bool,
}

impl Check {
    /// A check that holds if the values are equal. `show` makes them readable.
    pub(crate) fn equal<T: PartialEq, D: Display>(
        area: &str,
        subject: impl Into<String>,
        expected: &T,
        found: &T,
        show: impl Fn(&T) -> D,
    ) -> Self {
        Self::new(area, subject, Relation::Equal, expected == found, show(expected), show(found))
    }

    /// A check that holds if at least as much was found as expected.
    pub(crate) fn at_least<T: PartialOrd, D: Display>(
        area: &str,
        subject: impl Into<String>,
        expected: &T,
        found: &T,
        show: impl Fn(&T) -> D,
    ) -> Self {
        let holds = found >= expected;
        Self::new(area, subject, Relation::AtLeast, holds, show(expected), show(found))
    }

    /// A check that holds if at most as much was found as expected.
    pub(crate) fn at_most<T: PartialOrd, D: Display>(
        area: &str,
        subject: impl Into<String>,
        expected: &T,
        found: &T,
        show: impl Fn(&T) -> D,
    ) -> Self {
        let holds = found <= expected;
        Self::new(area, subject, Relation::AtMost, holds, show(expected), show(found))
    }

    fn new(
        area: &str,
        subject: impl Into<String>,
        relation: Relation,
        holds: bool,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        let (area, subject) = (area.to_owned(), subject.into());
        let (expected, found) = (expected.to_string(), found.to_string());
        Self { area, subject, relation, expected, found, holds }
    }
}

/// Shows a value as it prints itself.
pub(crate) fn plain<T: Display>(value: &T) -> String {
    value.to_string()
}
