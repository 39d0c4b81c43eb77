//! Typed reads: what the contracts answer, in the protocol's types.

use crate::{
    client::Client,
    deployment::Deployment,
    error::{Error, InRange, Result},
};
use alloy::{
    eips::BlockId,
    primitives::{Address, B256, U256},
};
use canon_bindings::{Governance, Proposals, Registry, Rollup};
use canon_protocol::{
    Amount, Configuration, Deadlines, Epoch, ProposalId, ProposalState, RollupBlock, Round,
    RoundRules, Seconds, Slot, SlotClock, Status, Tally, Timestamp,
};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// What never changes about a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupRules {
    /// Its slots and epochs.
    pub clock: SlotClock,
    /// The least stake of a member of the set.
    pub minimum_stake: Amount,
    /// Between leaving and getting the stake.
    pub exit_delay: Seconds,
}

/// An attester of a rollup. All zero if it isn't registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attester {
    /// Where it stands.
    pub status: Status,
    /// Its stake; what is due to it while it is exiting.
    pub stake: Amount,
    /// Who decides about the stake.
    pub withdrawer: Address,
    /// Who proposes its slots.
    pub proposer: Address,
    /// When and to whom an exit is paid.
    pub exit: Option<(Timestamp, Address)>,
    /// Where it moves, and from when on.
    pub moving: Option<(Address, Timestamp)>,
}

/// The round that Proposals counts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalStatus {
    /// The canonical rollup's present slot.
    pub slot: Slot,
    /// Its round.
    pub round: Round,
    /// The payload with the most signals, if anybody signalled.
    pub leader: Option<Address>,
    /// The leader's signals.
    pub count: u32,
    /// The first slot that can still be signalled in.
    pub first_free_slot: Slot,
}

/// A round of an instance, past or present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundSnapshot {
    /// The round.
    pub round: Round,
    /// The payload with the most signals, if anybody signalled.
    pub leader: Option<Address>,
    /// The leader's signals.
    pub count: u32,
    /// The proposal that it became.
    pub proposal: Option<ProposalId>,
}

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

    /// Who may signal and propose at a time of the present or the next epoch; `None` if the set is
    /// empty.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, or the time is in another epoch.
    pub async fn proposer_at(
        &self,
        at: BlockId,
        rollup: Address,
        time: Timestamp,
    ) -> Result<Option<Address>> {
        let call = Rollup::getProposerAtCall { timestamp: time.to_word() };
        self.read(at, rollup, call).await.map(some)
    }

    /// Number and slot of a rollup's newest block; 0 and no slot if there is none.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer.
    pub async fn newest_block(
        &self,
        at: BlockId,
        rollup: Address,
    ) -> Result<(RollupBlock, Option<Slot>)> {
        let number = self.read(at, rollup, Rollup::blockNumberCall {}).await?;
        let last = self.read(at, rollup, Rollup::lastBlockSlotCall {}).await?;
        let slot = last.slot.try_into().in_range("lastBlockSlot")?;
        Ok((number.try_into().in_range("blockNumber")?, last.exists.then_some(slot)))
    }

    /// Whether the call that records the seed of the epoch after `epoch` was made, if the head is
    /// in `epoch`. `false` if the head isn't there yet.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer.
    pub async fn is_seed_recorded(
        &self,
        at: BlockId,
        rollup: Address,
        epoch: Epoch,
    ) -> Result<bool> {
        let present = self.read(at, rollup, Rollup::getCurrentEpochCall {}).await?;
        if present != epoch.to_word() {
            return Ok(false);
        }
        let seed = |epoch: Epoch| Rollup::getSeedCall { epoch: epoch.to_word() };
        // As long as none is recorded the last one serves, and two are never alike.
        let own = self.read(at, rollup, seed(epoch)).await?;
        let next = self.read(at, rollup, seed(epoch.next())).await?;
        Ok(own != next)
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

    /// What never changes about a rollup.
    ///
    /// # Errors
    ///
    /// If it doesn't answer, or with values out of range.
    pub async fn rollup_rules(&self, at: BlockId, rollup: Address) -> Result<RollupRules> {
        let genesis = self.read(at, rollup, Rollup::GENESIS_TIMECall {}).await?;
        let slot = self.read(at, rollup, Rollup::SLOT_DURATIONCall {}).await?;
        let epoch = self.read(at, rollup, Rollup::EPOCH_DURATIONCall {}).await?;
        let stake = self.read(at, rollup, Rollup::MINIMUM_STAKECall {}).await?;
        let exit = self.read(at, rollup, Rollup::EXIT_DELAYCall {}).await?;
        let duration = |what, value| {
            let value = u64::try_from(value).ok().and_then(NonZeroU64::new);
            value.ok_or(Error::BadAnswer { what, address: rollup })
        };
        Ok(RollupRules {
            clock: SlotClock {
                genesis: genesis.try_into().in_range("GENESIS_TIME")?,
                slot_duration: duration("SLOT_DURATION", slot)?,
                epoch_duration: duration("EPOCH_DURATION", epoch)?,
            },
            minimum_stake: stake.try_into().in_range("MINIMUM_STAKE")?,
            exit_delay: exit.try_into().in_range("EXIT_DELAY")?,
        })
    }

    /// An attester of a rollup.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, or with values out of range.
    pub async fn attester(
        &self,
        at: BlockId,
        rollup: Address,
        attester: Address,
    ) -> Result<Attester> {
        let info = self.read(at, rollup, Rollup::getInfoCall { attester }).await?;
        let exit = self.read(at, rollup, Rollup::getExitCall { attester }).await?;
        let moving = self.read(at, rollup, Rollup::getMoveCall { attester }).await?;
        let status = Status::ALL.get(usize::from(info.status));
        let status = status.ok_or(Error::BadAnswer { what: "getInfo", address: rollup })?;
        let exitable_at = exit.exitableAt.try_into().in_range("getExit")?;
        let ready_at = moving.readyAt.try_into().in_range("getMove")?;
        Ok(Attester {
            status: *status,
            stake: info.stake.try_into().in_range("getInfo")?,
            withdrawer: info.withdrawer,
            proposer: info.proposer,
            exit: (!exit.recipient.is_zero()).then_some((exitable_at, exit.recipient)),
            moving: (!moving.newRollup.is_zero()).then_some((moving.newRollup, ready_at)),
        })
    }

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

impl Deployment {
    /// The same set with what may have changed since (canonical rollup, Proposals, …) read again.
    ///
    /// # Errors
    ///
    /// As [`Deployment::at`].
    pub async fn refreshed(&self, client: &Client, at: BlockId) -> Result<Self> {
        Self::at(client, self.registry, at).await
    }
}

/// An unknown number is never taken for a state.
fn state(governance: Address, number: u8) -> Result<ProposalState> {
    ProposalState::from_number(number)
        .ok_or(Error::BadAnswer { what: "getProposalState", address: governance })
}

fn some(address: Address) -> Option<Address> {
    (!address.is_zero()).then_some(address)
}

fn count(what: &'static str, address: Address, value: U256) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::BadAnswer { what, address })
}
