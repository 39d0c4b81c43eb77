//! A folded state compared with every view of every contract.

use crate::external::ExternalAnswers;
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use canon_abi::{ExpectedAnswer, UnexpectedAnswer, Voters, expected_answers, viewed_contracts};
use canon_chain::{BatchedRequest, Client, Error, Reply, decode_reply, revert_data};
use canon_protocol::{BlockNumber, SetState};
use canon_views::BlockView;

/// A state that passed its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedViews {
    /// The block.
    pub block: BlockNumber,
    /// The number of answers that were compared.
    pub answers: usize,
}

/// The reason why a state didn't pass its check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EveryViewError {
    /// The state isn't that of the chain: don't use it.
    #[error(
        "at block {block} ({hash}) the state differs from the chain: {difference}\n  don't use the state; \
         read the set again from its first block, from another endpoint"
    )]
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

/// The number of answers that are asked for at a time, which bounds the memory that they take.
const PART: usize = 4_096;

/// Compares `state` with the contracts' own answers at the block that it is the state after: all that
/// [`expected_answers`] gives for [`Voters::Known`], one contract after the other.
///
/// # Errors
///
/// [`EveryViewError::Differs`] with the first difference; otherwise if the endpoint doesn't answer.
pub async fn check_every_view(
    client: &Client,
    state: &SetState,
    block: &BlockView,
) -> Result<CheckedViews, EveryViewError> {
    let mut external = ExternalAnswers::at(block.hash);
    let mut answers = 0;
    for contract in viewed_contracts(state) {
        let expected = external.resolve(client, |external| {
            expected_answers(state, external, contract, block.timestamp, Voters::Known)
        });
        for part in expected.await?.chunks(PART) {
            let found = ask(client, block.hash, part).await?;
            for (expected, found) in part.iter().zip(&found) {
                expected.check(found).map_err(|difference| EveryViewError::Differs {
                    block: block.number,
                    hash: block.hash,
                    difference: difference.into(),
                })?;
            }
            answers += part.len();
        }
    }
    Ok(CheckedViews { block: block.number, answers })
}

/// The chain's answer at a block.
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
