//! The comparison of a folded state with every view of every contract.

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
    /// The number of compared answers.
    pub answers: usize,
}

/// The reason why a state didn't pass its check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EveryViewError {
    /// The state isn't that of the chain, and must not be used.
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
    /// The chain couldn't be read.
    #[error(transparent)]
    Chain(#[from] Error),
}

/// The number of answers that are requested at a time, which limits the memory for them.
const PART: usize = 4_096;

/// Compares `state` with the contracts' answers at its block: all answers that [`expected_answers`] returns
/// for [`Voters::Known`], one contract after the other.
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
