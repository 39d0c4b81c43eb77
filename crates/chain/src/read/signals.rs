//! What Proposals answers.

use super::some;
use crate::{
    client::Client,
    error::{Error, InRange, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, U256};
use canon_abi::Proposals;
use canon_protocol::{ProposalId, Round, RoundRules, Slot};
use serde::{Deserialize, Serialize};

/// The round that Proposals counts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalStatus {
    /// The canonical rollup's present slot.
    pub slot: Slot,
    /// Its round.
    pub round: Round,
    /// The payload with the most signals, if anybody signaled.
    pub leader: Option<Address>,
    /// The leader's signals.
    pub count: u32,
    /// The first slot that can still be signaled in.
    pub first_free_slot: Slot,
}

/// A round of an instance, past or present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundSnapshot {
    /// The round.
    pub round: Round,
    /// The payload with the most signals, if anybody signaled.
    pub leader: Option<Address>,
    /// The leader's signals.
    pub count: u32,
    /// The proposal that it became.
    pub proposal: Option<ProposalId>,
}

impl Client {
    /// N and M.
    ///
    /// # Errors
    ///
    /// If Proposals doesn't answer, or with values that its constructor refuses.
    pub async fn round_rules(&self, at: BlockId, proposals: Address) -> Result<RoundRules> {
        let n = self.read(at, proposals, Proposals::NCall {}).await?;
        let m = self.read(at, proposals, Proposals::MCall {}).await?;
        let rules = u32::try_from(n).ok().zip(u32::try_from(m).ok());
        rules
            .and_then(|(n, m)| RoundRules::new(n, m).ok())
            .ok_or(Error::BadAnswer { what: "N, M", address: proposals })
    }

    /// The round that is counted now.
    ///
    /// # Errors
    ///
    /// If Proposals or the canonical rollup doesn't answer.
    pub async fn signal_status(&self, at: BlockId, proposals: Address) -> Result<SignalStatus> {
        let what = "currentStatus";
        let status = self.read(at, proposals, Proposals::currentStatusCall {}).await?;
        Ok(SignalStatus {
            slot: status.slot.try_into().in_range(what)?,
            round: status.round.try_into().in_range(what)?,
            leader: some(status.leader),
            count: count(what, proposals, status.count)?,
            first_free_slot: status.firstFreeSlot.try_into().in_range(what)?,
        })
    }

    /// The rounds that can be pushed now, oldest first; at most five.
    ///
    /// # Errors
    ///
    /// If Proposals or the canonical rollup doesn't answer.
    pub async fn pushable_rounds(&self, at: BlockId, proposals: Address) -> Result<Vec<Round>> {
        let rounds = self.read(at, proposals, Proposals::pushableRoundsCall {}).await?;
        rounds.into_iter().map(|round| round.try_into().in_range("pushableRounds")).collect()
    }

    /// A round of an instance.
    ///
    /// # Errors
    ///
    /// If Proposals doesn't answer.
    pub async fn round(
        &self,
        at: BlockId,
        proposals: Address,
        instance: Address,
        round: Round,
    ) -> Result<RoundSnapshot> {
        let number = round.to_word();
        let call = Proposals::roundsCall { instance, round: number };
        let stored = self.read(at, proposals, call).await?;
        let leader = some(stored.leader);
        let signals = match leader {
            Some(payload) => self.signals(at, proposals, instance, round, payload).await?,
            None => 0,
        };
        let call = Proposals::proposalOfCall { instance, round: number };
        let proposal = self.read(at, proposals, call).await?;
        let id = proposal.proposalId.try_into().in_range("proposalOf")?;
        Ok(RoundSnapshot { round, leader, count: signals, proposal: proposal.exists.then_some(id) })
    }

    /// Signals for a payload in a round.
    ///
    /// # Errors
    ///
    /// If Proposals doesn't answer.
    pub async fn signals(
        &self,
        at: BlockId,
        proposals: Address,
        instance: Address,
        round: Round,
        payload: Address,
    ) -> Result<u32> {
        let call = Proposals::yeaCountCall { instance, round: round.to_word(), payload };
        count("yeaCount", proposals, self.read(at, proposals, call).await?)
    }

    /// The newest proposal that this Proposals contract pushed for a payload.
    ///
    /// # Errors
    ///
    /// If Proposals doesn't answer.
    pub async fn latest_proposal_of(
        &self,
        at: BlockId,
        proposals: Address,
        payload: Address,
    ) -> Result<Option<ProposalId>> {
        let call = Proposals::latestProposalOfCall { payload };
        let latest = self.read(at, proposals, call).await?;
        let id = latest.proposalId.try_into().in_range("latestProposalOf")?;
        Ok(latest.exists.then_some(id))
    }
}

fn count(what: &'static str, address: Address, value: U256) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::BadAnswer { what, address })
}
