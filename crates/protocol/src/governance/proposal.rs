//! A proposal and the ballots cast on it.

use super::{Deadlines, ProposalState, Support, Tally, configuration::Configuration};
use crate::{
    apply_error::{Applied, ApplyError, Holding},
    call_frame::L1Block,
    external::Action,
    signature::Ballot,
    stored::{Restored, require, sorted, stored},
    units::{Amount, ConfigurationId, Nonce, ProposalId, Timestamp},
};
use alloy_primitives::{Address, B256, U256, map::AddressMap};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The origin of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Proposed through the lock. It isn't dropped when Proposals is replaced.
    Lock,
    /// Pushed by a Proposals contract.
    Pushed {
        /// That contract.
        by: Address,
        /// Its term: the number of Proposals contracts before it. A contract that was replaced and put back
        /// has a new term.
        term: u64,
    },
}

/// The end of a proposal, if `execute` or `dropProposal` stored one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// No end is stored.
    #[default]
    Open,
    /// Executed.
    Executed,
    /// Dropped.
    Dropped,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Proposal {
    pub(super) payload: Address,
    pub(super) origin: Origin,
    pub(super) creation: Timestamp,
    pub(super) configuration_id: ConfigurationId,
    pub(super) configuration: Configuration,
    pub(super) actions_hash: B256,
    pub(super) actions: Arc<[Action]>,
    pub(super) ending: Ending,
    /// The block of its execution. The contract only stores that it was executed.
    pub(super) execution: Option<L1Block>,
    /// The sum of the ballots.
    #[serde(skip)]
    pub(super) tally: Tally,
    #[serde(with = "sorted")]
    pub(super) ballots: AddressMap<Tally>,
    /// The next nonces of the holders that signed ballots on it or invalidated them.
    #[serde(with = "sorted")]
    pub(super) nonces: AddressMap<Nonce>,
}

stored!(Proposal);

impl Proposal {
    fn restore(&mut self) -> Restored {
        let tally = self.ballots.values().try_fold(Tally::default(), |sum, ballot| {
            let sum = sum.checked_add(Support::Yea, ballot.yea)?;
            sum.checked_add(Support::Nea, ballot.nea)
        });
        self.tally = tally.ok_or("the ballots on a proposal exceed 96 bits")?;
        let is_executed = self.ending == Ending::Executed;
        require(self.execution.is_some() == is_executed, || {
            "a proposal has a block of execution exactly if it was executed".to_owned()
        })
    }

    /// The contract that lists its actions.
    pub const fn payload(&self) -> Address {
        self.payload
    }

    /// Its origin.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The time of its creation.
    pub const fn creation(&self) -> Timestamp {
        self.creation
    }

    /// The number of the configuration frozen for it.
    pub const fn configuration_id(&self) -> ConfigurationId {
        self.configuration_id
    }

    /// The configuration frozen for it.
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The last seconds of its states.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines::new(self.creation, &self.configuration)
    }

    /// `keccak256(abi.encode(actions))`.
    pub const fn actions_hash(&self) -> B256 {
        self.actions_hash
    }

    /// Its actions, as published at its creation. Clones share the list.
    pub const fn actions(&self) -> &Arc<[Action]> {
        &self.actions
    }

    /// Its end, if one is stored.
    pub const fn ending(&self) -> Ending {
        self.ending
    }

    /// The block in which it was executed, if it was.
    pub const fn execution(&self) -> Option<L1Block> {
        self.execution
    }

    /// The sums of its ballots.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The ballots of `holder` on it.
    pub fn ballot(&self, holder: Address) -> Tally {
        self.ballots.get(&holder).copied().unwrap_or_default()
    }

    /// All ballots, in no order.
    pub fn ballots(&self) -> impl Iterator<Item = (Address, Tally)> {
        self.ballots.iter().map(|(holder, ballot)| (*holder, *ballot))
    }

    /// The nonce for `holder`'s next signed ballot on it.
    pub fn ballot_nonce(&self, holder: Address) -> Nonce {
        self.nonces.get(&holder).copied().unwrap_or_default()
    }

    /// All holders whose next nonce isn't 0, with that nonce, in no order.
    pub fn ballot_nonces(&self) -> impl Iterator<Item = (Address, Nonce)> {
        self.nonces.iter().map(|(holder, nonce)| (*holder, *nonce))
    }

    /// The message that `voter` signs to cast `amount` on this proposal, which has number `id`, up to
    /// `deadline`, a Unix timestamp in seconds. It contains the nonce for the voter's next signed ballot.
    pub fn ballot_message(
        &self,
        id: ProposalId,
        voter: Address,
        amount: U256,
        support: Support,
        deadline: U256,
    ) -> Ballot {
        Ballot {
            proposalId: id.to_word(),
            actionsHash: self.actions_hash,
            amount,
            support: support == Support::Yea,
            voter,
            nonce: self.ballot_nonce(voter).to_word(),
            deadline,
        }
    }

    /// The state at `now` if `present_term` is the term of the present Proposals contract. `accepted` is
    /// called only after the vote.
    pub(super) fn state_at(
        &self,
        now: Timestamp,
        present_term: u64,
        accepted: impl FnOnce() -> bool,
    ) -> ProposalState {
        match (self.ending, self.origin) {
            (Ending::Executed, _) => ProposalState::Executed,
            (Ending::Dropped, _) => ProposalState::Dropped,
            // The Proposals contract that pushed it was replaced.
            (Ending::Open, Origin::Pushed { term, .. }) if term != present_term => {
                ProposalState::Dropped
            }
            (Ending::Open, _) => self.deadlines().state_at(now, accepted),
        }
    }

    /// Casts `amount` of `voter` on this proposal, which has number `id`.
    pub(super) fn cast(
        &mut self,
        id: ProposalId,
        voter: Address,
        support: Support,
        amount: Amount,
    ) -> Applied {
        // No ballot exceeds the tally, so it fits if the tally does.
        let tally = self.tally.checked_add(support, amount);
        let ballot = self.ballot(voter).checked_add(support, amount);
        let (Some(tally), Some(ballot)) = (tally, ballot) else {
            let present = self.tally.of(support);
            return Err(ApplyError::Overflow {
                holding: Holding::Tally(id),
                present,
                added: amount,
            });
        };
        self.tally = tally;
        self.ballots.insert(voter, ballot);
        Ok(())
    }
}
