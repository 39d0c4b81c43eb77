//! Events that take effect only together.
//!
//! | first | next | last |
//! |---|---|---|
//! | `WithdrawInitiated` | | `WithdrawalQueued` |
//! | `Proposed` | | `ProposalFrozen` |
//! | `ProposalPushed` to Governance | `Proposed` | `ProposalFrozen` |
//! | `SlotUsed` | | `VoteCast` of Proposals |
//! | `PayloadSeen` | `SlotUsed` | `VoteCast` of Proposals |
//!
//! No other event of the set comes between them. The facts in the first events are kept as [`Pending`] and
//! the state changes with the last one, so it never contains an incomplete entry.

use crate::{
    apply_error::{Applied, ApplyError},
    call_frame::L1Block,
    external::{Action, actions_hash},
    governance::GovernanceEvent,
    messages::{Event, Log},
    proposals::ProposalsEvent,
    set_state::SetState,
    units::{Amount, ProposalId, Round, Slot, WithdrawalId},
};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// The facts of earlier events that the next event completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A withdrawal without its holder and the time of its payment.
    Withdrawal { id: WithdrawalId, recipient: Address, amount: Amount },
    /// A round that was pushed to Governance, without the proposal that it becomes.
    Push(Push),
    /// A proposal without its actions.
    Proposal { id: ProposalId, payload: Address, push: Option<Push> },
    /// The first signal for a payload in a round, without its slot.
    Pin { proposals: Address, pin: Pin },
    /// A signal without its payload and its round.
    Signal { proposals: Address, slot: Slot, pin: Option<Pin> },
}

/// A push of a round's winner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Push {
    /// The Proposals contract.
    pub(crate) proposals: Address,
    /// The rollup whose round it is.
    pub(crate) instance: Address,
    pub(crate) round: Round,
    /// The winner.
    pub(crate) payload: Address,
}

/// A payload with its pinned code hash, all 256 bits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    pub(crate) payload: Address,
    pub(crate) code_hash: B256,
}

impl Pending {
    /// The event that has to come next.
    const fn next_event(&self) -> &'static str {
        match self {
            Self::Withdrawal { .. } => "Governance.WithdrawalQueued",
            Self::Push(_) => "Governance.Proposed",
            Self::Proposal { .. } => "Governance.ProposalFrozen",
            Self::Pin { .. } => "Proposals.SlotUsed",
            Self::Signal { .. } => "Proposals.VoteCast",
        }
    }
}

impl SetState {
    /// Applies `log`, the event after `pending`. Returns what it leaves pending.
    pub(crate) fn complete(
        &mut self,
        pending: Pending,
        log: &Log,
        block: L1Block,
    ) -> Result<Option<Pending>, ApplyError> {
        let emitter = log.emitter;
        let is_governance = emitter == self.addresses().governance;
        match (pending, &log.event) {
            (
                Pending::Withdrawal { id, recipient, amount },
                Event::Governance(GovernanceEvent::WithdrawalQueued {
                    id: same,
                    holder,
                    unlocks_at,
                }),
            ) if is_governance && *same == id => {
                self.governance.withdraw(*holder, recipient, amount, *unlocks_at, block)?;
                Ok(None)
            }
            (
                Pending::Push(push),
                Event::Governance(GovernanceEvent::Proposed { proposal_id, payload }),
            ) if is_governance && *payload == push.payload => {
                self.governance.require_next_proposal(*proposal_id)?;
                let (id, payload) = (*proposal_id, *payload);
                Ok(Some(Pending::Proposal { id, payload, push: Some(push) }))
            }
            (
                Pending::Proposal { id, payload, push },
                Event::Governance(GovernanceEvent::ProposalFrozen {
                    proposal_id,
                    proposer,
                    configuration_id,
                    actions_hash,
                    actions,
                }),
            ) if is_governance
                && *proposal_id == id
                && push.is_none_or(|push| push.proposals == *proposer) =>
            {
                self.governance.require_in_force(*configuration_id)?;
                require_hash(id, *actions_hash, actions)?;
                if let Some(push) = push {
                    let proposals = self.proposals.get_mut(&push.proposals);
                    proposals
                        .ok_or_else(|| ApplyError::wrong_emitter(log))?
                        .become_proposal(push, id)?;
                }
                let by = Some(*proposer).filter(|proposer| *proposer != emitter);
                let actions = actions.as_slice().into();
                self.governance.add_proposal(payload, by, *actions_hash, actions, block);
                Ok(None)
            }
            (
                Pending::Pin { proposals, pin },
                Event::Proposals(ProposalsEvent::SlotUsed { slot }),
            ) if emitter == proposals => {
                Ok(Some(Pending::Signal { proposals, slot: *slot, pin: Some(pin) }))
            }
            (
                Pending::Signal { proposals, slot, pin },
                Event::Proposals(ProposalsEvent::VoteCast { payload, round, .. }),
            ) if emitter == proposals && pin.is_none_or(|pin| pin.payload == *payload) => {
                let instance = self.registry.rollup();
                let code_hash = pin.map(|pin| pin.code_hash);
                let proposals = self.proposals.get_mut(&proposals);
                proposals
                    .ok_or_else(|| ApplyError::wrong_emitter(log))?
                    .count(instance, slot, *round, *payload, code_hash)?;
                Ok(None)
            }
            (pending, event) => Err(ApplyError::WrongSuccessor {
                expected: pending.next_event(),
                found: event.name(),
                emitter,
            }),
        }
    }
}

/// Checks that actions have the hash that is published with them.
fn require_hash(id: ProposalId, expected: B256, actions: &[Action]) -> Applied {
    let found = actions_hash(actions);
    if found == expected { Ok(()) } else { Err(ApplyError::WrongActions { id, expected, found }) }
}
