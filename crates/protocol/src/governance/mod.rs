//! Governance: lock, vote, delay, execute.

mod configuration;
mod deadlines;
mod evolve;
mod executing;
mod exit;
mod locking;
mod messages;
mod power;
mod proposal;
mod proposing;
mod tabulation;
mod voting;

pub use configuration::{
    Configuration, ProposeConfiguration, RawConfiguration, RawProposeConfiguration,
};
pub use deadlines::{Deadlines, ProposalState};
pub(crate) use executing::take_actions;
pub use exit::{ExitFloor, withdrawal_delay};
pub use messages::{GovernanceCall, GovernanceEvent, GovernanceRefusal};
pub use proposal::{Ending, Origin, Proposal};
pub(crate) use proposing::{appoint, propose};
pub use tabulation::{Support, Tabulation, Tally, tabulate, votes_needed, yea_limit};

use crate::{
    call_frame::{CallFrame, Decision},
    overlay,
    ownership::OwnershipCall,
    stored::{Restored, require, stored},
    units::{
        Amount, ConfigurationId, Nonce, ProposalId, Seconds, Timestamp, TooLarge, WithdrawalId,
    },
};
use alloy_primitives::{Address, U256};
use power::Power;
use serde::{Deserialize, Serialize};

/// A withdrawal: power that was given up, and the asset that is due for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The holder that gave the power up.
    #[serde(with = "crate::text::address")]
    pub holder: Address,
    /// The recipient of the asset.
    #[serde(with = "crate::text::address")]
    pub recipient: Address,
    /// The amount.
    pub amount: Amount,
    /// The first second in which it can be paid.
    pub unlocks_at: Timestamp,
    /// Whether it was paid.
    pub payment: Payment,
}

impl Withdrawal {
    /// Whether it can be paid at `now`: it wasn't paid yet, and its delay is over.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.payment.is_due(self.unlocks_at, now)
    }
}

/// Whether a withdrawal was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payment {
    /// It wasn't paid yet.
    Due,
    /// It was paid.
    Claimed,
}

impl Payment {
    /// Whether a withdrawal that unlocks at `unlocks_at` can be paid at `now`.
    pub fn is_due(self, unlocks_at: Timestamp, now: Timestamp) -> bool {
        self == Self::Due && unlocks_at <= now
    }
}

/// State of Governance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Governance {
    /// The time of its construction.
    genesis: Timestamp,
    governance_proposer: Address,
    /// The number of Proposals contracts before the present one.
    term: u64,
    configurations: Vec<Configuration>,
    exit_floor: ExitFloor,
    power: Power,
    withdrawals: Vec<Withdrawal>,
    proposals: Vec<Proposal>,
}

stored!(Governance);

impl Governance {
    fn restore(&mut self) -> Restored {
        self.power.restore()?;
        let last = self.configurations.len() as u64;
        require(last <= ConfigurationId::MAX.get() + 1, || "too many configurations".to_owned())?;
        for (id, proposal) in self.proposals.iter().enumerate() {
            let frozen = self.configuration_at(proposal.configuration_id.to_word());
            require(frozen.is_ok_and(|frozen| frozen == proposal.configuration), || {
                format!("the configuration of proposal {id} isn't the one of its number")
            })?;
            if let Origin::Pushed { term, .. } = proposal.origin {
                require(term <= self.term, || format!("proposal {id} was pushed in a later term"))?;
            }
            let snapshot = proposal.deadlines().pending;
            for (voter, ballot) in proposal.ballots() {
                let power = self.power.of_at(voter, snapshot);
                require(ballot.cast().is_some_and(|cast| cast <= power), || {
                    format!("{voter} cast more on proposal {id} than its power at the snapshot")
                })?;
            }
        }
        Ok(())
    }

    /// The Proposals contract.
    pub const fn governance_proposer(&self) -> Address {
        self.governance_proposer
    }

    /// The configuration in force for new proposals.
    pub fn configuration(&self) -> Configuration {
        self.configurations.last().copied().unwrap_or_default()
    }

    /// All configurations, by number.
    pub fn configurations(&self) -> &[Configuration] {
        &self.configurations
    }

    /// Configuration number `id`.
    pub fn configuration_at(&self, id: U256) -> Result<Configuration, GovernanceRefusal> {
        entry(&self.configurations, id).copied().ok_or_else(|| {
            GovernanceRefusal::UnknownConfiguration { id, count: count(&self.configurations) }
        })
    }

    /// The number of the configuration in force.
    pub fn configuration_id(&self) -> ConfigurationId {
        let newest = self.configurations.len().saturating_sub(1);
        ConfigurationId::new(newest as u64).unwrap_or(ConfigurationId::MAX)
    }

    /// The least withdrawal delay after past changes of the configuration.
    pub const fn exit_floor(&self) -> ExitFloor {
        self.exit_floor
    }

    /// The time for which the asset of a withdrawal started at `now` is withheld.
    pub fn withdrawal_delay(&self, now: Timestamp) -> Seconds {
        self.exit_floor.delay_at(now, &self.configuration())
    }

