//! Contracts outside the set, as simple as hostile ones can be: payloads that change their lists,
//! rollups with clocks of their own, targets that call back, wallets that sign.

use super::abi::{ACTIONS, encode_actions};
use alloy_primitives::{Address, B256, Bytes, Selector, U256};
use canon_protocol::{Action, Code, CodeKind, Create2, ExternalContracts, Reaction, Timestamp};
use core::num::NonZeroU64;
use std::collections::BTreeMap;

/// The reaction of a contract to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// Returns these bytes.
    Answers(Bytes),
    /// Returns these bytes and then zeros, `length` bytes in all: more than fits into code.
    Pads {
        /// The first bytes.
        answer: Bytes,
        /// The number of bytes in all, at least the length of `answer`.
        length: usize,
    },
    /// Returns the number of times that `seconds` have passed since `since`, which isn't in the future,
    /// like the slot of a clock of its own.
    Counts {
        /// The first second of number 0.
        since: Timestamp,
        /// The duration of a number.
        seconds: NonZeroU64,
    },
    /// Reverts with these bytes.
    Reverts(Bytes),
    /// Makes these calls in turn and reverts with the data of the first that fails.
    Calls(Vec<Action>),
}

/// The reactions of a contract, by selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// Functions that it has.
    pub functions: Vec<(Selector, Conduct)>,
    /// The reaction to any other calldata.
    pub otherwise: Conduct,
}

/// The behavior of a contract, which may change at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The behavior at first.
    pub first: Behavior,
    /// The last second of the first behavior, and the behavior after it.
    pub later: Option<(Timestamp, Behavior)>,
}

/// The code that is put at an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// A contract.
    Program(Program),
    /// An EIP-7702 delegation to an account.
    Delegation(Address),
    /// Nothing: an account without code.
    Nothing,
}

/// An answer that is `word`, ABI-encoded.
pub(super) fn answer_word(word: impl Into<U256>) -> Conduct {
    Conduct::Answers(word.into().to_be_bytes::<32>().into())
}

impl Behavior {
    /// A contract with these functions, which reverts on any other calldata.
    pub const fn only(functions: Vec<(Selector, Conduct)>) -> Self {
        Self { functions, otherwise: Conduct::Reverts(Bytes::new()) }
    }

    /// A payload with this list.
    pub fn payload(actions: &[Action]) -> Self {
        Self::only(vec![(ACTIONS, Conduct::Answers(encode_actions(actions).into()))])
    }

    fn conduct(&self, data: &[u8]) -> &Conduct {
        // Missing bytes of calldata are zero.
        let mut selector = Selector::ZERO;
        let length = data.len().min(4);
        selector[..length].copy_from_slice(&data[..length]);
        let function = self.functions.iter().find(|(known, _)| *known == selector);
        function.map_or(&self.otherwise, |(_, conduct)| conduct)
    }
}

impl From<Behavior> for Program {
    fn from(first: Behavior) -> Self {
        Self { first, later: None }
    }
}

impl Program {
    /// The behavior at `now`.
    pub fn at(&self, now: Timestamp) -> &Behavior {
        match &self.later {
            Some((until, later)) if now > *until => later,
            _ => &self.first,
        }
    }
}

/// All code outside the set, the code hashes of all accounts, and how contracts were created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    accounts: BTreeMap<Address, Put>,
    hashes: BTreeMap<Address, B256>,
    creations: BTreeMap<Address, Create2>,
}

impl Foreign {
    /// Records that `put` is at `account` from now on, and that `hash` is its code hash.
    pub fn put(&mut self, account: Address, put: Put, hash: B256) {
        self.accounts.insert(account, put);
        self.hashes.insert(account, hash);
    }

    /// Records that `hash` is the code hash of `account`, of which nothing else is known: a contract of
    /// the set, or an account without code.
    pub fn know(&mut self, account: Address, hash: B256) {
        self.hashes.insert(account, hash);
    }

    /// Records the creation of a contract of the set.
    pub fn know_creation(&mut self, creation: Create2) {
        self.creations.insert(creation.address(), creation);
    }

    /// The creation of the contract at `account`; `None` if it wasn't created with CREATE2.
    pub fn creation(&self, account: Address) -> Option<Create2> {
        self.creations.get(&account).copied()
    }

    /// The code that was put at `account`.
    pub fn get(&self, account: Address) -> Option<&Put> {
        self.accounts.get(&account)
    }

    /// All of it as it is at `now`.
    pub const fn at(&self, now: Timestamp) -> ForeignAt<'_> {
        ForeignAt { foreign: self, now }
    }
}

/// The reaction of code that can't be run.
static INVALID: Conduct = Conduct::Reverts(Bytes::new());

/// All code outside the set at a time.
#[derive(Clone, Copy, Debug)]
pub struct ForeignAt<'a> {
    foreign: &'a Foreign,
    now: Timestamp,
}

