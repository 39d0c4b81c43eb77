//! A chain reached through JSON-RPC, as a source of logs.

use crate::{
    compare::{Comparison, ComparisonScope, compare_present},
    error::SourceError,
    external::ExternalAnswers,
    source::{Header, PlacedLog, RangeLogs, Selection, SetSource},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, map::B256Map};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Filter, Header as RpcHeader, Log};
use alloy_transport::RpcError;
use canon_chain::{
    BatchedRequest, Client, Error, Reply, block_view, decode_reply, is_range_refusal,
};
use canon_protocol::{BlockNumber, L1Block, Seconds, SetState, Timestamp};
use canon_views::{BlockView, Present};
use core::ops::RangeInclusive;
use std::collections::BTreeSet;

const GET_LOGS: &str = "eth_getLogs";

/// The blocks and logs of a chain, read from an endpoint. The endpoint may consist of many nodes: each
/// request, also within a batch, may be answered by another node.
///
/// The logs of one block are requested by its hash, so a node that doesn't have the block refuses
/// (EIP-234). Ranges can't be requested by hash. A node that lags returns the logs of the blocks that it
/// has, without an error. Only the last log shows how far its answer reaches; [`Follower`](crate::Follower)
/// reads ranges with that in mind.
#[derive(Clone, Debug)]
pub struct ChainSource {
    client: Client,
    scope: ComparisonScope,
}

impl ChainSource {
    /// The chain of a client. States are compared within `scope`.
    pub const fn new(client: Client, scope: ComparisonScope) -> Self {
        Self { client, scope }
    }

    /// The scope of comparisons.
    pub(crate) const fn scope_mut(&mut self) -> &mut ComparisonScope {
        &mut self.scope
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The logs that match `filter`, and blocks.
    async fn logs(
        &self,
        filter: &Filter,
        blocks: &[BlockKey],
    ) -> Result<(Vec<Log>, Vec<Header>), SourceError> {
        let mut requests = vec![BatchedRequest::new(GET_LOGS, (filter,))?];
        for block in blocks {
            requests.push(block.request()?);
        }
        let replies = self.client.batch(&requests).await;
        let mut replies = replies.map_err(range_too_long)?.into_iter();
        let mut next = || replies.next().unwrap_or(Err(RpcError::NullResp));
        let logs = next();
        let headers =
            blocks.iter().map(|block| block.header(next())?.ok_or_else(|| block.missing()));
        let headers = headers.collect::<Result<_, SourceError>>()?;
        Ok((decode_logs(logs).map_err(range_too_long)?, headers))
    }

    async fn headers(
        &self,
        blocks: &[BlockKey],
    ) -> Result<Vec<Result<Option<Header>, SourceError>>, SourceError> {
        let requests = blocks.iter().map(|block| block.request()).collect::<Result<Vec<_>, _>>()?;
        let replies = self.client.batch(&requests).await?;
        Ok(blocks.iter().zip(replies).map(|(block, reply)| block.header(reply)).collect())
    }

    async fn block(&self, block: BlockKey) -> Result<Option<Header>, SourceError> {
        self.headers(&[block]).await?.pop().unwrap_or(Ok(None))
    }

    /// The times of the blocks of `logs`, which are within the range next to each. Blocks are read if their logs have
    /// no time, or an impossible one.
    async fn times(
        &self,
        logs: Vec<(&Log, RangeInclusive<Timestamp>)>,
    ) -> Result<BlockTimes, SourceError> {
        let mut times = BlockTimes::default();
        let mut unknown = BTreeSet::new();
        for (log, within) in logs {
            let Some(hash) = log.block_hash else { continue };
            let time = log.block_timestamp.and_then(Timestamp::new);
            match time.filter(|time| within.contains(time)) {
                Some(time) => drop(times.insert(hash, Ok(time))),
                None => drop(unknown.insert(hash)),
            }
        }
        let unknown: Vec<_> = unknown.into_iter().collect();
        let blocks: Vec<_> = unknown.iter().copied().map(BlockKey::Hash).collect();
        for (hash, header) in unknown.into_iter().zip(self.headers(&blocks).await?) {
            let header = header.and_then(|header| header.ok_or(SourceError::UnknownBlock(hash)));
            times.insert(hash, header.map(|header| header.block.timestamp));
        }
        Ok(times)
    }
}

/// The times of blocks by hash, or the reason why one isn't known.
type BlockTimes = B256Map<Result<Timestamp, SourceError>>;

/// Logs with their positions, in blocks with these times.
fn place(logs: Vec<Log>, times: &mut BlockTimes) -> Result<Vec<PlacedLog>, SourceError> {
    let mut placed = Vec::with_capacity(logs.len());
    for log in logs {
        let (Some(number), Some(hash), Some(index)) =
            (log.block_number, log.block_hash, log.log_index)
        else {
            return Err(SourceError::Malformed("a log isn't in a block"));
        };
        let number = BlockNumber::of(number);
        if log.removed {
            return Err(SourceError::Forked { number });
        }
        let timestamp = match times.get(&hash) {
            Some(Ok(time)) => *time,
            _ => {
                let failure = times.remove(&hash).and_then(Result::err);
                return Err(failure.unwrap_or(SourceError::UnknownBlock(hash)));
            }
        };
        let block = L1Block { number, timestamp };
        placed.push(PlacedLog { block, hash, index, log: log.inner });
    }
    placed.sort_by_key(|log| (log.block.number, log.index));
    for pair in placed.windows(2) {
        let (one, other) = (&pair[0], &pair[1]);
        if one.block.number != other.block.number {
            continue;
        }
        if one.hash != other.hash {
            return Err(SourceError::Forked { number: one.block.number });
        }
        if one.index == other.index {
            return Err(SourceError::Malformed("two logs have the same place"));
        }
    }
    Ok(placed)
}

/// The key by which a block is requested.
#[derive(Clone, Copy, Debug)]
enum BlockKey {
    Hash(B256),
    Number(BlockNumber),
    Newest,
}

impl BlockKey {
    const fn method(self) -> &'static str {
        match self {
            Self::Hash(_) => "eth_getBlockByHash",
            Self::Number(_) | Self::Newest => "eth_getBlockByNumber",
        }
    }

