//! The table of all methods, which each module of methods has a part of.

use serde_json::value::RawValue;

use super::{
    blocks, debug, dev, error::RpcResult, eth, execute, execute::Execution, logs, mine, mine::Mine,
    params::Params, sign, txpool,
};
use crate::chain::Chain;

/// A method.
#[derive(Debug)]
pub(super) struct Method {
    names: &'static [&'static str],
    /// The most parameters that it takes.
    pub(super) most: usize,
    pub(super) kind: Kind,
}

/// What a method does with its parameters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Answers under the chain's lock.
    Answer(fn(&mut Chain, &mut Params<'_>) -> RpcResult<Box<RawValue>>),
    /// Mines blocks, which may be many.
    Mine(fn(&mut Chain, &mut Params<'_>) -> RpcResult<Mine>),
    /// Executes something on the state as it is now.
    Execute(fn(&Chain, &mut Params<'_>) -> RpcResult<Execution>),
    /// Answers under the chain's lock, by its name.
    Named(fn(&mut Chain, &str, &mut Params<'_>) -> Option<RpcResult<Box<RawValue>>>),
}

/// A method that answers under the chain's lock.
pub(super) const fn answer(
    names: &'static [&'static str],
    most: usize,
    answer: fn(&mut Chain, &mut Params<'_>) -> RpcResult<Box<RawValue>>,
) -> Method {
    Method { names, most, kind: Kind::Answer(answer) }
}

/// A method that mines blocks.
pub(super) const fn mine(
    names: &'static [&'static str],
    most: usize,
    mine: fn(&mut Chain, &mut Params<'_>) -> RpcResult<Mine>,
) -> Method {
    Method { names, most, kind: Kind::Mine(mine) }
}

/// A method that executes something.
pub(super) const fn execute(
    names: &'static [&'static str],
    most: usize,
    execute: fn(&Chain, &mut Params<'_>) -> RpcResult<Execution>,
) -> Method {
    Method { names, most, kind: Kind::Execute(execute) }
}

const fn log(names: &'static [&'static str], most: usize) -> Method {
    Method { names, most, kind: Kind::Named(logs::dispatch) }
}

const LOGS: &[Method] = &[
    log(&["eth_getLogs"], 1),
    log(&["eth_newFilter"], 1),
    log(&["eth_newBlockFilter"], 0),
    log(&["eth_newPendingTransactionFilter"], 0),
    log(&["eth_getFilterChanges"], 1),
    log(&["eth_getFilterLogs"], 1),
    log(&["eth_uninstallFilter"], 1),
];

const ALL: &[&[Method]] = &[
    eth::METHODS,
    execute::METHODS,
    LOGS,
    mine::METHODS,
    debug::METHODS,
    sign::METHODS,
    txpool::METHODS,
    blocks::METHODS,
    dev::METHODS,
];

/// The method of this name.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    ALL.iter().copied().flatten().find(|method| method.names.contains(&name))
}

/// Whether the method of this name executes something, so that the chain needn't wait for it.
pub(crate) fn executes(name: &str) -> bool {
    find(name).is_some_and(|method| matches!(method.kind, Kind::Execute(_)))
}
