//! The votes that a proposal needs.

use alloy_primitives::U256;
use canon_protocol::{
    Amount, Configuration, Fraction, Tabulation, Tally, tabulate, votes_needed, yea_limit,
};

/// A future vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Configuration that the proposal is frozen with.
    pub configuration: Configuration,
    /// Total power at the last second of Pending.
    pub total: Amount,
}

/// The result of a vote at a turnout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Outlook {
    /// Power that is cast.
    pub cast: Amount,
    /// Power that is cast for the proposal.
    pub yea: Amount,
    /// The result.
    pub result: Tabulation,
    /// Power that must be cast for quorum.
    pub quorum: Amount,
    /// The least of the cast power that passes the proposal; `None` if all of it isn't enough, because
    /// quorum is missed or the total power is too small.
    pub least_yea: Option<Amount>,
}

/// The power that a bloc of holders needs if everybody else who votes is against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Bloc {
    /// The share of everybody else's power that is cast.
    pub others: Fraction,
    /// The least power that passes a proposal against all other votes; `None` if no power does.
    pub passes: Option<Amount>,
    /// The least power that stops a proposal that all other votes are for, by voting against it or
    /// by not voting.
    pub stops: Amount,
}

impl Vote {
    /// The result if the share `turnout` of all power is cast, and the share `for_share` of that for the
    /// proposal. Both amounts are rounded down to base units.
    pub fn outlook(&self, turnout: Fraction, for_share: Fraction) -> Outlook {
        let cast = part(self.total, turnout);
        let yea = part(cast, for_share);
        let tally = |yea| Tally { yea, nea: cast.saturating_sub(yea) };
        let result = tabulate(&self.configuration, self.total, tally(yea));
        // A proposal passes with more than the limit, or with all cast power.
        let limit = yea_limit(cast, self.configuration.vote_differential);
        let least = Amount::new(limit.get() + 1).unwrap_or(cast).min(cast);
        let passes = tabulate(&self.configuration, self.total, tally(least)).is_accepted();
        Outlook {
            cast,
            yea,
            result,
            quorum: votes_needed(self.total, self.configuration.quorum),
            least_yea: passes.then_some(least),
        }
    }

    /// The power that a bloc needs if the share `others` of everybody else's power is cast against it,
    /// rounded down to base units.
    pub fn bloc(&self, others: Fraction) -> Bloc {
        let against = |own: Amount| part(self.total.saturating_sub(own), others);
        let accepted =
            |yea, nea| tabulate(&self.configuration, self.total, Tally { yea, nea }).is_accepted();
        // One more unit on a side moves the limit by at most one, so both conditions are monotonic in
        // the bloc's power.
        let passes = self.least(|own| accepted(own, against(own)));
        let stops = self.least(|own| {
            let yea = against(own);
            !accepted(yea, own) || !accepted(yea, Amount::ZERO)
        });
        // A proposal without any votes for it never passes.
        Bloc { others, passes, stops: stops.unwrap_or(self.total) }
    }

