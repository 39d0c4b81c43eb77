//! The JSON-RPC methods.

mod blocks;
pub(crate) mod convert;
mod debug;
mod dev;
pub(crate) mod envelope;
pub(crate) mod error;
mod eth;
mod execute;
mod logs;
mod mine;
mod params;
mod sign;
mod txpool;

use alloy_primitives::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{body::MAX_BODY, chain::Chain, exec::Watch};
use error::{RpcError, RpcResult};
pub(crate) use execute::{Execution, executes};
pub(crate) use logs::Search;
pub(crate) use mine::Mine;
use params::Params;

/// The largest answer of a request, in bytes. A dump that was answered can be sent back.
const MAX_ANSWER: usize = MAX_BODY;

/// The state of a request after a bounded amount of work under the chain's lock.
#[derive(Debug)]
pub(crate) enum Progress {
    /// It is done.
    Answered(RpcResult<Box<RawValue>>),
    /// It has blocks left to mine. Others may use the chain before it goes on.
    Mining(Mine),
    /// It has blocks left to search. Others may use the chain before it goes on.
    Searching(Box<Search>),
    /// It has a call to execute, for which it needs only the state as it is now.
    Executing(Execution),
}

impl Progress {
    /// Executes a call at once, on the chain's own state.
    pub(crate) fn without_leaving(self, chain: &Chain) -> Self {
        match self {
            Self::Executing(execution) => {
                Self::Answered(execution.on(chain.base(&Watch::default())))
            }
            other => other,
        }
    }
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
    if let Some(search) = Search::begin(chain, method, &mut params) {
        return search
            .map_or_else(|error| Progress::Answered(Err(error)), |search| search.some(chain));
    }
    if let Some(execution) = Execution::begin(chain, method, &mut params) {
        return execution.map_or_else(|error| Progress::Answered(Err(error)), Progress::Executing);
    }
    let answer = MODULES.iter().find_map(|dispatch| dispatch(chain, method, &mut params));
    Progress::Answered(answer.unwrap_or_else(|| Err(error::unknown_method(method))))
}

/// The largest dump that is an answer, in bytes: each takes two digits, besides the prefix and the quotes.
const MAX_DUMP: usize = (MAX_ANSWER - 4) / 2;

/// A dump of the chain, if it isn't too large for an answer.
fn dump(chain: &Chain) -> RpcResult<Box<RawValue>> {
    if crate::dump::is_larger(chain, MAX_DUMP) {
        return Err(error::server_error(format!(
            "the chain is too large for a dump: it has more than {MAX_DUMP} bytes"
        )));
    }
    json(Bytes::from(crate::dump::dump(chain)))
}

/// A method's result as JSON.
fn json<T: Serialize>(value: T) -> RpcResult<Box<RawValue>> {
    let json = to_raw_value(&value);
    let json = json.map_err(|error| RpcError::internal_error_message(error.to_string().into()))?;
    if json.get().len() > MAX_ANSWER {
        return Err(error::answer_too_large(json.get().len(), MAX_ANSWER));
    }
    Ok(json)
}
