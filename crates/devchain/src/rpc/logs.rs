//! The methods about logs and filters.

use std::ops::ControlFlow;

use alloy_eips::BlockNumberOrTag;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use serde_json::value::RawValue;

use super::{
    convert,
    error::{RpcResult, invalid_params, limit_exceeded, server_error},
    json,
    params::Params,
};
use crate::{
    chain::Chain,
    logs::{self, MAX_LOG_BYTES, MAX_LOGS, Part},
};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    let next = chain.head().number() + 1;
    Some(match method {
        "eth_getLogs" => get_logs(chain, params),
        "eth_newFilter" => {
            params.next().and_then(|filter| json(chain.filters.watch_logs(filter, next)))
        }
        "eth_newBlockFilter" => json(chain.filters.watch_blocks(next)),
        "eth_newPendingTransactionFilter" => json(chain.filters.watch_pending(next)),
        "eth_getFilterChanges" => get_filter_changes(chain, params),
        "eth_getFilterLogs" => get_filter_logs(chain, params),
        "eth_uninstallFilter" => params.next().and_then(|id| json(chain.filters.uninstall(id))),
        _ => return None,
    })
}

/// The logs on the chain that match a filter, including its block range.
fn find_logs(chain: &Chain, filter: &Filter) -> RpcResult<Vec<Log>> {
    let head = chain.head().number();
    match filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let block = chain.block_by_hash(hash).ok_or_else(|| server_error("unknown block"))?;
            Ok(logs::matching_logs(block, filter).collect())
        }
        FilterBlockOption::Range { from_block, to_block } => {
            let [first, last] = [from_block, to_block].map(|bound| bound.unwrap_or_default());
            if first.is_pending() && last.is_pending() {
                return Err(invalid_params("pending logs are not supported"));
            }
            let [first, last] = [first, last].map(|bound| convert::number_of(bound, head));
            let (first, last) = (first.unwrap_or(head + 1), last.unwrap_or(head));
            if first > last {
                return Err(invalid_params("invalid block range params"));
            }
            let last = last.min(head);
            let mut found = Part::default();
            // A block is never cut.
            let rest = logs::search(&chain.blocks, &chain.emitters, filter, first, last, |block| {
                if found.is_full() {
                    return ControlFlow::Break(block.number());
                }
                logs::matching_logs(block, filter).for_each(|log| found.add(log));
                ControlFlow::Continue(())
            });
            match rest {
                ControlFlow::Continue(()) => Ok(found.logs),
                ControlFlow::Break(rest) => Err(limit_exceeded(format!(
                    "query returned more than {MAX_LOGS} results, or {MAX_LOG_BYTES} bytes of data: \
                     ask for blocks {first} to {}",
                    rest - 1
                ))),
            }
        }
    }
}

/// Unlike a filter, which waits for blocks, a search must not answer for blocks that don't exist yet.
fn get_logs(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let filter: Filter = params.next()?;
    if let FilterBlockOption::Range { from_block, to_block } = filter.block_option {
        let number = |bound: Option<BlockNumberOrTag>| bound.and_then(|bound| bound.as_number());
        let head = chain.head().number();
        let is_reversed = number(from_block).zip(number(to_block)).is_some_and(|(a, b)| a > b);
        if !is_reversed && number(from_block).max(number(to_block)).is_some_and(|n| n > head) {
            return Err(invalid_params("block range extends beyond current head block"));
        }
    }
    json(find_logs(chain, &filter)?)
}

fn get_filter_changes(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    json(chain.filter_changes(params.next()?).ok_or_else(|| server_error("filter not found"))?)
}

fn get_filter_logs(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let filter = chain.filters.log_filter(params.next()?);
    json(find_logs(chain, filter.ok_or_else(|| server_error("filter not found"))?)?)
}
