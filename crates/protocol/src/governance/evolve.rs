//! What the events of Governance change.

use super::{Ending, Governance, GovernanceEvent, Origin, Payment, Proposal, Tally, Withdrawal};
use crate::{
    call_frame::L1Block,
    refusal::{Applied, ApplyError},
    units::{ProposalId, Timestamp, WithdrawalId},
};
use alloy_primitives::{Address, B256, map::AddressMap};

impl Governance {
    /// `this` is its own address.
    pub(crate) fn evolve(
        &mut self,
        event: &GovernanceEvent,
        this: Address,
        block: L1Block,
    ) -> Applied {
        let now = block.timestamp;
        match event {
            GovernanceEvent::Deployed { .. } => self.genesis = now,
            GovernanceEvent::Deposit { on_behalf_of, amount, .. } => {
                self.power.raise(*on_behalf_of, *amount, now)?;
            }
            GovernanceEvent::WithdrawInitiated { withdrawal_id, recipient, amount } => {
                next_in(&self.withdrawals, withdrawal_id.get())?;
                // Who gave it up and when it is paid, the event after this one says.
                self.withdrawals.push(Withdrawal {
                    holder: Address::ZERO,
                    recipient: *recipient,
                    amount: *amount,
                    unlocks_at: Timestamp::MAX,
                    payment: Payment::Due,
                });
            }
            GovernanceEvent::WithdrawalQueued { id, holder, unlocks_at } => {
                let withdrawal = self.withdrawal_mut(*id)?;
                withdrawal.holder = *holder;
                withdrawal.unlocks_at = *unlocks_at;
                let amount = withdrawal.amount;
                self.power.lower(*holder, amount, now)?;
            }
            GovernanceEvent::WithdrawFinalised { withdrawal_id } => {
                self.withdrawal_mut(*withdrawal_id)?.payment = Payment::Claimed;
            }
            GovernanceEvent::Proposed { proposal_id, payload } => {
                next_in(&self.proposals, proposal_id.get())?;
                // What it does and for whom, the event after this one says.
                self.proposals.push(Proposal {
                    payload: *payload,
                    origin: Origin::Lock,
                    creation: now,
                    configuration_id: self.configuration_id(),
                    configuration: self.configuration(),
                    actions_hash: B256::ZERO,
                    actions: Vec::new(),
                    ending: Ending::Open,
                    tally: Tally::default(),
                    ballots: AddressMap::default(),
                    nonces: AddressMap::default(),
                });
            }
            GovernanceEvent::ProposalFrozen {
                proposal_id,
                proposer,
                actions_hash,
                actions,
                ..
            } => {
                let term = self.term;
                let proposal = self.proposal_mut(*proposal_id)?;
                if *proposer != this {
                    proposal.origin = Origin::Pushed { by: *proposer, term };
                }
                proposal.actions_hash = *actions_hash;
                proposal.actions.clone_from(actions);
            }
            GovernanceEvent::VoteCast { proposal_id, voter, support, amount } => {
                self.proposal_mut(*proposal_id)?.cast(*voter, *support, *amount)?;
            }
            GovernanceEvent::NonceUsed { proposal_id, holder, nonce } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                if proposal.ballot_nonce(*holder) != *nonce {
                    return Err(ApplyError::Unknown);
                }
                proposal.nonces.insert(*holder, nonce.next());
            }
            GovernanceEvent::BallotsInvalidated { proposal_id, holder, next_nonce } => {
                let proposal = self.proposal_mut(*proposal_id)?;
                if *next_nonce <= proposal.ballot_nonce(*holder) {
                    return Err(ApplyError::Unknown);
                }
                proposal.nonces.insert(*holder, *next_nonce);
            }
            GovernanceEvent::ProposalExecuted { proposal_id } => {
                self.proposal_mut(*proposal_id)?.ending = Ending::Executed;
            }
            GovernanceEvent::ProposalDropped { proposal_id } => {
                self.proposal_mut(*proposal_id)?.ending = Ending::Dropped;
            }
            GovernanceEvent::GovernanceProposerUpdated { governance_proposer } => {
                self.governance_proposer = *governance_proposer;
                self.term += 1;
            }
            GovernanceEvent::ConfigurationUpdated { .. } => {}
            GovernanceEvent::ConfigurationSet { id, configuration } => {
                next_in(&self.configurations, id.get())?;
                if let Some(old) = self.configurations.last() {
                    self.exit_floor = self.exit_floor.after_replacing(old, now);
                }
                self.configurations.push(**configuration);
            }
        }
        Ok(())
    }

    fn proposal_mut(&mut self, id: ProposalId) -> Result<&mut Proposal, ApplyError> {
        usize::try_from(id.get())
            .ok()
            .and_then(|index| self.proposals.get_mut(index))
            .ok_or(ApplyError::Unknown)
    }

    fn withdrawal_mut(&mut self, id: WithdrawalId) -> Result<&mut Withdrawal, ApplyError> {
        usize::try_from(id.get())
            .ok()
            .and_then(|index| self.withdrawals.get_mut(index))
            .ok_or(ApplyError::Unknown)
    }
}

/// Entries come in the order of their numbers.
const fn next_in<T>(list: &[T], number: u64) -> Applied {
    if number == list.len() as u64 { Ok(()) } else { Err(ApplyError::Unknown) }
}
