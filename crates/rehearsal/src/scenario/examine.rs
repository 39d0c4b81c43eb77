//! Checks of single fields. Each check returns a usable value in any case and records the problem,
//! so that all problems of a file are reported at once.

use std::ops::{Range, RangeInclusive};

use canon_protocol::{
    Amount, Fraction, Seconds,
    text::{ParseQuantityError, Percent, amount, duration, fraction, number},
};
use canon_toml_file::Problem;
use toml::Spanned;

use super::raw::{Field, Human};

/// The text of a file, and its problems.
pub(super) struct Examiner<'a> {
    text: &'a str,
    pub(super) problems: Vec<Problem>,
}

/// A value with a position in the file.
pub(super) trait Located {
    fn span(&self) -> Range<usize>;
}

impl<T> Located for Spanned<T> {
    fn span(&self) -> Range<usize> {
        Self::span(self)
    }
}

/// A value that was left out has an empty span.
impl<T> Located for Option<Spanned<T>> {
    fn span(&self) -> Range<usize> {
        self.as_ref().map_or(0..0, Spanned::span)
    }
}

impl<'a> Examiner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, problems: Vec::new() }
    }

    /// Records that a field is missing.
    pub(super) fn missing(&mut self, field: &str, expected: &str) {
        let message = format!("expected {expected}");
        self.problems.push(Problem::nowhere(field.to_owned(), message));
    }

    /// Records that a field has another value than expected.
    pub(super) fn expected(&mut self, at: &dyn Located, field: &str, expected: &str) {
        let span = at.span();
        if span.is_empty() {
            return self.missing(field, &format!("{expected}; it is left out"));
        }
        self.problems.push(Problem::expected(self.text, span, field.to_owned(), expected));
    }

    /// Records a problem with the given message.
    pub(super) fn problem(&mut self, at: &dyn Located, field: &str, message: String) {
        self.problems.push(Problem::new(self.text, at.span(), field.to_owned(), message));
    }

    /// Records a problem that the parser found.
    pub(super) fn unparsed(&mut self, error: &toml::de::Error) {
        self.problems.push(Problem::unparsed(self.text, error));
    }

    pub(super) fn whole(
        &mut self,
        field: &str,
        raw: &Field,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let Some(value) = raw else { return default };
        let expected = number::expected(&range);
        self.read(value, field, &expected, |text| number::parse_within(text, range))
            .unwrap_or(default)
    }

    pub(super) fn seconds(
        &mut self,
        field: &str,
        raw: &Field,
        default: Seconds,
        range: RangeInclusive<Seconds>,
    ) -> Seconds {
        let Some(value) = raw else { return default };
        let read = |text: &str| duration::parse_within(text, range);
        self.read(value, field, duration::EXPECTED, read).unwrap_or(default)
    }

    pub(super) fn tokens(
        &mut self,
        field: &str,
        raw: &Field,
        default: Amount,
        least: Amount,
    ) -> Amount {
        let Some(value) = raw else { return default };
        let read = |text: &str| amount::parse_within(text, least..=Amount::MAX);
        self.read(value, field, amount::EXPECTED, read).unwrap_or(default)
    }

    /// An amount, or a range of amounts, none of which may be zero.
    pub(super) fn token_range(&mut self, field: &str, raw: &Spanned<Human>) -> (Amount, Amount) {
        let read = amount::parse_range;
        let found = self.read(raw, field, amount::EXPECTED_RANGE, read);
        let Some(range) = found else { return (Amount::TOKEN, Amount::TOKEN) };
        if range.start().is_zero() {
            self.expected(raw, field, "more than 0 tokens");
            return (Amount::TOKEN, Amount::TOKEN);
        }
        range.into_inner()
    }

    pub(super) fn fraction(
        &mut self,
        field: &str,
        raw: &Field,
        default: Fraction,
        range: RangeInclusive<Fraction>,
    ) -> Fraction {
        let Some(value) = raw else { return default };
        match self.read(value, field, fraction::EXPECTED, fraction::parse) {
            Some(fraction) if range.contains(&fraction) => return fraction,
            Some(fraction) if fraction < *range.start() => {
                self.expected(raw, field, "more than 0 %");
            }
            Some(_) => self.expected(raw, field, &format!("at most {}", Percent::of(*range.end()))),
            None => {}
        }
        default
    }

    /// The value of a number or a text. `expected` describes the field in the problem of any other
    /// type.
    fn read<T>(
        &mut self,
        value: &Spanned<Human>,
        field: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, ParseQuantityError>,
    ) -> Option<T> {
        let parsed = match value.get_ref() {
            Human::Number(number) => parse(&number.to_string()),
            Human::Text(text) => parse(text),
            Human::Other => {
                self.expected(value, field, expected);
                return None;
            }
        };
        parsed.map_err(|error| self.expected(value, field, error.expected())).ok()
    }
}
