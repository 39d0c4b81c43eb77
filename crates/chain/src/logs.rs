//! Events, read in ranges of blocks that endpoints accept.

use crate::{
    client::Client,
    error::{Error, Result},
    range_refusal::is_range_refusal,
    request_length::RequestLength,
};
use alloy_primitives::Address;
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use canon_protocol::BlockNumber;
use core::ops::{Range, RangeInclusive};

/// The position of a log: its block, and its index in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogPosition {
    pub(crate) block: BlockNumber,
    pub(crate) index: u64,
}

impl LogPosition {
    /// The position of a log; `None` if it isn't in a block.
    fn of(log: &Log) -> Option<Self> {
        Some(Self { block: BlockNumber::of(log.block_number?), index: log.log_index? })
    }
}

/// An end of a range of blocks.
#[derive(Clone, Copy, Debug)]
enum End {
    First,
    Last,
}

/// Blocks whose logs are still unread, which are read from either end.
struct UnreadBlocks {
    blocks: Range<u64>,
    request_length: RequestLength,
}

impl UnreadBlocks {
    const fn new(blocks: &RangeInclusive<BlockNumber>) -> Self {
        let end = blocks.end().get().saturating_add(1);
        Self { blocks: blocks.start().get()..end, request_length: RequestLength::BLOCKS }
    }

    fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Reads the logs of blocks at one end, as many as the endpoint accepts.
    async fn read(&mut self, client: &Client, filter: &Filter, end: End) -> Result<Vec<Log>> {
        loop {
            let Range { start, end: after } = self.blocks;
            let (part, rest) = match end {
                End::First => {
                    let split = after.min(start.saturating_add(self.request_length.get()));
                    (start..split, split..after)
                }
                End::Last => {
                    let split = start.max(after.saturating_sub(self.request_length.get()));
                    (split..after, start..split)
                }
            };
            let filter = filter.clone().from_block(part.start).to_block(part.end - 1);
            let logs = client.provider().get_logs(&filter).await;
            let answer = self.request_length.note(logs, is_range_refusal);
            let answer = answer.map_err(|source| Error::rpc("eth_getLogs", source))?;
            if let Some(logs) = answer {
                self.blocks = rest;
                return Ok(logs);
            }
        }
    }
}

impl Client {
    /// The logs in `blocks` that match `filter`, oldest first.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or refuses even short ranges.
    pub(crate) async fn logs(
        &self,
        filter: &Filter,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Vec<Log>> {
        let mut unread = UnreadBlocks::new(&blocks);
        let mut logs = Vec::new();
        while !unread.is_empty() {
            logs.extend(unread.read(self, filter, End::First).await?);
        }
        logs.sort_by_key(LogPosition::of);
        Ok(logs)
    }

    /// The first log in `blocks` that matches `filter`; `None` if there is none. The ranges are read from
    /// the oldest on. `searched` gets the last block of each range without such a log.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or refuses even short ranges.
    pub async fn first_log(
        &self,
        filter: &Filter,
        blocks: RangeInclusive<BlockNumber>,
        mut searched: impl FnMut(BlockNumber),
    ) -> Result<Option<Log>> {
        let mut unread = UnreadBlocks::new(&blocks);
        while !unread.is_empty() {
            let logs = unread.read(self, filter, End::First).await?;
            if let Some(log) = logs.into_iter().min_by_key(LogPosition::of) {
                return Ok(Some(log));
            }
            searched(BlockNumber::of(unread.blocks.start.saturating_sub(1)));
        }
        Ok(None)
    }

    /// A log in `blocks` that matches `filter`, if there should be only one. The search alternates between
    /// both ends, so it takes few requests if the log is near one of them.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or refuses even short ranges.
    pub(crate) async fn find_log(
        &self,
        filter: &Filter,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Option<Log>> {
        let mut unread = UnreadBlocks::new(&blocks);
        for end in [End::First, End::Last].into_iter().cycle() {
            if unread.is_empty() {
                break;
            }
            let logs = unread.read(self, filter, end).await?;
            if let Some(log) = logs.into_iter().next() {
                return Ok(Some(log));
            }
        }
        Ok(None)
    }

    /// The events of a kind that a contract emitted in `blocks`, oldest first, with their positions.
    ///
    /// # Errors
    ///
    /// [`Error::BadAnswer`] if a log isn't such an event, or isn't in a block; otherwise if the endpoint doesn't
    /// answer, or refuses even short ranges.
    pub(crate) async fn events<E: SolEvent>(
        &self,
        emitter: Address,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Vec<(LogPosition, E)>> {
        let filter = Filter::new().address(emitter).event_signature(E::SIGNATURE_HASH);
        let logs = self.logs(&filter, blocks).await?;
        let unreadable = || Error::BadAnswer { what: "eth_getLogs", address: emitter };
        events_of(&logs, emitter).ok_or_else(unreadable)
    }
}

/// The events of a kind in the logs of a contract, with their positions. `None` if one of the logs isn't such an event,
/// is another contract's, or isn't in a block: a verdict without it would be about another history.
fn events_of<E: SolEvent>(logs: &[Log], emitter: Address) -> Option<Vec<(LogPosition, E)>> {
    let event = |log: &Log| {
        let event = E::decode_log_validate(&log.inner).ok()?.data;
        (log.address() == emitter).then_some((LogPosition::of(log)?, event))
    };
    logs.iter().map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, Bytes, LogData, U256};
    use canon_abi::Issuer;

    const EMITTER: Address = Address::repeat_byte(7);

    fn minted(amount: u64) -> Log {
        let event = Issuer::Minted { to: Address::ZERO, amount: U256::from(amount) };
        let inner = alloy_primitives::Log { address: EMITTER, data: event.encode_log_data() };
        Log { inner, block_number: Some(amount), log_index: Some(0), ..Log::default() }
    }

    #[test]
    fn events_have_their_positions() {
        let found = events_of::<Issuer::Minted>(&[minted(1), minted(2)], EMITTER).unwrap();
        let found: Vec<_> =
            found.iter().map(|(position, event)| (position.block.get(), event.amount)).collect();
        assert_eq!(found, [(1, U256::from(1)), (2, U256::from(2))]);
    }

    #[test]
    fn a_log_that_is_not_the_event_asked_for_is_refused_instead_of_left_out() {
        let short = |log: &mut Log| {
            let topics = log.topics().to_vec();
            log.inner.data = LogData::new_unchecked(topics, Bytes::new());
        };
        let of_another_kind = |log: &mut Log| {
            let mut topics = log.topics().to_vec();
            topics[0] = B256::ZERO;
            log.inner.data = LogData::new_unchecked(topics, log.inner.data.data.clone());
        };
        let faults: [fn(&mut Log); 5] = [
            short,
            of_another_kind,
            |log| log.inner.address = Address::ZERO,
            |log| log.block_number = None,
            |log| log.log_index = None,
        ];
        for (number, fault) in faults.into_iter().enumerate() {
            let mut log = minted(2);
            fault(&mut log);
            let found = events_of::<Issuer::Minted>(&[minted(1), log, minted(3)], EMITTER);
            assert!(found.is_none(), "fault {number}");
        }
    }
}
