//! The JSON-RPC methods.

mod blocks;
pub(crate) mod convert;
mod debug;
mod dev;
pub(crate) mod envelope;
pub(crate) mod error;
mod eth;
mod logs;
mod mine;
mod params;
mod sign;
mod txpool;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::chain::Chain;
use error::{RpcError, RpcResult};
pub(crate) use mine::Mine;
use params::Params;

/// The state of a request after a bounded amount of work under the chain's lock.
#[derive(Debug)]
pub(crate) enum Progress {
    /// It is done.
    Answered(RpcResult<Box<RawValue>>),
    /// It has blocks left to mine. Others may use the chain before it goes on.
    Mining(Mine),
}

/// A module's methods: an answer, or `None` if it has no such method.
type Dispatch = fn(&mut Chain, &str, &mut Params<'_>) -> Option<RpcResult<Box<RawValue>>>;

const MODULES: [Dispatch; 7] = [
    eth::dispatch,
    debug::dispatch,
    logs::dispatch,
    sign::dispatch,
    txpool::dispatch,
    blocks::dispatch,
    dev::dispatch,
];

/// Carries a request out, or begins to.
pub(crate) fn start(chain: &mut Chain, method: &str, params: Option<&RawValue>) -> Progress {
    let mut params = match Params::parse(params) {
        Ok(params) => params,
        Err(error) => return Progress::Answered(Err(error)),
    };
    if let Some(mine) = Mine::begin(chain, method, &mut params) {
        return mine.map_or_else(|error| Progress::Answered(Err(error)), |mine| mine.some(chain));
    }
    let answer = MODULES.iter().find_map(|dispatch| dispatch(chain, method, &mut params));
    Progress::Answered(answer.unwrap_or_else(|| Err(error::unknown_method(method))))
}

/// A method's result as JSON.
fn json<T: Serialize>(value: T) -> RpcResult<Box<RawValue>> {
    to_raw_value(&value).map_err(|error| RpcError::internal_error_message(error.to_string().into()))
}
