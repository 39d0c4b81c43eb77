//! The file of operators.

use std::ops::Range;

use canon_forecast::{Operator, Share, Side, seats_of};
use canon_protocol::{
    Amount,
    text::{ParseQuantityError, Tokens, amount, fraction, number},
};
use canon_rehearsal::scenario::{FileError, Problem};
use eyre::{Report, eyre};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// An operator as it was listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) operator: Operator,
    /// What it stakes: as listed, or what its seats need at least.
    pub(super) stake: Amount,
}

/// Reads the operators of a file, whose seats need `minimum` of stake each. `missed` is the share of
/// those that don't name one.
pub(super) fn read(
    name: &str,
    text: &str,
    minimum: Amount,
    missed: Share,
) -> Result<Vec<Listed>, Report> {
    let wrong = |mut problems: Vec<Problem>| {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        let error = FileError { file: name.to_owned(), problems };
        Report::new(error).wrap_err(format!("--operators {name} has mistakes"))
    };
    let table =
        DeTable::parse(text).map_err(|error| wrong(vec![Problem::unparsed(text, &error)]))?;
    let mut problems = Vec::new();
    for key in table.get_ref().keys().filter(|key| key.get_ref() != "operator") {
        let field = key.get_ref().to_string();
        problems.push(Problem::expected(text, key.span(), field, "only [[operator]]"));
    }
    let at_least_one = "at least one [[operator]]";
    let mut operators = Vec::new();
    match table.get_ref().get("operator") {
        Some(list) => match list.get_ref() {
            DeValue::Array(entries) if !entries.is_empty() => {
                for (position, entry) in entries.iter().enumerate() {
                    let problems = &mut problems;
                    let mut entry = Entry { text, position, entry, minimum, problems };
                    operators.extend(entry.operator(missed));
                }
            }
            _ => {
                let field = "operator".to_owned();
                problems.push(Problem::expected(text, list.span(), field, at_least_one));
            }
        },
        None => {
            let message = format!("expected {at_least_one}");
            problems.push(Problem::nowhere("operator".to_owned(), message));
        }
    }
    if problems.is_empty() { Ok(operators) } else { Err(wrong(problems)) }
}

