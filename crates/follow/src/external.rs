//! Contracts outside the set, as the chain has them at one block.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes};
use canon_chain::{Answers, Client, Error, Query};
use canon_protocol::{Code, ExternalContracts, Reaction};
use std::{cell::RefCell, collections::BTreeSet};

/// The answers of contracts outside the set at one block, asked of the chain when they are first needed.
///
/// The rules ask while they compute, and can't wait. So what isn't known is noted, and answered after the
/// computation, which is then made again: [`Self::resolve`].
#[derive(Debug)]
pub struct ExternalAnswers {
    block: B256,
    answers: Answers,
}

/// The answers that are known, with a note of those that aren't.
#[derive(Debug)]
pub struct KnownAnswers<'a> {
    answers: &'a Answers,
    missing: RefCell<BTreeSet<Query>>,
}

impl ExternalAnswers {
    /// The contracts as they are after the block with this hash.
    pub fn at(block: B256) -> Self {
        Self { block, answers: Answers::default() }
    }

    /// The result of `compute`, once all that it asks is known.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or doesn't have the block.
    pub async fn resolve<T>(
        &mut self,
        client: &Client,
        mut compute: impl FnMut(&KnownAnswers<'_>) -> T,
    ) -> Result<T, Error> {
        let compute = |answers: &Answers| {
            let known = KnownAnswers { answers, missing: RefCell::default() };
            let computed = compute(&known);
            (computed, known.missing.into_inner())
        };
        client.resolve(BlockId::from(self.block), &mut self.answers, compute).await
    }
}

impl KnownAnswers<'_> {
    fn miss<T: Default>(&self, query: Query) -> T {
        self.missing.borrow_mut().insert(query);
        T::default()
    }
}

impl ExternalContracts for KnownAnswers<'_> {
    fn code(&self, account: Address) -> Code {
        self.answers.account(account).unwrap_or_else(|| self.miss(Query::Account(account)))
    }

    /// Revert data isn't known, and no view depends on it.
    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        let question = (target, Bytes::copy_from_slice(data));
        match self.answers.call(&question) {
            Some(answer) => answer.cloned().ok_or_else(Bytes::new),
            None => {
                let (to, data) = question;
                Ok(self.miss(Query::Call { to, data }))
            }
        }
    }

    /// Reverts: what contracts outside the set do can't be asked without executing it.
    fn call(&self, _: Address, _: Address, _: &Bytes) -> Reaction {
        Reaction::Reverts(Bytes::new())
    }
}
