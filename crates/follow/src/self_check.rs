//! A folded state beside the contracts' own answers.

use crate::external::ExternalAnswers;
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use canon_abi::{ExpectedAnswer, UnexpectedAnswer, Voters, expected_answers};
use canon_chain::{BatchedRequest, Client, Error, Reply, decode_reply, revert_data};
use canon_protocol::{BlockNumber, SetState};
use canon_views::BlockView;

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

/// The number of answers that are compared at a time, which bounds the memory that they take.
const PART: usize = 4_096;

/// Compares `state` with the contracts' own answers at the block that it is the state after: all that
/// [`expected_answers`] gives for [`Voters::Known`], some thousands at a time.
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
    let mut answers = 0;
    loop {
        let part =
            external.resolve(client, |external| part(state, external, block, answers)).await?;
        let found = ask(client, block.hash, &part).await?;
        for (expected, found) in part.iter().zip(&found) {
            expected.check(found).map_err(|difference| SelfCheckError::Differs {
                block: block.number,
                hash: block.hash,
                difference: difference.into(),
            })?;
        }
        answers += part.len();
        if part.len() < PART {
            return Ok(SelfChecked { block: block.number, answers });
        }
    }
}

/// The next expected answers after the first `skipped`: [`PART`], or all that are left.
fn part(
    state: &SetState,
    external: &ExternalAnswers,
    block: &BlockView,
    skipped: usize,
) -> Vec<ExpectedAnswer> {
    let mut part = Vec::new();
    let mut passed = 0;
    let each = |answer| {
        passed += 1;
        if passed > skipped {
            part.push(answer);
        }
        if part.len() < PART { Ok(()) } else { Err(Full) }
    };
    match expected_answers(state, external, block.timestamp, Voters::Known, each) {
        Ok(()) | Err(Full) => part,
    }
}

/// A part has all the answers that it takes.
struct Full;

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
