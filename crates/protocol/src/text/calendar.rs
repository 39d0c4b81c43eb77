//! The proleptic Gregorian calendar, without time zones.
//!
//! Years are counted from March, so that the leap day is the last of a year; 400 of them have 146,097
//! days, and the months from March on follow a straight line
//! (Hinnant, "chrono-compatible low-level date algorithms").

/// The days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// The days of 400 years.
const ERA: i64 = 146_097;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: i64,
    /// The month, from 1.
    pub(super) month: i64,
    /// The day of the month, from 1.
    pub(super) day: i64,
}

impl Day {
    /// The day; `None` if the calendar doesn't have it.
    pub(super) fn new(year: i64, month: i64, day: i64) -> Option<Self> {
        let date = Self { year, month, day };
        ((1..=12).contains(&month) && Self::of(date.since_1970()) == date).then_some(date)
    }

    /// The day that is `since_1970` days after 1970-01-01.
    pub(super) const fn of(since_1970: i64) -> Self {
        let days = since_1970 + EPOCH;
        let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / (ERA - 1)) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month, day: day_of_year - (153 * from_march + 2) / 5 + 1 }
    }

    /// The days since 1970-01-01.
    pub(super) const fn since_1970(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let from_march = (self.month + 9) % 12;
        let day_of_year = (153 * from_march + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * ERA + day_of_era - EPOCH
    }

    /// The weekday: `Mon`, …
    pub(super) fn weekday(self) -> &'static str {
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        let position = usize::try_from(self.since_1970().rem_euclid(7)).unwrap_or_default();
        weekdays[position]
    }
}
