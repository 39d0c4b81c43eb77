//! The states of a proposal, and the times at which they end.
//!
//! The first row that applies determines the state. Each boundary belongs to the earlier state.
//!
//! | state | holds |
//! |---|---|
//! | `Executed`, `Dropped` | for ever once stored |
//! | `Dropped` | once the Proposals contract that pushed it was replaced, also if it was put back |
//! | `Pending` | now ≤ creation + votingDelay |
//! | `Active` | now ≤ … + votingDuration |
//! | `Rejected` | afterwards, unless accepted by the [tabulation](crate::tabulate) |
//! | `Queued` | now ≤ … + executionDelay |
//! | `Executable` | now ≤ … + gracePeriod |
//! | `Expired` | afterwards |

use super::{Support, configuration::Configuration};
use crate::{
    abi::Abi,
    units::{Seconds, Timestamp},
};
use alloy_sol_types::sol_data;
use core::{fmt, num::NonZeroU64};
use serde::{Deserialize, Serialize};

/// The state of a proposal, with the numbers of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum ProposalState {
    /// Ballots aren't taken yet.
    Pending = 0,
    /// Ballots are taken, for and against.
    Active = 1,
    /// Accepted and waiting for execution. Ballots against it are taken in the first half of the execution
    /// delay.
    Queued = 2,
    /// Accepted, and anyone may execute it.
    Executable = 3,
    /// The vote didn't accept it.
    Rejected = 4,
    /// Its actions were carried out.
    Executed = 5,
    /// The Proposals contract that pushed it was replaced.
    Dropped = 6,
    /// Accepted, but not executed in time.
    Expired = 7,
}

impl ProposalState {
    /// All states, in numeric order.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Active,
        Self::Queued,
        Self::Executable,
        Self::Rejected,
        Self::Executed,
        Self::Dropped,
        Self::Expired,
    ];

    /// The state with this number, or `None` for an unknown number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether the proposal may still be executed: Pending, Active, Queued or Executable. A payload can't
    /// be pushed again while its last proposal is live.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Active | Self::Queued | Self::Executable)
    }

    /// Whether the state can't change any more: Executed or Dropped.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Executed | Self::Dropped)
    }
}

impl Abi for ProposalState {
    type Sol = sol_data::Uint<8>;

    fn to_sol(&self) -> u8 {
        *self as u8
    }

    fn from_sol(value: u8) -> Option<Self> {
        Self::from_number(value)
    }
}

impl fmt::Display for ProposalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Ballots against a Queued proposal are taken in the first half of its execution delay, rounded down.
const OBJECTION_PERIOD_DIVISOR: NonZeroU64 = NonZeroU64::new(2).expect("not zero");

/// The last second of each state that has one, for a proposal that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// Last second of Pending: the snapshot. The power at the end of this second counts.
    pub pending: Timestamp,
    /// Last second of Active, and of ballots for the proposal.
    pub active: Timestamp,
    /// Last second of the first half of the execution delay, and of ballots against the proposal if it is
    /// Queued. After it the result of the vote is final.
    pub objections_until: Timestamp,
    /// Last second of Queued.
    pub queued: Timestamp,
    /// Last second of Executable.
    pub executable: Timestamp,
}

impl Deadlines {
    /// The deadlines of a proposal created at `creation` under `configuration`.
    pub fn new(creation: Timestamp, configuration: &Configuration) -> Self {
        let pending = creation + configuration.voting_delay;
        let active = pending + configuration.voting_duration;
        let objections_until = active + configuration.execution_delay / OBJECTION_PERIOD_DIVISOR;
        let queued = active + configuration.execution_delay;
        let executable = queued + configuration.grace_period;
        Self { pending, active, objections_until, queued, executable }
    }

    /// The first second in which ballots are taken.
    pub fn voting_starts(&self) -> Timestamp {
        self.pending + Seconds::SECOND
    }

    /// The first second in which the proposal can be executed, if it is accepted.
    pub fn earliest_execution(&self) -> Timestamp {
        self.queued + Seconds::SECOND
    }

    /// The second at whose end power counts: the snapshot, or `now` if that is earlier.
    pub fn snapshot_at(&self, now: Timestamp) -> Timestamp {
        self.pending.min(now)
    }

    /// The last second in which ballots of this side are taken, if the proposal is accepted then.
    pub const fn ballots_until(&self, support: Support) -> Timestamp {
        match support {
            Support::Yea => self.active,
            Support::Nea => self.objections_until,
        }
    }

    /// Whether ballots of this side are taken at `now` for a proposal that is in `state` then: of both
    /// sides while it is Active, against it also in the first half of the execution delay.
    pub fn takes_ballots(&self, state: ProposalState, support: Support, now: Timestamp) -> bool {
        match state {
            ProposalState::Active => true,
            ProposalState::Queued => now <= self.ballots_until(support),
            _ => false,
        }
    }

