//! The JSON-RPC methods.

mod convert;
mod dev;
pub(crate) mod error;
mod eth;
mod params;

use alloy_json_rpc::{Id, Response, ResponsePayload};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::chain::Chain;
use error::{RpcError, RpcResult};
use params::Params;

/// Answers a request.
pub(crate) fn respond(
    chain: &mut Chain,
    id: Id,
    method: &str,
    params: Option<&RawValue>,
) -> Response {
    let payload = match dispatch(chain, method, params) {
        Ok(result) => ResponsePayload::Success(result),
        Err(error) => ResponsePayload::Failure(error),
    };
    Response { id, payload }
}

fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: Option<&RawValue>,
) -> RpcResult<Box<RawValue>> {
    let mut params = Params::parse(params)?;
    if let Some(result) = eth::dispatch(chain, method, &mut params) {
        return result;
    }
    if let Some(result) = dev::dispatch(chain, method, &mut params) {
        return result;
    }
    Err(error::unknown_method(method))
}

/// A method's result as JSON.
fn json<T: Serialize>(value: T) -> RpcResult<Box<RawValue>> {
    to_raw_value(&value).map_err(|error| RpcError::internal_error_message(error.to_string().into()))
}
