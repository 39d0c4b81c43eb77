//! The times at which a campaign's upgrade can be pushed, voted on and executed.

use canon_protocol::{Round, Seconds, Timestamp};
use serde::Serialize;

use crate::{
    campaign::{Campaign, Milestone, Schedule},
    plan::{Baseline, BaselineOrigin},
};

/// The timeline that is reached with a certainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ExpectedTimeline {
    /// `earliest`, or the chance that it is reached: `50 %`, `90 %` or `99 %`.
    pub certainty: &'static str,
    /// The timeline; `None` if no number of rounds gives that chance.
    pub at: Option<WinTimeline>,
}

/// The times that follow if the last of a number of rounds is won.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WinTimeline {
    /// The number of rounds; 0 if the payload has won one already.
    pub rounds: u64,
    /// The last of them, in a deployed set; `None` if no further round is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Round>,
    /// The chance that the payload wins one of them.
    pub chance: f64,
    /// The first second in which the round can be pushed.
    pub pushable: Moment,
    /// The first second in which ballots are taken.
    pub voting_starts: Moment,
    /// The first second in which no more ballots for the proposal are taken.
    pub voting_ends: Moment,
    /// The first second in which the proposal can be executed.
    pub executable: Moment,
    /// The first second in which it can't be executed any more.
    pub expires: Moment,
}

/// A time of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// The duration from the baseline's `now`; `None` if the time has passed.
    pub after: Option<Seconds>,
    /// The time itself; `None` if times are durations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// The earliest timeline of a campaign, and those that it reaches with 50, 90 and 99 %.
pub(super) fn milestones(campaign: &Campaign, baseline: &Baseline) -> Vec<ExpectedTimeline> {
    let won = won_already(baseline);
    let likely = |chance| campaign.rounds_for(chance).and_then(|rounds| campaign.after(rounds));
    [
        ("earliest", campaign.earliest()),
        ("50 %", likely(0.5)),
        ("90 %", likely(0.9)),
        ("99 %", likely(0.99)),
    ]
    .map(|(certainty, at)| ExpectedTimeline {
        certainty,
        at: won.or(at).map(|milestone| timeline(baseline, &milestone)),
    })
    .into()
}

/// The milestone of a payload that has won a round already, so that further signals don't matter: it is
/// a live proposal, or can be pushed at once.
fn won_already(baseline: &Baseline) -> Option<Milestone> {
    let BaselineOrigin::Deployed(set) = baseline.origin else { return None };
    let (schedule, round) = match (set.live_proposal, set.pushable) {
        (Some(proposal), _) => {
            (Schedule::new(proposal.creation, &proposal.configuration), baseline.start.round)
        }
        (None, Some(round)) => (Schedule::new(baseline.now, &baseline.terms.configuration), round),
        (None, None) => return None,
    };
    Some(Milestone { rounds: 0, round, chance: 1.0, schedule })
}

fn timeline(baseline: &Baseline, milestone: &Milestone) -> WinTimeline {
    let moment = |time: Timestamp| Moment {
        after: time.since(baseline.now),
        time: baseline.is_dated().then_some(time),
    };
    let schedule = milestone.schedule;
    let has_number = matches!(baseline.origin, BaselineOrigin::Deployed(_)) && milestone.rounds > 0;
    WinTimeline {
        rounds: milestone.rounds,
        round: has_number.then_some(milestone.round),
        chance: milestone.chance,
        pushable: moment(schedule.push),
        voting_starts: moment(schedule.voting_starts),
        voting_ends: moment(schedule.voting_ends),
        executable: moment(schedule.execution),
        expires: moment(schedule.expires),
    }
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU64;

    use canon_protocol::{Amount, Configuration, Epoch, RoundRules, Slot, SlotClock};

    use super::*;
    use crate::{
        campaign::{CampaignStart, Terms},
        electorate::Electorate,
        plan::{DeployedState, LiveProposal},
        share::Share,
    };

    const HOUR: u64 = 3_600;

    fn configuration(delay: u64) -> Configuration {
        Configuration {
            voting_delay: Seconds::of(delay),
            voting_duration: Seconds::of(HOUR),
            execution_delay: Seconds::of(HOUR),
            grace_period: Seconds::of(HOUR),
            ..Configuration::default()
        }
    }

    /// A baseline at slot 24 of round 2, with slots of 24 s from second 1,000 on.
    fn baseline(origin: BaselineOrigin) -> Baseline {
        let rules = RoundRules::new(6, 10).unwrap();
        let clock = SlotClock {
            genesis: Timestamp::of(1_000),
            slot_duration: NonZeroU64::new(24).unwrap(),
            epoch_duration: NonZeroU64::new(4).unwrap(),
        };
        let start = CampaignStart::at(rules, Slot::of(24));
        Baseline {
            terms: Terms { rules, clock, configuration: configuration(HOUR) },
            minimum_stake: Amount::TOKEN,
            total_power: Amount::TOKEN,
            start,
            now: clock.slot_start(start.slot).unwrap(),
            origin,
        }
    }

    /// The milestones if all seats signal, so that every round with six slots left is won.
    fn found(origin: BaselineOrigin) -> Vec<WinTimeline> {
        let baseline = baseline(origin);
        let set = Electorate::of_shares(8, Share::ALL, Share::NONE, Share::NONE).unwrap();
        let campaign = Campaign::new(baseline.terms, &set, baseline.start);
        milestones(&campaign, &baseline).into_iter().map(|expected| expected.at.unwrap()).collect()
    }

    #[test]
    fn times_are_dates_only_where_they_can_be() {
        for (origin, dated, numbered) in [
            (BaselineOrigin::Undated, false, false),
            (BaselineOrigin::Dated, true, false),
            (BaselineOrigin::Deployed(DEPLOYED), true, true),
        ] {
            for timeline in found(origin) {
                // Round 2 has exactly six slots left, and ends 144 s after slot 24 begins.
                assert_eq!((timeline.rounds, timeline.chance), (1, 1.0), "{origin:?}");
                assert_eq!(timeline.round, numbered.then_some(Round::of(2)), "{origin:?}");
                let time = dated.then_some(Timestamp::of(1_000 + 30 * 24));
                let expected = Moment { after: Seconds::new(144), time };
                assert_eq!(timeline.pushable, expected, "{origin:?}");
            }
        }
    }

    const DEPLOYED: DeployedState =
        DeployedState { epoch: Epoch::of(6), seats: 8, pushable: None, live_proposal: None };

    #[test]
    fn a_round_that_was_won_counts_before_signals_and_a_live_proposal_before_that() {
        let pushable = DeployedState { pushable: Some(Round::of(1)), ..DEPLOYED };
        for timeline in found(BaselineOrigin::Deployed(pushable)) {
            assert_eq!((timeline.rounds, timeline.round), (0, None));
            assert_eq!(timeline.pushable.after, Some(Seconds::ZERO));
            assert_eq!(timeline.voting_starts.after, Seconds::new(HOUR + 1));
        }
        // It was made 60 s ago, under a delay that has been changed since.
        let creation = Timestamp::of(1_000 + 24 * 24 - 60);
        let proposal = LiveProposal { creation, configuration: configuration(2 * HOUR) };
        let live = DeployedState { live_proposal: Some(proposal), ..pushable };
        for timeline in found(BaselineOrigin::Deployed(live)) {
            assert_eq!((timeline.rounds, timeline.round), (0, None));
            assert_eq!(timeline.pushable, Moment { after: None, time: Some(creation) });
            assert_eq!(timeline.voting_starts.after, Seconds::new(2 * HOUR + 1 - 60));
        }
    }
}
