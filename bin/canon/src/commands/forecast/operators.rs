//! The file of operators.

use canon_forecast::{Operator, Share, Side, seats_of};
use canon_l1::deploy::quantities;
use canon_protocol::Amount;
use eyre::{Report, eyre};
use toml::{Table, Value};

use super::{input::Percent, text::tokens};

/// An operator as it was listed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) operator: Operator,
    /// What it stakes: as listed, or what its seats need at least.
    pub(super) stake: Amount,
}

/// The problems of a file, a line each.
#[derive(Debug)]
struct Problems(Vec<String>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A page of its own, also if it has one line only.
        writeln!(f, "{}", self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Reads the operators of a file, whose seats need `minimum` of stake each.
pub(super) fn read(name: &str, text: &str, minimum: Amount) -> Result<Vec<Listed>, Report> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        Report::new(Problems(vec![error.to_string()])).wrap_err(format!("{name} isn't TOML"))
    })?;
    let mut problems: Vec<_> = table
        .keys()
        .filter(|key| *key != "operator")
        .map(|key| format!("{key}: expected [[operator]] and nothing else"))
        .collect();
    let entries = match table.get("operator") {
        Some(Value::Array(entries)) => entries.as_slice(),
        _ => &[],
    };
    if entries.is_empty() {
        problems.push("operator: expected at least one [[operator]]".to_owned());
    }
    let mut operators = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let nothing = Table::new();
        let mut entry =
            Entry { number, table: entry.as_table().unwrap_or(&nothing), problems: &mut problems };
        operators.extend(entry.operator(minimum));
    }
    if problems.is_empty() {
        return Ok(operators);
    }
    Err(Report::new(Problems(problems)).wrap_err(format!("{name} doesn't list operators")))
}

/// One `[[operator]]`.
struct Entry<'a> {
    /// Counted from 1.
    number: usize,
    table: &'a Table,
    problems: &'a mut Vec<String>,
}

impl Entry<'_> {
    fn operator(&mut self, minimum: Amount) -> Option<Listed> {
        let known = ["seats", "stake", "side", "missed"];
        for key in self.table.keys().filter(|key| !known.contains(&key.as_str())) {
            self.problem(key, "expected seats or stake, side and missed");
        }
        let seats = self.seats(minimum);
        let side =
            self.field("side", r#""for", "rival" or "silent""#, |value| match value.as_str()? {
                "for" => Some(Side::For),
                "rival" => Some(Side::Rival),
                "silent" => Some(Side::Silent),
                _ => None,
            });
        let expected = r#"a share from 0% to 100%, such as "2%" or 0.02"#;
        let missed = self.field("missed", expected, |value| match value {
            Value::String(text) => text.parse::<Percent>().ok().map(Percent::share),
            Value::Float(share) => Share::new(*share),
            Value::Integer(share) => Share::new(*share as f64),
            _ => None,
        });
        let ((seats, stake), side, missed) = (seats?, side?, missed?);
        Some(Listed { operator: Operator { seats, side, missed }, stake })
    }

    /// Seats, and the stake for them.
    fn seats(&mut self, minimum: Amount) -> Option<(u32, Amount)> {
        match (self.table.contains_key("seats"), self.table.contains_key("stake")) {
            (true, false) => {
                let expected = "a number of seats, 1 or more";
                let seats = self.field("seats", expected, |value| {
                    u32::try_from(value.as_integer()?).ok().filter(|seats| *seats > 0)
                })?;
                let least = minimum.get().checked_mul(seats.into()).and_then(Amount::new);
                if least.is_none() {
                    self.problem("seats", "more than all the asset there can be is enough for");
                }
                Some((seats, least?))
            }
            (false, true) => {
                let expected = r#"an amount of tokens, such as "1000" or "0.5""#;
                let stake = self.field("stake", expected, |value| match value {
                    Value::String(text) => quantities::parse_amount(text).ok(),
                    Value::Integer(count) => quantities::parse_amount(&count.to_string()).ok(),
                    _ => None,
                })?;
                match seats_of(stake, minimum) {
                    Some(seats) if seats > 0 => Some((seats, stake)),
                    Some(_) => {
                        let (least, found) = (tokens(minimum), tokens(stake));
                        let what =
                            format!("expected the {least} tokens of a seat or more, found {found}");
                        self.problem("stake", &what);
                        None
                    }
                    None => {
                        self.problem("stake", "expected fewer than the 2^32 seats of a set");
                        None
                    }
                }
            }
            (true, true) => {
                self.problem("seats", "expected seats or stake, found both");
                None
            }
            (false, false) => {
                self.problem("seats", "expected seats or stake, found neither");
                None
            }
        }
    }

    fn field<T>(
        &mut self,
        field: &str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.table.get(field);
        let found = value.and_then(read);
        if found.is_none() {
            let value = value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            self.problem(field, &format!("expected {expected}, found {value}"));
        }
        found
    }

    fn problem(&mut self, field: &str, what: &str) {
        self.problems.push(format!("operator {}: {field}: {what}", self.number));
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

    fn problems(text: &str) -> String {
        let report = read("file", text, MINIMUM).unwrap_err();
        report.root_cause().to_string().trim_end().to_owned()
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
            missed = 1
        "#;
        let read = read("file", text, MINIMUM).unwrap();
        let seats: Vec<_> = read.iter().map(|listed| listed.operator.seats).collect();
        assert_eq!(seats, [3, 3, 1]);
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
        "#;
        assert_eq!(
            problems(text),
            r#"operator 1: seats: expected seats or stake, found both
operator 2: seats: expected seats or stake, found neither
operator 2: side: expected "for", "rival" or "silent", found "both"
operator 2: missed: expected a share from 0% to 100%, such as "2%" or 0.02, found nothing
operator 3: stake: expected the 100 tokens of a seat or more, found 99.9
operator 3: missed: expected a share from 0% to 100%, such as "2%" or 0.02, found 1.1
operator 4: name: expected seats or stake, side and missed
operator 4: seats: expected a number of seats, 1 or more, found 0"#
        );
    }

    #[test]
    fn other_files_are_no_list() {
        for text in ["", "operator = 3", "[operator]\nseats = 3"] {
            assert_eq!(problems(text), "operator: expected at least one [[operator]]", "{text}");
        }
        assert!(problems("a = 1\n[[operator]]").starts_with("a: expected [[operator]]"));
        assert!(problems("= 1").contains("line 1"));
    }
}
