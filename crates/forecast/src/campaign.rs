//! The rounds that a campaign takes, and the dates that follow.

use canon_protocol::{Configuration, Round, RoundRules, Slot, SlotClock, Timestamp};
use canon_views::ProposalDates;

use crate::{
    binomial::within,
    electorate::Electorate,
    odds::{RoundOdds, RunningRoundOdds},
};

/// The rules that apply to a campaign, fixed before anybody signals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// Signals and slots of a round.
    pub rules: RoundRules,
    /// Slots and epochs of the canonical rollup.
    pub clock: SlotClock,
    /// Configuration that the proposal will be frozen with.
    pub configuration: Configuration,
}

/// The beginning of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampaignStart {
    /// The first slot that can bring a signal for the payload.
    pub slot: Slot,
    /// The round whose signals count first, usually the one that `slot` is in. If the last slot of the
    /// running round is used, `slot` is already in the next round.
    pub round: Round,
    /// Signals that the payload already has in that round.
    pub counted: u32,
}

impl CampaignStart {
    /// A campaign that begins at `slot` without signals.
    pub const fn at(rules: RoundRules, slot: Slot) -> Self {
        Self { slot, round: rules.round_of(slot), counted: 0 }
    }
}

/// A campaign of signals for one payload.
#[derive(Clone, Debug)]
pub struct Campaign {
    terms: Terms,
    start: CampaignStart,
    /// The odds of the round in which it starts, with the slots that are left of it.
    first: RunningRoundOdds,
    /// The odds of every later round.
    later: RoundOdds,
}

/// The chance that a campaign has won by a certain round, and the dates that follow.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Milestone {
    /// The number of rounds, the one in which the campaign started included.
    pub rounds: u64,
    /// The last of them.
    pub round: Round,
    /// The chance that the payload has won one of them.
    pub chance: f64,
    /// The dates if it wins the last of them and everybody acts at once.
    pub schedule: Schedule,
}

/// The times that follow a round that was won, if everybody acts at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Schedule {
    /// The first second in which the round can be pushed.
    pub push: Timestamp,
    /// The first second in which ballots are taken.
    pub voting_starts: Timestamp,
    /// The first second in which no more ballots for the proposal are taken.
    pub voting_ends: Timestamp,
    /// The first second in which the proposal can be executed.
    pub execution: Timestamp,
    /// The first second in which it can't be executed any more.
    pub expires: Timestamp,
}

impl Campaign {
    /// The campaign of `electorate` that begins at `start`.
    pub fn new(terms: Terms, electorate: &Electorate, start: CampaignStart) -> Self {
        let CampaignStart { slot, round, counted } = start;
        Self {
            terms,
            start,
            first: RunningRoundOdds::new(terms.rules, electorate, round, slot, counted),
            later: RoundOdds::new(terms.rules, electorate),
        }
    }

    /// The odds of the round in which it starts.
    pub const fn first_round(&self) -> &RunningRoundOdds {
        &self.first
    }

    /// The odds of every later round.
    pub const fn later_rounds(&self) -> &RoundOdds {
        &self.later
    }

    /// The chance that the payload has won one of the first `rounds` rounds.
    pub fn chance_within(&self, rounds: u64) -> f64 {
        if rounds == 0 {
            return 0.0;
        }
        let none = (1.0 - self.first.wins) * (1.0 - within(self.later.wins, rounds - 1));
        // If both chances are tiny, the sum keeps digits that `1.0 - none` would lose.
        if none > 0.5 {
            let later = within(self.later.wins, rounds - 1);
            return self.first.wins + later - self.first.wins * later;
        }
        1.0 - none
    }

