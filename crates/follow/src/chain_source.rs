//! A chain reached through JSON-RPC, as a source of logs.

use crate::{
    error::SourceError,
    source::{Header, LogSource, PlacedLog, RangeLogs, Selection},
};
use alloy_primitives::{B256, map::B256Map};
use alloy_provider::Provider;
use alloy_rpc_client::BatchRequest;
use alloy_rpc_types_eth::{Block, Filter, Log};
use alloy_transport::TransportError;
use canon_chain::{Client, Error, block_view, is_range_refusal};
use canon_protocol::{BlockNumber, L1Block, Timestamp};
use canon_views::BlockView;
use core::ops::RangeInclusive;

/// The blocks and logs of a chain, asked of an endpoint.
///
/// Logs are asked in one batch with the blocks they are of, so that the node that answers shows that it
/// has them: nodes that lag answer with fewer logs and no error.
#[derive(Clone, Debug)]
pub struct ChainSource {
    client: Client,
}

impl ChainSource {
    /// The chain of a client.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The logs that fit `filter`, and the blocks that `wanted` names.
    async fn logs_with_blocks<const N: usize>(
        &self,
        filter: &Filter,
        wanted: [Wanted; N],
    ) -> Result<(Vec<Log>, [Header; N]), SourceError> {
        let mut batch = BatchRequest::new(self.client.provider().client());
        let logs =
            batch.add_call::<_, Vec<Log>>("eth_getLogs", &(filter,)).map_err(of("eth_getLogs"))?;
        let mut blocks = Vec::with_capacity(N);
        for block in wanted {
            let waiter = match block {
                Wanted::Hash(hash) => {
                    batch.add_call::<_, Option<Block>>("eth_getBlockByHash", &(hash, false))
                }
                Wanted::Number(number) => batch.add_call(
                    "eth_getBlockByNumber",
                    &(alloy_eips::BlockNumberOrTag::Number(number.get()), false),
                ),
            };
            blocks.push((block, waiter.map_err(of("eth_getBlock"))?));
        }
        batch.send().await.map_err(logs_error)?;
        let logs = logs.await;
        let mut headers = Vec::with_capacity(N);
        for (wanted, block) in blocks {
            let block = block.await.map_err(of("eth_getBlock"))?.ok_or_else(|| wanted.missing())?;
            headers.push(wanted.header(&block)?);
        }
        let logs = logs.map_err(logs_error)?;
        let headers =
            headers.try_into().map_err(|_| SourceError::Malformed("blocks are missing"))?;
        Ok((logs, headers))
    }

