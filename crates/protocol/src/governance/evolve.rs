//! The changes that the events of Governance make.

use super::{Ending, Governance, GovernanceEvent, Origin, Payment, Proposal, Tally, Withdrawal};
use crate::{
    apply_error::{Applied, ApplyError, Subject, require_next},
    call_frame::L1Block,
    external::Action,
    pending::Pending,
    units::{Amount, ConfigurationId, ProposalId, Timestamp, WithdrawalId},
};
use alloy_primitives::{Address, B256, map::AddressMap};
use std::sync::Arc;

impl Governance {
    /// Applies `event`, which the contract at `this` emitted. Returns the facts that the next event
    /// completes.
    pub(crate) fn evolve(
        &mut self,
        event: &GovernanceEvent,
        this: Address,
        block: L1Block,
    ) -> Result<Option<Pending>, ApplyError> {
        let now = block.timestamp;
        match event {
            GovernanceEvent::Deployed { .. } => self.genesis = now,
            GovernanceEvent::Deposit { on_behalf_of, amount, .. } => {
                self.power.raise(*on_behalf_of, *amount, now)?;
            }
            GovernanceEvent::WithdrawInitiated { withdrawal_id, recipient, amount } => {
                let id = *withdrawal_id;
                require_next("withdrawal", self.withdrawals.len() as u64, id.get())?;
                let (recipient, amount) = (*recipient, *amount);
                return Ok(Some(Pending::Withdrawal { id, recipient, amount }));
            }
            GovernanceEvent::Proposed { proposal_id, payload } => {
                self.require_next_proposal(*proposal_id)?;
                let (id, payload) = (*proposal_id, *payload);
                return Ok(Some(Pending::Proposal { id, payload, push: None }));
            }
            GovernanceEvent::WithdrawalQueued { .. } | GovernanceEvent::ProposalFrozen { .. } => {
                let event = format!("Governance.{}", event.name());
                return Err(ApplyError::MissingPredecessor { emitter: this, event });
            }
            GovernanceEvent::WithdrawFinalised { withdrawal_id } => {
                self.withdrawal_mut(*withdrawal_id)?.payment = Payment::Claimed;
            }
            GovernanceEvent::VoteCast { proposal_id, voter, support, amount } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                proposal.cast(*proposal_id, *voter, *support, *amount)?;
            }
            GovernanceEvent::NonceUsed { proposal_id, holder, nonce } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                let (holder, found) = (*holder, *nonce);
                let expected = proposal.ballot_nonce(holder);
                if found != expected {
                    return Err(ApplyError::WrongNonce { holder, expected, found });
                }
                proposal.nonces.insert(holder, found.next());
            }
            GovernanceEvent::BallotsInvalidated { proposal_id, holder, next_nonce } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                let (holder, found) = (*holder, *next_nonce);
                let expected = proposal.ballot_nonce(holder).next();
                if found < expected {
                    return Err(ApplyError::WrongNonce { holder, expected, found });
                }
                proposal.nonces.insert(holder, found);
            }
            GovernanceEvent::ProposalExecuted { proposal_id } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                proposal.ending = Ending::Executed;
                proposal.execution = Some(block);
            }
            GovernanceEvent::ProposalDropped { proposal_id } => {
                self.proposal_mut(*proposal_id)?.ending = Ending::Dropped;
            }
            GovernanceEvent::GovernanceProposerUpdated { governance_proposer } => {
                self.governance_proposer = *governance_proposer;
                // No chain ever counts that far.
                self.term = self.term.saturating_add(1);
            }
            GovernanceEvent::ConfigurationUpdated { .. } => {}
            GovernanceEvent::ConfigurationSet { id, configuration } => {
                require_next("configuration", self.configurations.len() as u64, id.get())?;
                if let Some(old) = self.configurations.last() {
                    self.exit_floor = self.exit_floor.after_replacing(old, now);
                }
                self.configurations.push(**configuration);
            }
        }
        Ok(None)
    }

    /// Records that `holder` gave up `amount`, which is due to `recipient`.
    pub(crate) fn withdraw(
        &mut self,
        holder: Address,
        recipient: Address,
        amount: Amount,
        unlocks_at: Timestamp,
        block: L1Block,
    ) -> Applied {
        self.power.lower(holder, amount, block.timestamp)?;
        let payment = Payment::Due;
        self.withdrawals.push(Withdrawal { holder, recipient, amount, unlocks_at, payment });
        Ok(())
    }

    /// Adds `payload` as the next proposal, with these actions. It was pushed by the Proposals contract
    /// `by`, or was proposed through the lock if `by` is `None`.
    pub(crate) fn add_proposal(
        &mut self,
        payload: Address,
        by: Option<Address>,
        actions_hash: B256,
        actions: Arc<[Action]>,
        block: L1Block,
    ) {
        let term = self.term;
        self.proposals.push(Proposal {
            payload,
            origin: by.map_or(Origin::Lock, |by| Origin::Pushed { by, term }),
            creation: block.timestamp,
            configuration_id: self.configuration_id(),
            configuration: self.configuration(),
            actions_hash,
            actions,
            ending: Ending::Open,
            execution: None,
            tally: Tally::default(),
            ballots: AddressMap::default(),
            nonces: AddressMap::default(),
        });
    }

    /// Checks that the next proposal is number `id`.
    pub(crate) const fn require_next_proposal(&self, id: ProposalId) -> Applied {
        require_next("proposal", self.proposals.len() as u64, id.get())
    }

    /// Checks that configuration `id` is in force.
    pub(crate) fn require_in_force(&self, id: ConfigurationId) -> Applied {
        require_next("configuration", self.configuration_id().get(), id.get())
    }

    fn proposal_mut(&mut self, id: ProposalId) -> Result<&mut Proposal, ApplyError> {
        usize::try_from(id.get())
            .ok()
            .and_then(|index| self.proposals.get_mut(index))
            .ok_or(ApplyError::Unknown(Subject::Proposal(id)))
    }

    fn withdrawal_mut(&mut self, id: WithdrawalId) -> Result<&mut Withdrawal, ApplyError> {
        usize::try_from(id.get())
            .ok()
            .and_then(|index| self.withdrawals.get_mut(index))
            .ok_or(ApplyError::Unknown(Subject::Withdrawal(id)))
    }
}