    /// The least power for which `holds` is true; it must be monotonic. `None` if it isn't true for all
    /// power.
    fn least(&self, holds: impl Fn(Amount) -> bool) -> Option<Amount> {
        let (mut low, mut high) = (0, self.total.get());
        if !holds(self.total) {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if Amount::new(middle).is_some_and(&holds) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Amount::new(low)
    }
}

/// `amount · fraction`, rounded down. Never more than `amount`, so it fits.
fn part(amount: Amount, fraction: Fraction) -> Amount {
    let product: U256 = amount.to_word() * fraction.to_word();
    Amount::try_from(product / Fraction::ONE.to_word()).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(total: u128, quorum: u64, differential: u64) -> Vote {
        let configuration = Configuration {
            quorum: Fraction::percent(quorum),
            vote_differential: Fraction::percent(differential),
            minimum_votes: Amount::of(100),
            ..Configuration::default()
        };
        Vote { configuration, total: Amount::of(total) }
    }

    #[test]
    fn the_boundaries_are_exact() {
        // 33 % apart: 66.5 % of 300 is 199.5, so 200 isn't exceeded before 201.
        let vote = vote(1000, 20, 33);
        let outlook = vote.outlook(Fraction::percent(30), Fraction::percent(66));
        assert_eq!((outlook.cast, outlook.yea), (Amount::of(300), Amount::of(198)));
        let limit = Amount::of(200);
        assert_eq!(outlook.result, Tabulation::Outvoted { yea: Amount::of(198), limit });
        assert_eq!((outlook.quorum, outlook.least_yea), (Amount::of(200), Some(Amount::of(201))));
        let passes = vote.outlook(Fraction::percent(30), Fraction::percent(67));
        assert!((passes.yea, passes.result) == (Amount::of(201), Tabulation::Accepted));
        // One unit below quorum.
        let missed = vote.outlook(Fraction::of(199_999_999_999_999_999), Fraction::ONE);
        let (cast, needed) = (Amount::of(199), Amount::of(200));
        assert_eq!(missed.result, Tabulation::QuorumMissed { cast, needed });
        assert_eq!(missed.least_yea, None);
    }

    #[test]
    fn unanimity_is_enough_where_nothing_else_is() {
        let outlook = vote(1000, 20, 100).outlook(Fraction::percent(50), Fraction::percent(99));
        assert_eq!(outlook.least_yea, Some(Amount::of(500)));
        assert!(!outlook.result.is_accepted());
    }

    #[test]
    fn below_the_minimum_nothing_passes() {
        let vote = vote(99, 1, 0);
        assert_eq!(vote.outlook(Fraction::ONE, Fraction::ONE).least_yea, None);
        let bloc = vote.bloc(Fraction::percent(50));
        assert_eq!((bloc.passes, bloc.stops), (None, Amount::ZERO));
    }

    #[test]
    fn alone_quorum_is_all_that_is_needed() {
        let bloc = vote(1000, 20, 33).bloc(Fraction::ZERO);
        assert_eq!((bloc.passes, bloc.stops), (Some(Amount::of(200)), Amount::ZERO));
    }

    #[test]
    fn not_voting_stops_a_proposal_without_quorum() {
        // 21 % of the others' power reaches quorum as long as they have at least 953.
        let bloc = vote(1000, 20, 33).bloc(Fraction::percent(21));
        assert_eq!(bloc.stops, Amount::of(48));
        // Here they reach quorum even against a bloc with one third of the cast power.
        let vote = vote(1000, 5, 33);
        let bloc = vote.bloc(Fraction::percent(20));
        let stops = bloc.stops.get();
        assert!(!vote.accepts(bloc.others, stops) && vote.accepts(bloc.others, stops - 1));
    }

    impl Vote {
        /// Whether a proposal passes if all others vote for it, and `own` power against.
        fn accepts(&self, others: Fraction, own: u128) -> bool {
            let yea = part(Amount::of(self.total.get() - own), others);
            let tally = Tally { yea, nea: Amount::of(own) };
            tabulate(&self.configuration, self.total, tally).is_accepted()
        }
    }

    #[test]
    fn the_least_is_the_first_that_does() {
        for (quorum, differential) in [(1, 0), (20, 33), (10, 4), (50, 90), (100, 100)] {
            let vote = vote(317, quorum, differential);
            for percent in [0, 1, 9, 30, 50, 77, 100] {
                let others = Fraction::percent(percent);
                let against = |own: u128| part(Amount::of(317 - own), others);
                let accepted = |yea, nea| {
                    tabulate(&vote.configuration, vote.total, Tally { yea, nea }).is_accepted()
                };
                let passes = |own: &u128| accepted(Amount::of(*own), against(*own));
                let stops = |own: &u128| {
                    !accepted(against(*own), Amount::of(*own))
                        || !accepted(against(*own), Amount::ZERO)
                };
                let bloc = vote.bloc(others);
                let first = (0..=317).find(passes);
                assert_eq!(bloc.passes, first.map(Amount::of), "{quorum} {differential} {percent}");
                let first = (0..=317).find(stops);
                assert_eq!(Some(bloc.stops), first.map(Amount::of), "{quorum} {percent}");
            }
        }
    }
}