/// One `[[operator]]`.
struct Entry<'a> {
    text: &'a str,
    /// Counted from 0, as in scenarios.
    position: usize,
    entry: &'a Spanned<DeValue<'a>>,
    minimum: Amount,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Entry<'a> {
    fn operator(&mut self, missed: Share) -> Option<Listed> {
        let Some(table) = self.entry.get_ref().as_table() else {
            let field = format!("operator[{}]", self.position);
            let expected = "a table with seats or stake, side and missed";
            let problem = Problem::expected(self.text, self.entry.span(), field, expected);
            self.problems.push(problem);
            return None;
        };
        let known = ["seats", "stake", "side", "missed"];
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            self.expected(key.span(), key.get_ref(), "seats, stake, side or missed");
        }
        let seats = self.seats(table);
        let expected = r#""for", "rival" or "silent""#;
        let side = self.field(table, "side", expected, |value| match value.as_str()? {
            "for" => Some(Side::For),
            "rival" => Some(Side::Rival),
            "silent" => Some(Side::Silent),
            _ => None,
        });
        let missed = match table.contains_key("missed") {
            false => Some(missed),
            true => {
                let (expected, read) = (fraction::EXPECTED_SHARE, fraction::parse_share);
                self.quantity(table, "missed", expected, decimal_or_text, read).map(Share::from)
            }
        };
        let ((seats, stake), side, missed) = (seats?, side?, missed?);
        Some(Listed { operator: Operator { seats, side, missed }, stake })
    }

    /// Seats, and the stake for them.
    fn seats(&mut self, table: &'a DeTable<'a>) -> Option<(u32, Amount)> {
        let minimum = self.minimum;
        match (table.get("seats"), table.get("stake")) {
            (Some(given), None) => {
                let range = 1..=u64::from(u32::MAX);
                let expected = number::expected(&range);
                let read = |text: &str| number::parse_within(text, range);
                let seats = self.quantity(table, "seats", &expected, number_or_text, read)?;
                let seats = u32::try_from(seats).ok()?;
                let least = minimum.get().checked_mul(seats.into()).and_then(Amount::new);
                if least.is_none() {
                    let expected = "no more seats than all the asset there can be is enough for";
                    self.expected(given.span(), "seats", expected);
                }
                Some((seats, least?))
            }
            (None, Some(given)) => {
                let stake =
                    self.quantity(table, "stake", amount::EXPECTED, number_or_text, amount::parse)?;
                match seats_of(stake, minimum) {
                    Some(seats) if seats > 0 => return Some((seats, stake)),
                    Some(_) => {
                        let expected = format!("the {} tokens of a seat or more", Tokens(minimum));
                        self.expected(given.span(), "stake", &expected);
                    }
                    None => {
                        let expected = "a stake for fewer than the 2^32 seats of a set";
                        self.expected(given.span(), "stake", expected);
                    }
                }
                None
            }
            (Some(given), Some(_)) => {
                let message = "expected seats or stake, found both".to_owned();
                self.problem(given.span(), "seats", message);
                None
            }
            (None, None) => {
                let message = "expected seats or stake, found neither".to_owned();
                self.problem(self.entry.span(), "seats", message);
                None
            }
        }
    }

    fn field<T>(
        &mut self,
        table: &'a DeTable<'a>,
        field: &str,
        expected: &str,
        read: impl FnOnce(&DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = table.get(field) else {
            self.problem(self.entry.span(), field, format!("expected {expected}, found nothing"));
            return None;
        };
        let found = read(value.get_ref());
        if found.is_none() {
            self.expected(value.span(), field, expected);
        }
        found
    }

    /// A quantity that `written` finds in the value. What is expected of another type is `expected`.
    fn quantity<T>(
        &mut self,
        table: &'a DeTable<'a>,
        field: &str,
        expected: &str,
        written: impl FnOnce(&DeValue<'a>) -> Option<String>,
        parse: impl FnOnce(&str) -> Result<T, ParseQuantityError>,
    ) -> Option<T> {
        let text = self.field(table, field, expected, written)?;
        let span = table.get(field).map(Spanned::span).unwrap_or_default();
        parse(&text).map_err(|error| self.expected(span, field, error.expected())).ok()
    }

    fn expected(&mut self, span: Range<usize>, field: &str, expected: &str) {
        let field = format!("operator[{}].{field}", self.position);
        self.problems.push(Problem::expected(self.text, span, field, expected));
    }

    fn problem(&mut self, span: Range<usize>, field: &str, message: String) {
        let field = format!("operator[{}].{field}", self.position);
        self.problems.push(Problem::new(self.text, span, field, message));
    }
}

/// A whole number or a text.
fn number_or_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            // What needs more than 128 bits is out of all bounds, as their largest value is.
            let number = i128::from_str_radix(number.as_str(), number.radix());
            Some(number.unwrap_or(i128::MAX).to_string())
        }
        _ => None,
    }
}

/// A number, also one with decimals or an exponent, or a text.
fn decimal_or_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().ok()?;
            // A share has 18 decimals: of a number with more, the nearest share is meant.
            let (exact, rounded) = (number.to_string(), format!("{number:.18}"));
            Some(if exact.len() < rounded.len() { exact } else { rounded })
        }
        value => number_or_text(value),
    }
}

/// What the listed operators stake without drawing anything for it.
pub(super) fn idle(listed: &Listed, minimum: Amount) -> Amount {
    let drawing = minimum.get().saturating_mul(listed.operator.seats.into());
    Amount::new(listed.stake.get().saturating_sub(drawing)).unwrap_or_default()
}

