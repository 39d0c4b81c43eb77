//! Contracts outside the set, in their state on the chain at one block.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes};
use canon_chain::{Answers, Client, Error, Query};
use canon_protocol::{Code, ExternalContracts, Reaction};
use std::{cell::RefCell, collections::BTreeSet};

/// The answers of contracts outside the set at one block, requested when they are first needed.
///
/// The rules need the answers during a computation and can't wait for them. So missing answers are noted
/// and requested after the computation, which is then repeated: see [`Self::resolve`].
#[derive(Debug)]
pub struct ExternalAnswers {
    block: B256,
    answers: Answers,
}

/// The known answers, with a list of the missing ones.
#[derive(Debug)]
pub struct KnownAnswers<'a> {
    answers: &'a Answers,
    missing: RefCell<BTreeSet<Query>>,
}

impl ExternalAnswers {
    /// The contracts in the state after the block with this hash.
    pub fn at(block: B256) -> Self {
        Self { block, answers: Answers::default() }
    }

    /// The result of `compute`, once all answers that it needs are known.
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

    /// The revert data isn't known, but no view depends on it.
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

    /// Reverts, because the effects of other contracts can't be known without executing them.
    fn call(&self, _: Address, _: Address, _: &Bytes) -> Reaction {
        Reaction::Reverts(Bytes::new())
    }
}
