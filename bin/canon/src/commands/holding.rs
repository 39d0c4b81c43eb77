//! The amounts of orders to lock and to unlock.

use alloy_primitives::Address;
use canon_protocol::{Amount, text::Tokens};
use canon_views::OrderAmount;
use eyre::eyre;

use crate::{exit::Failure, page};

/// What an order takes from a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// Tokens, which are locked.
    Tokens,
    /// Power, which is given up.
    Power,
}

impl Holding {
    /// The amount of an order by a holder who has `available`.
    ///
    /// # Errors
    ///
    /// If the holder has nothing, or less than the order takes.
    pub(super) fn ordered(
        self,
        holder: Address,
        available: Amount,
        wanted: OrderAmount,
    ) -> Result<Amount, Failure> {
        let (noun, verb) = match self {
            Self::Tokens => ("tokens", "lock"),
            Self::Power => ("power", "give up"),
        };
        let report = match wanted {
            OrderAmount::All if available.is_zero() => eyre!("{holder} has no {noun} to {verb}"),
            OrderAmount::Exactly(amount) if amount > available => {
                let has = match self {
                    Self::Tokens => page::tokens(available),
                    Self::Power => format!("{} power", Tokens(available)),
                };
                let missing = Tokens(amount.saturating_sub(available));
                eyre!("{holder} has {has}, {missing} less than the {} to {verb}", Tokens(amount))
            }
            OrderAmount::All => return Ok(available),
            OrderAmount::Exactly(amount) => return Ok(amount),
        };
        Err(Failure::refused(report, "`canon power` shows what an account has and has locked"))
    }
}
