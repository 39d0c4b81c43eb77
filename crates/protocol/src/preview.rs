//! A preview of the effects that a list of actions would have if Governance executed it now, with warnings
//! for reviewers.

use crate::{
    call_frame::{Context, L1Block, ReentrancyGuard},
    external::{Action, ExternalContracts},
    governance::{self, GovernanceEvent, GovernanceRefusal, ProposalState},
    messages::Log,
    overlay::Overlay,
    refusal::Refusal,
    set_state::SetState,
    units::{ProposalId, Timestamp},
};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// A warning about a side effect of a list of actions, or about an effect that can't be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The ownership of a contract of the set is offered to an account other than Governance.
    #[error("the ownership of {contract} is offered to {new_owner}")]
    OwnershipOffered {
        /// The contract.
        contract: Address,
        /// The account that may take it.
        new_owner: Address,
    },
    /// Governance no longer owns a contract of the set.
    #[error("the ownership of {contract} goes to {new_owner}")]
    OwnershipLost {
        /// The contract.
        contract: Address,
        /// The new owner.
        new_owner: Address,
    },
    /// The new `governanceProposer` isn't a Proposals contract of this set, so sequencers may be unable
    /// to signal. A Proposals contract with another Registry isn't one either.
    #[error(
        "the new governanceProposer {governance_proposer} is no Proposals contract of this set"
    )]
    UnknownProposals {
        /// The new `governanceProposer`.
        governance_proposer: Address,
    },
    /// A proposal that could still be executed is dropped, since the contract that pushed it is replaced.
    #[error("proposal {id} is dropped")]
    ProposalDropped {
        /// The proposal.
        id: ProposalId,
    },
    /// The new canonical rollup isn't a Rollup of this set, so it may report wrong slots and proposers.
    #[error("{rollup}, which becomes canonical, is no rollup of this set")]
    UnknownRollup {
        /// The new canonical rollup.
        rollup: Address,
    },
    /// The new canonical rollup is a Rollup of this set and belongs to an account other than Governance.
    /// That account may slash every stake there.
    #[error("{rollup}, which becomes canonical, belongs to {owner}")]
    ForeignRollupOwner {
        /// The new canonical rollup.
        rollup: Address,
        /// Its owner.
        owner: Address,
    },
    /// The RewardDistributor gets the canonical rollup from a contract other than this set's Registry. That
    /// contract may name any account to be paid.
    #[error("the RewardDistributor asks {registry}, which is not the Registry of this set")]
    UnknownRegistry {
        /// The contract that the RewardDistributor asks.
        registry: Address,
    },
}

/// The effects of a list of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The events in order, or the refusal with which Governance would revert.
    pub outcome: Result<Vec<Log>, Refusal>,
    /// Warnings for reviewers; empty if Governance would revert.
    pub warnings: Vec<Warning>,
}

impl SetState {
    /// The effects that `actions`, which aren't a proposal yet, would have if they were executed in `block`
    /// and nothing else happened before.
    ///
    /// The state may have changed by the time a proposal is executed.
    pub fn preview(
        &self,
        actions: &[Action],
        block: L1Block,
        external: &dyn ExternalContracts,
    ) -> Preview {
        self.preview_from(None, actions, block, external)
    }

    /// The effects of proposal `id` if it were executed in `block`, whatever its state is now.
    ///
    /// # Errors
    ///
    /// [`GovernanceRefusal::UnknownProposal`].
    pub fn preview_proposal(
        &self,
        id: ProposalId,
        block: L1Block,
        external: &dyn ExternalContracts,
    ) -> Result<Preview, GovernanceRefusal> {
        let (id, proposal) = self.governance().proposal(id.to_word())?;
        Ok(self.preview_from(Some(id), proposal.actions(), block, external))
    }

    /// The effects of `actions`, which are those of proposal `executed` if one is given.
    fn preview_from(
        &self,
        executed: Option<ProposalId>,
        actions: &[Action],
        block: L1Block,
        external: &dyn ExternalContracts,
    ) -> Preview {
        let guard = ReentrancyGuard::default();
        let this = self.addresses().governance;
        let context = Context { caller: this, block, prevrandao: U256::ZERO, external };
        let frame = self.frame(this, &context, &guard);
        let mut overlay = Overlay::new(frame);
        if let Some(proposal_id) = executed {
            overlay.apply(vec![frame.log(GovernanceEvent::ProposalExecuted { proposal_id })]);
        }
        if let Err(refusal) = governance::take_actions(&mut overlay, actions) {
            return Preview { outcome: Err(refusal), warnings: Vec::new() };
        }
        let warnings = warnings(self, overlay.set(), block.timestamp);
        Preview { outcome: Ok(overlay.into_logs()), warnings }
    }
}

fn warnings(before: &SetState, after: &SetState, now: Timestamp) -> Vec<Warning> {
    handovers(before, after).chain(replacements(before, after, now)).collect()
}

/// Warnings about ownership that leaves Governance or is offered to another account.
fn handovers(before: &SetState, after: &SetState) -> impl Iterator<Item = Warning> {
    let governance = before.addresses().governance;
    before.owned().filter_map(move |contract| {
        let (old, new) = (before.ownership(contract), after.ownership(contract));
        let (new_owner, pending) = (new.owner(), new.pending_owner());
        if new_owner != old.owner() && new_owner != governance {
            return Some(Warning::OwnershipLost { contract, new_owner });
        }
        let offered = pending != old.pending_owner() && !pending.is_zero() && pending != governance;
        offered.then_some(Warning::OwnershipOffered { contract, new_owner: pending })
    })
}

/// Warnings about a new Proposals contract, a new rollup and a new Registry of the RewardDistributor.
fn replacements(before: &SetState, after: &SetState, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let (old, new) = (before.governance(), after.governance());
    let governance_proposer = new.governance_proposer();
    if old.governance_proposer() != governance_proposer
        && after.proposals(governance_proposer).is_none()
    {
        warnings.push(Warning::UnknownProposals { governance_proposer });
    }
    // Proposals are dropped even if the contract that pushed them is put back.
    let proposals = (0..).map(ProposalId::of).zip(old.proposals().iter().zip(new.proposals()));
    let dropped = proposals.filter(|(_, (was, is))| {
        old.state(was, now).is_live() && new.state(is, now) == ProposalState::Dropped
    });
    warnings.extend(dropped.map(|(id, _)| Warning::ProposalDropped { id }));
    let addresses = after.addresses();
    let rollup = after.registry().rollup();
    if before.registry().rollup() != rollup {
        let owner = after.ownership(rollup).owner();
        if after.rollup(rollup).is_none() {
            warnings.push(Warning::UnknownRollup { rollup });
        } else if owner != addresses.governance {
            warnings.push(Warning::ForeignRollupOwner { rollup, owner });
        }
    }
    let registry = after.distributor().registry();
    if before.distributor().registry() != registry && registry != addresses.registry {
        warnings.push(Warning::UnknownRegistry { registry });
    }
    warnings
}
