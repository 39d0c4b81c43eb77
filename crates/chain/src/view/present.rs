//! A set at a block, computed from the answers of its contracts.

use super::reader::{Read, Reader, all, known, optional};
use crate::error::{Error, InRange};
use alloy_primitives::{Address, U256};
use canon_abi::{Asset, Governance, Proposals, Registry, Rollup};
use canon_protocol::{
    Amount, Configuration, ConfigurationId, Deadlines, Ending, ExitFloor, Nonce, Payment,
    ProposalId, ProposalState, Timestamp, TooLarge, WithdrawalId,
};
use canon_views::{
    BallotView, GovernanceView, HolderView, Present, ProposalView, SetAddresses, WithdrawalView,
};
use std::collections::{BTreeMap, BTreeSet};

/// The maximum number of proposals in a view: more than any set will have, but few enough to read.
const PLAUSIBLE_PROPOSALS: u64 = 100_000;

/// The part of a proposal's state on which its ballots depend.
struct BallotWindow {
    id: ProposalId,
    is_votable: bool,
    /// The time at which power counts, or the block's time if that is earlier.
    snapshot: Timestamp,
}

impl Reader<'_> {
    /// The set at the block.
    pub(super) fn present(&self) -> Read<Present> {
        let addresses = self.addresses();
        let governance = self.governance_view();
        let signaling = self.signaling();
        let rollups = self.rollups();
        let status = match &signaling {
            Ok(None) => Ok(None),
            _ => self.signaling_status(),
        };
        let payloads = self.question.payloads.iter().map(|payload| {
            Ok((*payload, self.payload(*payload, known(&status), known(&rollups))?))
        });
        let payloads = all(payloads);
        let holders = self.holders();
        let withdrawals = self.withdrawals();
        Ok(Present {
            chain_id: self.chain_id,
            block: self.block,
            next: self.next,
            addresses: addresses?,
            governance: governance?,
            signaling: signaling?,
            rollups: rollups?,
            payloads: payloads?,
            holders: holders?,
            withdrawals: withdrawals?,
        })
    }

    /// The canonical rollup.
    pub(super) fn canonical_rollup(&self) -> Read<Address> {
        self.call(self.registry, Registry::getRollupCall {})
    }

    /// The Governance, which owns the Registry.
    pub(super) fn governance(&self) -> Read<Address> {
        self.call(self.registry, Registry::getGovernanceCall {})
    }

    /// The Proposals contract in force.
    pub(super) fn proposals(&self) -> Read<Address> {
        self.call(self.governance()?, Governance::governanceProposerCall {})
    }

    fn asset(&self) -> Read<Address> {
        self.call(self.governance()?, Governance::ASSETCall {})
    }

    fn issuer(&self) -> Read<Address> {
        self.call(self.asset()?, Asset::ownerCall {})
    }

    /// The addresses of a set, after checking that its contracts have code and don't contradict each other.
    /// The canonical rollup isn't checked, because Governance must stay readable whatever becomes
    /// canonical.
    fn addresses(&self) -> Read<SetAddresses> {
        let checks = [
            self.expect_code("the Registry", Ok(self.registry)),
            self.expect_code("Governance", self.governance()),
            self.expect_code("Proposals", self.proposals()),
            self.expect_code("the Asset", self.asset()),
            self.expect_code("the Issuer", self.issuer()),
            self.check_wiring(),
        ];
        let reward_distributor = self
            .canonical_rollup()
            .and_then(|rollup| optional(self.call(rollup, Rollup::REWARD_DISTRIBUTORCall {})));
        checks.into_iter().collect::<Read<Vec<()>>>()?;
        Ok(SetAddresses {
            registry: self.registry,
            governance: self.governance()?,
            proposals: self.proposals()?,
            asset: self.asset()?,
            issuer: self.issuer()?,
            rollup: self.canonical_rollup()?,
            reward_distributor: reward_distributor?,
        })
    }

    /// Fails if Proposals belongs to another Registry. A contract that doesn't return its Registry counts
    /// no signals either.
    fn check_wiring(&self) -> Read<()> {
        let found = optional(self.call(self.proposals()?, Proposals::REGISTRYCall {}))?;
        match found {
            Some(found) if found != self.registry => {
                let what = "the Registry of Proposals";
                Err(Error::Inconsistent { what, expected: self.registry, found }.into())
            }
            _ => Ok(()),
        }
    }

    fn governance_view(&self) -> Read<GovernanceView> {
        let at = self.governance()?;
        let configuration = self.configuration(at);
        let configurations = self.call(at, Governance::numberOfConfigurationsCall {});
        let floor = self.call(at, Governance::exitFloorCall {});
        let total_power = self.total_power(at, self.block.timestamp);
        let withdrawal_count = self.withdrawal_count(at);
        let proposals = self.every_proposal(at);
        let floor = floor?;
        let what = "numberOfConfigurations()";
        let newest = configurations?.checked_sub(U256::ONE);
        let configuration_id = newest.ok_or(Error::BadAnswer { what, address: at })?;
        Ok(GovernanceView {
            configuration: configuration?,
            configuration_id: ConfigurationId::try_from(configuration_id).in_range(what)?,
            exit_floor: ExitFloor {
                delay: floor.delay.try_into().in_range("exitFloor()")?,
                until: floor.until.try_into().in_range("exitFloor()")?,
            },
            total_power: total_power?,
            withdrawal_count: withdrawal_count?,
            proposals: proposals?,
        })
    }

    fn total_power(&self, governance: Address, time: Timestamp) -> Read<Amount> {
        let power =
            self.call(governance, Governance::totalPowerAtCall { timestamp: time.to_word() });
        Ok(power?.try_into().in_range("totalPowerAt(uint256)")?)
    }

    fn power(&self, governance: Address, owner: Address, time: Timestamp) -> Read<Amount> {
        let call = Governance::powerAtCall { owner, timestamp: time.to_word() };
        Ok(self.call(governance, call)?.try_into().in_range("powerAt(address,uint256)")?)
    }

    fn withdrawal_count(&self, governance: Address) -> Read<u64> {
        let count = self.call(governance, Governance::withdrawalCountCall {})?;
        let max = WithdrawalId::MAX.get() + 1;
        Ok(at_most(count, max).in_range("withdrawalCount()")?)
    }

    fn configuration(&self, governance: Address) -> Read<Configuration> {
        let configuration = self.call(governance, Governance::getConfigurationCall {})?;
        Ok(configuration.try_into().in_range("getConfiguration()")?)
    }

    /// The ids of all proposals. A contract that isn't a Governance has none, whatever number it returns.
    fn proposal_ids(&self, governance: Address) -> Read<impl Iterator<Item = ProposalId>> {
        let configuration = self.configuration(governance);
        let count = self.call(governance, Governance::proposalCountCall {})?;
        configuration?;
        let count = at_most(count, PLAUSIBLE_PROPOSALS).in_range("proposalCount()")?;
        Ok((0..count).map(ProposalId::of))
    }

    fn every_proposal(&self, governance: Address) -> Read<Vec<ProposalView>> {
        all(self.proposal_ids(governance)?.map(|id| self.proposal(governance, id)))
    }

    fn proposal(&self, governance: Address, id: ProposalId) -> Read<ProposalView> {
        let what = "getProposal(uint256)";
        let stored = self.call(governance, Governance::getProposalCall { id: id.to_word() });
        let state = self.proposal_state(governance, id);
        let hash = self.call(governance, Governance::actionsHashCall { id: id.to_word() });
        let stored = stored?;
        let configuration: Configuration = stored.config.try_into().in_range(what)?;
        let creation: Timestamp = stored.creation.try_into().in_range(what)?;
        let snapshot = Deadlines::new(creation, &configuration).snapshot_at(self.block.timestamp);
        let total_power = self.total_power(governance, snapshot);
        let ending = match ProposalState::from_number(stored.state) {
            Some(ProposalState::Pending) => Ending::Open,
            Some(ProposalState::Executed) => Ending::Executed,
            Some(ProposalState::Dropped) => Ending::Dropped,
            _ => return Err(Error::BadAnswer { what, address: governance }.into()),
        };
        Ok(ProposalView {
            id,
            state: state?,
            ending,
            payload: stored.payload,
            // Governance itself stands for the lock.
            pushed_by: Some(stored.governanceProposer).filter(|proposer| *proposer != governance),
            creation,
            configuration,
            tally: stored.summedBallot.try_into().in_range(what)?,
            actions_hash: hash?,
            total_power: total_power?,
        })
    }

    /// The state of a proposal. An unknown number is an error.
    fn proposal_state(&self, governance: Address, id: ProposalId) -> Read<ProposalState> {
        let number =
            self.call(governance, Governance::getProposalStateCall { id: id.to_word() })?;
        let what = "getProposalState(uint256)";
        let state = ProposalState::from_number(number);
        Ok(state.ok_or(Error::BadAnswer { what, address: governance })?)
    }

    fn ballot_window(&self, governance: Address, id: ProposalId) -> Read<BallotWindow> {
        let what = "getProposal(uint256)";
        let stored = self.call(governance, Governance::getProposalCall { id: id.to_word() });
        let state = self.proposal_state(governance, id)?;
        let stored = stored?;
        let creation = stored.creation.try_into().in_range(what)?;
        let deadlines = Deadlines::new(creation, &stored.config.try_into().in_range(what)?);
        let now = self.block.timestamp;
        let (is_votable, snapshot) = (deadlines.is_votable(state, now), deadlines.snapshot_at(now));
        Ok(BallotWindow { id, is_votable, snapshot })
    }

    fn holders(&self) -> Read<BTreeMap<Address, HolderView>> {
        if self.question.holders.is_empty() {
            return Ok(BTreeMap::new());
        }
        let governance = self.governance()?;
        let asset = self.asset();
        let ids = self.proposal_ids(governance);
        let windows: Read<Vec<_>> =
            ids.and_then(|ids| all(ids.map(|id| self.ballot_window(governance, id))));
        all(self.question.holders.iter().map(|(holder, asked)| {
            let view = self.holder(governance, *known(&asset)?, *holder, asked, known(&windows));
            Ok((*holder, view?))
        }))
    }

    fn holder(
        &self,
        governance: Address,
        asset: Address,
        holder: Address,
        asked: &BTreeSet<ProposalId>,
        windows: Read<&Vec<BallotWindow>>,
    ) -> Read<HolderView> {
        let balance = self.call(asset, Asset::balanceOfCall { owner: holder });
        let allowance =
            self.call(asset, Asset::allowanceCall { owner: holder, spender: governance });
        let permit_nonce = self.call(asset, Asset::noncesCall { owner: holder });
        let power = self.power(governance, holder, self.block.timestamp);
        let ballots = windows.and_then(|windows| {
            let shown = |window: &&BallotWindow| window.is_votable || asked.contains(&window.id);
            all(windows
                .iter()
                .filter(shown)
                .map(|window| Ok((window.id, self.ballot(governance, holder, window)?))))
        });
        Ok(HolderView {
            balance: balance?.try_into().in_range("balanceOf(address)")?,
            allowance: allowance?,
            permit_nonce: Nonce::try_from(permit_nonce?).in_range("nonces(address)")?,
            power: power?,
            ballots: ballots?,
        })
    }

    fn ballot(
        &self,
        governance: Address,
        holder: Address,
        window: &BallotWindow,
    ) -> Read<BallotView> {
        let id = window.id.to_word();
        let cast = self.call(governance, Governance::ballotsCall { id, user: holder });
        let nonce = self.call(governance, Governance::ballotNonceCall { id, holder });
        let power = self.power(governance, holder, window.snapshot);
        let cast = cast?;
        let cast = Governance::Ballot { yea: cast.yea, nea: cast.nea };
        Ok(BallotView {
            cast: cast.try_into().in_range("ballots(uint256,address)")?,
            power: power?,
            nonce: nonce?.try_into().in_range("ballotNonce(uint256,address)")?,
        })
    }

    fn withdrawals(&self) -> Read<BTreeMap<WithdrawalId, WithdrawalView>> {
        let governance = self.governance()?;
        let count = self.withdrawal_count(governance)?;
        let existing = self.question.withdrawals.iter().filter(|id| id.get() < count);
        all(existing.map(|id| Ok((*id, self.withdrawal(governance, *id)?))))
    }

    fn withdrawal(&self, governance: Address, id: WithdrawalId) -> Read<WithdrawalView> {
        let what = "getWithdrawal(uint256)";
        let stored = self.call(governance, Governance::getWithdrawalCall { id: id.to_word() })?;
        Ok(WithdrawalView {
            recipient: stored.recipient,
            amount: stored.amount.try_into().in_range(what)?,
            unlocks_at: stored.unlocksAt.try_into().in_range(what)?,
            payment: if stored.claimed { Payment::Claimed } else { Payment::Due },
        })
    }
}

/// Returns `value`, unless it is above `max`.
fn at_most(value: U256, max: u64) -> Result<u64, TooLarge> {
    let small = u64::try_from(value).ok().filter(|small| *small <= max);
    small.ok_or_else(|| TooLarge { value, max: U256::from(max) })
}