    /// The time for which the asset of a proposal through the lock at `now` is withheld.
    pub fn lock_delay(&self, now: Timestamp) -> Seconds {
        self.withdrawal_delay(now).max(self.configuration().propose_config.lock_delay)
    }

    /// The power of `holder` now.
    pub fn power(&self, holder: Address) -> Amount {
        self.power.of(holder)
    }

    /// All power now.
    pub fn total_power(&self) -> Amount {
        self.power.total()
    }

    /// The power of `holder` at the end of second `time`. Refused if `time` is after `now`.
    pub fn power_at(
        &self,
        holder: Address,
        time: Timestamp,
        now: Timestamp,
    ) -> Result<Amount, GovernanceRefusal> {
        require_past(time, now)?;
        Ok(self.power.of_at(holder, time))
    }

    /// All power at the end of second `time`. Refused if `time` is after `now`.
    pub fn total_power_at(
        &self,
        time: Timestamp,
        now: Timestamp,
    ) -> Result<Amount, GovernanceRefusal> {
        require_past(time, now)?;
        Ok(self.power.total_at(time))
    }

    /// The power of `holder` that counts in the vote on `proposal`: that at the snapshot or, before it, now.
    pub fn power_on(&self, proposal: &Proposal, holder: Address, now: Timestamp) -> Amount {
        self.power.of_at(holder, proposal.deadlines().snapshot_at(now))
    }

    /// All power that counts in the vote on `proposal`: that at the snapshot or, before it, now.
    pub fn total_power_on(&self, proposal: &Proposal, now: Timestamp) -> Amount {
        self.power.total_at(proposal.deadlines().snapshot_at(now))
    }

    /// All accounts that ever had power, with their power now, in no order.
    pub fn holders(&self) -> impl Iterator<Item = (Address, Amount)> {
        self.power.holders()
    }

    /// The nonce for `holder`'s next signed ballot on proposal `id`; 0 if there is no such proposal.
    pub fn ballot_nonce(&self, id: U256, holder: Address) -> Nonce {
        self.proposal(id).map(|(_, proposal)| proposal.ballot_nonce(holder)).unwrap_or_default()
    }

    /// All proposals, by id.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// Proposal `id`.
    pub fn proposal(&self, id: U256) -> Result<(ProposalId, &Proposal), GovernanceRefusal> {
        let known = entry(&self.proposals, id).zip(ProposalId::try_from(id).ok());
        known
            .map(|(proposal, id)| (id, proposal))
            .ok_or_else(|| GovernanceRefusal::UnknownProposal { id, count: count(&self.proposals) })
    }

    /// All withdrawals, by id.
    pub fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }

    /// Withdrawal `id`.
    pub fn withdrawal(&self, id: U256) -> Result<(WithdrawalId, &Withdrawal), GovernanceRefusal> {
        let known = entry(&self.withdrawals, id).zip(WithdrawalId::try_from(id).ok());
        known.map(|(withdrawal, id)| (id, withdrawal)).ok_or_else(|| {
            GovernanceRefusal::UnknownWithdrawal { id, count: count(&self.withdrawals) }
        })
    }

    /// The state of proposal `id` at `now`, or `None` if there is no such proposal. A time in the future
    /// gives the state if nothing else happens until then.
    pub fn state_of(&self, id: ProposalId, now: Timestamp) -> Option<ProposalState> {
        let proposal = self.proposals.get(usize::try_from(id.get()).ok()?)?;
        Some(self.state(proposal, now))
    }

    /// The state at `now` of `proposal`, which has to be one of this Governance.
    pub fn state(&self, proposal: &Proposal, now: Timestamp) -> ProposalState {
        proposal.state_at(now, self.term, || self.tabulation(proposal).is_accepted())
    }

    /// The result of the vote on `proposal` if no more ballots are cast. Before the snapshot it uses the
    /// total power as it is now.
    pub fn tabulation(&self, proposal: &Proposal) -> Tabulation {
        self.tabulation_of(proposal, proposal.tally)
    }

    /// The result of the vote on `proposal` if the ballots add up to `tally`. Before the snapshot it uses
    /// the total power as it is now.
    pub fn tabulation_of(&self, proposal: &Proposal, tally: Tally) -> Tabulation {
        let total = self.power.total_at(proposal.deadlines().pending);
        tabulate(&proposal.configuration, total, tally)
    }

    /// The power that `holder` can still cast on proposal `id` at `now`. Refused unless such ballots are
    /// taken then: for and against it while it is Active, against it also in the first half of the
    /// execution delay.
    pub fn ballot_left(
        &self,
        id: U256,
        holder: Address,
        support: Support,
        now: Timestamp,
    ) -> Result<Amount, GovernanceRefusal> {
        let (_, proposal) = self.proposal(id)?;
        let (state, deadlines) = (self.state(proposal, now), proposal.deadlines());
        if deadlines.takes_ballots(state, support, now) {
            return Ok(self.castable(proposal, holder));
        }
        match (state, support) {
            (ProposalState::Queued, Support::Nea) => Err(GovernanceRefusal::ObjectionsOver {
                id,
                timestamp: now.to_word(),
                objections_until: deadlines.objections_until.to_word(),
            }),
            (state, _) => Err(GovernanceRefusal::NotActive { id, state }),
        }
    }

    /// The power of `holder` at the snapshot of `proposal`, minus the power that it cast, whether or not
    /// ballots are taken. Before the snapshot it uses the power as it is now.
    pub fn castable(&self, proposal: &Proposal, holder: Address) -> Amount {
        let power = self.power.of_at(holder, proposal.deadlines().pending);
        proposal.ballot(holder).left_of(power)
    }

    /// Checks that the contract can store `time`. It stores seconds since its construction in 32 bits, and
    /// refuses times after 136 years.
    fn require_storable(&self, time: Timestamp) -> Result<(), TooLarge> {
        let age = time.since(self.genesis).unwrap_or_default().to_word();
        let max = U256::from(u32::MAX);
        if age > max { Err(TooLarge { value: age, max }) } else { Ok(()) }
    }
}

