//! The file of operators: TOML with one `[[operator]]` table for each.
//!
//! | field | value |
//! |---|---|
//! | `seats` | a whole number of seats, 1 or more |
//! | `stake` | instead of `seats`: the stake in tokens, which is split into as many seats as possible |
//! | `side` | `"for"`, `"rival"` or `"silent"` |
//! | `missed` | the share of its slots that the operator misses; optional |

use std::ops::Range;

use canon_protocol::{
    Amount,
    text::{ParseQuantityError, amount, fraction, number, tokens},
};
use canon_toml_file::Problem;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    electorate::{Operator, SignalingSide, seats_of},
    share::Share,
};

/// An operator of a file, with its stake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListedOperator {
    /// The operator.
    pub operator: Operator,
    /// Its stake: as listed, or otherwise the minimum for its seats.
    pub stake: Amount,
}

impl ListedOperator {
    /// The part of the stake that pays for no seat, if each seat needs `minimum`.
    pub fn idle_stake(&self, minimum: Amount) -> Amount {
        let used = minimum.get().saturating_mul(self.operator.seats.into());
        Amount::new(self.stake.get().saturating_sub(used)).unwrap_or_default()
    }
}

/// Parses a file of operators, whose seats need a stake of `minimum` each. `missed` applies to operators
/// without that field.
///
/// # Errors
///
/// All mistakes, in the order of the file; only the first if the text isn't TOML.
pub fn parse(
    text: &str,
    minimum: Amount,
    missed: Share,
) -> Result<Vec<ListedOperator>, Vec<Problem>> {
    const AT_LEAST_ONE: &str = "at least one [[operator]]";
    let table = DeTable::parse(text).map_err(|error| vec![Problem::unparsed(text, &error)])?;
    let mut problems = Vec::new();
    for key in table.get_ref().keys().filter(|key| key.get_ref() != "operator") {
        let field = key.get_ref().to_string();
        problems.push(Problem::expected(text, key.span(), field, "only [[operator]]"));
    }
    let mut operators = Vec::new();
    let list = table.get_ref().get("operator");
    match list.map(Spanned::get_ref) {
        Some(DeValue::Array(entries)) if !entries.is_empty() => {
            for (position, entry) in entries.iter().enumerate() {
                let mut entry =
                    OperatorEntry { text, position, entry, minimum, problems: &mut problems };
                operators.extend(entry.operator(missed));
            }
        }
        _ => {
            let field = "operator".to_owned();
            problems.push(match list {
                Some(list) => Problem::expected(text, list.span(), field, AT_LEAST_ONE),
                None => Problem::nowhere(field, format!("expected {AT_LEAST_ONE}")),
            });
        }
    }
    if problems.is_empty() {
        return Ok(operators);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

/// One `[[operator]]`.
struct OperatorEntry<'a> {
    /// The file.
    text: &'a str,
    /// Its position in the file, counted from 0.
    position: usize,
    entry: &'a Spanned<DeValue<'a>>,
    minimum: Amount,
    problems: &'a mut Vec<Problem>,
}

impl<'a> OperatorEntry<'a> {
    fn operator(&mut self, missed: Share) -> Option<ListedOperator> {
        let Some(table) = self.entry.get_ref().as_table() else {
            let field = format!("operator[{}]", self.position);
            let expected = "a table with seats or stake, side and missed";
            self.problems.push(Problem::expected(self.text, self.entry.span(), field, expected));
            return None;
        };
        let known = ["seats", "stake", "side", "missed"];
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            self.expected(key.span(), key.get_ref(), "seats, stake, side or missed");
        }
        let seats = self.seats(table);
        let side = self.side(table);
        let missed = match table.get("missed") {
            None => Some(missed),
            Some(given) => {
                let (expected, read) = (fraction::EXPECTED_SHARE, fraction::parse_share);
                self.quantity(given, "missed", expected, decimal_or_text, read).map(Share::from)
            }
        };
        let ((seats, stake), side, missed) = (seats?, side?, missed?);
        Some(ListedOperator { operator: Operator { seats, side, missed }, stake })
    }

    /// The number of seats, and the stake for them.
    fn seats(&mut self, table: &'a DeTable<'a>) -> Option<(u32, Amount)> {
        let minimum = self.minimum;
        match (table.get("seats"), table.get("stake")) {
            (Some(given), None) => {
                let range = 1..=u64::from(u32::MAX);
                let expected = number::expected(&range);
                let read = |text: &str| number::parse_within(text, range);
                let seats = self.quantity(given, "seats", &expected, number_or_text, read)?;
                let seats = u32::try_from(seats).ok()?;
                let least = minimum.get().checked_mul(seats.into()).and_then(Amount::new);
                if least.is_none() {
                    let expected = "no more seats than the largest supply of the asset pays for";
                    self.expected(given.span(), "seats", expected);
                }
                Some((seats, least?))
            }
            (None, Some(given)) => {
                let stake =
                    self.quantity(given, "stake", amount::EXPECTED, number_or_text, amount::parse)?;
                match seats_of(stake, minimum) {
                    Some(seats) if seats > 0 => return Some((seats, stake)),
                    Some(_) => {
                        let expected = format!("at least one seat, {}", tokens(minimum));
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
                self.problem(
                    given.span(),
                    "seats",
                    "expected seats or stake, found both".to_owned(),
                );
                None
            }
            (None, None) => {
                let message = "expected seats or stake, found neither".to_owned();
                self.problem(self.entry.span(), "seats", message);
                None
            }
        }
    }

    fn side(&mut self, table: &'a DeTable<'a>) -> Option<SignalingSide> {
        const EXPECTED: &str = r#""for", "rival" or "silent""#;
        let Some(given) = table.get("side") else {
            self.problem(self.entry.span(), "side", format!("expected {EXPECTED}, found nothing"));
            return None;
        };
        match given.get_ref().as_str() {
            Some("for") => Some(SignalingSide::For),
            Some("rival") => Some(SignalingSide::Rival),
            Some("silent") => Some(SignalingSide::Silent),
            _ => {
                self.expected(given.span(), "side", EXPECTED);
                None
            }
        }
    }

    /// Reads a quantity: `to_text` gets the text of a value of the right type, and `parse` parses it.
    fn quantity<T>(
        &mut self,
        value: &Spanned<DeValue<'a>>,
        field: &str,
        expected: &str,
        to_text: impl FnOnce(&DeValue<'a>) -> Option<String>,
        parse: impl FnOnce(&str) -> Result<T, ParseQuantityError>,
    ) -> Option<T> {
        let Some(text) = to_text(value.get_ref()) else {
            self.expected(value.span(), field, expected);
            return None;
        };
        parse(&text).map_err(|error| self.expected(value.span(), field, error.expected())).ok()
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

/// Returns the text of a string or a whole number.
fn number_or_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            // A number above 128 bits is out of every range, and so is the largest number of 128 bits.
            let number = i128::from_str_radix(number.as_str(), number.radix());
            Some(number.unwrap_or(i128::MAX).to_string())
        }
        _ => None,
    }
}

/// Returns the text of a string or a number, which may have decimals or an exponent.
fn decimal_or_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().ok()?;
            // A share has 18 decimals: a number with more is rounded to them.
            let (exact, rounded) = (number.to_string(), format!("{number:.18}"));
            Some(if exact.len() < rounded.len() { exact } else { rounded })
        }
        value => number_or_text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: Amount = Amount::of(100 * Amount::TOKEN.get());

    fn tokens_of(count: u128) -> Amount {
        Amount::of(count * Amount::TOKEN.get())
    }

    const MISSED: Share = Share::ALL;

    /// The mistakes in the text, each on a line with its place.
    fn mistakes(text: &str) -> String {
        let problems = parse(text, MINIMUM, MISSED).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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
        let read = parse(text, MINIMUM, MISSED).unwrap();
        let seats: Vec<_> = read.iter().map(|listed| listed.operator.seats).collect();
        assert_eq!(seats, [3, 3, 1, 10, 1_000, 16]);
        assert!((read[5].operator.missed.get() - 1.0 / 300.0).abs() < 1e-18);
        assert_eq!((read[3].stake, read[3].operator.missed), (tokens_of(1_000), MISSED));
        assert_eq!(read[0].stake, tokens_of(300));
        assert_eq!(read[0].operator.missed, read[1].operator.missed);
        let idle = [0, 1, 2].map(|operator: usize| read[operator].idle_stake(MINIMUM));
        assert_eq!(idle, [Amount::ZERO, Amount::of(99_500_000_000_000_000_000), Amount::ZERO]);
    }

    #[test]
    fn every_problem_names_its_operator_and_field() {
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
            mistakes(text),
            r#"3:21: operator[0].seats: expected seats or stake, found both
7:13: operator[1].seats: expected seats or stake, found neither
8:20: operator[1].side: expected "for", "rival" or "silent", found "both"
10:21: operator[2].stake: expected at least the 100 tokens of one seat, found "99.9"
12:22: operator[2].missed: expected a share from 0 % to 100 %, found 1.1
14:21: operator[3].seats: expected a whole number from 1 to 4,294,967,295, found 0
17:13: operator[3].name: expected seats, stake, side or missed, found name
18:13: operator[4].side: expected "for", "rival" or "silent", found nothing
19:21: operator[4].stake: expected tokens, such as 1000, "1,000" or "0.5", found "1,00""#
        );
    }

    #[test]
    fn other_files_are_no_list() {
        let none = "operator: expected at least one [[operator]]";
        for (text, says) in [
            ("", none.to_owned()),
            ("operator = 3", format!("1:12: {none}, found 3")),
            ("operator = []", format!("1:12: {none}, found []")),
            ("[operator]\nseats = 3", format!("1:1: {none}, found [operator]")),
            (
                "operator = [3]",
                "1:13: operator[0]: expected a table with seats or stake, side and missed, found 3"
                    .to_owned(),
            ),
        ] {
            assert_eq!(mistakes(text), says, "{text}");
        }
        let other = "a = 1\n[[operator]]\nseats = 3\nside = \"for\"";
        assert_eq!(mistakes(other), "1:1: a: expected only [[operator]], found a");
        assert!(mistakes("= 1").starts_with("1:1: "), "{}", mistakes("= 1"));
    }

    #[test]
    fn a_stake_pays_for_less_than_2_to_the_32_seats() {
        for (stake, seats) in [("4294967295", Some(u32::MAX)), ("4294967296", None)] {
            let text = format!("[[operator]]\nstake = {stake}\nside = \"for\"");
            let read = parse(&text, Amount::TOKEN, MISSED);
            assert_eq!(read.ok().map(|listed| listed[0].operator.seats), seats, "{stake}");
        }
    }
}
