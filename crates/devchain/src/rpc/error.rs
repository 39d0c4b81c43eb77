//! JSON-RPC errors, with the codes and words of geth.

use alloy_json_rpc::ErrorPayload;
use alloy_primitives::{B256, Bytes};
use alloy_sol_types::{Panic, Revert, SolError};
use serde_json::value::RawValue;

pub(crate) type RpcError = ErrorPayload;
pub(crate) type RpcResult<T> = Result<T, RpcError>;

/// The code of refusals without a code of their own.
const SERVER_ERROR: i64 = -32000;

/// The code of `eth_call` and `eth_estimateGas` when the EVM reverted; the error carries the data.
const EXECUTION_REVERTED: i64 = 3;

/// The code of EIP-7966 for a transaction that isn't mined at once.
const NOT_MINED_YET: i64 = 4;

pub(crate) fn server_error(message: impl Into<String>) -> RpcError {
    ErrorPayload { code: SERVER_ERROR, message: message.into().into(), data: None }
}

pub(crate) fn invalid_params(message: impl Into<String>) -> RpcError {
    ErrorPayload { message: message.into().into(), ..ErrorPayload::invalid_params() }
}

pub(crate) fn invalid_request(message: impl Into<String>) -> RpcError {
    ErrorPayload { message: message.into().into(), ..ErrorPayload::invalid_request() }
}

pub(crate) fn unknown_method(method: &str) -> RpcError {
    let message = format!("the method {method} does not exist/is not available");
    ErrorPayload { message: message.into(), ..ErrorPayload::method_not_found() }
}

/// The error of a revert. Its message contains the reason if that is one of Solidity's own.
pub(crate) fn execution_reverted(data: &Bytes) -> RpcError {
    let reason = if let Ok(Revert { reason }) = Revert::abi_decode(data) {
        format!(": {reason}")
    } else if let Ok(Panic { code }) = Panic::abi_decode(data) {
        format!(": panic code {code:#x}")
    } else {
        String::new()
    };
    ErrorPayload {
        code: EXECUTION_REVERTED,
        message: format!("execution reverted{reason}").into(),
        data: RawValue::from_string(format!("\"{data}\"")).ok(),
    }
}

/// The answer of `eth_sendRawTransactionSync` without a receipt (EIP-7966).
pub(crate) fn not_mined_yet(hash: B256) -> RpcError {
    ErrorPayload {
        code: NOT_MINED_YET,
        message: "the transaction was added to the pool but is not mined yet".into(),
        data: RawValue::from_string(format!("\"{hash}\"")).ok(),
    }
}

/// Conversion of the chain's refusals to errors with one common code.
pub(crate) trait OrServerError<T> {
    fn or_server_error(self) -> RpcResult<T>;
}

impl<T, E: std::error::Error> OrServerError<T> for Result<T, E> {
    fn or_server_error(self) -> RpcResult<T> {
        self.map_err(|error| server_error(error.to_string()))
    }
}
