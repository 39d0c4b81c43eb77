//! The chance to win a round, as a function of the share of the seats that signals.

use serde::Serialize;

use crate::{
    electorate::{Electorate, SignalingSide},
    minority::Contest,
    share::Share,
};

/// The chance to win a round with a number of seats that signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The number of seats that signal.
    pub seats: u64,
    /// Their share of all seats.
    pub signaling: Share,
    /// The chance to win a round.
    pub wins: f64,
}

/// The curve in even steps, from a share with almost no chance to one that almost always wins, with the
/// electorate's own share among the points.
pub(super) fn curve(contest: Contest, electorate: &Electorate) -> Vec<CurvePoint> {
    const POINTS: u64 = 12;
    let own = electorate.share_of(SignalingSide::For).get();
    let present = electorate.chance_per_slot(SignalingSide::For).get();
    // Seats that join are assumed to miss as many slots as those that signal already.
    let missed = if own > 0.0 { Share::new(1.0 - present / own) } else { None };
    let contest = Contest { missed: missed.unwrap_or(contest.missed), ..contest };
    // The steps are percent of the seats, or whole seats if there are fewer than 100.
    let units = contest.seats.min(100);
    let unit = |seats: Option<u64>| seats.unwrap_or(contest.seats) * units / contest.seats;
    let lost = unit(contest.seats_to_push(0.001));
    let won = (unit(contest.seats_to_push(0.999)) + 1).min(units);
    let step = (won - lost).div_ceil(POINTS).max(1);
    let seats_of = |unit: u64| (contest.seats * unit + units / 2) / units;
    let mut seats: Vec<_> =
        (0..=POINTS).map(|point| seats_of((lost + point * step).min(units))).collect();
    seats.push((contest.seats as f64 * own).round() as u64);
    seats.sort_unstable();
    seats.dedup();
    let point = |seats| {
        let minority = contest.minority(seats);
        CurvePoint { seats, signaling: minority.share, wins: minority.pushes }
    };
    seats.into_iter().map(point).collect()
}

#[cfg(test)]
mod tests {
    use canon_protocol::RoundRules;

    use super::*;
    use crate::{electorate::Operator, minority::RoundRate, odds::RoundOdds};

    #[test]
    fn the_curve_rises_from_lost_to_won_and_passes_the_electorate_itself() {
        let rules = RoundRules::new(6, 10).unwrap();
        let rate = RoundRate { month: 30, year: 365 };
        // Silent seats that miss everything don't count for those that signal.
        for (signaling, silent) in [(17, 7), (1, 999), (620, 380), (24, 0)] {
            let operator = |seats, side, missed| {
                let missed = Share::new(missed).unwrap();
                Operator { seats, side, missed }
            };
            let operators = vec![
                operator(signaling, SignalingSide::For, 0.1),
                operator(silent, SignalingSide::Silent, 1.0),
            ];
            let set = Electorate::new(operators).unwrap();
            let contest = Contest { rules, rate, seats: set.seats(), missed: set.missed() };
            let curve = curve(contest, &set);
            assert!(curve.is_sorted_by(|one, next| one.seats < next.seats));
            assert!(curve.is_sorted_by(|one, next| one.wins <= next.wins));
            let own = curve.iter().find(|point| point.seats == u64::from(signaling)).unwrap();
            let exact = RoundOdds::new(rules, &set).wins;
            assert!((own.wins / exact - 1.0).abs() < 1e-9, "{own:?} instead of {exact}");
        }
    }
}