/// Only whole files are right.
pub(super) fn unreadable(name: &str, error: std::io::Error) -> Report {
    eyre!(error).wrap_err(format!("--operators {name} can't be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: Amount = Amount::of(100 * Amount::TOKEN.get());

    fn tokens_of(count: u128) -> Amount {
        Amount::of(count * Amount::TOKEN.get())
    }

    const MISSED: Share = Share::ALL;

    /// Each problem without the line that it quotes.
    fn problems(text: &str) -> String {
        let report = read("file", text, MINIMUM, MISSED).unwrap_err();
        assert_eq!(report.to_string(), "--operators file has mistakes");
        let text = report.root_cause().to_string();
        text.lines().filter(|line| line.starts_with("file")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn seats_and_stake_say_the_same() {
        let text = r#"
            [[operator]]
            seats = 3
            side = "for"
            missed = 0.02
            [[operator]]
            stake = "399.5"
            side = "rival"
            missed = "2%"
            [[operator]]
            stake = 100
            side = "silent"
            missed = 1e0
            [[operator]]
            stake = "1,000"
            side = "for"
            [[operator]]
            seats = "1,000"
            side = "for"
            missed = 0
            [[operator]]
            seats = 0x10
            side = "for"
            missed = 0.0033333333333333335
        "#;
        let read = read("file", text, MINIMUM, MISSED).unwrap();
        let seats: Vec<_> = read.iter().map(|listed| listed.operator.seats).collect();
        assert_eq!(seats, [3, 3, 1, 10, 1_000, 16]);
        assert!((read[5].operator.missed.get() - 1.0 / 300.0).abs() < 1e-18);
        assert_eq!((read[3].stake, read[3].operator.missed), (tokens_of(1_000), MISSED));
        assert_eq!(read[0].stake, tokens_of(300));
        assert_eq!(read[0].operator.missed, read[1].operator.missed);
        assert_eq!((idle(&read[0], MINIMUM), idle(&read[2], MINIMUM)), Default::default());
        assert_eq!(idle(&read[1], MINIMUM), Amount::of(99_500_000_000_000_000_000));
    }

    #[test]
    fn every_problem_is_told_with_its_operator_and_field() {
        let text = r#"
            [[operator]]
            seats = 1
            stake = 100
            side = "for"
            missed = 0
            [[operator]]
            side = "both"
            [[operator]]
            stake = "99.9"
            side = "for"
            missed = 1.1
            [[operator]]
            seats = 0
            side = "for"
            missed = 0
            name = "x"
            [[operator]]
            stake = "1,00"
        "#;
        assert_eq!(
            problems(text),
            r#"file:3:21: operator[0].seats: expected seats or stake, found both
file:7:13: operator[1].seats: expected seats or stake, found neither
file:8:20: operator[1].side: expected "for", "rival" or "silent", found "both"
file:10:21: operator[2].stake: expected the 100 tokens of a seat or more, found "99.9"
file:12:22: operator[2].missed: expected a share from 0 % to 100 %, found 1.1
file:14:21: operator[3].seats: expected a whole number from 1 to 4,294,967,295, found 0
file:17:13: operator[3].name: expected seats, stake, side or missed, found name
file:18:13: operator[4].side: expected "for", "rival" or "silent", found nothing
file:19:21: operator[4].stake: expected tokens, such as 1000, "1,000" or "0.5", found "1,00""#
        );
    }

    #[test]
    fn other_files_are_no_list() {
        let none = "expected at least one [[operator]]";
        for (text, says) in [
            ("", format!("file: operator: {none}")),
            ("operator = 3", format!("file:1:12: operator: {none}, found 3")),
            ("[operator]\nseats = 3", format!("file:1:1: operator: {none}, found [operator]")),
            (
                "operator = [3]",
                "file:1:13: operator[0]: expected a table with seats or stake, side and missed, found 3"
                    .to_owned(),
            ),
        ] {
            assert_eq!(problems(text), says, "{text}");
        }
        let other = "a = 1\n[[operator]]\nseats = 3\nside = \"for\"";
        assert_eq!(problems(other), "file:1:1: a: expected only [[operator]], found a");
        assert!(problems("= 1").starts_with("file:1:1: "), "{}", problems("= 1"));
    }
}
