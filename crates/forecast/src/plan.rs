//! The subject of a forecast: the set, the operators that sequence, and the start of the campaign.

use std::num::NonZeroU64;

use canon_protocol::{
    Amount, Configuration, Epoch, Fraction, Round, RoundRules, Slot, SlotClock, Timestamp,
    text::{Percent, grouped},
};

use crate::{
    campaign::{CampaignStart, Terms},
    electorate::{Electorate, ElectorateError, Operator, SignalingSide},
    operators::ListedOperator,
};

/// The number of seats of a set that isn't deployed, unless [`PlannedSequencers`] gives another.
pub const NOMINAL_SEATS: u32 = 1000;

/// A campaign, ready to be forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The set, and the start of the campaign.
    pub baseline: Baseline,
    /// The operators that draw the slots.
    pub electorate: Electorate,
    /// The operators of a file, with their stakes; empty without a file.
    pub listed: Vec<ListedOperator>,
    /// The vote that is expected to follow.
    pub vote: ExpectedVote,
    /// The outages to simulate, if any.
    pub outages: Option<Outages>,
}

/// The set that a campaign is about, and the time at which the campaign starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// The rules of the set.
    pub terms: Terms,
    /// The stake that each seat needs.
    pub minimum_stake: Amount,
    /// All voting power: what is locked in a deployed set, otherwise the supply of the token.
    pub total_power: Amount,
    /// The slot and the round in which the campaign begins.
    pub start: CampaignStart,
    /// The time from which durations are counted.
    pub now: Timestamp,
    /// Whether the set is deployed, and whether times are dates.
    pub origin: BaselineOrigin,
}

/// The origin of a baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BaselineOrigin {
    /// A set that isn't deployed. All times are durations from the start of the campaign.
    Undated,
    /// A set that isn't deployed, with a date on which the campaign starts.
    Dated,
    /// A deployed set, as it is at one block.
    Deployed(DeployedState),
}

/// The state of a deployed set that a forecast needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeployedState {
    /// The epoch that runs.
    pub epoch: Epoch,
    /// The number of seats that draw its slots.
    pub seats: u32,
    /// The oldest round that the payload has won and that can be pushed now.
    pub pushable: Option<Round>,
    /// The payload's newest proposal, if it is live. The payload can't be pushed again as long as it
    /// is.
    pub live_proposal: Option<LiveProposal>,
}

/// A proposal that can still be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveProposal {
    /// The time at which it was made.
    pub creation: Timestamp,
    /// The configuration that it is frozen with.
    pub configuration: Configuration,
}

/// A set that isn't deployed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedSet {
    /// Signals and slots of a round.
    pub rules: RoundRules,
    /// Length of a slot, in seconds.
    pub slot_duration: NonZeroU64,
    /// Slots of an epoch.
    pub epoch_duration: NonZeroU64,
    /// Configuration of governance.
    pub configuration: Configuration,
    /// The stake that each seat needs.
    pub minimum_stake: Amount,
    /// The supply of the token.
    pub supply: Amount,
}

/// The operators that sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedSequencers {
    /// Operators one by one. Other seats of a deployed set are silent.
    Listed(Vec<ListedOperator>),
    /// Shares of the seats, which all miss the same share of their slots.
    Shares {
        /// The number of seats; `None` for those that draw in a deployed set, or [`NOMINAL_SEATS`].
        seats: Option<u32>,
        /// The share that signals for the payload.
        signaling: Fraction,
        /// The share that signals for a rival payload.
        rival: Fraction,
        /// The share of their slots that they miss.
        missed: Fraction,
    },
}

/// An assumption about the vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedVote {
    /// The share of all power that is cast.
    pub turnout: Fraction,
    /// The share of the cast power that is for the proposal.
    pub for_share: Fraction,
}

/// A simulation of operators that are offline for several slots at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outages {
    /// The mean length of an outage, in slots, 1 or more.
    pub mean_slots: f64,
    /// The number of campaigns to simulate.
    pub campaigns: u32,
    /// The seed of all random draws.
    pub seed: u64,
}