/// The number of the next proposal or withdrawal when there are `count` of them. The contract counts both
/// in 32 bits.
fn next_number(count: usize) -> Result<u64, TooLarge> {
    let (value, max) = (U256::from(count) + U256::ONE, U256::from(u32::MAX));
    if value > max { Err(TooLarge { value, max }) } else { Ok(count as u64) }
}

fn require_past(time: Timestamp, now: Timestamp) -> Result<(), GovernanceRefusal> {
    if time <= now {
        return Ok(());
    }
    Err(GovernanceRefusal::InFuture { timestamp: time.to_word(), present: now.to_word() })
}

fn entry<T>(list: &[T], id: U256) -> Option<&T> {
    list.get(usize::try_from(id).ok()?)
}

fn count<T>(list: &[T]) -> U256 {
    U256::from(list.len())
}

/// The outcome of a call.
pub(crate) fn decide(
    frame: CallFrame<'_>,
    governance: &Governance,
    call: &GovernanceCall,
) -> Decision {
    match call {
        GovernanceCall::Deposit { on_behalf_of, amount } => {
            locking::deposit(frame, governance, *on_behalf_of, *amount)
        }
        GovernanceCall::DepositWithPermit { on_behalf_of, amount, deadline, v, r, s } => {
            locking::deposit_with_permit(
                frame,
                governance,
                *on_behalf_of,
                *amount,
                *deadline,
                (*v, *r, *s),
            )
        }
        GovernanceCall::InitiateWithdraw { to, amount } => {
            locking::initiate_withdraw(frame, governance, *to, *amount)
        }
        GovernanceCall::FinaliseWithdraw { id } => {
            locking::finalize_withdraw(frame, governance, *id)
        }
        GovernanceCall::Propose { payload } => propose(frame, governance, *payload),
        GovernanceCall::ProposeWithLock { payload, to } => {
            proposing::propose_with_lock(frame, governance, *payload, *to)
        }
        GovernanceCall::Vote { id, amount, support } => {
            voting::vote(frame, governance, *id, *amount, *support)
        }
        GovernanceCall::VoteWithSig {
            proposal_id: id,
            amount,
            support,
            voter,
            deadline,
            signature,
        } => voting::vote_with_sig(
            frame,
            governance,
            *id,
            *amount,
            *support,
            *voter,
            (*deadline, signature),
        ),
        GovernanceCall::InvalidateBallots { id } => {
            voting::invalidate_ballots(frame, governance, *id)
        }
        GovernanceCall::Execute { id } => executing::execute(frame, governance, *id),
        GovernanceCall::ExecuteWith { id, actions } => {
            executing::execute_with(frame, governance, *id, actions)
        }
        GovernanceCall::DropProposal { id } => executing::drop_proposal(frame, governance, *id),
        GovernanceCall::UpdateConfiguration { configuration } => {
            proposing::update_configuration(frame, governance, configuration)
        }
        GovernanceCall::UpdateGovernanceProposer { new_governance_proposer } => {
            proposing::update_governance_proposer(frame, governance, *new_governance_proposer)
        }
        GovernanceCall::AcceptOwnership { target } => {
            frame.require_code(*target)?;
            overlay::perform(frame.calling(*target), &OwnershipCall::AcceptOwnership.abi_encode())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposals_and_withdrawals_are_counted_in_32_bits() {
        let last = u32::MAX as usize - 1;
        assert_eq!(next_number(0), Ok(0));
        assert_eq!(next_number(last), Ok(ProposalId::MAX.get()));
        assert_eq!(next_number(last), Ok(WithdrawalId::MAX.get()));
        let [value, max] = [1_u64 << 32, (1 << 32) - 1].map(U256::from);
        assert_eq!(next_number(last + 1), Err(TooLarge { value, max }));
    }
}