    fn request(self) -> Result<BatchedRequest, Error> {
        let what = self.method();
        match self {
            Self::Hash(hash) => BatchedRequest::new(what, (hash, false)),
            Self::Number(number) => {
                BatchedRequest::new(what, (BlockNumberOrTag::Number(number.get()), false))
            }
            Self::Newest => BatchedRequest::new(what, (BlockNumberOrTag::Latest, false)),
        }
    }

    const fn missing(self) -> SourceError {
        match self {
            Self::Hash(hash) => SourceError::UnknownBlock(hash),
            Self::Number(number) => SourceError::NoBlock(number),
            Self::Newest => SourceError::Malformed("there is no newest block"),
        }
    }

    /// The header in a reply, after checking that it is of the requested block; `None` if the node doesn't
    /// have the block.
    fn header(self, reply: Reply) -> Result<Option<Header>, SourceError> {
        let found: Option<RpcHeader> = decode_reply(self.method(), reply)?;
        let Some(found) = found else { return Ok(None) };
        let block = block_view(&found)?;
        let is_wanted = match self {
            Self::Hash(hash) => block.hash == hash,
            Self::Number(number) => block.number == number,
            Self::Newest => true,
        };
        if !is_wanted {
            return Err(SourceError::Malformed("a block is another than the one asked for"));
        }
        let is_proven = found.inner.hash_slow() == found.hash;
        Ok(Some(Header { block, bloom: is_proven.then_some(found.inner.logs_bloom) }))
    }
}

impl SetSource for ChainSource {
    async fn chain_id(&mut self) -> Result<u64, SourceError> {
        let chain_id = self.client.provider().get_chain_id().await;
        Ok(chain_id.map_err(|source| Error::rpc("eth_chainId", source))?)
    }

    async fn header_at(&mut self, number: BlockNumber) -> Result<Option<Header>, SourceError> {
        self.block(BlockKey::Number(number)).await
    }

    async fn headers_at(
        &mut self,
        numbers: RangeInclusive<BlockNumber>,
    ) -> Result<Vec<Header>, SourceError> {
        let numbers = numbers.start().get()..=numbers.end().get();
        let blocks: Vec<_> =
            numbers.map(|number| BlockKey::Number(BlockNumber::of(number))).collect();
        let headers = self.headers(&blocks).await?;
        // One failed reply doesn't discard the others.
        Ok(headers.into_iter().filter_map(|header| header.ok().flatten()).collect())
    }

