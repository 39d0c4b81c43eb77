//! The operators that sequence, and the payloads that they signal for.

use canon_protocol::Amount;
use serde::Serialize;

use crate::share::Share;

/// The payload that an operator signals for in its slots, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalingSide {
    /// Signals for the payload.
    For,
    /// Signals for another payload.
    Rival,
    /// Doesn't signal.
    Silent,
}

/// One operator: its sequencers fail together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Operator {
    /// Its seats in the set. Each seat draws as many slots as any other, whatever is staked on it: an
    /// operator gets more slots by splitting its stake.
    pub seats: u32,
    /// The payload that it signals for.
    pub side: SignalingSide,
    /// The share of its slots that it misses.
    pub missed: Share,
}

/// The seats of a set, by operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Electorate {
    operators: Vec<Operator>,
    seats: u64,
}

/// The reason why operators don't make a set.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ElectorateError {
    /// There are no seats.
    #[error("there are no seats: nobody could signal")]
    Empty,
    /// The shares of the two sides sum to more than 1.
    #[error("a share of {0} for the payload and {1} for a rival: expected a sum of at most 1")]
    MoreThanAll(f64, f64),
    /// There are more seats than a set can have.
    #[error("{0} seats: a set has 2^32 - 1 at most")]
    TooMany(u64),
}

/// The number of seats that a stake pays for if it is split into as many registrations as possible,
/// each with the minimum stake.
///
/// `None` if the minimum is 0, which no rollup accepts, or if there are more seats than a set can
/// have.
pub fn seats_of(stake: Amount, minimum: Amount) -> Option<u32> {
    stake.get().checked_div(minimum.get()).and_then(|seats| u32::try_from(seats).ok())
}

impl Electorate {
    /// The set of these operators.
    ///
    /// # Errors
    ///
    /// [`ElectorateError::Empty`] without seats, [`ElectorateError::TooMany`] above 2^32 - 1.
    pub fn new(operators: Vec<Operator>) -> Result<Self, ElectorateError> {
        let seats = operators.iter().map(|operator| u64::from(operator.seats)).sum();
        match seats {
            0 => Err(ElectorateError::Empty),
            1..=0xffff_ffff => Ok(Self { operators, seats }),
            _ => Err(ElectorateError::TooMany(seats)),
        }
    }

    /// A set of `seats` in which one share signals for the payload and one for a rival, while all miss
    /// the same share of their slots. Each share is rounded to whole seats.
    ///
    /// # Errors
    ///
    /// [`ElectorateError::Empty`] without seats, [`ElectorateError::MoreThanAll`] if the two shares sum
    /// to more than 1.
    pub fn of_shares(
        seats: u32,
        supporters: Share,
        rivals: Share,
        missed: Share,
    ) -> Result<Self, ElectorateError> {
        // The sum of two rounded shares of a whole may be this much above 1.
        if supporters.get() + rivals.get() > 1.0 + f64::EPSILON {
            return Err(ElectorateError::MoreThanAll(supporters.get(), rivals.get()));
        }
        let part = |share: Share| (f64::from(seats) * share.get()).round() as u32;
        let supporting = part(supporters);
        // Both may round up the same seat.
        let rival = part(rivals).min(seats - supporting);
        let operator = |seats, side| Operator { seats, side, missed };
        Self::new(vec![
            operator(supporting, SignalingSide::For),
            operator(rival, SignalingSide::Rival),
            operator(seats - supporting - rival, SignalingSide::Silent),
        ])
    }

    /// A set whose slots bring signals for the payload as often as `slots` slots did, of which `signals`
    /// brought one.
    ///
    /// # Errors
    ///
    /// [`ElectorateError::Empty`] without slots.
    pub fn observed(signals: u32, slots: u32) -> Result<Self, ElectorateError> {
        let operator = |seats, side| Operator { seats, side, missed: Share::NONE };
        let supporting = signals.min(slots);
        Self::new(vec![
            operator(supporting, SignalingSide::For),
            operator(slots - supporting, SignalingSide::Silent),
        ])
    }

    /// The operators.
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    /// The number of seats in the set.
    pub const fn seats(&self) -> u64 {
        self.seats
    }

    /// The chance that a slot brings a signal of `side`. Each slot draws one seat, all with the same
    /// chance.
    pub fn chance_per_slot(&self, side: SignalingSide) -> Share {
        let signals: f64 = self
            .operators
            .iter()
            .filter(|operator| operator.side == side)
            .map(|operator| f64::from(operator.seats) * (1.0 - operator.missed.get()))
            .sum();
        Share::new((signals / self.seats as f64).clamp(0.0, 1.0)).unwrap_or(Share::NONE)
    }

