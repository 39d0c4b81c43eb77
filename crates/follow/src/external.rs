//! Contracts outside the set, as the chain has them at one block.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, keccak256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use canon_chain::{Client, DELEGATION, Error, revert_data};
use canon_protocol::{Code, CodeKind, ExternalContracts, Reaction};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

/// The answers of contracts outside the set at one block, asked of the chain when they are first needed.
///
/// The rules ask while they compute, and can't wait. So what isn't known is noted, and answered after the
/// computation, which is then made again: [`Self::resolve`].
#[derive(Debug)]
pub struct ExternalAnswers {
    block: B256,
    codes: BTreeMap<Address, Code>,
    answers: BTreeMap<(Address, Bytes), Result<Bytes, Bytes>>,
    missing: RefCell<BTreeSet<Question>>,
}

/// A question that wasn't answered yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Code(Address),
    Ask(Address, Bytes),
}

impl ExternalAnswers {
    /// The contracts as they are after the block with this hash.
    pub const fn at(block: B256) -> Self {
        Self {
            block,
            codes: BTreeMap::new(),
            answers: BTreeMap::new(),
            missing: RefCell::new(BTreeSet::new()),
        }
    }

    /// The result of `compute`, once all that it asks is known.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn resolve<T>(
        &mut self,
        client: &Client,
        mut compute: impl FnMut(&Self) -> T,
    ) -> Result<T, Error> {
        loop {
            let computed = compute(self);
            let missing = core::mem::take(self.missing.get_mut());
            if missing.is_empty() {
                return Ok(computed);
            }
            for question in missing {
                self.answer(client, question).await?;
            }
        }
    }

    async fn answer(&mut self, client: &Client, question: Question) -> Result<(), Error> {
        let at = BlockId::from(self.block);
        match question {
            Question::Code(account) => {
                self.codes.insert(account, code(client, at, account).await?);
            }
            Question::Ask(target, data) => {
                let request = TransactionRequest::default().to(target).input(data.clone().into());
                let answer = match client.provider().call(request).block(at).await {
                    Ok(answer) => Ok(answer),
                    Err(error) => match revert_data(&error) {
                        Some(data) => Err(data),
                        None => return Err(Error::rpc("eth_call", error)),
                    },
                };
                self.answers.insert((target, data), answer);
            }
        }
        Ok(())
    }

    fn miss(&self, question: Question) {
        self.missing.borrow_mut().insert(question);
    }
}

impl ExternalContracts for ExternalAnswers {
    fn code(&self, account: Address) -> Code {
        self.codes.get(&account).copied().unwrap_or_else(|| {
            self.miss(Question::Code(account));
            Code::default()
        })
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        let question = (target, Bytes::copy_from_slice(data));
        self.answers.get(&question).cloned().unwrap_or_else(|| {
            self.miss(Question::Ask(question.0, question.1));
            Ok(Bytes::new())
        })
    }

    /// Reverts: what contracts outside the set do can't be asked without executing it.
    fn call(&self, _: Address, _: Address, _: &Bytes) -> Reaction {
        Reaction::Reverts(Bytes::new())
    }
}

/// What is at `account`, and what `EXTCODEHASH` answers there (EIP-1052).
async fn code(client: &Client, at: BlockId, account: Address) -> Result<Code, Error> {
    let provider = client.provider();
    let failed = |what| move |source| Error::rpc(what, source);
    let code = provider.get_code_at(account).block_id(at).await.map_err(failed("eth_getCode"))?;
    if code.starts_with(&DELEGATION) {
        return Ok(Code { kind: CodeKind::Delegation, hash: keccak256(&code) });
    }
    if !code.is_empty() {
        return Ok(Code { kind: CodeKind::Contract, hash: keccak256(&code) });
    }
    let balance = provider.get_balance(account).block_id(at).await;
    let balance = balance.map_err(failed("eth_getBalance"))?;
    let nonce = provider.get_transaction_count(account).block_id(at).await;
    let nonce = nonce.map_err(failed("eth_getTransactionCount"))?;
    let exists = !balance.is_zero() || nonce > 0;
    let hash = if exists { KECCAK256_EMPTY } else { B256::ZERO };
    Ok(Code { kind: CodeKind::None, hash })
}
