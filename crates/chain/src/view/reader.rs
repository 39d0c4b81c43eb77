//! Reading answers, and noting what is still to be asked.

use super::answers::{Answers, Query};
use crate::error::Error;
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::{SolCall, SolType};
use canon_protocol::{Code, CodeKind};
use canon_views::{BlockView, Question};
use std::{cell::RefCell, collections::BTreeSet};

/// A reader of the answers at one block. Missing answers are noted and asked for next.
///
/// So every view is described once, in the order in which one answer leads to the next question, whoever
/// fetches the answers: the lens all at once, or one batch after the other.
pub(super) struct Reader<'a> {
    pub(super) chain_id: u64,
    pub(super) block: BlockView,
    pub(super) registry: Address,
    pub(super) question: &'a Question,
    /// Answers at the block.
    pub(super) answers: &'a Answers,
    /// Answers at a block that may be another one. They only lead to further questions.
    pub(super) guesses: &'a Answers,
    missing: RefCell<BTreeSet<Query>>,
}

/// The reason why a value isn't known.
#[derive(Debug)]
pub(super) enum Gap {
    /// It wasn't asked yet; it is noted.
    Unknown,
    /// A contract doesn't answer, or with what can't be.
    Failed(Error),
}

/// A value read from answers.
pub(super) type Read<T> = Result<T, Gap>;

impl From<Error> for Gap {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        chain_id: u64,
        block: BlockView,
        registry: Address,
        question: &'a Question,
        [answers, guesses]: [&'a Answers; 2],
    ) -> Self {
        let missing = RefCell::default();
        Self { chain_id, block, registry, question, answers, guesses, missing }
    }

    /// The queries still to be asked before everything is known.
    pub(super) fn into_missing(self) -> BTreeSet<Query> {
        self.missing.into_inner()
    }

    /// The answer of `to` to a view, all of whose answers are equally long.
    pub(super) fn call<C: SolCall>(&self, to: Address, call: C) -> Read<C::Return> {
        let query = (to, Bytes::from(call.abi_encode()));
        let answer = match self.answers.call(&query) {
            Some(answer) => answer,
            None => {
                let guess = self.guesses.call(&query);
                let (to, data) = query;
                self.missing.borrow_mut().insert(Query::Call { to, data });
                guess.ok_or(Gap::Unknown)?
            }
        };
        let what = C::SIGNATURE;
        let answer = answer.ok_or(Error::NoAnswer { what, address: to })?;
        let decoded = C::abi_decode_returns_validate(answer).ok();
        let is_whole = C::ReturnTuple::ENCODED_SIZE == Some(answer.len());
        Ok(decoded.filter(|_| is_whole).ok_or(Error::BadAnswer { what, address: to })?)
    }

    /// The code of an account.
    pub(super) fn account(&self, account: Address) -> Read<Code> {
        if let Some(code) = self.answers.account(account) {
            return Ok(code);
        }
        self.missing.borrow_mut().insert(Query::Account(account));
        self.guesses.account(account).ok_or(Gap::Unknown)
    }

    /// Fails unless there is code where `what` is expected.
    pub(super) fn expect_code(&self, what: &'static str, address: Read<Address>) -> Read<()> {
        let address = address?;
        match self.account(address)?.kind {
            CodeKind::Contract => Ok(()),
            CodeKind::None | CodeKind::Delegation => Err(Error::NoCode { what, address }.into()),
        }
    }
}

/// `None` if the contract doesn't answer, or with what can't be.
pub(super) fn optional<T>(read: Read<T>) -> Read<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Gap::Failed(_)) => Ok(None),
        Err(Gap::Unknown) => Err(Gap::Unknown),
    }
}

/// All values, if each is known. Every one is read before, so that all that is unknown is noted.
pub(super) fn all<T, C: FromIterator<T>>(reads: impl Iterator<Item = Read<T>>) -> Read<C> {
    reads.collect::<Vec<_>>().into_iter().collect()
}

/// The value of another part. If it isn't known, that part says why.
pub(super) fn known<T>(read: &Read<T>) -> Read<&T> {
    read.as_ref().map_err(|_| Gap::Unknown)
}

/// Address 0 stands for nobody.
pub(super) fn some(address: Address) -> Option<Address> {
    (!address.is_zero()).then_some(address)
}
