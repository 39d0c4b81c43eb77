//! Signals, proposes blocks, records seeds.

use crate::agent::AgentRole;
use alloy_primitives::Address;
use canon_chain::IntentSender;
use canon_views::{Duty, Question, SequencerIdentity, SetView, SignalDecision, SignalPlan};

/// The proposer of an attester of one rollup: see [`canon_views::sequencer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequencer {
    /// Who it is. The proposer must be the key's address.
    pub identity: SequencerIdentity,
    /// What it signals for; `None` for nothing.
    pub plan: Option<SignalPlan>,
}

impl AgentRole for Sequencer {
    type Status = SignalDecision;

    fn required_account(&self) -> Option<Address> {
        Some(self.identity.proposer)
    }

    fn ask(&self, question: &mut Question) {
        question.rollups.entry(self.identity.rollup).or_default();
        question.payloads.extend(self.plan.map(|plan| plan.payload));
    }

    fn duty(&self, view: &SetView, _: &IntentSender) -> Duty<SignalDecision> {
        canon_views::sequencer(&view.present, &self.identity, self.plan.as_ref())
    }
}