    /// The smallest number of rounds in which the payload wins one with at least `chance`; `None` if no
    /// number of rounds up to 2^32 is enough.
    pub fn rounds_for(&self, chance: f64) -> Option<u64> {
        const NEVER: u64 = 1 << 32;
        if self.chance_within(NEVER) < chance {
            return None;
        }
        let (mut low, mut high) = (1, NEVER);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.chance_within(middle) >= chance {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(low)
    }

    /// The milestone after `rounds` rounds; `None` for 0 rounds, or past the last representable time.
    pub fn after(&self, rounds: u64) -> Option<Milestone> {
        let first = self.start.round.get();
        let round = Round::new(first.checked_add(rounds.checked_sub(1)?)?)?;
        Some(Milestone {
            rounds,
            round,
            chance: self.chance_within(rounds),
            schedule: self.schedule(round)?,
        })
    }

    /// The earliest possible milestone: the payload wins the first round that it can win. `None` if it
    /// can't win any.
    pub fn earliest(&self) -> Option<Milestone> {
        let rounds = if self.first.wins > 0.0 {
            1
        } else if self.later.wins > 0.0 {
            2
        } else {
            return None;
        };
        self.after(rounds)
    }

    /// The mean number of rounds until the payload wins one, the first included; `None` if it never
    /// does.
    pub fn mean_rounds(&self) -> Option<f64> {
        if self.first.wins >= 1.0 {
            return Some(1.0);
        }
        (self.later.wins > 0.0).then(|| 1.0 + (1.0 - self.first.wins) / self.later.wins)
    }

    /// The dates if `round` is won and everybody acts at once.
    fn schedule(&self, round: Round) -> Option<Schedule> {
        let (first, _) = self.terms.rules.push_slots(round);
        let push = self.terms.clock.slot_start(first)?;
        Some(Schedule::new(push, &self.terms.configuration))
    }
}

impl Schedule {
    /// The dates of a proposal that is made at `push` under `configuration`.
    pub fn new(push: Timestamp, configuration: &Configuration) -> Self {
        let dates = ProposalDates::new(push, configuration);
        Self {
            push,
            voting_starts: dates.voting_starts,
            voting_ends: dates.voting_ends,
            execution: dates.executable,
            expires: dates.expires,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::Share;
    use canon_protocol::Seconds;
    use core::num::NonZeroU64;

    fn campaign(supporters: f64, start: u64) -> Campaign {
        campaign_with(supporters, start, 0)
    }

    fn campaign_with(supporters: f64, start: u64, counted: u32) -> Campaign {
        let share = |value| Share::new(value).unwrap();
        let set = Electorate::of_shares(100, share(supporters), share(0.0), share(0.0)).unwrap();
        let hour = Seconds::of(3600);
        let configuration = Configuration {
            voting_delay: hour,
            voting_duration: hour,
            execution_delay: hour,
            grace_period: hour,
            ..Configuration::default()
        };
        let clock = SlotClock {
            genesis: Timestamp::of(1_000),
            slot_duration: NonZeroU64::new(24).unwrap(),
            epoch_duration: NonZeroU64::new(4).unwrap(),
        };
        let rules = RoundRules::new(6, 10).unwrap();
        let start = CampaignStart { counted, ..CampaignStart::at(rules, Slot::of(start)) };
        Campaign::new(Terms { rules, clock, configuration }, &set, start)
    }

    #[test]
    fn a_round_that_has_too_few_slots_left_is_lost() {
        let campaign = campaign(1.0, 25);
        assert_eq!(campaign.first_round().wins, 0.0);
        assert_eq!(campaign.chance_within(1), 0.0);
        assert_eq!(campaign.chance_within(2), 1.0);
        assert_eq!(campaign.rounds_for(0.99), Some(2));
        assert_eq!(campaign.earliest().unwrap().round, Round::of(3));
    }

    #[test]
    fn a_round_that_is_won_only_has_to_end() {
        // No rival signals, and slot 29 is used.
        let campaign = campaign_with(0.0, 29, 6);
        assert_eq!((campaign.chance_within(1), campaign.rounds_for(0.99)), (1.0, Some(1)));
        assert_eq!(campaign.earliest().unwrap().schedule.push, Timestamp::of(1_720));
        // The next free slot is in the next round, but the signals counted are those of the present
        // round.
        let rules = RoundRules::new(6, 10).unwrap();
        let start = CampaignStart { slot: Slot::of(30), round: Round::of(2), counted: 5 };
        let lost = Campaign::new(
            campaign.terms,
            &Electorate::of_shares(1, Share::ALL, Share::NONE, Share::NONE).unwrap(),
            start,
        );
        assert_eq!((lost.first_round().slots_left, lost.first_round().wins), (0, 0.0));
        assert_eq!(lost.earliest().unwrap().round, Round::of(3));
        assert_eq!(CampaignStart::at(rules, Slot::of(30)).round, Round::of(3));
    }

    #[test]
    fn everybody_wins_the_first_round() {
        let milestone = campaign(1.0, 20).earliest().unwrap();
        assert_eq!((milestone.rounds, milestone.round), (1, Round::of(2)));
        // Round 3 starts with slot 30, at 1000 + 30 * 24.
        assert_eq!(milestone.schedule.push, Timestamp::of(1_720));
        assert_eq!(milestone.schedule.voting_starts, Timestamp::of(1_720 + 3_601));
        assert_eq!(milestone.schedule.voting_ends, Timestamp::of(1_720 + 7_201));
        assert_eq!(milestone.schedule.execution, Timestamp::of(1_720 + 10_801));
        assert_eq!(milestone.schedule.expires, Timestamp::of(1_720 + 14_401));
    }

    #[test]
    fn the_mean_is_that_of_the_chances() {
        for (supporters, start) in [(0.5, 20), (0.7, 23), (0.9, 27)] {
            let campaign = campaign(supporters, start);
            // The mean of a count is the sum of the chances that it is larger.
            let larger: f64 = (0..5_000).map(|rounds| 1.0 - campaign.chance_within(rounds)).sum();
            let mean = campaign.mean_rounds().unwrap();
            assert!((mean / larger - 1.0).abs() < 1e-9, "{mean} instead of {larger}");
        }
        assert_eq!(campaign(1.0, 20).mean_rounds(), Some(1.0));
        assert_eq!(campaign(1.0, 25).mean_rounds(), Some(2.0));
        assert_eq!(campaign(0.0, 20).mean_rounds(), None);
        assert_eq!(campaign_with(0.0, 29, 6).mean_rounds(), Some(1.0));
    }

    #[test]
    fn nobody_never_wins() {
        let campaign = campaign(0.0, 20);
        assert_eq!(campaign.rounds_for(0.000_001), None);
        assert_eq!(campaign.earliest(), None);
        assert_eq!(campaign.chance_within(1 << 32), 0.0);
    }

    #[test]
    fn the_chance_grows_and_the_quantile_is_the_first_that_reaches_it() {
        for supporters in [0.3, 0.5, 0.7] {
            let campaign = campaign(supporters, 23);
            for chance in [0.1, 0.5, 0.9, 0.999] {
                let rounds = campaign.rounds_for(chance).unwrap();
                assert!(campaign.chance_within(rounds) >= chance, "{supporters} {chance}");
                assert!(campaign.chance_within(rounds - 1) < chance, "{supporters} {chance}");
            }
        }
    }
}
