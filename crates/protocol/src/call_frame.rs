//! A call as the called contract sees it.

use crate::{
    external::{Code, CodeKind, ExternalContracts},
    messages::{Event, Log},
    ownership::{Ownership, OwnershipRefusal},
    refusal::{CommonRefusal, Refusal},
    set_state::SetState,
    signature,
    units::{BlockNumber, Seconds, Timestamp, TooLarge},
};
use alloy_primitives::{Address, B256, Bytes, Selector, U256};
use core::fmt;

/// The events of a call, or the refusal with which it reverts.
pub(crate) type Decision = Result<Vec<Log>, Refusal>;

/// The facts of an L1 block that the rules depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct L1Block {
    /// Its number.
    pub number: BlockNumber,
    /// Its timestamp.
    pub timestamp: Timestamp,
}

/// The context of a call, in addition to the state of the set.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The caller.
    pub caller: Address,
    /// The block that the call is part of.
    pub block: L1Block,
    /// `prevrandao` of that block, which the call may record as the next epoch's seed.
    pub prevrandao: U256,
    /// The contracts outside the set.
    pub external: &'a dyn ExternalContracts,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("caller", &self.caller)
            .field("block", &self.block)
            .field("prevrandao", &self.prevrandao)
            .finish_non_exhaustive()
    }
}

/// The contracts that refuse to be called again until their call ends, innermost first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReentrancyGuard<'a>(Option<(Address, &'a Self)>);

impl ReentrancyGuard<'_> {
    fn contains(&self, contract: Address) -> bool {
        self.0.is_some_and(|(guard, outer)| guard == contract || outer.contains(contract))
    }
}

/// A call as the called contract sees it. It is read-only: the effects of a call are the events that it
/// returns.
#[derive(Clone, Copy)]
pub(crate) struct CallFrame<'a> {
    /// The state of the set when the call arrives.
    pub(crate) set: &'a SetState,
    /// The called contract.
    pub(crate) this: Address,
    /// The caller.
    pub(crate) caller: Address,
    /// The block.
    pub(crate) block: L1Block,
    pub(crate) prevrandao: U256,
    pub(crate) external: &'a dyn ExternalContracts,
    pub(crate) guard: &'a ReentrancyGuard<'a>,
}

impl<'a> CallFrame<'a> {
    pub(crate) const fn now(&self) -> Timestamp {
        self.block.timestamp
    }

    /// The frame of a call of `contract` by this contract.
    pub(crate) const fn calling(self, contract: Address) -> Self {
        Self { this: contract, caller: self.this, ..self }
    }

    /// The frame of a call of `contract` by `caller`, in a later state of the set.
    pub(crate) const fn staged(
        self,
        set: &'a SetState,
        caller: Address,
        contract: Address,
    ) -> Self {
        Self { set, this: contract, caller, ..self }
    }

    /// Returns the time `delay` from now, or an error if it doesn't fit 40 bits.
    pub(crate) fn after(&self, delay: Seconds) -> Result<Timestamp, TooLarge> {
        self.now().checked_add(delay).ok_or_else(|| TooLarge {
            value: self.now().to_word() + delay.to_word(),
            max: Timestamp::MAX.to_word(),
        })
    }

    /// An event of this contract.
    pub(crate) fn log(&self, event: impl Into<Event>) -> Log {
        Log { emitter: self.this, event: event.into() }
    }

    /// The ownership of this contract.
    pub(crate) fn ownership(&self) -> Ownership {
        self.set.ownership(self.this)
    }

    /// Refuses all callers except the owner (`onlyOwner`).
    pub(crate) fn require_owner(&self) -> Result<(), OwnershipRefusal> {
        self.ownership().require_owner(self.caller)
    }

    /// Enters the contract (`nonReentrant`). Returns the guard to pass to every call that this contract
    /// makes meanwhile.
    pub(crate) fn enter(&'a self) -> Result<ReentrancyGuard<'a>, CommonRefusal> {
        if self.guard.contains(self.this) {
            return Err(CommonRefusal::ReentrantCall);
        }
        Ok(ReentrancyGuard(Some((self.this, self.guard))))
    }

    /// The code at `account`.
    pub(crate) fn code(&self, account: Address) -> Code {
        self.external.code(account)
    }

    /// Whether `account` has code of its own. A contract of the set always does.
    pub(crate) fn has_code(&self, account: Address) -> bool {
        self.set.role_of(account).is_some() || self.code(account).kind == CodeKind::Contract
    }

    /// Refuses an account without code of its own.
    pub(crate) fn require_code(&self, account: Address) -> Result<(), CommonRefusal> {
        if self.has_code(account) { Ok(()) } else { Err(CommonRefusal::NoCode { account }) }
    }

    /// The answer of `target` to a static call with `data`. The error contains its revert data.
    pub(crate) fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        let Some(role) = self.set.role_of(target) else { return self.external.ask(target, data) };
        let selector = data.first_chunk::<4>().map(Selector::from);
        let word = selector.and_then(|asked| self.set.answer(role, target, asked, self.now()));
        word.map(|word| word.to_be_bytes::<32>().into()).ok_or_else(Bytes::new)
    }

    /// The single word that `target` answers to `selector`.
    pub(crate) fn word(&self, target: Address, selector: Selector) -> Result<U256, CommonRefusal> {
        let word = match self.set.role_of(target) {
            Some(role) => self.set.answer(role, target, selector, self.now()),
            None => match self.external.ask(target, selector.as_slice()) {
                Ok(answer) if answer.len() == 32 => Some(U256::from_be_slice(&answer)),
                _ => None,
            },
        };
        word.ok_or(CommonRefusal::NoAnswer { target, selector })
    }

    /// Whether `data` is a call of a view of this contract that other contracts call.
    pub(crate) fn is_question(&self, data: &[u8]) -> bool {
        data.len() == 4 && self.word(self.this, Selector::from_slice(data)).is_ok()
    }

    /// The address that `target` answers to `selector`.
    pub(crate) fn address_word(
        &self,
        target: Address,
        selector: Selector,
    ) -> Result<Address, CommonRefusal> {
        to_address(self.word(target, selector)?).ok_or(CommonRefusal::NoAnswer { target, selector })
    }

    /// Whether `signature` is a valid signature of `signer` over `digest`.
    pub(crate) fn is_signed(&self, signer: Address, digest: B256, signature: &[u8]) -> bool {
        signature::is_valid(signer, digest, signature, self.external)
    }
}

/// The address in `word`, or `None` if its upper 96 bits aren't 0.
pub(crate) fn to_address(word: U256) -> Option<Address> {
    let bytes = word.to_be_bytes::<32>();
    bytes[..12].iter().all(|byte| *byte == 0).then(|| Address::from_slice(&bytes[12..]))
}
