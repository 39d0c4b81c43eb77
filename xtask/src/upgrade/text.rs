//! The numbers that canon prints for people, beside those of the same command's JSON.

use std::collections::BTreeSet;

use alloy_primitives::U256;
use canon_protocol::{
    Timestamp,
    text::{self, Time},
};
use serde_json::Value;

use super::session::amount_of;

/// The units of a duration in seconds, the largest first.
const DURATIONS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];

/// Everything in a JSON document that a printed number can stand for.
#[derive(Debug, Default)]
pub(super) struct Facts {
    numbers: BTreeSet<u128>,
    /// Shares and probabilities, which JSON has from 0 to 1.
    shares: Vec<f64>,
    texts: Vec<String>,
}

impl Facts {
    /// The unit of an amount of tokens and of a fraction: 10^18.
    const UNIT: u128 = 1_000_000_000_000_000_000;

    /// The facts of a document, and numbers that follow from it.
    pub(super) fn of(document: &Value, derived: &[u128]) -> Self {
        let mut facts = Self::default();
        facts.numbers.extend(derived);
        facts.add(document);
        facts
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => match number.as_u64() {
                Some(number) => drop(self.numbers.insert(number.into())),
                None => self.shares.extend(number.as_f64()),
            },
            Value::String(text) => match text.parse() {
                Ok(number) => drop(self.numbers.insert(number)),
                Err(_) => self.texts.push(text.clone()),
            },
            Value::Array(items) => {
                // The number of the items, and the places that people count from 1.
                self.numbers.extend(0..=items.len() as u128);
                items.iter().for_each(|item| self.add(item));
            }
            Value::Object(fields) => {
                self.numbers.extend(needed_votes(value).into_iter().flatten());
                for (name, field) in fields {
                    // Maps have addresses and the like as their keys.
                    self.texts.push(name.clone());
                    self.add(field);
                }
            }
        }
    }

    /// The numbers, times and addresses in `text` that nothing in the document stands for. Durations count
    /// from any time in the document to any other, or to the end of its second.
    pub(super) fn unexplained(&self, text: &str) -> Vec<String> {
        let words: Vec<_> = text.split_whitespace().map(bare).collect();
        let mut unexplained = Vec::new();
        let mut rest = &words[..];
        while let Some(word) = rest.first() {
            let (length, is_explained) = self.explain(rest);
            if !is_explained {
                let end = rest.len().min(length + 1);
                unexplained.push(format!("{word:?} in {:?}", rest[..end].join(" ")));
            }
            rest = &rest[length..];
        }
        unexplained
    }

    /// The length of what the words begin with, and whether the document explains it.
    fn explain(&self, words: &[&str]) -> (usize, bool) {
        let word = words[0];
        if word.starts_with("0x") {
            return (1, self.texts.iter().any(|text| text.contains(word)));
        }
        if let Some((length, seconds, precision)) = duration(words) {
            return (length, self.is_duration(seconds, precision));
        }
        if word.len() == 10 && word.as_bytes()[4] == b'-' && words.len() > 1 {
            let time = text::time::parse(&format!("{word}T{}Z", words[1]));
            return (2, time.is_ok_and(|time| self.has(time.get().into())));
        }
        if word.matches(':').count() == 2 {
            return (1, self.times().any(|time| Time(time).clock().to_string() == word));
        }
        let Some((number, decimals)) = decimal(word) else { return (1, true) };
        if words.get(1).is_some_and(|next| *next == "%") {
            return (2, self.is_share(number / 100.0, decimals));
        }
        let unit = 10_f64.powi(-decimals) / 2.0;
        let is_near = |fact: &u128| (*fact as f64 / Self::UNIT as f64 - number).abs() <= unit;
        let is_whole = number.fract() == 0.0 && self.has(number as u128);
        (1, is_whole || self.numbers.iter().any(is_near))
    }

    fn has(&self, number: u128) -> bool {
        self.numbers.contains(&number)
    }

    /// The numbers that can be times of this chain: from the year 2001 on.
    fn times(&self) -> impl Iterator<Item = Timestamp> {
        let numbers = self.numbers.range(1_000_000_000..10_000_000_000);
        numbers.filter_map(|number| u64::try_from(*number).ok()).map(Timestamp::of)
    }

    fn is_duration(&self, seconds: u64, precision: u64) -> bool {
        // Until an inclusive end, a second more is left than until its last second.
        let fits =
            |fact: u64| [fact, fact + 1].iter().any(|fact| fact / precision * precision == seconds);
        let given = self.numbers.range(..1_u128 << 40).filter_map(|fact| u64::try_from(*fact).ok());
        let times: Vec<_> = self.times().map(Timestamp::get).collect();
        let differences =
            times.iter().flat_map(|from| times.iter().map(move |to| to.abs_diff(*from)));
        given.into_iter().chain(differences).any(fits)
    }

    /// Whether a share stands in the document, or is the share of one of its amounts in another one.
    fn is_share(&self, share: f64, decimals: i32) -> bool {
        let unit = 10_f64.powi(-decimals - 2);
        let is_near = |fact: f64| (fact - share).abs() <= unit;
        let fraction = |fact: &u128| *fact as f64 / Self::UNIT as f64;
        self.shares.iter().any(|fact| is_near(*fact))
            || self.numbers.iter().any(|fact| is_near(fraction(fact)))
            || self.numbers.iter().any(|whole| {
                *whole > 0 && self.numbers.iter().any(|part| is_near(*part as f64 / *whole as f64))
            })
    }
}

