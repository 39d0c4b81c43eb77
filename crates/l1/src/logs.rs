//! Events, read in ranges of blocks that endpoints accept.

use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy::{
    providers::Provider,
    rpc::types::{Filter, Log},
    sol_types::SolEvent,
    transports::{RpcError, TransportError, TransportErrorKind},
};
use canon_protocol::BlockNumber;
use core::ops::RangeInclusive;

/// The most blocks that one `eth_getLogs` covers: the usual limit of providers.
const MAX_RANGE: u64 = 10_000;

/// The factor by which a range is shortened that the endpoint refuses.
const SHORTENING: u64 = 10;

/// The fewest blocks to which a refused range is shortened: the lowest usual limit of providers.
const MIN_RANGE: u64 = 10;

/// The place of a log: its block, and its index in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogPosition {
    pub(crate) block: BlockNumber,
    pub(crate) index: u64,
}

impl LogPosition {
    /// The place of a log; `None` if it isn't in a block.
    fn of(log: &Log) -> Option<Self> {
        Some(Self { block: BlockNumber::of(log.block_number?), index: log.log_index? })
    }
}

impl Client {
    /// The logs in `blocks` that fit `filter`, oldest first. Reads no further range once `enough` are
    /// found.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or refuses even short ranges.
    pub(crate) async fn logs(
        &self,
        filter: Filter,
        blocks: RangeInclusive<BlockNumber>,
        enough: usize,
    ) -> Result<Vec<Log>> {
        let (mut first, end) = (blocks.start().get(), blocks.end().get());
        let mut range = MAX_RANGE;
        let mut logs = Vec::new();
        while first <= end && logs.len() < enough {
            let last = end.min(first.saturating_add(range - 1));
            let filter = filter.clone().from_block(first).to_block(last);
            match self.provider().get_logs(&filter).await {
                Ok(found) => {
                    logs.extend(found);
                    let Some(next) = last.checked_add(1) else { break };
                    first = next;
                }
                Err(source) if is_refusal(&source) && range > MIN_RANGE => range /= SHORTENING,
                Err(source) => return Err(Error::Rpc { what: "eth_getLogs", source }),
            }
        }
        logs.sort_by_key(LogPosition::of);
        Ok(logs)
    }

    /// The events of a kind among [`Self::logs`], with their places.
    ///
    /// # Errors
    ///
    /// As [`Self::logs`].
    pub(crate) async fn events<E: SolEvent>(
        &self,
        filter: Filter,
        blocks: RangeInclusive<BlockNumber>,
        enough: usize,
    ) -> Result<Vec<(LogPosition, E)>> {
        let filter = filter.event_signature(E::SIGNATURE_HASH);
        let logs = self.logs(filter, blocks, enough).await?;
        let event = |log: &Log| {
            Some((LogPosition::of(log)?, E::decode_log_validate(&log.inner).ok()?.data))
        };
        Ok(logs.iter().filter_map(event).collect())
    }
}

/// Whether the endpoint answered with an error: a shorter range may help. Endpoints have no common code
/// for ranges that are too long.
const fn is_refusal(error: &TransportError) -> bool {
    matches!(error, RpcError::ErrorResp(_) | RpcError::Transport(TransportErrorKind::HttpError(_)))
}
