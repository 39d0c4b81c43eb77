//! The rules that a proposal is frozen with.

use crate::units::{Amount, Fraction, Seconds};
use serde::{Deserialize, Serialize};

/// The emergency path past the sequencers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposeConfiguration {
    /// How long the lock's amount is withheld, at least.
    pub lock_delay: Seconds,
    /// Power that a proposal through the lock gives up.
    pub lock_amount: Amount,
}

/// The configuration of Governance; each proposal keeps the one it was created under.
///
/// Deserialising checks only the ranges of the types: whether Governance would accept the values,
/// [`Configuration::check`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The emergency path.
    pub propose_config: ProposeConfiguration,
    /// From creation to the first second in which ballots are taken, less one.
    pub voting_delay: Seconds,
    /// How long ballots are taken.
    pub voting_duration: Seconds,
    /// From the last ballot to execution.
    pub execution_delay: Seconds,
    /// How long an accepted proposal can be executed.
    pub grace_period: Seconds,
    /// Fraction of all power that must be cast.
    pub quorum: Fraction,
    /// Fraction of the cast power by which yea must exceed nea.
    pub vote_differential: Fraction,
    /// Total power below which nothing passes.
    pub minimum_votes: Amount,
}
