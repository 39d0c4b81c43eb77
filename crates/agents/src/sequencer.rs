//! A sequencer: it signals, proposes blocks and records seeds.

use crate::agent::{AgentRole, Recheck};
use alloy_eips::{BlockId, RpcBlockHash};
use alloy_primitives::Address;
use canon_chain::{Client, Error};
use canon_views::{
    Duty, IntendedAction, IntentId, IntentProgress, Question, SequencerIdentity, SetView,
    SignalDecision, SignalPlan,
};

/// The proposer of an attester of one rollup: see [`canon_views::sequencer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequencer {
    /// Its proposer and rollup. The proposer must be the key's address.
    pub identity: SequencerIdentity,
    /// The payload that it signals for, with the conditions. `None` if it doesn't signal.
    pub plan: Option<SignalPlan>,
}

impl AgentRole for Sequencer {
    type Status = SignalDecision;

    fn required_account(&self) -> Option<Address> {
        Some(self.identity.proposer)
    }

    fn extend(&self, question: &mut Question) {
        question.rollups.entry(self.identity.rollup).or_default();
        question.payloads.extend(self.plan.map(|plan| plan.payload));
    }

    fn duty(
        &self,
        view: &SetView,
        _: &dyn Fn(&IntentId) -> IntentProgress,
    ) -> Duty<SignalDecision> {
        canon_views::sequencer(&view.present, &self.identity, self.plan.as_ref())
    }

    /// Reads the payload's list again before a signal, since a payload can list other actions than the
    /// vetted ones although its code stays the same.
    async fn recheck(
        &self,
        client: &Client,
        view: &SetView,
        duty: &mut Duty<SignalDecision>,
        is_in_flight: &(dyn Fn(&IntentId) -> bool + Sync),
    ) -> Recheck {
        let (SignalDecision::Signal, Some(plan)) = (duty.status, &self.plan) else {
            return Recheck::NotMade;
        };
        let at = BlockId::Hash(RpcBlockHash::from_hash(view.present.block.hash, Some(true)));
        let governance = view.present.addresses.governance;
        let (payload, expected) = (plan.payload, plan.actions_hash);
        let checked = client.expect_actions(governance, at, payload, expected).await;
        let Err(error) = checked else {
            return Recheck::Passed;
        };
        let (status, is_answer) = match &error {
            Error::ActionsChanged { expected, found, .. } => {
                (SignalDecision::ActionsChanged { expected: *expected, found: *found }, true)
            }
            error => (SignalDecision::ActionsUnread, !error.is_temporary()),
        };
        duty.status = status;
        let is_signal = |action: &_| matches!(action, IntendedAction::Signal { .. });
        duty.intents.retain(|intent| {
            !is_signal(&intent.action) || !is_answer && is_in_flight(&intent.id())
        });
        Recheck::Failed { contract: plan.payload, error }
    }
}
