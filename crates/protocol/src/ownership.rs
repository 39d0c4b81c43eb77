//! Ownership that is transferred in two steps and can't be renounced: of Asset, Issuer, Registry,
//! RewardDistributor and Rollup.
//!
//! It is OpenZeppelin's `Ownable2Step`, except that `renounceOwnership` is refused.

use crate::{
    abi::{abi_enum, abi_events},
    refusal::{CommonRefusal, Refusal},
};
use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

/// The owner of a contract, and the account that may take it over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    owner: Address,
    pending: Address,
}

abi_enum! {
    /// Calls of every contract with an owner.
    pub enum OwnershipCall {
        /// Offers the contract to `new_owner`; 0 withdraws an offer. Only the owner.
        TransferOwnership { new_owner: Address } = "transferOwnership",
        /// Accepts the contract that was offered to the caller.
        AcceptOwnership = "acceptOwnership",
        /// Always refused.
        RenounceOwnership = "renounceOwnership",
    }
}

abi_events! {
    /// Events of every contract with an owner.
    pub enum OwnershipEvent {
        /// The contract was offered to `new_owner`.
        TransferStarted [previous_owner: Address, new_owner: Address] {} = "OwnershipTransferStarted",
        /// The contract belongs to `new_owner` now. `previous_owner` is 0 at the construction.
        Transferred [previous_owner: Address, new_owner: Address] {} = "OwnershipTransferred",
    }
}

abi_enum! {
    /// Refusals of every contract with an owner (OpenZeppelin's `Ownable`).
    #[derive(thiserror::Error)]
    pub enum OwnershipRefusal {
        /// `account` is not the owner, or nothing was offered to it.
        #[error("{account} is not the owner")]
        UnauthorizedAccount { account: Address } = "OwnableUnauthorizedAccount",
        /// The constructor was called with the zero address as the owner.
        #[error("{owner} cannot own")]
        InvalidOwner { owner: Address } = "OwnableInvalidOwner",
    }
}

impl Ownership {
    /// The ownership after the construction.
    pub(crate) const fn first(owner: Address) -> Self {
        Self { owner, pending: Address::ZERO }
    }

    /// The owner.
    pub const fn owner(&self) -> Address {
        self.owner
    }

    /// The account that the contract is offered to, or 0.
    pub const fn pending_owner(&self) -> Address {
        self.pending
    }

    /// Refuses all callers except the owner.
    pub(crate) fn require_owner(&self, caller: Address) -> Result<(), OwnershipRefusal> {
        if caller == self.owner {
            Ok(())
        } else {
            Err(OwnershipRefusal::UnauthorizedAccount { account: caller })
        }
    }

    pub(crate) fn decide(
        &self,
        call: &OwnershipCall,
        caller: Address,
    ) -> Result<OwnershipEvent, Refusal> {
        match call {
            OwnershipCall::TransferOwnership { new_owner } => {
                self.require_owner(caller)?;
                Ok(OwnershipEvent::TransferStarted {
                    previous_owner: self.owner,
                    new_owner: *new_owner,
                })
            }
            OwnershipCall::AcceptOwnership if caller != self.pending => {
                Err(OwnershipRefusal::UnauthorizedAccount { account: caller }.into())
            }
            OwnershipCall::AcceptOwnership => {
                Ok(OwnershipEvent::Transferred { previous_owner: self.owner, new_owner: caller })
            }
            OwnershipCall::RenounceOwnership => {
                Err(CommonRefusal::OwnershipCannotBeRenounced.into())
            }
        }
    }

    pub(crate) const fn evolve(&mut self, event: &OwnershipEvent) {
        match event {
            OwnershipEvent::TransferStarted { new_owner, .. } => self.pending = *new_owner,
            OwnershipEvent::Transferred { new_owner, .. } => {
                *self = Self::first(*new_owner);
            }
        }
    }

    /// The first event of the constructor of an owned contract.
    pub(crate) fn construct(owner: Address) -> Result<OwnershipEvent, OwnershipRefusal> {
        if owner.is_zero() {
            return Err(OwnershipRefusal::InvalidOwner { owner });
        }
        Ok(OwnershipEvent::Transferred { previous_owner: Address::ZERO, new_owner: owner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Address = Address::with_last_byte(1);
    const BOB: Address = Address::with_last_byte(2);

    fn owned_by(owner: Address) -> Ownership {
        let mut ownership = Ownership::default();
        ownership.evolve(&Ownership::construct(owner).unwrap());
        ownership
    }

    #[test]
    fn it_takes_two_to_hand_over() {
        let mut ownership = owned_by(ALICE);
        let offer = OwnershipCall::TransferOwnership { new_owner: BOB };
        let unauthorized =
            |account| Err(Refusal::from(OwnershipRefusal::UnauthorizedAccount { account }));

        assert_eq!(ownership.decide(&offer, BOB), unauthorized(BOB));
        ownership.evolve(&ownership.decide(&offer, ALICE).unwrap());
        assert_eq!((ownership.owner(), ownership.pending_owner()), (ALICE, BOB));

        let accept = OwnershipCall::AcceptOwnership;
        assert_eq!(ownership.decide(&accept, ALICE), unauthorized(ALICE));
        ownership.evolve(&ownership.decide(&accept, BOB).unwrap());
        assert_eq!((ownership.owner(), ownership.pending_owner()), (BOB, Address::ZERO));
        assert_eq!(ownership.decide(&accept, BOB), unauthorized(BOB));
    }

    #[test]
    fn nobody_can_be_left_without_an_owner() {
        assert_eq!(
            owned_by(ALICE).decide(&OwnershipCall::RenounceOwnership, ALICE),
            Err(CommonRefusal::OwnershipCannotBeRenounced.into())
        );
        assert_eq!(
            Ownership::construct(Address::ZERO),
            Err(OwnershipRefusal::InvalidOwner { owner: Address::ZERO })
        );
    }
}
