//! What the views of the set's contracts answer in a state of the set.
//!
//! A chain whose contracts answer otherwise isn't in that state. The answers cover every proposal, ballot,
//! withdrawal, round, registration and balance that the state knows, and what the views refuse just beyond
//! them. They sample what has no end: power now and at snapshots, the first slots of each epoch, and allowances
//! of the set's contracts.

mod governance;
mod money;
mod rollup;
mod signals;

use crate::Registry as Owned;
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolCall;
use canon_protocol::{ExternalContracts, Refusal, SetState, Timestamp};
use core::fmt;
use std::collections::BTreeSet;

/// The accounts whose ballots and past power are among the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voters {
    /// For each proposal the holders with a ballot or a used nonce on it, and one without. The number of
    /// answers grows with the state.
    Known,
    /// Every account for every proposal, also where the state has nothing. The number of answers grows with
    /// the number of accounts times that of proposals: for small sets.
    Everyone,
}

/// What a view of a contract answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAnswer {
    /// The contract.
    pub contract: Address,
    /// The view's signature, such as `powerAt(address,uint256)`.
    pub function: &'static str,
    /// Selector and encoded arguments.
    pub calldata: Bytes,
    /// The encoded answer, or why the view reverts.
    pub answer: Result<Bytes, Refusal>,
}

/// A view that answers otherwise than the state says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{function} {arguments} at {contract}\n  the state: {expected}\n  the chain: {found}")]
pub struct UnexpectedAnswer {
    /// The contract.
    pub contract: Address,
    /// The view's signature.
    pub function: &'static str,
    /// The encoded arguments, in hexadecimal.
    pub arguments: String,
    /// What the state says.
    pub expected: AnswerText,
    /// What the chain answers.
    pub found: AnswerText,
}

/// An answer of a view, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerText {
    /// The encoded values.
    Returned(Bytes),
    /// Why the view reverts.
    Reverted(Refusal),
}

impl fmt::Display for AnswerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(data) => f.write_str(&hex::encode_prefixed(data)),
            Self::Reverted(refusal) => write!(f, "reverts: {refusal}"),
        }
    }
}

impl ExpectedAnswer {
    /// Compares the answer with what the chain gave: returned data, or as the error revert data.
    ///
    /// # Errors
    ///
    /// If they differ.
    pub fn check(&self, found: &Result<Bytes, Bytes>) -> Result<(), UnexpectedAnswer> {
        let same = match (&self.answer, found) {
            (Ok(expected), Ok(found)) => expected == found,
            (Err(refusal), Err(data)) => refusal.abi_encode() == *data,
            _ => false,
        };
        if same {
            return Ok(());
        }
        let text = |answer: Result<Bytes, Refusal>| match answer {
            Ok(data) => AnswerText::Returned(data),
            Err(refusal) => AnswerText::Reverted(refusal),
        };
        Err(UnexpectedAnswer {
            contract: self.contract,
            function: self.function,
            arguments: hex::encode_prefixed(&self.calldata[4..]),
            expected: text(self.answer.clone()),
            found: text(found.clone().map_err(|data| Refusal::abi_decode(&data))),
        })
    }
}

/// Passes every answer of the set's views at `now` to `each`, until that returns an error. The order is the
/// same each time.
///
/// Views whose answer depends on a contract outside the set that isn't known are left out
/// ([`Refusal::OutsideTheSet`]).
///
/// # Errors
///
/// The first error of `each`.
pub fn expected_answers<E>(
    set: &SetState,
    external: &dyn ExternalContracts,
    now: Timestamp,
    voters: Voters,
    each: impl FnMut(ExpectedAnswer) -> Result<(), E>,
) -> Result<(), E> {
    let mut walk = Walk { set, external, now, voters, each };
    walk.money()?;
    walk.registry()?;
    walk.governance()?;
    for (address, rollup) in set.rollups() {
        walk.rollup(address, rollup)?;
    }
    for (address, proposals) in set.all_proposals() {
        walk.proposals(address, proposals)?;
    }
    Ok(())
}

/// The state whose answers are passed on, and the receiver.
struct Walk<'a, F> {
    set: &'a SetState,
    external: &'a dyn ExternalContracts,
    now: Timestamp,
    voters: Voters,
    each: F,
}

impl<E, F: FnMut(ExpectedAnswer) -> Result<(), E>> Walk<'_, F> {
    /// `contract` answers `call` with `answer`.
    fn same<C: SolCall>(&mut self, contract: Address, call: C, answer: C::Return) -> Result<(), E> {
        self.ask(contract, call, Ok(answer))
    }

    /// `contract` answers `call` with `answer`, or refuses to.
    fn ask<C: SolCall>(
        &mut self,
        contract: Address,
        call: C,
        answer: Result<C::Return, Refusal>,
    ) -> Result<(), E> {
        (self.each)(ExpectedAnswer {
            contract,
            function: C::SIGNATURE,
            calldata: call.abi_encode().into(),
            answer: answer.map(|answer| C::abi_encode_returns(&answer).into()),
        })
    }

    /// Who owns `contract`, and who may take it.
    fn ownership(&mut self, contract: Address) -> Result<(), E> {
        let ownership = self.set.ownership(contract);
        self.same(contract, Owned::ownerCall {}, ownership.owner())?;
        self.same(contract, Owned::pendingOwnerCall {}, ownership.pending_owner())
    }

    /// All accounts that have or had tokens or power, and the zero address.
    fn accounts(&self) -> BTreeSet<Address> {
        let balances = self.set.asset().balances().map(|(holder, _)| holder);
        let holders = self.set.governance().holders().map(|(holder, _)| holder);
        balances.chain(holders).chain([Address::ZERO]).collect()
    }
}

fn number(number: usize) -> U256 {
    U256::from(number)
}
