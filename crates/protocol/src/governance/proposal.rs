//! A proposal and the ballots cast on it.

use super::{Course, Deadlines, Support, Tally, configuration::Configuration};
use crate::{
    outside::Action,
    refusal::{Applied, ApplyError},
    units::{Amount, ConfigurationId, Nonce, Timestamp},
};
use alloy::primitives::{Address, B256, map::AddressMap};
use serde::{Deserialize, Serialize};

/// How a proposal came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Through the lock. It isn't dropped when Proposals is replaced.
    Lock,
    /// Pushed by a Proposals contract.
    Pushed {
        /// That contract.
        by: Address,
        /// Its term: the number of Proposals contracts before it. A contract that was replaced and put
        /// back has another term.
        term: u64,
    },
}

/// How a proposal ended, as far as that is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It didn't, or nobody has stored it.
    #[default]
    Open,
    /// Executed.
    Executed,
    /// Dropped.
    Dropped,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub(super) payload: Address,
    pub(super) origin: Origin,
    pub(super) creation: Timestamp,
    pub(super) configuration_id: ConfigurationId,
    pub(super) configuration: Configuration,
    pub(super) actions_hash: B256,
    pub(super) actions: Vec<Action>,
    pub(super) ending: Ending,
    pub(super) tally: Tally,
    pub(super) ballots: AddressMap<Tally>,
    /// The next nonces of those who signed ballots on it or voided them.
    pub(super) nonces: AddressMap<Nonce>,
}

impl Proposal {
    /// The contract that lists its actions.
    pub const fn payload(&self) -> Address {
        self.payload
    }

    /// How it came about.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// When it was created.
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

    /// When each of its states ends.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines::new(self.creation, &self.configuration)
    }

    /// `keccak256(abi.encode(actions))`.
    pub const fn actions_hash(&self) -> B256 {
        self.actions_hash
    }

    /// What it does if it is executed, as published at its creation.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// How it ended, as far as that is stored.
    pub const fn ending(&self) -> Ending {
        self.ending
    }

    /// The sums of its ballots.
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// What `holder` cast on it.
    pub fn ballot(&self, holder: Address) -> Tally {
        self.ballots.get(&holder).copied().unwrap_or_default()
    }

    /// All ballots, in no order.
    pub fn ballots(&self) -> impl Iterator<Item = (Address, Tally)> {
        self.ballots.iter().map(|(holder, ballot)| (*holder, *ballot))
    }

    /// The nonce that `holder`'s next signed ballot on it must carry.
    pub fn ballot_nonce(&self, holder: Address) -> Nonce {
        self.nonces.get(&holder).copied().unwrap_or_default()
    }

    /// What time can still change about it, in the present term.
    pub(super) const fn course(&self, present_term: u64) -> Course {
        match (self.ending, self.origin) {
            (Ending::Executed, _) => Course::Executed,
            (Ending::Dropped, _) => Course::Dropped,
            (Ending::Open, Origin::Pushed { term, .. }) if term != present_term => Course::Replaced,
            (Ending::Open, _) => Course::Running,
        }
    }

    pub(super) fn cast(&mut self, voter: Address, support: Support, amount: Amount) -> Applied {
        self.tally = self.tally.checked_add(support, amount).ok_or(ApplyError::Amount)?;
        let ballot = self.ballots.entry(voter).or_default();
        *ballot = ballot.checked_add(support, amount).ok_or(ApplyError::Amount)?;
        Ok(())
    }
}
