//! A set at one block, by the contracts' own views.
//!
//! A view takes two round trips: the first finds the block and how much there is to read, the second reads
//! it all at the block's hash with the lens, init code that `eth_call` executes and that is never deployed
//! (`contracts/src/lens/SetLens.sol`). Where an endpoint doesn't execute the lens, plain calls in batches
//! take at most five.

mod answers;
mod batch;
mod lens;
mod present;
mod reader;
mod rollups;

pub use answers::{Answers, Query};
pub(crate) use batch::EndpointLimits;
pub use batch::{BatchedRequest, Reply, decode_reply};

use crate::{
    client::{Client, block_method, found_block},
    error::{Error, Result},
};
use alloy_eips::{BlockId, RpcBlockHash};
use alloy_primitives::{Address, Bytes, U64};
use alloy_transport::RpcError;
use answers::create;
use canon_abi::Registry;
use canon_protocol::{Seconds, Timestamp};
use canon_views::{BlockView, Present, Question};
use lens::{FoundProposals, first_question, init_code, split};
use reader::{Gap, Reader};
use std::collections::BTreeSet;

/// What a view is of.
#[derive(Clone, Copy, Debug)]
struct ViewSubject<'a> {
    registry: Address,
    question: &'a Question,
    /// The expected time of the next block.
    next: Timestamp,
}

impl Client {
    /// The set whose Registry is at `registry`, at a block, of which the next one is expected `block_time`
    /// later. Everything is read at that block's hash.
    ///
    /// Parts that the canonical rollup or Proposals doesn't answer are left out, as are rollups asked for that
    /// don't answer.
    ///
    /// # Errors
    ///
    /// Fails closed: [`Error::OtherChain`] if the endpoint is on another chain than before;
    /// [`Error::NoCode`] if the Registry, Governance, Proposals, the Asset or its owner has no code;
    /// [`Error::Inconsistent`] if Proposals belongs to another Registry; [`Error::NoAnswer`],
    /// [`Error::BadAnswer`] or [`Error::OutOfRange`] if Governance or the Asset doesn't answer as the ABI
    /// and the protocol promise. [`Error::Rpc`] if the endpoint fails, doesn't have the block, or the block
    /// isn't canonical any more.
    pub async fn view(
        &self,
        registry: Address,
        question: &Question,
        at: BlockId,
        block_time: Seconds,
    ) -> Result<Present> {
        let (block, guesses, mut lens) = self.first_look(registry, question, at).await?;
        let subject = ViewSubject { registry, question, next: block.timestamp + block_time };
        let at = BlockId::Hash(RpcBlockHash::from_hash(block.hash, Some(true)));
        let mut answers = Answers::default();
        if lens == Lens::Executed {
            let reading = self.look_through_lens(&subject, at, &guesses, &mut answers);
            lens = reading.await?;
        }
        let read = |answers: &_| {
            let reader = Reader::new(self.chain_id(), block, subject, [answers, &guesses]);
            let present = reader.present().map_err(|gap| match gap {
                Gap::Failed(error) => error,
                // Without a note of what is missing it is the reader's own mistake: there is no view then.
                Gap::Unknown => Error::Unread { registry },
            });
            (present, reader.into_missing())
        };
        let present = self.resolve(at, &mut answers, read).await?;
        // Had the endpoint lost the block, it wouldn't have answered plain calls either.
        if lens == Lens::Refused {
            self.limits().refuse_lens();
        }
        present
    }