    /// The share of the seats that `side` has.
    pub fn share_of(&self, side: SignalingSide) -> Share {
        let seats: u64 = self
            .operators
            .iter()
            .filter(|operator| operator.side == side)
            .map(|operator| u64::from(operator.seats))
            .sum();
        Share::of(seats, self.seats)
    }

    /// The mean share of its slots that a seat misses.
    pub fn missed(&self) -> Share {
        let missed: f64 = self
            .operators
            .iter()
            .map(|operator| f64::from(operator.seats) * operator.missed.get())
            .sum();
        Share::new((missed / self.seats as f64).clamp(0.0, 1.0)).unwrap_or(Share::NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    #[test]
    fn every_seat_counts_the_same() {
        let operators = vec![
            Operator { seats: 60, side: SignalingSide::For, missed: share(0.0) },
            Operator { seats: 20, side: SignalingSide::For, missed: share(0.5) },
            Operator { seats: 20, side: SignalingSide::Rival, missed: share(0.0) },
        ];
        let set = Electorate::new(operators).unwrap();
        assert_eq!(set.chance_per_slot(SignalingSide::For).get(), 0.7);
        assert_eq!(set.chance_per_slot(SignalingSide::Rival).get(), 0.2);
        assert_eq!(set.chance_per_slot(SignalingSide::Silent).get(), 0.0);
        assert_eq!(set.share_of(SignalingSide::For).get(), 0.8);
        assert_eq!(set.missed().get(), 0.1);
    }

    #[test]
    fn a_side_without_operators_has_no_negative_chance() {
        let operator = Operator { seats: 1, side: SignalingSide::For, missed: share(0.0) };
        let set = Electorate::new(vec![operator]).unwrap();
        let chance = set.chance_per_slot(SignalingSide::Rival).get();
        assert!(chance.is_sign_positive(), "{chance}");
        assert!(share(-0.0).get().is_sign_positive());
    }

    #[test]
    fn shares_become_whole_seats() {
        let seats = |supporters, rivals| -> Result<Vec<_>, _> {
            let set = Electorate::of_shares(7, share(supporters), share(rivals), share(0.0))?;
            Ok(set.operators().iter().map(|operator| operator.seats).collect())
        };
        assert_eq!(seats(0.5, 0.5), Ok(vec![4, 3, 0]));
        assert_eq!(seats(0.5, 0.6), Err(ElectorateError::MoreThanAll(0.5, 0.6)));
        // Every pair of whole percentages that sums to 100 % is accepted, and no larger one.
        for percent in 0..=100 {
            let [one, other, more] =
                [percent, 100 - percent, 101 - percent].map(|part| f64::from(part) / 100.0);
            assert!(seats(one, other).is_ok(), "{percent}");
            assert!(more > 1.0 || seats(one, more).is_err(), "{percent}");
        }
    }

    #[test]
    fn stake_counts_by_whole_minimums() {
        let seats = |stake, minimum| seats_of(Amount::of(stake), Amount::of(minimum));
        for (stake, seats_of_it) in [(0, 0), (99, 0), (100, 1), (199, 1), (200, 2)] {
            assert_eq!(seats(stake, 100), Some(seats_of_it), "{stake}");
        }
        assert_eq!(seats(u128::from(u32::MAX), 1), Some(u32::MAX));
        assert_eq!(seats(1 << 32, 1), None);
        assert_eq!(seats(1, 0), None);
    }

    #[test]
    fn slots_that_were_observed_give_the_chance_of_those_to_come() {
        let chance = |signals, slots| {
            let set = Electorate::observed(signals, slots);
            set.map(|set| set.chance_per_slot(SignalingSide::For).get())
        };
        assert_eq!((chance(0, 4), chance(3, 4), chance(4, 4)), (Ok(0.0), Ok(0.75), Ok(1.0)));
        // More signals than slots are impossible, but must not cause a panic.
        assert_eq!(chance(5, 4), Ok(1.0));
    }

    #[test]
    fn an_empty_set_is_refused() {
        assert_eq!(Electorate::new(vec![]), Err(ElectorateError::Empty));
        assert_eq!(Electorate::observed(0, 0), Err(ElectorateError::Empty));
    }
}
