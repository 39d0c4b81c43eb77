//! The result of a vote.
//!
//! `T` is the total power at the last second of Pending, and `cast = yea + nea`. Divisions are rounded up.
//! The first row that applies decides:
//!
//! | in this order | result |
//! |---|---|
//! | `T < minimumVotes` | rejected: [`Tabulation::TooLittlePower`] |
//! | `cast < ceil(T · quorum / 10^18)` | rejected: [`Tabulation::QuorumMissed`] |
//! | `yea = cast` | [`Tabulation::Accepted`] |
//! | `yea > ceil(cast · ceil((10^18 + voteDifferential) / 2) / 10^18)` | [`Tabulation::Accepted`] |
//! | otherwise | rejected: [`Tabulation::Outvoted`] |

use super::configuration::Configuration;
use crate::{
    abi::Abi,
    units::{Amount, Fraction},
};
use alloy_sol_types::sol_data;
use serde::{Deserialize, Serialize};

/// Power for and against a proposal: of all holders, or of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tally {
    /// The power for the proposal.
    pub yea: Amount,
    /// The power against the proposal.
    pub nea: Amount,
}

/// The side a ballot takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Support {
    /// A ballot for the proposal.
    Yea,
    /// A ballot against the proposal.
    Nea,
}

/// `bool support` of the contract: true is [`Support::Yea`].
impl Abi for Support {
    type Sol = sol_data::Bool;

    fn to_sol(&self) -> bool {
        matches!(self, Self::Yea)
    }

    fn from_sol(support: bool) -> Option<Self> {
        Some(if support { Self::Yea } else { Self::Nea })
    }
}

impl Tally {
    /// The power cast, or `None` if it doesn't fit 96 bits. Total power always does.
    pub const fn cast(&self) -> Option<Amount> {
        self.yea.checked_add(self.nea)
    }

    /// `power` minus the power cast, or 0.
    pub fn left_of(&self, power: Amount) -> Amount {
        power.saturating_sub(self.cast().unwrap_or(Amount::MAX))
    }

    /// The power cast on the side of `support`.
    pub const fn of(self, support: Support) -> Amount {
        match support {
            Support::Yea => self.yea,
            Support::Nea => self.nea,
        }
    }

    /// The tally with `amount` added on the side of `support`, or `None` if it doesn't fit 96 bits.
    pub fn checked_add(self, support: Support, amount: Amount) -> Option<Self> {
        Some(match support {
            Support::Yea => Self { yea: self.yea.checked_add(amount)?, ..self },
            Support::Nea => Self { nea: self.nea.checked_add(amount)?, ..self },
        })
    }
}

/// The result of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tabulation {
    /// The proposal is accepted.
    Accepted,
    /// The total power was too small.
    TooLittlePower {
        /// The total power.
        total: Amount,
        /// `minimumVotes`.
        needed: Amount,
    },
    /// Too little power was cast.
    QuorumMissed {
        /// The power cast.
        cast: Amount,
        /// The least power that had to be cast.
        needed: Amount,
    },
    /// Too little power was cast for the proposal.
    Outvoted {
        /// Power for.
        yea: Amount,
        /// The limit that it had to exceed.
        limit: Amount,
    },
}

impl Tabulation {
    /// Whether the proposal is accepted.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted)
    }
}

/// The result of a vote if `tally` was cast and `total` was the total power at the last second of Pending.
pub fn tabulate(configuration: &Configuration, total: Amount, tally: Tally) -> Tabulation {
    if total < configuration.minimum_votes {
        return Tabulation::TooLittlePower { total, needed: configuration.minimum_votes };
    }
    let cast = tally.cast().unwrap_or(Amount::MAX);
    let needed = votes_needed(total, configuration.quorum);
    if cast < needed {
        return Tabulation::QuorumMissed { cast, needed };
    }
    let limit = yea_limit(cast, configuration.vote_differential);
    if tally.yea == cast || tally.yea > limit {
        Tabulation::Accepted
    } else {
        Tabulation::Outvoted { yea: tally.yea, limit }
    }
}

