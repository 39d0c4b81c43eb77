//! The answers of the contracts' views in a state of the set.
//!
//! If a chain's contracts give other answers, they aren't in that state. The answers cover every proposal,
//! ballot, withdrawal, round, registration and balance of the state, and the refusals just beyond them. Of what
//! has no end they cover a sample: power now and at snapshots, the first slots of each epoch, and allowances
//! from and to contracts of the set.

mod governance;
mod money;
mod rollup;
mod signals;

use crate::{
    Registry as Owned,
    revert::{input_text, output_text},
};
use alloy_primitives::{Address, Bytes, Selector, U256};
use alloy_sol_types::SolCall;
use canon_protocol::{ExternalContracts, Refusal, Role, SetState, Timestamp};
use core::fmt;
use std::collections::BTreeSet;

/// The accounts whose ballots and past power are among the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voters {
    /// For each proposal the holders with a ballot or a used nonce on it, and one without. The number of
    /// answers grows with the size of the state.
    Known,
    /// Every account for every proposal, even if the state has no ballot of it. The number of answers grows
    /// with the product of the numbers of accounts and proposals, so this is for small sets.
    Everyone,
}

/// The answer of a contract's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAnswer {
    /// The contract.
    pub contract: Address,
    /// The view's signature, such as `powerAt(address,uint256)`.
    pub function: &'static str,
    /// Selector and encoded arguments.
    pub calldata: Bytes,
    /// The encoded answer, or the refusal with which the view reverts.
    pub answer: Result<Bytes, Refusal>,
}

/// A view whose answer differs from the one that follows from the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{function} at {contract}\n  arguments: {arguments}\n  the state: {expected}\n  the chain: {found}"
)]
pub struct UnexpectedAnswer {
    /// The contract.
    pub contract: Address,
    /// The view's signature.
    pub function: &'static str,
    /// The arguments, as text for people.
    pub arguments: String,
    /// The answer that follows from the state.
    pub expected: AnswerText,
    /// The answer of the chain.
    pub found: AnswerText,
}

/// The answer of a view, as text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerText {
    /// The values; in hexadecimal if the data isn't of the view's types.
    Returned(String),
    /// The refusal with which the view reverts.
    Reverted(Refusal),
}

impl fmt::Display for AnswerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(values) => f.write_str(values),
            Self::Reverted(refusal) => write!(f, "reverts: {refusal}"),
        }
    }
}

impl ExpectedAnswer {
    /// Compares the answer with the chain's: the returned data, or as an error the revert data.
    ///
    /// # Errors
    ///
    /// The two answers, if they differ.
    pub fn check(&self, found: &Result<Bytes, Bytes>) -> Result<(), UnexpectedAnswer> {
        let same = match (&self.answer, found) {
            (Ok(expected), Ok(found)) => expected == found,
            (Err(refusal), Err(data)) => refusal.abi_encode() == *data,
            _ => false,
        };
        if same {
            return Ok(());
        }
        let (selector, arguments) = self.calldata.split_at(4);
        let selector = Selector::from_slice(selector);
        let text = |answer: &Result<Bytes, Refusal>| match answer {
            Ok(data) => AnswerText::Returned(output_text(selector, data)),
            Err(refusal) => AnswerText::Reverted(refusal.clone()),
        };
        Err(UnexpectedAnswer {
            contract: self.contract,
            function: self.function,
            arguments: input_text(selector, arguments),
            expected: text(&self.answer),
            found: text(&found.clone().map_err(|data| Refusal::abi_decode(&data))),
        })
    }
}

/// The contracts of the set that have views.
pub fn viewed_contracts(set: &SetState) -> impl Iterator<Item = Address> + '_ {
    let at = set.addresses();
    let fixed = [at.asset, at.issuer, at.reward_distributor, at.registry, at.governance];
    let rollups = set.rollups().map(|(rollup, _)| rollup);
    fixed.into_iter().chain(rollups).chain(set.all_proposals().map(|(proposals, _)| proposals))
}

/// The answers of all views of `contract` at `now`; none if it isn't one of [`viewed_contracts`]. The order is
/// always the same.
///
/// Views whose answer depends on an unknown contract outside the set are left out
/// ([`Refusal::OutsideTheSet`]).
pub fn expected_answers(
    set: &SetState,
    external: &dyn ExternalContracts,
    contract: Address,
    now: Timestamp,
    voters: Voters,
) -> Vec<ExpectedAnswer> {
    let mut walk = Walk { set, external, now, voters, answers: Vec::new() };
    match set.role_of(contract) {
        Some(Role::Asset) => walk.asset(),
        Some(Role::Issuer) => walk.issuer(),
        Some(Role::Distributor) => walk.distributor(),
        Some(Role::Registry) => walk.registry(),
        Some(Role::Governance) => walk.governance(),
        Some(Role::Rollup) => {
            if let Some(rollup) = set.rollup(contract) {
                walk.rollup(contract, rollup);
            }
        }
        Some(Role::Proposals) => {
            if let Some(proposals) = set.proposals(contract) {
                walk.proposals(contract, proposals);
            }
        }
        // Expect has no views.
        Some(Role::Expect) | None => {}
    }
    walk.answers
}

/// The state whose answers are collected, and the answers so far.
struct Walk<'a> {
    set: &'a SetState,
    external: &'a dyn ExternalContracts,
    now: Timestamp,
    voters: Voters,
    answers: Vec<ExpectedAnswer>,
}

impl Walk<'_> {
    /// Adds the answer of `contract` to `call`.
    fn same<C: SolCall>(&mut self, contract: Address, call: C, answer: C::Return) {
        self.ask(contract, call, Ok(answer));
    }

    /// Adds the answer of `contract` to `call`, or its refusal.
    fn ask<C: SolCall>(&mut self, contract: Address, call: C, answer: Result<C::Return, Refusal>) {
        self.answers.push(ExpectedAnswer {
            contract,
            function: C::SIGNATURE,
            calldata: call.abi_encode().into(),
            answer: answer.map(|answer| C::abi_encode_returns(&answer).into()),
        });
    }

    /// Adds the owner and the pending owner of `contract`.
    fn ownership(&mut self, contract: Address) {
        let ownership = self.set.ownership(contract);
        self.same(contract, Owned::ownerCall {}, ownership.owner());
        self.same(contract, Owned::pendingOwnerCall {}, ownership.pending_owner());
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
