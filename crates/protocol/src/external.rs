//! Contracts and accounts outside the set, as far as the rules depend on them.
//!
//! Payloads, foreign rollups and signers are code that anybody may have written. The rules don't execute it
//! but ask an [`ExternalContracts`] for its answers. A client answers from the chain; a test can give any
//! hostile answer.

use crate::abi::{Abi, abi_struct};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::{
    SolType,
    abi::{self, token::PackedSeqToken},
    sol_data,
};
use serde::{Deserialize, Serialize};

/// One call that a proposal makes, without value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The contract that is called.
    #[serde(with = "crate::text::address")]
    pub target: Address,
    /// Selector and arguments.
    pub data: Bytes,
}

abi_struct!(Action { target: Address, data: Bytes });

/// The Solidity type `Action[]`.
type List = sol_data::Array<<Action as Abi>::Sol>;

/// `abi.encode(actions)`.
pub(crate) fn encode_actions(actions: &[Action]) -> Vec<u8> {
    let actions: Vec<_> = actions.iter().map(Abi::to_sol).collect();
    List::abi_encode(&actions)
}

/// The longest answer to `getActions()` and the longest `abi.encode(actions)`, in bytes. `executeWith` has
/// to fit into a transaction, and nodes relay none above 128 KiB.
pub const MAX_ACTIONS_LENGTH: usize = 100_000;

/// The reason why Governance refuses an answer to `getActions()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnusableList {
    /// It doesn't decode.
    Unreadable,
    /// It is an empty list.
    Empty,
    /// It, or the encoding of the listed actions, is too long: it has this many bytes.
    TooLong(usize),
}

/// Decodes `answer`, which a payload gave to `getActions()`.
///
/// Offsets in a small answer may share data and so encode a much longer list. Nothing is copied before the
/// length of the list is known.
pub(crate) fn decode_actions(answer: &[u8]) -> Result<Vec<Action>, UnusableList> {
    if answer.len() > MAX_ACTIONS_LENGTH {
        return Err(UnusableList::TooLong(answer.len()));
    }
    let list = abi::decode::<<List as SolType>::Token<'_>>(answer)
        .ok()
        .filter(List::valid_token)
        .ok_or(UnusableList::Unreadable)?;
    if list.as_slice().is_empty() {
        return Err(UnusableList::Empty);
    }
    let data_length = |data: &PackedSeqToken<'_>| data.as_slice().len().next_multiple_of(WORD);
    let lengths = list.as_slice().iter().map(|(_, data)| 4 * WORD + data_length(data));
    let length = 2 * WORD + lengths.sum::<usize>();
    if length > MAX_ACTIONS_LENGTH {
        return Err(UnusableList::TooLong(length));
    }
    let list = List::detokenize(list).into_iter();
    list.map(|action| Action::from_sol(action).ok_or(UnusableList::Unreadable)).collect()
}

/// The length of a word in bytes.
const WORD: usize = 32;

/// `keccak256(abi.encode(actions))`, the hash that holders vote on.
pub fn actions_hash(actions: &[Action]) -> B256 {
    keccak256(encode_actions(actions))
}

/// The kind of code at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeKind {
    /// No code.
    #[default]
    None,
    /// An EIP-7702 delegation, `0xef0100` and an address. The account has a key, and no code of its own.
    Delegation,
    /// Code of its own.
    Contract,
}

impl CodeKind {
    /// The kind of `code`, the answer to `eth_getCode`. A contract's code may start like a delegation; only
    /// the length distinguishes them.
    pub fn of(code: &[u8]) -> Self {
        const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];
        const DELEGATION_LENGTH: usize = DELEGATION_PREFIX.len() + Address::len_bytes();
        match code {
            [] => Self::None,
            _ if code.len() == DELEGATION_LENGTH && code.starts_with(&DELEGATION_PREFIX) => {
                Self::Delegation
            }
            _ => Self::Contract,
        }
    }
}

/// The code at an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The kind of code.
    pub kind: CodeKind,
    /// The answer of `EXTCODEHASH`.
    pub hash: B256,
}

/// The reaction of a contract outside the set to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It reverts with this data.
    Reverts(Bytes),
    /// It makes these calls in turn, reverts with the data of the first that fails, and otherwise succeeds.
    /// Usually the list is empty.
    Calls(Vec<Action>),
}

/// Questions about contracts outside the set, at the block of the call.
///
/// The answers must depend only on the question and the block.
pub trait ExternalContracts {
    /// The code at `account`.
    fn code(&self, account: Address) -> Code;

    /// The answer of `target` to a static call with `data`. The error contains its revert data. The answer
    /// of an account without code is empty.
    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes>;

    /// The reaction of `target` when `caller` calls it with `data`.
    fn call(&self, caller: Address, target: Address, data: &Bytes) -> Reaction;
}
