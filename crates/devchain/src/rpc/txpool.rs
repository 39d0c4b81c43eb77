//! The methods about transactions that wait in the pool.

use std::collections::BTreeMap;

use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, U64, map::B256Set};
use serde::Serialize;
use serde_json::{json as value, value::RawValue};

use super::{convert, error::RpcResult, json, params::Params};
use crate::{block::Tx, chain::Chain};

/// Answers a method of this module; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "txpool_status" => {
            let Pooled { pending, queued } = pooled(chain, |_| ());
            let count =
                |of: &BySender<()>| U64::from(of.values().map(BTreeMap::len).sum::<usize>());
            json(value!({ "pending": count(&pending), "queued": count(&queued) }))
        }
        "txpool_content" => json(pooled(chain, convert::waiting)),
        "txpool_contentFrom" => content_from(chain, params),
        "txpool_inspect" => json(pooled(chain, inspect)),
        "anvil_dropTransaction" | "hardhat_dropTransaction" => drop_transaction(chain, params),
        "anvil_dropAllTransactions" | "hardhat_dropAllTransactions" => {
            chain.pool.clear();
            json(())
        }
        "anvil_removePoolTransactions" => remove_from(chain, params),
        _ => return None,
    })
}

/// A value for each transaction, by its sender and its nonce.
type BySender<T> = BTreeMap<Address, BTreeMap<u64, T>>;

/// The transactions that can be executed now, and those that wait for others.
#[derive(Serialize)]
struct Pooled<T> {
    pending: BySender<T>,
    queued: BySender<T>,
}

fn pooled<T>(chain: &Chain, of: fn(&Tx) -> T) -> Pooled<T> {
    let ready = chain.pool.ready(&chain.state, 0);
    let ready: B256Set = ready.iter().map(|waiting| *waiting.tx.tx_hash()).collect();
    let mut pooled = Pooled { pending: BTreeMap::new(), queued: BTreeMap::new() };
    for waiting in chain.pool.all() {
        let tx = &waiting.tx;
        let is_ready = ready.contains(tx.tx_hash());
        let place = if is_ready { &mut pooled.pending } else { &mut pooled.queued };
        place.entry(tx.signer()).or_default().insert(tx.nonce(), of(tx));
    }
    pooled
}

fn content_from(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let sender: Address = params.next()?;
    let Pooled { mut pending, mut queued } = pooled(chain, convert::waiting);
    let of_sender = |all: &mut BySender<_>| all.remove(&sender).unwrap_or_default();
    json(value!({ "pending": of_sender(&mut pending), "queued": of_sender(&mut queued) }))
}

/// A transaction in one line, as geth writes it.
fn inspect(tx: &Tx) -> String {
    let to = tx.to().map_or_else(|| "contract creation".to_owned(), |to| to.to_string());
    let (value, gas, price) = (tx.value(), tx.gas_limit(), tx.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}

fn drop_transaction(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let hash: B256 = params.next()?;
    let Some(waiting) = chain.pool.get(&hash) else { return json(None::<B256>) };
    let (sender, nonce) = (waiting.tx.signer(), waiting.tx.nonce());
    chain.pool.remove(sender, nonce);
    json(hash)
}

fn remove_from(chain: &mut Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let sender: Address = params.next()?;
    let nonces: Vec<u64> = chain
        .pool
        .all()
        .iter()
        .filter(|waiting| waiting.tx.signer() == sender)
        .map(|waiting| waiting.tx.nonce())
        .collect();
    for nonce in nonces {
        chain.pool.remove(sender, nonce);
    }
    json(())
}
