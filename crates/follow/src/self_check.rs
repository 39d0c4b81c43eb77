//! A folded state beside the contracts' own answers.

use crate::external::ExternalAnswers;
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use canon_abi::{ExpectedAnswer, UnexpectedAnswer, expected_answers};
use canon_chain::{BatchedRequest, Client, Error, Reply, decode_reply, revert_data};
use canon_protocol::{BlockNumber, SetState};
use canon_views::BlockView;
use core::convert::Infallible;

/// A state that passed its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfChecked {
    /// The block.
    pub block: BlockNumber,
    /// The number of answers that were compared.
    pub answers: usize,
}

/// Why a state didn't pass its check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfCheckError {
    /// The state isn't that of the chain: don't use it.
    #[error("at block {block} ({hash}) the state differs from the chain: {difference}")]
    Differs {
        /// The block.
        block: BlockNumber,
        /// The block's hash.
        hash: B256,
        /// The view, its arguments and both values.
        difference: Box<UnexpectedAnswer>,
    },
    /// The chain couldn't be asked.
    #[error(transparent)]
    Chain(#[from] Error),
}

/// Compares `state` with the contracts' own answers at the block that it is the state after: all that
/// [`expected_answers`] gives.
///
/// # Errors
///
/// [`SelfCheckError::Differs`] with the first difference; otherwise if the endpoint doesn't answer.
pub async fn self_check(
    client: &Client,
    state: &SetState,
    block: &BlockView,
) -> Result<SelfChecked, SelfCheckError> {
    let mut external = ExternalAnswers::at(block.hash);
    let expected = external
        .resolve(client, |external| {
            let mut answers = Vec::new();
            let Ok(()) = expected_answers(state, external, block.timestamp, |answer| {
                answers.push(answer);
                Ok::<_, Infallible>(())
            });
            answers
        })
        .await?;
    let found = ask(client, block.hash, &expected).await?;
    for (expected, found) in expected.iter().zip(found) {
        expected.check(&found).map_err(|difference| SelfCheckError::Differs {
            block: block.number,
            hash: block.hash,
            difference: difference.into(),
        })?;
    }
    Ok(SelfChecked { block: block.number, answers: expected.len() })
}

/// What the chain answers at a block.
async fn ask(
    client: &Client,
    block: B256,
    questions: &[ExpectedAnswer],
) -> Result<Vec<Result<Bytes, Bytes>>, Error> {
    let what = "eth_call";
    let request = |question: &ExpectedAnswer| {
        let call = TransactionRequest::default()
            .to(question.contract)
            .input(question.calldata.clone().into());
        BatchedRequest::new(what, (call, BlockId::from(block)))
    };
    let requests = questions.iter().map(request).collect::<Result<Vec<_>, _>>()?;
    let replies = client.batch(&requests).await?.into_iter();
    let answer = |reply: Reply| match reply {
        Err(error) => revert_data(&error).map(Err).ok_or_else(|| Error::rpc(what, error)),
        reply => decode_reply(what, reply).map(Ok),
    };
    replies.map(answer).collect()
}