    /// Logs with their places, in blocks of times `within`. Endpoints that don't give the time of a
    /// log's block, or another than can be, are asked for the block.
    async fn place(
        &self,
        logs: Vec<Log>,
        within: RangeInclusive<Timestamp>,
    ) -> Result<Vec<PlacedLog>, SourceError> {
        let mut times = B256Map::<Timestamp>::default();
        let mut placed = Vec::with_capacity(logs.len());
        for log in logs {
            let (Some(number), Some(hash), Some(index)) =
                (log.block_number, log.block_hash, log.log_index)
            else {
                return Err(SourceError::Malformed("a log isn't in a block"));
            };
            if log.removed {
                return Err(SourceError::Forked { number: BlockNumber::of(number) });
            }
            let given = log.block_timestamp.and_then(Timestamp::new);
            let given = given.filter(|time| within.contains(time));
            let known = given.or_else(|| times.get(&hash).copied());
            let timestamp = match known {
                Some(timestamp) => timestamp,
                None => {
                    let block = self.block(hash).await?.ok_or(SourceError::UnknownBlock(hash))?;
                    *times.entry(hash).or_insert(block.block.timestamp)
                }
            };
            let block = L1Block { number: BlockNumber::of(number), timestamp };
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

    async fn block(&self, hash: B256) -> Result<Option<Header>, SourceError> {
        let block = self.client.provider().get_block_by_hash(hash).await;
        let block = block.map_err(of("eth_getBlockByHash"))?;
        block.as_ref().map(|block| Wanted::Hash(hash).header(block)).transpose()
    }
}

/// A block that is asked for.
#[derive(Clone, Copy)]
enum Wanted {
    Hash(B256),
    Number(BlockNumber),
}

impl Wanted {
    const fn missing(self) -> SourceError {
        match self {
            Self::Hash(hash) => SourceError::UnknownBlock(hash),
            Self::Number(number) => SourceError::NoBlock(number),
        }
    }
}

impl Wanted {
    /// The header of `block`, if that is the block that was asked for.
    fn header(self, block: &Block) -> Result<Header, SourceError> {
        let header = header(block)?;
        let is_wanted = match self {
            Self::Hash(hash) => header.block.hash == hash,
            Self::Number(number) => header.block.number == number,
        };
        if !is_wanted {
            return Err(SourceError::Malformed("a block is another than the one asked for"));
        }
        Ok(header)
    }
}

impl LogSource for ChainSource {
    async fn chain_id(&mut self) -> Result<u64, SourceError> {
        self.client.provider().get_chain_id().await.map_err(of("eth_chainId"))
    }

    async fn header_at(&mut self, number: BlockNumber) -> Result<Option<Header>, SourceError> {
        let block = self.client.provider().get_block_by_number(number.get().into()).await;
        let block = block.map_err(of("eth_getBlockByNumber"))?;
        block.as_ref().map(|block| Wanted::Number(number).header(block)).transpose()
    }

    async fn newest(&mut self) -> Result<Header, SourceError> {
        let block = self.client.provider().get_block(alloy_eips::BlockId::latest()).await;
        let block = block.map_err(of("eth_getBlockByNumber"))?;
        header(&block.ok_or(SourceError::Malformed("there is no newest block"))?)
    }

    async fn header(&mut self, hash: B256) -> Result<Option<Header>, SourceError> {
        self.block(hash).await
    }

    async fn block_logs(
        &mut self,
        block: &BlockView,
        selection: Selection<'_>,
    ) -> Result<Vec<PlacedLog>, SourceError> {
        let filter = selected(selection).at_block_hash(block.hash);
        let read = self.logs_with_blocks(&filter, [Wanted::Hash(block.hash)]).await;
        let (logs, _) = read.map_err(|error| match error {
            // One block can't be too many.
            SourceError::RangeTooLong(error) => error.into(),
            error => error,
        })?;
        let logs = self.place(logs, block.timestamp..=block.timestamp).await?;
        let at = L1Block { number: block.number, timestamp: block.timestamp };
        if logs.iter().any(|log| log.hash != block.hash || log.block != at) {
            return Err(SourceError::Malformed("a log is of another block than asked for"));
        }
        Ok(logs)
    }

    async fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> Result<RangeLogs, SourceError> {
        let (first, last) = (*blocks.start(), *blocks.end());
        let filter = selected(selection).from_block(first.get()).to_block(last.get());
        let ends = [Wanted::Number(first), Wanted::Number(last)];
        let (logs, [first, last]) = self.logs_with_blocks(&filter, ends).await?;
        let [first, last] = [first, last].map(|end| end.block);
        let logs = self.place(logs, first.timestamp..=last.timestamp).await?;
        let fits = |log: &PlacedLog| {
            let end = [first, last].into_iter().find(|end| end.number == log.block.number);
            blocks.contains(&log.block.number) && end.is_none_or(|end| end.hash == log.hash)
        };
        if !logs.iter().all(fits) {
            return Err(SourceError::Forked { number: last.number });
        }
        Ok(RangeLogs { first, last, logs })
    }
}

fn selected(selection: Selection<'_>) -> Filter {
    match selection {
        Selection::Emitters(emitters) => {
            Filter::new().address(emitters.iter().copied().collect::<Vec<_>>())
        }
        Selection::Events(topics) => Filter::new().event_signature(topics.to_vec()),
    }
}

fn header(block: &Block) -> Result<Header, SourceError> {
    let bloom = block.header.logs_bloom;
    Ok(Header { block: block_view(&block.header)?, bloom })
}

/// An endpoint's failure to answer `eth_getLogs`.
fn logs_error(error: TransportError) -> SourceError {
    if is_range_refusal(&error) {
        return SourceError::RangeTooLong(Error::rpc("eth_getLogs", error));
    }
    of("eth_getLogs")(error)
}

/// An endpoint's failure to answer `what`.
fn of(what: &'static str) -> impl Fn(TransportError) -> SourceError {
    move |source| Error::rpc(what, source).into()
}
