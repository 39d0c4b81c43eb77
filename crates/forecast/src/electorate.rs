//! Who sequences, and who of them signals.

use serde::{Deserialize, Serialize};

/// A fraction from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0.0);
    /// Everything.
    pub const ALL: Self = Self(1.0);

    /// `value`, unless it is no number from 0 to 1.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = ElectorateError;

    fn try_from(value: f64) -> Result<Self, ElectorateError> {
        Self::new(value).ok_or(ElectorateError::NoShare(value))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// What an operator does in its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Signals for the payload.
    For,
    /// Signals for another payload.
    Rival,
    /// Doesn't signal.
    Silent,
}

/// Somebody who runs sequencers that fail together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Members of the set that it runs. Each draws as many slots as any other, whatever its stake: an
    /// operator has more of them by splitting its stake.
    pub seats: u32,
    /// What it does in their slots.
    pub side: Side,
    /// The part of its slots that it misses.
    pub missed: Share,
}

/// The members of a set, by operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Electorate {
    operators: Vec<Operator>,
    seats: u64,
}

/// Not an electorate.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ElectorateError {
    /// An empty set draws nobody.
    #[error("there are no seats: nobody could signal")]
    Empty,
    /// More seats than a set can have.
    #[error("{0} seats: a set has 2^32 - 1 at most")]
    TooMany(u64),
    /// A number that is no share.
    #[error("{0} is no share: expected a number from 0 to 1")]
    NoShare(f64),
}

impl Electorate {
    /// The set in which these operators run their sequencers.
    ///
    /// # Errors
    ///
    /// If it has no member, or more than a set can have.
    pub fn new(operators: Vec<Operator>) -> Result<Self, ElectorateError> {
        let seats = operators.iter().map(|operator| u64::from(operator.seats)).sum();
        match seats {
            0 => Err(ElectorateError::Empty),
            1..=0xffff_ffff => Ok(Self { operators, seats }),
            _ => Err(ElectorateError::TooMany(seats)),
        }
    }

    /// A set of `seats` in which a part signals for the payload and a part for a rival, all of them
    /// missing the same part of their slots. Seats are whole: parts are rounded to the nearest.
    ///
    /// # Errors
    ///
    /// If there are no seats.
    pub fn of_shares(
        seats: u32,
        supporters: Share,
        rivals: Share,
        missed: Share,
    ) -> Result<Self, ElectorateError> {
        let part = |share: Share| (f64::from(seats) * share.get()).round() as u32;
        let supporting = part(supporters);
        let rival = part(rivals).min(seats - supporting);
        let operator = |seats, side| Operator { seats, side, missed };
        Self::new(vec![
            operator(supporting, Side::For),
            operator(rival, Side::Rival),
            operator(seats - supporting - rival, Side::Silent),
        ])
    }

    /// The operators.
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    /// Members of the set.
    pub const fn seats(&self) -> u64 {
        self.seats
    }

    /// The chance that a slot brings a signal of `side`. Each slot draws a member anew, every member
    /// with the same chance.
    pub fn chance_per_slot(&self, side: Side) -> Share {
        let signals: f64 = self
            .operators
            .iter()
            .filter(|operator| operator.side == side)
            .map(|operator| f64::from(operator.seats) * (1.0 - operator.missed.get()))
            .sum();
        Share((signals / self.seats as f64).clamp(0.0, 1.0))
    }

    /// The part of the set that `side` runs.
    pub fn share_of(&self, side: Side) -> Share {
        let seats: u64 = self
            .operators
            .iter()
            .filter(|operator| operator.side == side)
            .map(|operator| u64::from(operator.seats))
            .sum();
        Share(seats as f64 / self.seats as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        for (value, valid) in [(-0.1, false), (0.0, true), (1.0, true), (1.1, false)] {
            assert_eq!(Share::new(value).is_some(), valid, "{value}");
        }
        assert_eq!(Share::new(f64::NAN), None);
    }

    #[test]
    fn every_seat_counts_the_same() {
        let operators = vec![
            Operator { seats: 60, side: Side::For, missed: share(0.0) },
            Operator { seats: 20, side: Side::For, missed: share(0.5) },
            Operator { seats: 20, side: Side::Rival, missed: share(0.0) },
        ];
        let set = Electorate::new(operators).unwrap();
        assert_eq!(set.chance_per_slot(Side::For).get(), 0.7);
        assert_eq!(set.chance_per_slot(Side::Rival).get(), 0.2);
        assert_eq!(set.chance_per_slot(Side::Silent).get(), 0.0);
        assert_eq!(set.share_of(Side::For).get(), 0.8);
    }

    #[test]
    fn shares_become_whole_seats() {
        let set = Electorate::of_shares(7, share(0.5), share(0.6), share(0.0)).unwrap();
        let seats: Vec<_> = set.operators().iter().map(|operator| operator.seats).collect();
        assert_eq!(seats, [4, 3, 0]);
    }

    #[test]
    fn an_empty_set_is_refused() {
        assert_eq!(Electorate::new(vec![]), Err(ElectorateError::Empty));
    }
}