/// The least power that must be cast: `ceil(total · quorum / 10^18)`.
pub fn votes_needed(total: Amount, quorum: Fraction) -> Amount {
    scale_up(total, quorum)
}

/// The power that the yeas must exceed, unless they are all that was cast: `ceil(cast · ceil((10^18 +
/// differential) / 2) / 10^18)`.
pub fn yea_limit(cast: Amount, differential: Fraction) -> Amount {
    let half = Fraction::of((Fraction::ONE.get() + differential.get()).div_ceil(2));
    scale_up(cast, half)
}

/// `ceil(amount · fraction / 10^18)`: never more than `amount`, so it fits.
fn scale_up(amount: Amount, fraction: Fraction) -> Amount {
    let product = amount.to_word() * fraction.to_word();
    Amount::try_from(product.div_ceil(Fraction::ONE.to_word())).unwrap_or(Amount::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns: total, minimum, quorum and differential (in parts of 10^18), yea, nea, accepted.
    const VECTORS: [(u128, u128, u64, u64, u128, u128, bool); 14] = [
        (10, 1, 10, 0, 1, 0, true),
        (10, 1, 10, 0, 1, 1, false),
        (10, 1, 10, 0, 2, 1, false),
        (10, 1, 10, 0, 3, 1, true),
        (11, 1, 10, 0, 1, 0, false),
        (100, 1, 10, 4, 52, 48, false),
        (100, 1, 10, 4, 53, 47, true),
        (1000 * E, 1000 * E, 10, 4, 52 * E + 1, 48 * E - 1, true),
        (1000 * E - 1, 1000 * E, 10, 4, 52 * E + 1, 48 * E - 1, false),
        (100, 1, 100, 100, 99, 1, false),
        (100, 1, 100, 100, 100, 0, true),
        (100, 1, 33, 33, 67, 33, false),
        (1000, 1, 20, 33, 665, 335, false),
        (1000, 1, 20, 33, 666, 334, true),
    ];
    const E: u128 = Amount::TOKEN.get();

    #[test]
    fn vectors() {
        for (total, minimum, quorum, differential, yea, nea, accepted) in VECTORS {
            let configuration = Configuration {
                quorum: Fraction::percent(quorum),
                vote_differential: Fraction::percent(differential),
                minimum_votes: Amount::of(minimum),
                ..Configuration::default()
            };
            let tally = Tally { yea: Amount::of(yea), nea: Amount::of(nea) };
            let result = tabulate(&configuration, Amount::of(total), tally);
            assert_eq!(result.is_accepted(), accepted, "{yea} to {nea} of {total}: {result:?}");
        }
    }

    #[test]
    fn reasons_say_what_was_missing() {
        let configuration = Configuration {
            quorum: Fraction::percent(10),
            vote_differential: Fraction::percent(4),
            minimum_votes: Amount::of(100),
            ..Configuration::default()
        };
        let tabulate = |total, yea, nea| {
            let tally = Tally { yea: Amount::of(yea), nea: Amount::of(nea) };
            tabulate(&configuration, Amount::of(total), tally)
        };
        let amount = Amount::of;
        assert_eq!(
            tabulate(99, 99, 0),
            Tabulation::TooLittlePower { total: amount(99), needed: amount(100) }
        );
        assert_eq!(
            tabulate(101, 10, 0),
            Tabulation::QuorumMissed { cast: amount(10), needed: amount(11) }
        );
        assert_eq!(
            tabulate(100, 52, 48),
            Tabulation::Outvoted { yea: amount(52), limit: amount(52) }
        );
    }

    #[test]
    fn the_largest_amounts_fit() {
        assert_eq!(votes_needed(Amount::MAX, Fraction::ONE), Amount::MAX);
        assert_eq!(yea_limit(Amount::MAX, Fraction::ONE), Amount::MAX);
        assert_eq!(votes_needed(Amount::ZERO, Fraction::ONE), Amount::ZERO);
    }
}
