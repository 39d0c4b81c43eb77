//! What the Registry and Governance answer.

use crate::{
    client::Client,
    error::{Error, InRange, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256};
use canon_abi::{Governance, Registry};
use canon_protocol::{
    Amount, Configuration, Deadlines, ProposalId, ProposalState, Tally, Timestamp,
};
use serde::{Deserialize, Serialize};

/// A proposal, as the chain has it at one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalSnapshot {
    /// Its number.
    pub id: ProposalId,
    /// Where it stands.
    pub state: ProposalState,
    /// What is stored of that: Pending, Executed or Dropped.
    pub stored: ProposalState,
    /// What it was made from.
    pub payload: Address,
    /// The Proposals contract that pushed it; Governance itself for the lock.
    pub proposer: Address,
    /// When it was made.
    pub creation: Timestamp,
    /// The rules it was made under.
    pub configuration: Configuration,
    /// What was cast.
    pub tally: Tally,
    /// The hash of the actions that were published when it was made.
    pub actions_hash: B256,
}

impl ProposalSnapshot {
    /// When its states end.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines::new(self.creation, &self.configuration)
    }
}

impl Client {
    /// The canonical rollup.
    ///
    /// # Errors
    ///
    /// If the Registry doesn't answer.
    pub async fn canonical_rollup(&self, at: BlockId, registry: Address) -> Result<Address> {
        self.read(at, registry, Registry::getRollupCall {}).await
    }

    /// Governance, and the Proposals contract in force.
    ///
    /// # Errors
    ///
    /// If they don't answer.
    pub async fn governance_of(
        &self,
        at: BlockId,
        registry: Address,
    ) -> Result<(Address, Address)> {
        let governance = self.read(at, registry, Registry::getGovernanceCall {}).await?;
        let proposals = Governance::governanceProposerCall {};
        Ok((governance, self.read(at, governance, proposals).await?))
    }

    /// How many proposals there are; the first is 0.
    ///
    /// # Errors
    ///
    /// If Governance doesn't answer.
    pub async fn proposal_count(&self, at: BlockId, governance: Address) -> Result<u64> {
        let count = self.read(at, governance, Governance::proposalCountCall {}).await?;
        u64::try_from(count)
            .map_err(|_| Error::BadAnswer { what: "proposalCount", address: governance })
    }

    /// Where a proposal stands.
    ///
    /// # Errors
    ///
    /// If there is no such proposal, or its state is a number that nobody knows.
    pub async fn proposal_state(
        &self,
        at: BlockId,
        governance: Address,
        id: ProposalId,
    ) -> Result<ProposalState> {
        let call = Governance::getProposalStateCall { id: id.to_word() };
        state(governance, self.read(at, governance, call).await?)
    }

    /// A proposal.
    ///
    /// # Errors
    ///
    /// If there is no such proposal, or its values are out of range.
    pub async fn proposal(
        &self,
        at: BlockId,
        governance: Address,
        id: ProposalId,
    ) -> Result<ProposalSnapshot> {
        let what = "getProposal";
        let call = Governance::getProposalCall { id: id.to_word() };
        let stored = self.read(at, governance, call).await?;
        let call = Governance::actionsHashCall { id: id.to_word() };
        Ok(ProposalSnapshot {
            id,
            state: self.proposal_state(at, governance, id).await?,
            stored: state(governance, stored.state)?,
            payload: stored.payload,
            proposer: stored.governanceProposer,
            creation: stored.creation.try_into().in_range(what)?,
            configuration: stored.config.try_into().in_range(what)?,
            tally: stored.summedBallot.try_into().in_range(what)?,
            actions_hash: self.read(at, governance, call).await?,
        })
    }

    /// The configuration in force for new proposals.
    ///
    /// # Errors
    ///
    /// If Governance doesn't answer.
    pub async fn configuration(&self, at: BlockId, governance: Address) -> Result<Configuration> {
        let configuration = self.read(at, governance, Governance::getConfigurationCall {}).await?;
        configuration.try_into().in_range("getConfiguration")
    }

    /// A holder's power at the end of a second that is not after the block.
    ///
    /// # Errors
    ///
    /// If Governance doesn't answer.
    pub async fn power(
        &self,
        at: BlockId,
        governance: Address,
        owner: Address,
        when: Timestamp,
    ) -> Result<Amount> {
        let call = Governance::powerAtCall { owner, timestamp: when.to_word() };
        self.read(at, governance, call).await?.try_into().in_range("powerAt")
    }

    /// All power at the end of a second that is not after the block.
    ///
    /// # Errors
    ///
    /// If Governance doesn't answer.
    pub async fn total_power(
        &self,
        at: BlockId,
        governance: Address,
        when: Timestamp,
    ) -> Result<Amount> {
        let call = Governance::totalPowerAtCall { timestamp: when.to_word() };
        self.read(at, governance, call).await?.try_into().in_range("totalPowerAt")
    }

    /// What a holder cast on a proposal.
    ///
    /// # Errors
    ///
    /// If Governance doesn't answer.
    pub async fn ballots(
        &self,
        at: BlockId,
        governance: Address,
        id: ProposalId,
        user: Address,
    ) -> Result<Tally> {
        let cast =
            self.read(at, governance, Governance::ballotsCall { id: id.to_word(), user }).await?;
        Ok(Tally {
            yea: cast.yea.try_into().in_range("ballots")?,
            nea: cast.nea.try_into().in_range("ballots")?,
        })
    }
}

/// An unknown number is never taken for a state.
fn state(governance: Address, number: u8) -> Result<ProposalState> {
    ProposalState::from_number(number)
        .ok_or(Error::BadAnswer { what: "getProposalState", address: governance })
}
