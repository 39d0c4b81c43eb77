//! A set at one block, read from the contracts' views.
//!
//! A view takes two round trips. The first finds the block and the amount of data to read. The second reads
//! everything at the block's hash with the lens, which is init code that `eth_call` executes and that is
//! never deployed (`contracts/src/lens/SetLens.sol`). If an endpoint doesn't execute the lens, plain calls
//! in batches take at most five round trips.

mod answers;
mod batch;
mod family;
mod lens;
mod present;
mod reader;
mod rollups;

pub use answers::{Answers, Query};
pub(crate) use batch::EndpointLimits;
pub use batch::{BatchedRequest, Reply, decode_reply};
pub use family::RelatedFamily;

use crate::{
    client::{BlockTime, Client, block_method, found_block, next_time},
    error::{Error, Result},
};
use alloy_eips::{BlockId, BlockNumberOrTag, RpcBlockHash};
use alloy_primitives::{Address, Bytes, U64};
use alloy_transport::RpcError;
use answers::create;
use canon_abi::Registry;
use canon_protocol::{Seconds, Timestamp};
use canon_views::{BlockView, Present, Question};
use lens::{FoundProposals, first_question, init_code, split};
use reader::{Gap, Reader};
use std::collections::BTreeSet;

/// The subject of a view.
#[derive(Clone, Copy, Debug)]
struct ViewSubject<'a> {
    registry: Address,
    question: &'a Question,
    /// The expected time of the next block.
    next: Timestamp,
}

impl Client {
    /// The set whose Registry is at `registry`, at a block. The next block is expected `block_time` later.
    /// Everything is read at the block's hash.
    ///
    /// Parts that the canonical rollup or Proposals doesn't answer are left out, and so are requested
    /// rollups that don't answer.
    ///
    /// # Errors
    ///
    /// Fails closed: [`Error::OtherFamily`] for a set of a related family; [`Error::OtherChain`] if the endpoint is on another chain than before;
    /// [`Error::NoCode`] if the Registry, Governance, Proposals, the Asset or its owner has no code;
    /// [`Error::Inconsistent`] if Proposals belongs to another Registry; [`Error::NoAnswer`],
    /// [`Error::BadAnswer`] or [`Error::OutOfRange`] if Governance or the Asset doesn't answer according to
    /// the ABI and the protocol. [`Error::Rpc`] if the endpoint fails, doesn't have the block, or the block
    /// is no longer canonical.
    pub async fn view(
        &self,
        registry: Address,
        question: &Question,
        at: BlockId,
        block_time: Seconds,
    ) -> Result<Present> {
        let look = self.first_look(registry, question, at, Neighbors::NotRead).await?;
        let next = look.block.timestamp + block_time;
        self.second_look(look, ViewSubject { registry, question, next }).await
    }

    /// The set at the newest block, as by [`Self::view`]. The next block is expected at the time of
    /// [`Self::next_time`], which takes no further round trip.
    ///
    /// # Errors
    ///
    /// As [`Self::view`].
    pub async fn newest_view(
        &self,
        registry: Address,
        question: &Question,
        block_time: impl Into<BlockTime> + Send,
    ) -> Result<Present> {
        let (latest, block_time) = (BlockId::latest(), block_time.into());
        let neighbors = Neighbors::Read(block_time);
        let mut look = self.first_look(registry, question, latest, neighbors).await?;
        self.note_head(look.block.number.get());
        let block_time = block_time.after(&look.block, look.earlier);
        let next = next_time(self.chain_id(), &look.block, look.pending.take(), block_time);
        self.second_look(look, ViewSubject { registry, question, next }).await
    }

    /// Reads everything at the block that the first look found.
    async fn second_look(&self, look: FirstLook, subject: ViewSubject<'_>) -> Result<Present> {
        let FirstLook { block, guesses, mut lens, .. } = look;
        let registry = subject.registry;
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
                // If nothing is noted as missing, the reader has a defect, and there is no view.
                Gap::Unknown => Error::Unread { registry },
            });
            (present, reader.into_missing())
        };
        let present = self.resolve(at, &mut answers, read).await?;
        // If the endpoint had lost the block, it wouldn't have answered plain calls either.
        if lens == Lens::Refused {
            self.limits().refuse_lens();
        }
        match present {
            Err(error) if error.is_of_the_contracts() => {
                let family = self.related_family(at, registry).await;
                Err(family.map_or(error, |family| Error::OtherFamily { registry, family }))
            }
            present => present,
        }
    }

    /// Finds a block and the set's contracts in one batch. The contracts may be those of another block,
    /// because the requests of a batch don't share a state.
    async fn first_look(
        &self,
        registry: Address,
        question: &Question,
        at: BlockId,
        neighbors: Neighbors,
    ) -> Result<FirstLook> {
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
        let mut earlier = None;
        if let Neighbors::Read(block_time) = neighbors {
            requests.push(BatchedRequest::new(method, (BlockNumberOrTag::Pending, hydrated))?);
            earlier = self.request_of_earlier(block_time)?;
        }
        let reads_earlier = earlier.is_some();
        requests.extend(earlier);
        for query in &queries {
            query.add_requests(at, &mut requests)?;
        }
        let uses_lens = self.limits().use_lens();
        if uses_lens {
            // The first question doesn't depend on the time, which isn't known yet.
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
        // The expected time of the next block doesn't need them.
        let pending = match neighbors {
            Neighbors::Read(_) => found_block(method, next()).ok(),
            Neighbors::NotRead => None,
        };
        let earlier = if reads_earlier { found_block(method, next()).ok() } else { None };
        let mut guesses = Answers::default();
        for query in queries {
            guesses.add(query, &mut core::iter::from_fn(|| Some(next())))?;
        }
        let lens = match uses_lens {
            true => add_transcript(next(), &mut guesses)?,
            false => Lens::NotTried,
        };
        Ok(FirstLook { block, pending, earlier, guesses, lens })
    }

    /// Reads as much as possible with the lens.
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

    /// Repeats `compute` until all answers that it needs are known, and returns its result. `compute` also returns
    /// the missing queries, which are then sent to the chain at the block.
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

    /// Sends queries about a block, in as few batches as the endpoint accepts, and adds the answers.
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

/// What the first round trip of a view finds.
struct FirstLook {
    block: BlockView,
    /// The endpoint's pending block; `None` if it wasn't read or can't be read.
    pending: Option<BlockView>,
    /// A block before it, for the time between blocks; `None` if it wasn't read or can't be read.
    earlier: Option<BlockView>,
    /// Answers that may be those of another block.
    guesses: Answers,
    lens: Lens,
}

/// Whether the first round trip also reads the pending block, and one before the newest if the time between blocks is
/// observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbors {
    Read(BlockTime),
    NotRead,
}

/// An endpoint's support for the lens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lens {
    /// The endpoint executes the lens.
    Executed,
    /// The endpoint returned an error, possibly for another reason.
    Refused,
    /// The lens isn't used, because the endpoint refused it before.
    NotTried,
}

/// Adds the answers in the transcript of a lens.
fn add_transcript(reply: Reply, answers: &mut Answers) -> Result<Lens> {
    if let Err(RpcError::ErrorResp(payload)) = &reply
        && !payload.is_retry_err()
    {
        return Ok(Lens::Refused);
    }
    let transcript: Bytes = decode_reply("eth_call", reply)?;
    // An empty transcript means that there was no gas to read anything.
    let is_read = !transcript.is_empty() && answers.add_transcript(&transcript).is_ok();
    Ok(if is_read { Lens::Executed } else { Lens::Refused })
}