/// The reason why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The campaign starts after the first round.
    #[error("expected fewer than the {} slots of a round, found {}", grouped(*.slots), grouped(*.late))]
    StartsAfterRound {
        /// The slots of a round.
        slots: u32,
        /// The slots that are over when the campaign starts.
        late: u32,
    },
    /// The round in which the campaign starts would begin before 1970.
    #[error("expected a time after 1970")]
    StartsBefore1970,
    /// No seat of the deployed set draws, and no number of seats is given.
    #[error(
        "expected a number of seats, since the canonical rollup's set of epoch {epoch} is empty: nobody \
         can signal now"
    )]
    EmptySet {
        /// The epoch that runs.
        epoch: Epoch,
    },
    /// More seats are listed than draw in the deployed set.
    #[error(
        "expected no more than the {} seats that draw in epoch {epoch}, found {}",
        grouped(*.seats),
        grouped(*.listed)
    )]
    MoreSeatsThanDraw {
        /// The seats that are listed.
        listed: u64,
        /// The seats that draw.
        seats: u32,
        /// The epoch that runs.
        epoch: Epoch,
    },
    /// The two shares of the seats sum to more than all of them.
    #[error(
        "expected shares that sum to {} at most, found {}",
        Percent::of(Fraction::ONE),
        Percent::sum([*.signaling, *.rival])
    )]
    SharesAboveAll {
        /// The share that signals for the payload.
        signaling: Fraction,
        /// The share that signals for a rival payload.
        rival: Fraction,
    },
    /// The operators don't make a set.
    #[error(transparent)]
    Electorate(#[from] ElectorateError),
}

impl Plan {
    /// The plan of a campaign in which `sequencers` draw the slots of `baseline`.
    ///
    /// # Errors
    ///
    /// [`PlanError::EmptySet`] or [`PlanError::MoreSeatsThanDraw`] if the sequencers don't match the
    /// deployed set, [`PlanError::SharesAboveAll`] or [`PlanError::Electorate`] if they can't be a set
    /// at all.
    pub fn new(
        baseline: Baseline,
        sequencers: PlannedSequencers,
        vote: ExpectedVote,
        outages: Option<Outages>,
    ) -> Result<Self, PlanError> {
        let (electorate, listed) = match sequencers {
            PlannedSequencers::Listed(listed) => (baseline.electorate_of(&listed)?, listed),
            PlannedSequencers::Shares { seats, signaling, rival, missed } => {
                let seats = seats.map_or_else(|| baseline.seats(), Ok)?;
                if u128::from(signaling.get()) + u128::from(rival.get())
                    > Fraction::ONE.get().into()
                {
                    return Err(PlanError::SharesAboveAll { signaling, rival });
                }
                let (signaling, rival) = (signaling.into(), rival.into());
                let electorate = Electorate::of_shares(seats, signaling, rival, missed.into())?;
                (electorate, Vec::new())
            }
        };
        Ok(Self { baseline, electorate, listed, vote, outages })
    }
}

impl Baseline {
    /// The baseline of a campaign in a set that isn't deployed. `late` slots of the first round are over
    /// when it starts, which is at `start` if that is known.
    ///
    /// # Errors
    ///
    /// [`PlanError::StartsAfterRound`] if `late` isn't a slot of the round,
    /// [`PlanError::StartsBefore1970`] if the round would begin before 1970.
    pub fn planned(
        set: &PlannedSet,
        late: u32,
        start: Option<Timestamp>,
    ) -> Result<Self, PlanError> {
        let slots = set.rules.m();
        if late >= slots {
            return Err(PlanError::StartsAfterRound { slots, late });
        }
        let mut clock = SlotClock {
            genesis: Timestamp::ZERO,
            slot_duration: set.slot_duration,
            epoch_duration: set.epoch_duration,
        };
        let first = CampaignStart::at(set.rules, Slot::of(late.into()));
        let into_round = clock.slot_start(first.slot).unwrap_or_default();
        let (origin, now) = match start {
            None => (BaselineOrigin::Undated, into_round),
            Some(start) => {
                // Slot 0 is the first slot of the round, `late` slots before the start.
                let genesis = start.since(into_round).ok_or(PlanError::StartsBefore1970)?;
                clock.genesis = Timestamp::ZERO + genesis;
                (BaselineOrigin::Dated, start)
            }
        };
        Ok(Self {
            terms: Terms { rules: set.rules, clock, configuration: set.configuration },
            minimum_stake: set.minimum_stake,
            total_power: set.supply,
            start: first,
            now,
            origin,
        })
    }

