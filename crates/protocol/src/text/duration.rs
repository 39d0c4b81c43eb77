//! Durations: `1 h 30 min`.

use super::{ErrorKind, ParseQuantityError, digits, grouped, serde_as_text, within};
use crate::units::Seconds;
use core::{fmt, ops::RangeInclusive};

/// A unit: its length, its symbol, and other names that are accepted.
struct Unit {
    seconds: u64,
    symbol: &'static str,
    names: &'static [&'static str],
}

/// The units, largest first.
const UNITS: [Unit; 4] = [
    Unit { seconds: Seconds::DAY.get(), symbol: "d", names: &["day", "days"] },
    Unit { seconds: Seconds::HOUR.get(), symbol: "h", names: &["hour", "hours"] },
    Unit { seconds: Seconds::MINUTE.get(), symbol: "min", names: &["m", "minute", "minutes"] },
    Unit { seconds: Seconds::SECOND.get(), symbol: "s", names: &["sec", "second", "seconds"] },
];

/// A duration in all its units: `1 d 12 h`, `1 min 12 s`, `0 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub Seconds);

impl Duration {
    /// The largest unit of the duration and the next smaller one, without the rest.
    #[must_use]
    pub fn rounded(self) -> Self {
        let seconds = self.0.get();
        let largest = UNITS.iter().position(|unit| unit.seconds <= seconds).unwrap_or_default();
        let grain = UNITS.get(largest + 1).map_or(1, |unit| unit.seconds);
        Self(Seconds::new(seconds - seconds % grain).unwrap_or(self.0))
    }

    /// The duration rounded to the nearest minute. Durations below five minutes stay exact.
    #[must_use]
    pub fn to_minutes(self) -> Self {
        let seconds = self.0.get();
        if seconds < 300 {
            return self;
        }
        Self(Seconds::new((seconds + 30) / 60 * 60).unwrap_or(self.0))
    }

    /// The time since a start in hours, minutes and seconds, with days from the second day on: `+0:04:12`,
    /// `+3d 00:00:00`. It can't be parsed.
    pub fn elapsed(self) -> impl fmt::Display {
        let (days, rest) = (self.0.get() / 86_400, self.0.get() % 86_400);
        let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
        fmt::from_fn(move |f| {
            f.pad(&match days {
                0 | 1 => format!("+{}:{minutes:02}:{seconds:02}", days * 24 + hours),
                _ => format!("+{days}d {hours:02}:{minutes:02}:{seconds:02}"),
            })
        })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.get();
        let mut parts = Vec::new();
        for Unit { seconds, symbol, .. } in &UNITS {
            if rest >= *seconds {
                parts.push(format!("{} {symbol}", grouped(rest / seconds)));
                rest %= seconds;
            }
        }
        f.pad(&if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") })
    }
}

/// Reads a duration.
///
/// # Errors
///
/// If the text isn't a duration, or the duration exceeds 40 bits.
pub fn parse(text: &str) -> Result<Seconds, ParseQuantityError> {
    parse_within(text, Seconds::ZERO..=Seconds::MAX)
}

/// Reads a duration within bounds.
///
/// # Errors
///
/// If the text isn't a duration, or the duration is out of bounds.
pub fn parse_within(
    text: &str,
    range: RangeInclusive<Seconds>,
) -> Result<Seconds, ParseQuantityError> {
    let trimmed = text.trim();
    let (negative, units) = trimmed.strip_prefix('-').map_or((false, trimmed), |rest| (true, rest));
    let Some(seconds) = sum(units) else {
        return Err(ParseQuantityError::new(ErrorKind::Malformed, text, EXPECTED));
    };
    let seconds = u64::try_from(seconds).ok().filter(|_| !negative).and_then(Seconds::new);
    within(seconds, &range, text, "a duration", Duration)
}

/// The expected value, for use after "expected".
pub const EXPECTED: &str = "a duration such as \"90 s\", \"1 h 30 min\" or \"3 d\"";

/// The total of all units, in seconds.
fn sum(text: &str) -> Option<u128> {
    let (mut total, mut rest, mut units) = (0_u128, text, UNITS.iter());
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '_'))?;
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        // Each unit must be smaller than the one before.
        let unit = units.find(|unit| unit.symbol == name || unit.names.contains(&name))?;
        let part = digits::whole(number)?.saturating_mul(unit.seconds.into());
        total = total.saturating_add(part);
        rest = tail.trim_start();
        if rest.is_empty() {
            return Some(total);
        }
    }
}

serde_as_text!(Seconds, Duration);
