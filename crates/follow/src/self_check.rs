//! A folded state beside the contracts' own answers.

use crate::external::ExternalAnswers;
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use alloy_provider::Provider;
use alloy_rpc_client::BatchRequest;
use alloy_rpc_types_eth::TransactionRequest;
use canon_abi::{ExpectedAnswer, UnexpectedAnswer, expected_answers};
use canon_chain::{Client, Error, revert_data};
use canon_protocol::{BlockNumber, SetState};
use canon_views::BlockView;
use core::convert::Infallible;

/// The most calls of one batch. Endpoints that refuse so many are asked for fewer.
const BATCH: usize = 100;

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
    let mut size = BATCH;
    let mut rest = &expected[..];
    while !rest.is_empty() {
        let (part, later) = rest.split_at(size.min(rest.len()));
        match ask(client, block.hash, part).await {
            Ok(found) => {
                for (expected, found) in part.iter().zip(found) {
                    expected.check(&found).map_err(|difference| SelfCheckError::Differs {
                        block: block.number,
                        hash: block.hash,
                        difference: difference.into(),
                    })?;
                }
                rest = later;
            }
            Err(error) if size > 1 && !error.is_rate_limit() => size /= 2,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(SelfChecked { block: block.number, answers: expected.len() })
}

/// What the chain answers at a block, in one batch.
async fn ask(
    client: &Client,
    block: B256,
    questions: &[ExpectedAnswer],
) -> Result<Vec<Result<Bytes, Bytes>>, Error> {
    let failed = |source| Error::rpc("eth_call", source);
    let mut batch = BatchRequest::new(client.provider().client());
    let mut waiting = Vec::with_capacity(questions.len());
    for question in questions {
        let request = TransactionRequest::default()
            .to(question.contract)
            .input(question.calldata.clone().into());
        let call = batch.add_call::<_, Bytes>("eth_call", &(request, BlockId::from(block)));
        waiting.push(call.map_err(failed)?);
    }
    batch.send().await.map_err(failed)?;
    let mut answers = Vec::with_capacity(waiting.len());
    for answer in waiting {
        answers.push(match answer.await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(revert_data(&error).ok_or_else(|| failed(error))?),
        });
    }
    Ok(answers)
}