/// What the configuration of a proposal makes of its tally, if the value is one: the votes cast, those that the quorum
/// needs, those that it lacks, and those for the proposal that its margin needs, all in base units.
fn needed_votes(proposal: &Value) -> Option<[u128; 4]> {
    let amount = |place| amount_of(proposal.pointer(place)?).ok();
    let share = |of: u128, fraction: u128, parts: u128| {
        let product = U256::from(of) * U256::from(fraction);
        product.div_ceil(U256::from(parts * Facts::UNIT)).to::<u128>()
    };
    let cast = amount("/tally/yea")? + amount("/tally/nea")?;
    let quorum = share(amount("/total_power")?, amount("/configuration/quorum")?, 1);
    let margin = Facts::UNIT + amount("/configuration/vote_differential")?;
    Some([cast, quorum, quorum.saturating_sub(cast), share(cast, margin, 2)])
}

/// A word without the punctuation around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != '%')
}

/// A number with grouped digits, and the number of its decimals.
fn decimal(word: &str) -> Option<(f64, i32)> {
    let is_number = word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.chars().all(|letter| letter.is_ascii_digit() || ",.".contains(letter));
    let number = is_number.then(|| word.replace(',', "").parse().ok())??;
    let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some((number, i32::try_from(decimals).ok()?))
}

/// A duration at the beginning of the words: its length in words, its seconds and those of its last unit.
fn duration(words: &[&str]) -> Option<(usize, u64, u64)> {
    let (mut length, mut seconds, mut precision) = (0, 0, 0);
    while let [number, unit, ..] = &words[length..] {
        let (Ok(number), Some((_, of_unit))) =
            (number.parse::<u64>(), DURATIONS.iter().find(|(name, _)| name == unit))
        else {
            break;
        };
        length += 2;
        seconds += number * of_unit;
        precision = *of_unit;
    }
    (length > 0).then_some((length, seconds, precision))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_document_says_is_explained() {
        let facts = Facts::of(
            &json!({
                "time": 1_767_229_201, "ends": 1_767_232_082, "power": "1500500000000000000000",
                "total": "10000000000000000000000", "quorum": "100000000000000000", "count": 6,
                "payloads": {"0x00000000000000000000000000000000000000A1": [1, 2]}, "chance": 0.216,
            }),
            &[],
        );
        for text in [
            "until 2026-01-01 01:48:02 UTC, inclusive (in 48 min 1 s), at 01:48:02",
            "6 of the 2 (quorum 10 %): 1,500.5 tokens, 15.00 % of 10,000",
            "for 0x00000000000000000000000000000000000000A1, chance 21.60 %",
        ] {
            assert_eq!(facts.unexplained(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_it_does_not_say_is_found() {
        let facts = Facts::of(&json!({"time": 1_767_229_201, "count": 6, "power": "5"}), &[]);
        for text in [
            "7 signals",
            "5,000 tokens",
            "2026-01-01 01:00:02 UTC",
            "01:00:02",
            "in 3 h 2 s",
            "12.5 %",
            "0x00000000000000000000000000000000000000A1",
        ] {
            assert_eq!(facts.unexplained(text).len(), 1, "{text}");
        }
    }
}