impl<'a> ForeignAt<'a> {
    /// The reaction of `account` to a call with `data`; `None` if it has no code to run.
    fn conduct(&self, account: Address, data: &[u8]) -> Option<&'a Conduct> {
        let program = match self.foreign.get(account)? {
            Put::Program(program) => program,
            Put::Delegation(to) => match self.foreign.get(*to)? {
                Put::Program(program) => program,
                // A delegation isn't followed twice: run as code, its first byte is invalid (EIP-7702).
                Put::Delegation(_) => return Some(&INVALID),
                Put::Nothing => return None,
            },
            Put::Nothing => return None,
        };
        Some(program.at(self.now).conduct(data))
    }
}

impl ExternalContracts for ForeignAt<'_> {
    fn code(&self, account: Address) -> Code {
        let kind = match self.foreign.get(account) {
            Some(Put::Program(_)) => CodeKind::Contract,
            Some(Put::Delegation(_)) => CodeKind::Delegation,
            Some(Put::Nothing) | None => CodeKind::None,
        };
        Code { kind, hash: self.foreign.hashes.get(&account).copied().unwrap_or_default() }
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        match self.conduct(target, data) {
            Some(Conduct::Answers(answer)) => Ok(answer.clone()),
            Some(Conduct::Pads { answer, length }) => {
                let mut padded = answer.to_vec();
                padded.resize(*length, 0);
                Ok(padded.into())
            }
            Some(Conduct::Counts { since, seconds }) => {
                let age = self.now.since(*since).unwrap_or_default();
                Ok(U256::from(age.get() / *seconds).to_be_bytes::<32>().into())
            }
            Some(Conduct::Reverts(reason)) => Err(reason.clone()),
            // These calls change state, which a static call may not: it fails without data.
            Some(Conduct::Calls(calls)) if !calls.is_empty() => Err(Bytes::new()),
            Some(Conduct::Calls(_)) | None => Ok(Bytes::new()),
        }
    }

    fn call(&self, _: Address, target: Address, data: &Bytes) -> Reaction {
        match self.conduct(target, data) {
            Some(Conduct::Reverts(reason)) => Reaction::Reverts(reason.clone()),
            Some(Conduct::Calls(calls)) => Reaction::Calls(calls.clone()),
            Some(Conduct::Answers(_) | Conduct::Pads { .. } | Conduct::Counts { .. }) | None => {
                Reaction::Calls(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::abi::{ACTIONS, CURRENT_PROPOSER, CURRENT_SLOT};
    use super::*;

    const CONTRACT: Address = Address::with_last_byte(1);
    const ACCOUNT: Address = Address::with_last_byte(2);

    #[test]
    fn a_program_changes_after_the_last_second_of_its_first_behavior() {
        let action = |target| Action { target, data: Bytes::from_static(&[1, 2, 3]) };
        let (first, later) = ([action(CONTRACT)], [action(ACCOUNT), action(CONTRACT)]);
        let program = Program {
            first: Behavior::payload(&first),
            later: Some((Timestamp::of(100), Behavior::payload(&later))),
        };
        let mut foreign = Foreign::default();
        foreign.put(CONTRACT, Put::Program(program), B256::repeat_byte(1));
        for (now, list) in [(100, &first[..]), (101, &later[..])] {
            let answer = foreign.at(Timestamp::of(now)).ask(CONTRACT, ACTIONS.as_slice());
            assert_eq!(answer.unwrap(), encode_actions(list));
        }
    }

    #[test]
    fn a_delegation_runs_code_but_has_none_of_its_own() {
        let seconds = NonZeroU64::new(10).unwrap();
        let clock = Conduct::Counts { since: Timestamp::of(100), seconds };
        let program = Behavior::only(vec![(CURRENT_SLOT, clock)]).into();
        let mut foreign = Foreign::default();
        foreign.put(CONTRACT, Put::Program(program), B256::repeat_byte(1));
        foreign.put(ACCOUNT, Put::Delegation(CONTRACT), B256::repeat_byte(2));
        let now = foreign.at(Timestamp::of(129));
        for account in [CONTRACT, ACCOUNT] {
            let slot = now.ask(account, CURRENT_SLOT.as_slice()).unwrap();
            assert_eq!(U256::from_be_slice(&slot), U256::from(2));
            assert_eq!(now.ask(account, CURRENT_PROPOSER.as_slice()), Err(Bytes::new()));
        }
        assert_eq!(now.code(ACCOUNT).kind, CodeKind::Delegation);
        assert_eq!(now.code(CONTRACT).kind, CodeKind::Contract);
        assert_eq!(now.code(Address::ZERO), Code::default());
        foreign.put(CONTRACT, Put::Delegation(CONTRACT), B256::repeat_byte(3));
        let now = foreign.at(Timestamp::of(129));
        for account in [CONTRACT, ACCOUNT] {
            assert_eq!(now.ask(account, CURRENT_SLOT.as_slice()), Err(Bytes::new()));
        }
    }
}
