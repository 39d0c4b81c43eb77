//! Asset: the parts of the ERC-20 token that the set depends on. Holders lock it and stakers stake it.
//!
//! It is an ERC-20 token with ERC-2612 permits and a supply below 2^96. Every change of an allowance is an
//! event, also when `transferFrom` lowers it.

use crate::{
    abi::{abi_enum, abi_events},
    apply_error::{Applied, ApplyError, Holding},
    call_frame::{CallFrame, Decision},
    signature::{self, Unrecoverable},
    stored::{Restored, require, sorted, stored},
    units::{Amount, Nonce},
};
use alloy_primitives::{
    Address, B256, U256,
    map::{AddressMap, HashMap},
};
use serde::{Deserialize, Serialize};

/// State of the Asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Asset {
    name: String,
    symbol: String,
    /// The sum of all balances.
    #[serde(skip)]
    total_supply: Amount,
    #[serde(with = "sorted")]
    balances: AddressMap<Amount>,
    /// The allowances that aren't 0, by owner and spender.
    #[serde(with = "sorted")]
    allowances: HashMap<(Address, Address), U256>,
    #[serde(with = "sorted")]
    nonces: AddressMap<Nonce>,
}

stored!(Asset);

abi_enum! {
    /// Calls of the Asset.
    pub enum AssetCall {
        /// Transfers `amount` of the caller's to `to`.
        Transfer { to: Address, amount: U256 } = "transfer",
        /// Sets the caller's allowance for `spender` to `amount`.
        Approve { spender: Address, amount: U256 } = "approve",
        /// Transfers `amount` from `from` to `to`, within the caller's allowance.
        TransferFrom { from: Address, to: Address, amount: U256 } = "transferFrom",
        /// Sets `owner`'s allowance for `spender` to `value`, with `owner`'s signature
        /// ([ERC-2612](https://eips.ethereum.org/EIPS/eip-2612)). Anyone, up to `deadline`.
        Permit {
            owner: Address,
            spender: Address,
            value: U256,
            deadline: U256,
            v: u8,
            r: B256,
            s: B256,
        } = "permit",
        /// Creates `amount` for `to`. Only the owner (the Issuer).
        Mint { to: Address, amount: U256 } = "mint",
    }
}

abi_events! {
    /// Events of the Asset.
    pub enum AssetEvent {
        /// The constructor's arguments. The initial holder is in the first `Transfer`.
        Deployed [] { name: String, symbol: String, initial_supply: Amount } = "AssetDeployed",
        /// `owner` used permit nonce `nonce`.
        PermitUsed [owner: Address] { nonce: Nonce } = "PermitUsed",
        /// `amount` was transferred from `from` (0 for a mint) to `to`.
        Transfer [from: Address, to: Address] { amount: Amount } = "Transfer",
        /// `owner`'s allowance for `spender` is `amount`.
        Approval [owner: Address, spender: Address] { amount: U256 } = "Approval",
    }
}

abi_enum! {
    /// Refusals of the Asset: its own, and those of ERC-6093, ERC-2612 and OpenZeppelin's `ECDSA`.
    #[derive(thiserror::Error)]
    pub enum AssetRefusal {
        /// Minting `amount` would raise the total supply above `max`.
        #[error("{amount} more than {total_supply} exceeds the supply of {max}")]
        SupplyExceeded { total_supply: U256, amount: U256, max: U256 } = "Asset__SupplyExceeded",
        /// `sender` has less than the amount to transfer.
        #[error("{sender} has {balance}, not {needed}")]
        InsufficientBalance { sender: Address, balance: U256, needed: U256 } =
            "ERC20InsufficientBalance",
        /// The allowance of `spender` is less than the amount to transfer.
        #[error("{spender} may take {allowance}, not {needed}")]
        InsufficientAllowance { spender: Address, allowance: U256, needed: U256 } =
            "ERC20InsufficientAllowance",
        /// `sender` can't send. Part of ERC-6093, but never returned.
        #[error("{sender} cannot send")]
        InvalidSender { sender: Address } = "ERC20InvalidSender",
        /// `receiver` is the zero address.
        #[error("{receiver} cannot receive")]
        InvalidReceiver { receiver: Address } = "ERC20InvalidReceiver",
        /// `approver` can't approve. Part of ERC-6093, but never returned.
        #[error("{approver} cannot approve")]
        InvalidApprover { approver: Address } = "ERC20InvalidApprover",
        /// `spender` is the zero address.
        #[error("{spender} cannot spend")]
        InvalidSpender { spender: Address } = "ERC20InvalidSpender",
        /// The permit expired: it could be used until `deadline`.
        #[error("the permit expired at {deadline}")]
        PermitExpired { deadline: U256 } = "ERC2612ExpiredSignature",
        /// The signature recovers `signer` instead of `owner`: another account signed it, or other values
        /// or another nonce were signed.
        #[error("signed by {signer}, not by {owner}")]
        InvalidSigner { signer: Address, owner: Address } = "ERC2612InvalidSigner",
        /// The signature recovers no address.
        #[error("the signature recovers no address")]
        InvalidSignature = "ECDSAInvalidSignature",
        /// `s` is in the upper half of the group's order.
        #[error("{s} is in the upper half")]
        InvalidSignatureS { s: B256 } = "ECDSAInvalidSignatureS",
    }
}