    /// Whether times are dates, not only durations.
    pub const fn is_dated(&self) -> bool {
        match self.origin {
            BaselineOrigin::Undated => false,
            BaselineOrigin::Dated | BaselineOrigin::Deployed(_) => true,
        }
    }

    /// The number of seats, where none is given.
    const fn seats(&self) -> Result<u32, PlanError> {
        match self.origin {
            BaselineOrigin::Undated | BaselineOrigin::Dated => Ok(NOMINAL_SEATS),
            BaselineOrigin::Deployed(DeployedState { seats: 0, epoch, .. }) => {
                Err(PlanError::EmptySet { epoch })
            }
            BaselineOrigin::Deployed(DeployedState { seats, .. }) => Ok(seats),
        }
    }

    /// The electorate of listed operators. In a deployed set all seats draw: those that aren't listed
    /// are silent.
    fn electorate_of(&self, listed: &[ListedOperator]) -> Result<Electorate, PlanError> {
        let mut operators: Vec<_> = listed.iter().map(|listed| listed.operator).collect();
        let listed = Electorate::new(operators.clone())?;
        let BaselineOrigin::Deployed(DeployedState { seats, epoch, .. }) = self.origin else {
            return Ok(listed);
        };
        let found = listed.seats();
        let others = u32::try_from(found).ok().and_then(|found| seats.checked_sub(found));
        let others = others.ok_or(PlanError::MoreSeatsThanDraw { listed: found, seats, epoch })?;
        if others > 0 {
            let missed = listed.missed();
            operators.push(Operator { seats: others, side: SignalingSide::Silent, missed });
        }
        Ok(Electorate::new(operators)?)
    }
}

#[cfg(test)]
mod tests {
    use canon_protocol::Seconds;

    use super::*;
    use crate::share::Share;

    const VOTE: ExpectedVote =
        ExpectedVote { turnout: Fraction::percent(40), for_share: Fraction::percent(80) };

    fn set() -> PlannedSet {
        PlannedSet {
            rules: RoundRules::new(6, 10).unwrap(),
            slot_duration: NonZeroU64::new(24).unwrap(),
            epoch_duration: NonZeroU64::new(4).unwrap(),
            configuration: Configuration::default(),
            minimum_stake: Amount::TOKEN,
            supply: Amount::of(1_000),
        }
    }

    /// The same set, deployed, with `seats` seats that draw in epoch 3.
    fn deployed(seats: u32) -> Baseline {
        let deployed =
            DeployedState { epoch: Epoch::of(3), seats, pushable: None, live_proposal: None };
        Baseline {
            origin: BaselineOrigin::Deployed(deployed),
            ..Baseline::planned(&set(), 0, None).unwrap()
        }
    }

    fn shares(seats: Option<u32>, signaling: Fraction, rival: Fraction) -> PlannedSequencers {
        PlannedSequencers::Shares { seats, signaling, rival, missed: Fraction::ZERO }
    }

    fn listed(seats: &[u32]) -> PlannedSequencers {
        let missed = Share::new(0.25).unwrap();
        let operator = |seats| Operator { seats, side: SignalingSide::For, missed };
        let listed =
            |seats: &u32| ListedOperator { operator: operator(*seats), stake: Amount::ZERO };
        PlannedSequencers::Listed(seats.iter().map(listed).collect())
    }

