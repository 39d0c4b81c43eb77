//! The methods about logs and filters.

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, FilterBlockOption};
use serde_json::value::RawValue;

use super::{
    Progress, convert,
    error::{RpcResult, invalid_params, limit_exceeded, server_error},
    json,
    params::Params,
};
use crate::{
    chain::Chain,
    logs::{self, Found, MAX_LOG_BYTES, MAX_LOGS, WORK_AT_ONCE},
};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    let next = chain.head().number() + 1;
    Some(match method {
        "eth_newFilter" => {
            filter(params).and_then(|filter| json(chain.filters.watch_logs(filter, next)))
        }
        "eth_newBlockFilter" => json(chain.filters.watch_blocks(next)),
        "eth_newPendingTransactionFilter" => json(chain.filters.watch_pending(next)),
        "eth_getFilterChanges" => get_filter_changes(chain, params),
        "eth_uninstallFilter" => params.next().and_then(|id| json(chain.filters.uninstall(id))),
        _ => return None,
    })
}

fn get_filter_changes(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(chain.filter_changes(params.next()?).ok_or_else(|| server_error("filter not found"))?)
}

/// The next parameter as a filter that doesn't have too many values.
fn filter(params: &mut Params<'_>) -> RpcResult<Filter> {
    let filter = params.next()?;
    logs::check_values(&filter).map_err(invalid_params)?;
    Ok(filter)
}

/// A request that searches for logs, perhaps in many blocks.
#[derive(Debug)]
pub(crate) struct Search {
    filter: Filter,
    first: u64,
    last: u64,
    /// The first block that wasn't searched yet.
    next: u64,
    /// The hash of the block before it, if that was searched.
    searched: Option<B256>,
    found: Found,
}

impl Search {
    /// Begins a search; `None` if the method is another one.
    pub(super) fn begin(
        chain: &Chain,
        method: &str,
        params: &mut Params<'_>,
    ) -> Option<RpcResult<Self>> {
        Some(match method {
            "eth_getLogs" => filter(params).and_then(|filter| Self::in_existing(chain, filter)),
            "eth_getFilterLogs" => params.next().and_then(|id| {
                let filter = chain.filters.log_filter(id).cloned();
                Self::of(chain, filter.ok_or_else(|| server_error("filter not found"))?)
            }),
            _ => return None,
        })
    }

    /// Unlike a filter, which waits for blocks, a search must not answer for blocks that don't exist yet.
    fn in_existing(chain: &Chain, filter: Filter) -> RpcResult<Self> {
        if let FilterBlockOption::Range { from_block, to_block } = filter.block_option {
            let number =
                |bound: Option<BlockNumberOrTag>| bound.and_then(|bound| bound.as_number());
            let head = chain.head().number();
            let is_reversed = number(from_block).zip(number(to_block)).is_some_and(|(a, b)| a > b);
            if !is_reversed && number(from_block).max(number(to_block)).is_some_and(|n| n > head) {
                return Err(invalid_params("block range extends beyond current head block"));
            }
        }
        Self::of(chain, filter)
    }

    fn of(chain: &Chain, filter: Filter) -> RpcResult<Self> {
        let (first, last) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let block = chain.block_by_hash(hash);
                let block = block.ok_or_else(|| server_error("unknown block"))?;
                (block.number(), block.number())
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let head = chain.head().number();
                let [first, last] = [from_block, to_block].map(|bound| bound.unwrap_or_default());
                if first.is_pending() && last.is_pending() {
                    return Err(invalid_params("pending logs are not supported"));
                }
                let [first, last] = [first, last].map(|bound| convert::number_of(bound, head));
                let (first, last) = (first.unwrap_or(head + 1), last.unwrap_or(head));
                if first > last {
                    return Err(invalid_params("invalid block range params"));
                }
                (first, last.min(head))
            }
        };
        Ok(Self { filter, first, last, next: first, searched: None, found: Found::default() })
    }

    /// Searches the next blocks, up to an amount of work that doesn't take long.
    pub(crate) fn some(mut self, chain: &Chain) -> Progress {
        if self.searched.is_some_and(|hash| chain.block_by_hash(hash).is_none()) {
            let message = "blocks were removed from the chain while it was searched: ask again";
            return Progress::Answered(Err(server_error(message)));
        }
        let (blocks, emitters, range) = (&chain.blocks, &chain.emitters, self.next..=self.last);
        self.found.search(blocks, emitters, &self.filter, range, WORK_AT_ONCE);
        match self.found.rest {
            None => Progress::Answered(json(self.found.logs)),
            Some(rest) if self.found.is_full => Progress::Answered(Err(limit_exceeded(format!(
                "query returned more than {MAX_LOGS} results, or {MAX_LOG_BYTES} bytes of data: \
                     ask for blocks {} to {}",
                self.first,
                rest - 1
            )))),
            Some(rest) => {
                self.searched = chain.blocks.get(rest as usize - 1).map(|block| block.hash);
                self.next = rest;
                Progress::Searching(Box::new(self))
            }
        }
    }
}