impl Asset {
    /// The sum of all balances.
    pub const fn total_supply(&self) -> Amount {
        self.total_supply
    }

    /// The balance of `account`.
    pub fn balance_of(&self, account: Address) -> Amount {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    /// The allowance of `spender` for the asset of `owner`. An allowance of 2^256 − 1 isn't reduced by
    /// transfers.
    pub fn allowance(&self, owner: Address, spender: Address) -> U256 {
        self.allowances.get(&(owner, spender)).copied().unwrap_or_default()
    }

    /// The nonce for `owner`'s next permit.
    pub fn nonce(&self, owner: Address) -> Nonce {
        self.nonces.get(&owner).copied().unwrap_or_default()
    }

    /// Name and symbol.
    pub fn names(&self) -> (&str, &str) {
        (&self.name, &self.symbol)
    }

    /// All balances, in no order.
    pub fn balances(&self) -> impl Iterator<Item = (Address, Amount)> {
        self.balances.iter().map(|(holder, balance)| (*holder, *balance))
    }

    fn restore(&mut self) -> Restored {
        let mut balances = self.balances.values();
        let supply = balances.try_fold(Amount::ZERO, |sum, balance| sum.checked_add(*balance));
        self.total_supply = supply.ok_or("the balances exceed 96 bits")?;
        require(!self.allowances.values().any(U256::is_zero), || {
            "an allowance of nothing is listed".to_owned()
        })
    }

    pub(crate) fn evolve(&mut self, event: &AssetEvent) -> Applied {
        match event {
            AssetEvent::Deployed { name, symbol, .. } => {
                self.name.clone_from(name);
                self.symbol.clone_from(symbol);
            }
            AssetEvent::PermitUsed { owner, nonce } => {
                let expected = self.nonce(*owner);
                if expected != *nonce {
                    return Err(ApplyError::WrongNonce { holder: *owner, expected, found: *nonce });
                }
                self.nonces.insert(*owner, nonce.next());
            }
            AssetEvent::Transfer { from, to, amount } => {
                // No balance exceeds the supply, so only a mint can overflow.
                if from.is_zero() {
                    self.total_supply = Holding::Supply.add(self.total_supply, *amount)?;
                } else {
                    let left = Holding::Balance(*from).take(self.balance_of(*from), *amount)?;
                    self.balances.insert(*from, left);
                }
                let sum = Holding::Balance(*to).add(self.balance_of(*to), *amount)?;
                self.balances.insert(*to, sum);
            }
            AssetEvent::Approval { owner, spender, amount } => {
                if amount.is_zero() {
                    self.allowances.remove(&(*owner, *spender));
                } else {
                    self.allowances.insert((*owner, *spender), *amount);
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn decide(frame: CallFrame<'_>, call: &AssetCall) -> Decision {
    match call {
        AssetCall::Transfer { to, amount } => transfer(frame, frame.caller, *to, *amount),
        AssetCall::Approve { spender, amount } => approve(frame, frame.caller, *spender, *amount),
        AssetCall::TransferFrom { from, to, amount } => {
            let allowance = frame.set.asset.allowance(*from, frame.caller);
            transfer_from(frame, *from, *to, *amount, allowance)
        }
        AssetCall::Permit { owner, spender, value, deadline, v, r, s } => {
            let signature = (*v, *r, *s);
            permit(frame, *owner, *spender, *value, *deadline, signature)
        }
        AssetCall::Mint { to, amount } => {
            frame.require_owner()?;
            mint(frame, *to, *amount)
        }
    }
}

/// Decides a transfer of `amount` from `from` to `to`.
pub(crate) fn transfer(frame: CallFrame<'_>, from: Address, to: Address, amount: U256) -> Decision {
    if to.is_zero() {
        return Err(AssetRefusal::InvalidReceiver { receiver: to }.into());
    }
    let balance = frame.set.asset.balance_of(from);
    match Amount::try_from(amount) {
        Ok(amount) if amount <= balance => {
            Ok(vec![frame.log(AssetEvent::Transfer { from, to, amount })])
        }
        _ => Err(AssetRefusal::InsufficientBalance {
            sender: from,
            balance: balance.to_word(),
            needed: amount,
        }
        .into()),
    }
}

/// Decides an approval: `owner`'s allowance for `spender` becomes `amount`.
pub(crate) fn approve(
    frame: CallFrame<'_>,
    owner: Address,
    spender: Address,
    amount: U256,
) -> Decision {
    if spender.is_zero() {
        return Err(AssetRefusal::InvalidSpender { spender }.into());
    }
    Ok(vec![frame.log(AssetEvent::Approval { owner, spender, amount })])
}

/// Decides a transfer by the caller, whose allowance is `allowance`: that of the state, or that of an
/// approval earlier in the same call.
pub(crate) fn transfer_from(
    frame: CallFrame<'_>,
    from: Address,
    to: Address,
    amount: U256,
    allowance: U256,
) -> Decision {
    let spender = frame.caller;
    let mut logs = Vec::with_capacity(3);
    if allowance != U256::MAX {
        let left = allowance.checked_sub(amount).ok_or(AssetRefusal::InsufficientAllowance {
            spender,
            allowance,
            needed: amount,
        })?;
        logs.push(frame.log(AssetEvent::Approval { owner: from, spender, amount: left }));
    }
    logs.extend(transfer(frame, from, to, amount)?);
    Ok(logs)
}

/// Decides a permit, by which `owner`'s allowance for `spender` becomes `value`.
pub(crate) fn permit(
    frame: CallFrame<'_>,
    owner: Address,
    spender: Address,
    value: U256,
    deadline: U256,
    (v, r, s): (u8, B256, B256),
) -> Decision {
    if frame.now().to_word() > deadline {
        return Err(AssetRefusal::PermitExpired { deadline }.into());
    }
    let nonce = frame.set.asset.nonce(owner);
    let digest = frame.set.permit_hash(owner, spender, value, deadline);
    let signer = signature::recover(digest, v, r, s).map_err(|error| match error {
        Unrecoverable::HighS => AssetRefusal::InvalidSignatureS { s },
        Unrecoverable::Invalid => AssetRefusal::InvalidSignature,
    })?;
    if signer != owner {
        return Err(AssetRefusal::InvalidSigner { signer, owner }.into());
    }
    let mut logs = vec![frame.log(AssetEvent::PermitUsed { owner, nonce })];
    logs.extend(approve(frame, owner, spender, value)?);
    Ok(logs)
}

/// Decides a mint of `amount` for `to`.
pub(crate) fn mint(frame: CallFrame<'_>, to: Address, amount: U256) -> Decision {
    if to.is_zero() {
        return Err(AssetRefusal::InvalidReceiver { receiver: to }.into());
    }
    let total = frame.set.asset.total_supply;
    let minted = Amount::try_from(amount).ok().filter(|more| total.checked_add(*more).is_some());
    let amount = minted.ok_or_else(|| AssetRefusal::SupplyExceeded {
        total_supply: total.to_word(),
        amount,
        max: Amount::MAX.to_word(),
    })?;
    Ok(vec![frame.log(AssetEvent::Transfer { from: Address::ZERO, to, amount })])
}
