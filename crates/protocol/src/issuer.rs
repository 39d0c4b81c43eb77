//! Issuer: mints the Asset at a bounded rate.
//!
//! A mint is limited to `RATE` times the seconds since the last mint, of which at most a year counts. The
//! part of this allowance that a mint doesn't use is lost.

use crate::{
    abi::{abi_enum, abi_events},
    apply_error::Applied,
    asset,
    call_frame::{CallFrame, Decision, L1Block},
    ownership::OwnershipCall,
    refusal::Refusal,
    units::{Amount, Seconds, Timestamp},
};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// State of the Issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    rate: Amount,
    last_mint: Timestamp,
}

abi_enum! {
    /// Calls of the Issuer.
    pub enum IssuerCall {
        /// Mints `amount` to `to`. Only the owner (Governance).
        Mint { to: Address, amount: U256 } = "mint",
        /// Accepts the ownership of the Asset, which was offered to the Issuer. Anyone.
        AcceptAsset = "acceptAsset",
    }
}

abi_events! {
    /// Events of the Issuer.
    pub enum IssuerEvent {
        /// The constructor's arguments; `rate` in base units per second.
        Deployed [asset: Address] { rate: Amount } = "IssuerDeployed",
        /// `amount` was minted to `to`. The rest of the allowance is lost.
        Minted [to: Address] { amount: Amount } = "Minted",
    }
}

abi_enum! {
    /// Refusals of the Issuer.
    #[derive(thiserror::Error)]
    pub enum IssuerRefusal {
        /// The amount is 0. Such a mint would only forfeit the allowance.
        #[error("nothing to mint")]
        ZeroAmount = "Issuer__ZeroAmount",
        /// The amount is above the allowance since the last mint.
        #[error("{available} may be minted, not {amount}")]
        InsufficientMintAvailable { available: U256, amount: U256 } =
            "Issuer__InsufficientMintAvailable",
    }
}

impl Issuer {
    /// The longest time over which an unused allowance accrues.
    pub const ACCRUAL_LIMIT: Seconds = Seconds::of(365 * Seconds::DAY.get());

    /// The rate, in base units per second.
    pub const fn rate(&self) -> Amount {
        self.rate
    }

    /// The time of the last mint, or of the construction before the first mint.
    pub const fn time_of_last_mint(&self) -> Timestamp {
        self.last_mint
    }

    /// The amount that may be minted at `now`. May exceed 2^96.
    pub fn mint_available(&self, now: Timestamp) -> U256 {
        let age = now.since(self.last_mint).unwrap_or_default();
        self.rate.to_word() * age.min(Self::ACCRUAL_LIMIT).to_word()
    }

    pub(crate) const fn evolve(&mut self, event: &IssuerEvent, block: L1Block) -> Applied {
        if let IssuerEvent::Deployed { rate, .. } = event {
            self.rate = *rate;
        }
        self.last_mint = block.timestamp;
        Ok(())
    }
}

pub(crate) fn decide(frame: CallFrame<'_>, call: &IssuerCall) -> Decision {
    let asset = frame.calling(frame.set.addresses().asset);
    match call {
        IssuerCall::Mint { to, amount } => {
            frame.require_owner()?;
            let minted = allowed(frame, *amount)?;
            let mut logs = vec![frame.log(IssuerEvent::Minted { to: *to, amount: minted })];
            asset.require_owner()?;
            logs.extend(asset::mint(asset, *to, *amount)?);
            Ok(logs)
        }
        IssuerCall::AcceptAsset => {
            let event = asset.ownership().decide(&OwnershipCall::AcceptOwnership, frame.this)?;
            Ok(vec![asset.log(event)])
        }
    }
}

/// Returns `amount` if it may be minted now. Above 96 bits it returns the largest amount; the Asset refuses
/// that mint.
fn allowed(frame: CallFrame<'_>, amount: U256) -> Result<Amount, Refusal> {
    if amount.is_zero() {
        return Err(IssuerRefusal::ZeroAmount.into());
    }
    let available = frame.set.issuer.mint_available(frame.now());
    if amount > available {
        return Err(IssuerRefusal::InsufficientMintAvailable { available, amount }.into());
    }
    Ok(Amount::try_from(amount).unwrap_or(Amount::MAX))
}