    async fn newest(&mut self) -> Result<Header, SourceError> {
        let newest = BlockKey::Newest;
        self.block(newest).await?.ok_or_else(|| newest.missing())
    }

    async fn header(&mut self, hash: B256) -> Result<Option<Header>, SourceError> {
        self.block(BlockKey::Hash(hash)).await
    }

    async fn logs_of_blocks(
        &mut self,
        asked: &[(BlockView, Selection<'_>)],
    ) -> Result<Vec<Result<Vec<PlacedLog>, SourceError>>, SourceError> {
        let request = |(block, selection): &(BlockView, Selection<'_>)| {
            BatchedRequest::new(GET_LOGS, (selected(*selection).at_block_hash(block.hash),))
        };
        let requests = asked.iter().map(request).collect::<Result<Vec<_>, _>>()?;
        let replies = self.client.batch(&requests).await?;
        let answers: Vec<_> = replies.into_iter().map(decode_logs).collect();
        let logs = asked.iter().zip(&answers).flat_map(|((block, _), logs)| {
            let time = block.timestamp;
            logs.iter().flatten().map(move |log| (log, time..=time))
        });
        let mut times = self.times(logs.collect()).await?;
        let placed = asked.iter().zip(answers).map(|((block, _), logs)| {
            let logs = place(logs?, &mut times)?;
            let at = L1Block { number: block.number, timestamp: block.timestamp };
            if logs.iter().any(|log| log.hash != block.hash || log.block != at) {
                return Err(SourceError::Malformed("a log is of another block than asked for"));
            }
            Ok(logs)
        });
        Ok(placed.collect())
    }

    async fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> Result<RangeLogs, SourceError> {
        let (first, last) = (*blocks.start(), *blocks.end());
        let filter = selected(selection).from_block(first.get()).to_block(last.get());
        let ends = [BlockKey::Number(first), BlockKey::Number(last)];
        let (logs, headers) = self.logs(&filter, &ends).await?;
        let [first, last] = headers[..] else {
            return Err(SourceError::Malformed("blocks are missing"));
        };
        let (first, last) = (first.block, last.block);
        let within = first.timestamp..=last.timestamp;
        let mut times = self.times(logs.iter().map(|log| (log, within.clone())).collect()).await?;
        let logs = place(logs, &mut times)?;
        let fits = |log: &PlacedLog| {
            let end = [first, last].into_iter().find(|end| end.number == log.block.number);
            blocks.contains(&log.block.number) && end.is_none_or(|end| end.hash == log.hash)
        };
        if !logs.iter().all(fits) {
            return Err(SourceError::Forked { number: last.number });
        }
        Ok(RangeLogs { first, last, logs })
    }

    async fn compare(
        &mut self,
        state: &SetState,
        block: &BlockView,
    ) -> Result<Comparison, SourceError> {
        let question = self.scope.question(state);
        let mut external = ExternalAnswers::at(block.hash);
        let folded = external.resolve(&self.client, |external| {
            Present::of_state(state, external, *block, &question, Seconds::SECOND)
        });
        let (folded, registry) = (folded.await?, state.addresses().registry);
        match self.client.view(registry, &question, block.hash.into(), Seconds::SECOND).await {
            Ok(answered) => Ok(match compare_present(&folded, &answered) {
                Ok(()) => Comparison::Agrees,
                Err(difference) => Comparison::Differs(difference.into()),
            }),
            Err(error) if error.is_of_the_contracts() => Ok(Comparison::NotComparable(error)),
            Err(error) => Err(error.into()),
        }
    }
}

fn selected(selection: Selection<'_>) -> Filter {
    match selection {
        Selection::All => Filter::new(),
        Selection::Emitters(emitters) => {
            Filter::new().address(emitters.iter().copied().collect::<Vec<_>>())
        }
        Selection::Events(topics) => Filter::new().event_signature(topics.to_vec()),
    }
}

/// The logs in a reply to `eth_getLogs`.
fn decode_logs(reply: Reply) -> Result<Vec<Log>, Error> {
    decode_reply(GET_LOGS, Ok(reply.map_err(|error| Error::rpc(GET_LOGS, error))?))
}

/// The error of a failed `eth_getLogs`.
fn range_too_long(error: Error) -> SourceError {
    match &error {
        Error::Rpc { what: GET_LOGS, source } if is_range_refusal(source) => {
            SourceError::RangeTooLong(error)
        }
        _ => error.into(),
    }
}