    fn electorate(
        baseline: Baseline,
        sequencers: PlannedSequencers,
    ) -> Result<Electorate, PlanError> {
        Plan::new(baseline, sequencers, VOTE, None).map(|plan| plan.electorate)
    }

    #[test]
    fn a_campaign_starts_in_the_first_round_and_after_1970() {
        let found = |late, start| Baseline::planned(&set(), late, start);
        // Nine slots are over: 216 s.
        let undated = found(9, None).unwrap();
        assert_eq!((undated.now, undated.start.slot), (Timestamp::of(216), Slot::of(9)));
        assert!(!undated.is_dated());
        assert_eq!(found(10, None), Err(PlanError::StartsAfterRound { slots: 10, late: 10 }));
        let dated = found(9, Some(Timestamp::of(216))).unwrap();
        assert_eq!((dated.now, dated.terms.clock.genesis), (Timestamp::of(216), Timestamp::ZERO));
        assert!(dated.is_dated());
        let later = found(9, Some(Timestamp::of(217))).unwrap();
        let genesis = later.terms.clock.genesis;
        assert_eq!(later.now.since(genesis), Seconds::new(216));
        assert_eq!(found(9, Some(Timestamp::of(215))), Err(PlanError::StartsBefore1970));
    }

    #[test]
    fn seats_are_given_or_drawn_or_nominal() {
        let undated = || Baseline::planned(&set(), 0, None).unwrap();
        for (baseline, seats, expected) in [
            (undated(), None, Ok(1000)),
            (undated(), Some(7), Ok(7)),
            (deployed(8), None, Ok(8)),
            (deployed(8), Some(7), Ok(7)),
            (deployed(0), Some(7), Ok(7)),
            (deployed(0), None, Err(PlanError::EmptySet { epoch: Epoch::of(3) })),
        ] {
            let found = electorate(baseline, shares(seats, Fraction::ONE, Fraction::ZERO));
            assert_eq!(found.map(|found| found.seats()), expected, "{seats:?}");
        }
    }

    #[test]
    fn shares_are_at_most_all_seats_to_the_last_digit() {
        let [ninety, ten] = [90, 10].map(Fraction::percent);
        assert!(electorate(deployed(10), shares(None, ninety, ten)).is_ok());
        let more = Fraction::of(ten.get() + 1);
        let refused = electorate(deployed(10), shares(None, ninety, more));
        assert_eq!(refused, Err(PlanError::SharesAboveAll { signaling: ninety, rival: more }));
    }

    #[test]
    fn seats_of_a_deployed_set_that_are_not_listed_are_silent() {
        let seats = |electorate: &Electorate| -> Vec<_> {
            let operators = electorate.operators().iter();
            operators.map(|operator| (operator.seats, operator.side)).collect()
        };
        let whole = electorate(deployed(8), listed(&[5, 3])).unwrap();
        assert_eq!(seats(&whole), [(5, SignalingSide::For), (3, SignalingSide::For)]);
        let part = electorate(deployed(9), listed(&[5, 3])).unwrap();
        assert_eq!(
            seats(&part),
            [(5, SignalingSide::For), (3, SignalingSide::For), (1, SignalingSide::Silent)]
        );
        // The unlisted seats miss the same share of their slots.
        assert_eq!(part.missed(), whole.missed());
        let refused = electorate(deployed(7), listed(&[5, 3]));
        let epoch = Epoch::of(3);
        assert_eq!(refused, Err(PlanError::MoreSeatsThanDraw { listed: 8, seats: 7, epoch }));
        // A set that isn't deployed has only the seats that are listed.
        let planned = electorate(Baseline::planned(&set(), 0, None).unwrap(), listed(&[5, 3]));
        assert_eq!(seats(&planned.unwrap()), seats(&whole));
        let empty = electorate(deployed(8), listed(&[]));
        assert_eq!(empty, Err(PlanError::Electorate(ElectorateError::Empty)));
    }
}