    /// Whether ballots of any side are taken at `now`, or may be taken later, for a proposal that is in
    /// `state` then.
    pub fn is_votable(&self, state: ProposalState, now: Timestamp) -> bool {
        state == ProposalState::Pending || self.takes_ballots(state, Support::Nea, now)
    }

    /// The state at `now` of a proposal that was neither executed nor dropped. `accepted` is called only
    /// after the vote.
    pub fn state_at(&self, now: Timestamp, accepted: impl FnOnce() -> bool) -> ProposalState {
        match now {
            _ if now <= self.pending => ProposalState::Pending,
            _ if now <= self.active => ProposalState::Active,
            _ if !accepted() => ProposalState::Rejected,
            _ if now <= self.queued => ProposalState::Queued,
            _ if now <= self.executable => ProposalState::Executable,
            _ => ProposalState::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boundary_belongs_to_the_earlier_state() {
        use ProposalState::{Active, Executable, Expired, Pending, Queued, Rejected};

        let configuration = Configuration {
            voting_delay: Seconds::of(100),
            voting_duration: Seconds::of(200),
            execution_delay: Seconds::of(300),
            grace_period: Seconds::of(400),
            ..Configuration::default()
        };
        let deadlines = Deadlines::new(Timestamp::of(1000), &configuration);
        for (now, if_accepted, if_rejected) in [
            (1000, Pending, Pending),
            (1100, Pending, Pending),
            (1101, Active, Active),
            (1300, Active, Active),
            (1301, Queued, Rejected),
            (1600, Queued, Rejected),
            (1601, Executable, Rejected),
            (2000, Executable, Rejected),
            (2001, Expired, Rejected),
        ] {
            let now = Timestamp::of(now);
            let state = |accepted| deadlines.state_at(now, || accepted);
            assert_eq!(state(true), if_accepted, "accepted, at {now}");
            assert_eq!(state(false), if_rejected, "rejected, at {now}");
        }
        assert_eq!(deadlines.objections_until, Timestamp::of(1450));
        assert_eq!(deadlines.voting_starts(), Timestamp::of(1101));
        assert_eq!(deadlines.earliest_execution(), Timestamp::of(1601));
        for (now, snapshot) in [(1099, 1099), (1100, 1100), (1101, 1100)] {
            assert_eq!(deadlines.snapshot_at(Timestamp::of(now)), Timestamp::of(snapshot));
        }
    }

    #[test]
    fn ballots_against_are_taken_longer_than_those_for() {
        use ProposalState::{Active, Queued, Rejected};

        let configuration = Configuration {
            voting_delay: Seconds::of(100),
            voting_duration: Seconds::of(200),
            execution_delay: Seconds::of(300),
            ..Configuration::default()
        };
        let deadlines = Deadlines::new(Timestamp::of(1000), &configuration);
        for (state, now, for_it, against_it, or_later) in [
            (ProposalState::Pending, 1100, false, false, true),
            (Active, 1101, true, true, true),
            (Active, 1300, true, true, true),
            (Queued, 1301, false, true, true),
            (Queued, 1450, false, true, true),
            (Queued, 1451, false, false, false),
            (Rejected, 1301, false, false, false),
        ] {
            let is_votable = deadlines.is_votable(state, Timestamp::of(now));
            assert_eq!(is_votable, or_later, "{state} at {now}");
            for (support, taken) in [(Support::Yea, for_it), (Support::Nea, against_it)] {
                let now = Timestamp::of(now);
                assert_eq!(
                    deadlines.takes_ballots(state, support, now),
                    taken,
                    "{support:?}, {state} at {now}"
                );
            }
        }
    }

    #[test]
    fn objections_are_taken_in_half_the_execution_delay_rounded_down() {
        for (delay, half) in [(60, 30), (61, 30), (62, 31)] {
            let execution_delay = Seconds::of(delay);
            let configuration = Configuration { execution_delay, ..Configuration::default() };
            let deadlines = Deadlines::new(Timestamp::of(1000), &configuration);
            assert_eq!(deadlines.objections_until, Timestamp::of(1000 + half), "{delay} s");
        }
    }

    #[test]
    fn numbers_are_those_of_the_contract() {
        for (number, state) in (0..).zip(ProposalState::ALL) {
            assert_eq!(state as u8, number);
            assert_eq!(ProposalState::from_number(number), Some(state));
        }
        assert_eq!(ProposalState::Executable.to_string(), "Executable");
        assert_eq!(ProposalState::from_number(8), None);
    }
}