    /// Finds a block and the set's contracts in one batch. These may be of another block, since requests of
    /// one batch don't share a state.
    async fn first_look(
        &self,
        registry: Address,
        question: &Question,
        at: BlockId,
    ) -> Result<(BlockView, Answers, Lens)> {
        let queries = [
            Query::call(registry, &Registry::getRollupCall {}),
            Query::call(registry, &Registry::getGovernanceCall {}),
        ];
        let (method, hydrated) = (block_method(at), false);
        let block = match at {
            BlockId::Hash(hash) => BatchedRequest::new(method, (hash.block_hash, hydrated))?,
            BlockId::Number(number) => BatchedRequest::new(method, (number, hydrated))?,
        };
        let mut requests = vec![BatchedRequest::new("eth_chainId", [(); 0])?, block];
        for query in &queries {
            query.add_requests(at, &mut requests)?;
        }
        let uses_lens = self.limits().use_lens();
        if uses_lens {
            // What it is asked at first doesn't depend on the time, which isn't known yet.
            let subject = ViewSubject { registry, question, next: Timestamp::ZERO };
            requests.push(create(init_code(first_question(&subject)), at)?);
        }
        let mut replies = self.batch(&requests).await?.into_iter();
        let mut next = || replies.next().unwrap_or(Err(RpcError::NullResp));
        let found = decode_reply::<U64>("eth_chainId", next())?.to();
        if found != self.chain_id() {
            return Err(Error::OtherChain { expected: self.chain_id(), found });
        }
        let block = found_block(method, next())?;
        let mut guesses = Answers::default();
        for query in queries {
            guesses.add(query, &mut core::iter::from_fn(|| Some(next())))?;
        }
        let lens = match uses_lens {
            true => add_transcript(next(), &mut guesses)?,
            false => Lens::NotTried,
        };
        Ok((block, guesses, lens))
    }

    /// Reads with the lens as much as it can.
    async fn look_through_lens(
        &self,
        subject: &ViewSubject<'_>,
        at: BlockId,
        guesses: &Answers,
        answers: &mut Answers,
    ) -> Result<Lens> {
        let found = FoundProposals::of(subject.registry, guesses).unwrap_or_default();
        let requests = split(subject, &found)
            .into_iter()
            .map(|question| create(init_code(question), at))
            .collect::<Result<Vec<_>>>()?;
        let mut lens = Lens::Executed;
        for reply in self.batch(&requests).await? {
            if add_transcript(reply, answers)? == Lens::Refused {
                lens = Lens::Refused;
            }
        }
        Ok(lens)
    }

    /// The result of `compute` once all answers that it needs are known. It returns what it lacks as well: that is
    /// asked about the block, the answers are added, and it is called again.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or doesn't have the block.
    pub async fn resolve<T>(
        &self,
        at: BlockId,
        answers: &mut Answers,
        mut compute: impl FnMut(&Answers) -> (T, BTreeSet<Query>),
    ) -> Result<T> {
        loop {
            let (computed, missing) = compute(answers);
            if missing.is_empty() {
                return Ok(computed);
            }
            self.fetch(missing, at, answers).await?;
        }
    }

    /// Asks questions about a block, in as few batches as the endpoint takes, and adds the answers.
    async fn fetch(
        &self,
        queries: BTreeSet<Query>,
        at: BlockId,
        answers: &mut Answers,
    ) -> Result<()> {
        let mut requests = Vec::with_capacity(queries.len());
        for query in &queries {
            query.add_requests(at, &mut requests)?;
        }
        let mut replies = self.batch(&requests).await?.into_iter();
        queries.into_iter().try_for_each(|query| answers.add(query, &mut replies))
    }
}

/// An endpoint's support for the lens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lens {
    /// It executes it.
    Executed,
    /// It answers with an error, which may be for another reason.
    Refused,
    /// It isn't asked to, since it refused before.
    NotTried,
}

/// Adds what a lens answered.
fn add_transcript(reply: Reply, answers: &mut Answers) -> Result<Lens> {
    if let Err(RpcError::ErrorResp(payload)) = &reply
        && !payload.is_retry_err()
    {
        return Ok(Lens::Refused);
    }
    let transcript: Bytes = decode_reply("eth_call", reply)?;
    // One that is empty had no gas to read anything.
    let is_read = !transcript.is_empty() && answers.add_transcript(&transcript).is_ok();
    Ok(if is_read { Lens::Executed } else { Lens::Refused })
}
