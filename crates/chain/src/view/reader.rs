//! Reading answers, and recording missing ones.

use super::{
    ViewSubject,
    answers::{Answers, Query},
};
use crate::error::Error;
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::{SolCall, SolType};
use canon_protocol::{Code, CodeKind, Timestamp};
use canon_views::{BlockView, Question};
use std::{cell::RefCell, collections::BTreeSet};

/// A reader of the answers at one block. Missing answers are recorded, and requested next.
///
/// So every view is described once, in the order in which answers lead to further queries, whether the lens
/// reads the answers all at once or batches read them one after the other.
pub(super) struct Reader<'a> {
    pub(super) chain_id: u64,
    pub(super) block: BlockView,
    pub(super) registry: Address,
    pub(super) question: &'a Question,
    /// The expected time of the next block.
    pub(super) next: Timestamp,
    /// The answers at the block.
    pub(super) answers: &'a Answers,
    /// Answers at a possibly different block, which are used only to find further queries.
    pub(super) guesses: &'a Answers,
    missing: RefCell<BTreeSet<Query>>,
}

/// The reason why a value isn't available.
#[derive(Debug)]
pub(super) enum Gap {
    /// The value wasn't requested yet. The query is recorded as missing.
    Unknown,
    /// A contract doesn't answer, or returns an impossible value.
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
        ViewSubject { registry, question, next }: ViewSubject<'a>,
        [answers, guesses]: [&'a Answers; 2],
    ) -> Self {
        let missing = RefCell::default();
        Self { chain_id, block, registry, question, next, answers, guesses, missing }
    }

    /// The missing queries.
    pub(super) fn into_missing(self) -> BTreeSet<Query> {
        self.missing.into_inner()
    }

    /// The answer of `to` to a view with a fixed length of answers.
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

    /// Fails unless the address of `what` has code.
    pub(super) fn expect_code(&self, what: &'static str, address: Read<Address>) -> Read<()> {
        let address = address?;
        match self.account(address)?.kind {
            CodeKind::Contract => Ok(()),
            CodeKind::None | CodeKind::Delegation => Err(Error::NoCode { what, address }.into()),
        }
    }
}

/// Returns `None` if the contract doesn't answer, or returns an impossible value.
pub(super) fn optional<T>(read: Read<T>) -> Read<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Gap::Failed(_)) => Ok(None),
        Err(Gap::Unknown) => Err(Gap::Unknown),
    }
}

/// All values, if each is known. All are read first, so that all missing queries are recorded.
pub(super) fn all<T, C: FromIterator<T>>(reads: impl Iterator<Item = Read<T>>) -> Read<C> {
    reads.collect::<Vec<_>>().into_iter().collect()
}

/// A value of another part of the view. If it isn't known, that part reports the reason.
pub(super) fn known<T>(read: &Read<T>) -> Read<&T> {
    read.as_ref().map_err(|_| Gap::Unknown)
}

/// Returns `None` for the zero address.
pub(super) fn some(address: Address) -> Option<Address> {
    (!address.is_zero()).then_some(address)
}
