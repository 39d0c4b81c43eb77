//! The state and the result of a proposal in a view.

use crate::present::{Present, ProposalView};
use alloy_primitives::Address;
use canon_protocol::{
    Configuration, Deadlines, ProposalId, ProposalState, Seconds, Support, Tabulation, Tally,
    Timestamp, tabulate,
};

/// The dates of a proposal that is accepted. Each is the first second after a change, while [`Deadlines`]
/// are the last seconds before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalDates {
    /// The first second in which ballots are taken.
    pub voting_starts: Timestamp,
    /// The first second in which no ballots for it are taken.
    pub voting_ends: Timestamp,
    /// The first second in which no ballots against it are taken. The result is final.
    pub objections_end: Timestamp,
    /// The first second in which it can be executed.
    pub executable: Timestamp,
    /// The first second in which it can't be executed any more.
    pub expires: Timestamp,
}

impl ProposalDates {
    /// The dates of a proposal created at `creation` under `configuration`.
    pub fn new(creation: Timestamp, configuration: &Configuration) -> Self {
        let deadlines = Deadlines::new(creation, configuration);
        Self {
            voting_starts: deadlines.voting_starts(),
            voting_ends: deadlines.active + Seconds::SECOND,
            objections_end: deadlines.objections_until + Seconds::SECOND,
            executable: deadlines.earliest_execution(),
            expires: deadlines.executable + Seconds::SECOND,
        }
    }
}

impl ProposalView {
    /// The last second of each of its states.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines::new(self.creation, &self.configuration)
    }

    /// The first second of each of its changes.
    pub fn dates(&self) -> ProposalDates {
        ProposalDates::new(self.creation, &self.configuration)
    }

    /// Its state at `time`, which must not be before the block, if nothing else happens until then.
    pub fn state_at(&self, time: Timestamp) -> ProposalState {
        if self.state.is_final() {
            return self.state;
        }
        self.deadlines().state_at(time, || self.tabulation().is_accepted())
    }

    /// Whether ballots of this side are taken at `time`, if nothing else happens until then.
    pub fn takes_ballots(&self, support: Support, time: Timestamp) -> bool {
        self.deadlines().takes_ballots(self.state_at(time), support, time)
    }

    /// The result of its vote if no more ballots are cast. Before the snapshot it uses the total power at
    /// the block.
    pub fn tabulation(&self) -> Tabulation {
        self.tabulation_of(self.tally)
    }

    /// The result of its vote if the ballots add up to `tally`.
    pub fn tabulation_of(&self, tally: Tally) -> Tabulation {
        tabulate(&self.configuration, self.total_power, tally)
    }
}

impl Present {
    /// The state of proposal `id` at `time`, which must not be before the block, if nothing else happens
    /// until then.
    pub fn state_at(&self, id: ProposalId, time: Timestamp) -> Option<ProposalState> {
        Some(self.proposal(id)?.state_at(time))
    }

    /// The proposals of `payload`, newest first.
    pub(crate) fn proposals_of(&self, payload: Address) -> impl Iterator<Item = &ProposalView> {
        self.governance.proposals.iter().rev().filter(move |proposal| proposal.payload == payload)
    }

    /// The newest proposal of `payload` that a Proposals contract pushed. A proposal through the lock has
    /// no influence on signals.
    pub fn newest_pushed(&self, payload: Address) -> Option<&ProposalView> {
        self.proposals_of(payload).find(|proposal| proposal.pushed_by.is_some())
    }
}
