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
mod methods;
mod mine;
mod params;
mod sign;
mod txpool;

use alloy_primitives::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{body::MAX_BODY, chain::Chain, exec::Watch};
use error::{RpcError, RpcResult};
pub(crate) use execute::Execution;
use methods::Kind;
pub(crate) use methods::executes;
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

/// Carries a request out, or begins to.
pub(crate) fn start(chain: &mut Chain, method: &str, params: Option<&RawValue>) -> Progress {
    begin(chain, method, params).unwrap_or_else(|error| Progress::Answered(Err(error)))
}

fn begin(chain: &mut Chain, name: &str, params: Option<&RawValue>) -> RpcResult<Progress> {
    let method = methods::find(name).ok_or_else(|| error::unknown_method(name))?;
    let mut params = Params::parse(params, method.most)?;
    let progress = match method.kind {
        Kind::Answer(answer) => Progress::Answered(Ok(answer(chain, &mut params)?)),
        Kind::Mine(mine) => mine(chain, &mut params)?.some(chain),
        Kind::Execute(execute) => Progress::Executing(execute(chain, &mut params)?),
        Kind::Named(answer) => {
            let answer = answer(chain, name, &mut params);
            Progress::Answered(Ok(answer.ok_or_else(|| error::unknown_method(name))??))
        }
    };
    params.finish(name);
    Ok(progress)
}

/// The size of a chain from which on its dump is certainly larger than an answer, in bytes.
/// Encoded, a block, transaction or log takes more than a tenth of its memory, and each byte takes
/// two digits.
const MAX_DUMPED: u64 = 5 * MAX_ANSWER as u64;

/// A dump of the chain, if it isn't too large for an answer.
fn dump(chain: &Chain) -> RpcResult<Box<RawValue>> {
    let found = chain.size();
    if found > MAX_DUMPED {
        return Err(error::server_error(format!(
            "the chain is too large for a dump: found {found} bytes of blocks, expected at most \
             {MAX_DUMPED}"
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
