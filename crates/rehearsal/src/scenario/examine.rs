//! Checking single fields: each check returns a usable value in any case and notes what is wrong,
//! so that a file's problems are shown all at once.

use std::ops::{Range, RangeInclusive};

use canon_chain::deploy::quantities;
use canon_protocol::{Amount, Fraction, Seconds};
use toml::Spanned;

use super::{
    diagnostic::Problem,
    raw::{Field, Human},
    units,
};
use crate::text;

/// The text of a file, and what is wrong with it.
pub(super) struct Examiner<'a> {
    text: &'a str,
    pub(super) problems: Vec<Problem>,
}

/// Something that can be found in the file.
pub(super) trait Located {
    fn span(&self) -> Range<usize>;
}

impl<T> Located for Spanned<T> {
    fn span(&self) -> Range<usize> {
        Self::span(self)
    }
}

/// What was left out has an empty span.
impl<T> Located for Option<Spanned<T>> {
    fn span(&self) -> Range<usize> {
        self.as_ref().map_or(0..0, Spanned::span)
    }
}

impl<'a> Examiner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, problems: Vec::new() }
    }

    /// Notes that something is not in the file at all.
    pub(super) fn missing(&mut self, field: &str, expected: &str) {
        let message = format!("expected {expected}");
        self.problems.push(Problem::nowhere(field.to_owned(), message));
    }

    /// Notes that something else was expected of a field.
    pub(super) fn expected(&mut self, at: &dyn Located, field: &str, expected: &str) {
        let span = at.span();
        if span.is_empty() {
            return self.missing(field, &format!("{expected}; it is left out"));
        }
        self.problems.push(Problem::expected(self.text, span, field.to_owned(), expected));
    }

    /// Notes a problem whose remedy is elsewhere in the file.
    pub(super) fn problem(&mut self, at: &dyn Located, field: &str, message: String) {
        self.problems.push(Problem::new(self.text, at.span(), field.to_owned(), message));
    }

    /// Notes a problem that the parser found.
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
        let number = match value.get_ref() {
            Human::Number(number) => u64::try_from(*number).ok(),
            Human::Text(text) => units::whole(text),
            Human::Other => None,
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return number;
        }
        let (least, most) = (text::grouped(*range.start()), text::grouped(*range.end()));
        let expected = match *range.end() {
            u64::MAX => format!("a whole number from {least} on"),
            _ => format!("a whole number from {least} to {most}"),
        };
        self.expected(raw, field, &expected);
        default
    }

    pub(super) fn seconds(
        &mut self,
        field: &str,
        raw: &Field,
        default: Seconds,
        range: RangeInclusive<Seconds>,
    ) -> Seconds {
        let Some(value) = raw else { return default };
        let seconds = match value.get_ref() {
            Human::Number(_) | Human::Other => None,
            Human::Text(text) => units::seconds(text),
        };
        match seconds {
            Some(seconds) if range.contains(&seconds) => return seconds,
            Some(_) => {
                let (least, most) = (text::duration(*range.start()), text::duration(*range.end()));
                self.expected(raw, field, &format!("{least} to {most}"));
            }
            None => {
                self.expected(raw, field, "a duration such as \"90 s\", \"1 h 30 min\" or \"3 d\"");
            }
        }
        default
    }

    pub(super) fn tokens(
        &mut self,
        field: &str,
        raw: &Field,
        default: Amount,
        least: Amount,
    ) -> Amount {
        let Some(value) = raw else { return default };
        match token_range(value.get_ref()) {
            Some((amount, most)) if amount == most && amount >= least => return amount,
            Some((amount, most)) if amount == most => {
                self.expected(raw, field, &format!("at least {} tokens", text::tokens(least)));
            }
            _ => self.expected(raw, field, "tokens, such as 1000, \"1,000\" or \"0.5\""),
        }
        default
    }

    pub(super) fn token_range(&mut self, field: &str, raw: &Spanned<Human>) -> (Amount, Amount) {
        token_range(raw.get_ref()).filter(|(least, _)| !least.is_zero()).unwrap_or_else(|| {
            self.expected(raw, field, "tokens, such as 1000, or \"1,000 to 5,000\"");
            (Amount::TOKEN, Amount::TOKEN)
        })
    }

    pub(super) fn fraction(
        &mut self,
        field: &str,
        raw: &Field,
        default: Fraction,
        range: RangeInclusive<Fraction>,
    ) -> Fraction {
        let Some(value) = raw else { return default };
        let fraction = match value.get_ref() {
            Human::Number(_) | Human::Other => None,
            Human::Text(text) => units::fraction(text),
        };
        match fraction {
            Some(fraction) if range.contains(&fraction) => return fraction,
            Some(fraction) if fraction < *range.start() => {
                self.expected(raw, field, "more than 0 %");
            }
            Some(_) => {
                let most = quantities::format_fraction(*range.end()).replace('%', " %");
                self.expected(raw, field, &format!("at most {most}"));
            }
            None => self.expected(raw, field, "a percentage up to 100 such as \"10 %\""),
        }
        default
    }
}

fn token_range(value: &Human) -> Option<(Amount, Amount)> {
    match value {
        Human::Number(number) => {
            let amount = units::tokens(&number.to_string())?;
            Some((amount, amount))
        }
        Human::Text(text) => units::token_range(text),
        Human::Other => None,
    }
}
