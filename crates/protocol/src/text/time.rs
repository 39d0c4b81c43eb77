//! Times, in UTC: `2026-12-01 09:00:12 UTC`.

use super::{ErrorKind, ParseQuantityError, calendar::Day, within};
use crate::units::Timestamp;
use core::fmt;

/// The seconds of a day.
const DAY: u64 = 86_400;

/// A complete time: `2026-12-01 09:00:12 UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl Time {
    /// The time without its zone, for columns whose title has the zone: `2026-12-01 09:00:12`. It can't be
    /// parsed.
    pub fn without_zone(self) -> impl fmt::Display {
        fmt::from_fn(move |f| f.pad(&format!("{} {}", date(self.day()), self.clock())))
    }

    /// The day: `Tue 2026-12-01`. It can't be parsed.
    pub fn date(self) -> impl fmt::Display {
        let day = self.day();
        fmt::from_fn(move |f| f.pad(&format!("{} {}", day.weekday(), date(day))))
    }

    /// The time of day: `09:00:12`. It can't be parsed.
    pub fn clock(self) -> impl fmt::Display {
        let second = self.0.get() % DAY;
        fmt::from_fn(move |f| {
            f.pad(&format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60))
        })
    }

    /// The time of day, preceded by month and day if `other` is on another day: `12-01 09:00:12`. It can't
    /// be parsed.
    pub fn beside(self, other: Timestamp) -> impl fmt::Display {
        let day = self.day();
        let same = day == Self(other).day();
        fmt::from_fn(move |f| match same {
            true => fmt::Display::fmt(&self.clock(), f),
            false => f.pad(&format!("{:02}-{:02} {}", day.month, day.day, self.clock())),
        })
    }

    fn day(self) -> Day {
        // A timestamp has 40 bits.
        Day::of(i64::try_from(self.0.get() / DAY).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} UTC", self.without_zone()))
    }
}

/// The date: `2026-12-01`. Years of more than four digits have a sign, as in ISO 8601.
fn date(day: Day) -> impl fmt::Display {
    let Day { year, month, day } = day;
    let sign = if year > 9999 { "+" } else { "" };
    fmt::from_fn(move |f| write!(f, "{sign}{year:04}-{month:02}-{day:02}"))
}

/// The expected value, for use after "expected".
pub const EXPECTED: &str = "a time with its offset from UTC, such as 2026-12-01T09:00:00Z";

/// Reads a time with its offset from UTC.
///
/// # Errors
///
/// If the text isn't a time, the calendar doesn't have it, it is before 1970, or it exceeds 40 bits.
pub fn parse(text: &str) -> Result<Timestamp, ParseQuantityError> {
    let second = unix_second(text.trim()).map_err(|kind| {
        let expected = match kind {
            ErrorKind::NotOnCalendar => "a day of the calendar and a time up to 23:59:59",
            _ => EXPECTED,
        };
        ParseQuantityError::new(kind, text, expected)
    })?;
    let time = u64::try_from(second).ok().and_then(Timestamp::new);
    within(time, &(Timestamp::ZERO..=Timestamp::MAX), text, "a time", Time)
}

/// The Unix second of a time, which may be before 1970.
fn unix_second(text: &str) -> Result<i64, ErrorKind> {
    let mut rest = Rest(text);
    let (day, clock, offset) = rest.time().ok_or(ErrorKind::Malformed)?;
    let [year, month, day] = day;
    let [hour, minute, second] = clock;
    let day = Day::new(year, month, day).ok_or(ErrorKind::NotOnCalendar)?;
    if hour > 23 || minute > 59 || second > 59 {
        return Err(ErrorKind::NotOnCalendar);
    }
    Ok(day.since_1970() * 86_400 + hour * 3600 + minute * 60 + second - offset * 60)
}

/// The unread rest of a text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// Reads a complete time: year, month and day; hour, minute and second; minutes ahead of UTC.
    fn time(&mut self) -> Option<([i64; 3], [i64; 3], i64)> {
        let year = if self.skip("+") { self.number(5)? } else { self.number(4)? };
        self.skip("-").then_some(())?;
        let month = self.number(2)?;
        self.skip("-").then_some(())?;
        let day = self.number(2)?;
        (self.skip("T") || self.skip("t") || self.skip(" ")).then_some(())?;
        let hour = self.number(2)?;
        self.skip(":").then_some(())?;
        let minute = self.number(2)?;
        let second = if self.skip(":") { self.number(2)? } else { 0 };
        if self.skip(".") {
            self.number(1)?;
            self.0 = self.0.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        let offset = self.offset()?;
        self.0.is_empty().then_some(([year, month, day], [hour, minute, second], offset))
    }

    fn offset(&mut self) -> Option<i64> {
        if self.skip("Z") || self.skip("z") || self.skip(" UTC") {
            return Some(0);
        }
        let sign = if self.skip("+") {
            1
        } else if self.skip("-") {
            -1
        } else {
            return None;
        };
        let hours = self.number(2).filter(|hours| *hours <= 23)?;
        self.skip(":").then_some(())?;
        let minutes = self.number(2).filter(|minutes| *minutes <= 59)?;
        Some(sign * (hours * 60 + minutes))
    }

    /// Reads a number of exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let number = self.0.get(..digits)?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
        self.0 = &self.0[digits..];
        number.parse().ok()
    }

    /// Skips `text`, and returns whether it came next.
    fn skip(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}
