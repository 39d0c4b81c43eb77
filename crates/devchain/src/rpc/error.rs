//! JSON-RPC errors, with the codes of geth and the beginnings of its messages, which clients search
//! for.

use alloy_json_rpc::ErrorPayload;
use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::{Panic, Revert, SolError};
use serde_json::value::RawValue;

pub(crate) type RpcError = ErrorPayload;
pub(crate) type RpcResult<T> = Result<T, RpcError>;

/// The code of refusals without a code of their own.
const SERVER_ERROR: i64 = -32000;

/// The code of `eth_call` and `eth_estimateGas` when the EVM reverted; the error carries the data.
const EXECUTION_REVERTED: i64 = 3;

/// The code of geth for the requests of a batch after its answers are large enough, and for an
/// answer that is too large itself.
const ANSWER_TOO_LARGE: i64 = -32003;

/// The code of EIP-1474 for requests beyond a limit.
const LIMIT_EXCEEDED: i64 = -32005;

/// The code of EIP-7966 for a transaction that isn't mined at once.
const NOT_MINED_YET: i64 = 4;

pub(crate) fn server_error(message: impl Into<String>) -> RpcError {
    coded(SERVER_ERROR, message)
}

pub(crate) fn invalid_params(message: impl Into<String>) -> RpcError {
    ErrorPayload { message: message.into().into(), ..ErrorPayload::invalid_params() }
}

pub(crate) fn invalid_request(message: impl Into<String>) -> RpcError {
    ErrorPayload { message: message.into().into(), ..ErrorPayload::invalid_request() }
}

/// The refusal of the rest of a batch.
pub(crate) fn batch_too_large(limit: usize) -> RpcError {
    let message = format!("response too large: the answers before this one have {limit} bytes");
    coded(ANSWER_TOO_LARGE, message)
}

/// The refusal of a request with too large an answer.
pub(crate) fn answer_too_large(found: usize, limit: usize) -> RpcError {
    let message = format!("response too large: found {found} bytes, expected at most {limit}");
    coded(ANSWER_TOO_LARGE, message)
}

/// What is answered instead while other answers, which their clients don't take, have all the
/// memory.
pub(crate) fn answers_unread(limit: usize) -> RpcError {
    limit_exceeded(format!(
        "answers that clients haven't read have {limit} bytes: read them, and ask again"
    ))
}

/// The refusal of a request whose answer would be too large (EIP-1474).
pub(crate) fn limit_exceeded(message: impl Into<String>) -> RpcError {
    coded(LIMIT_EXCEEDED, message)
}

/// The answer of all requests after the program had an error inside the chain.
pub(crate) fn broken_chain() -> RpcError {
    let message = "the chain is unusable after an internal error: start a new one";
    ErrorPayload::internal_error_message(message.into())
}

/// A refusal with a code of its own.
pub(crate) fn coded(code: i64, message: impl Into<String>) -> RpcError {
    ErrorPayload { code, message: message.into().into(), data: None }
}

/// The codes of `eth_simulateV1`.
pub(crate) mod simulation {
    use crate::exec::InvalidKind;

    pub(crate) const BLOCK_GAS: i64 = -38015;
    pub(crate) const BLOCK_NUMBER: i64 = -38020;
    pub(crate) const TIMESTAMP: i64 = -38021;
    pub(crate) const LIMIT: i64 = -38026;

    /// The code for a call that can't be a transaction.
    pub(crate) const fn code(kind: InvalidKind) -> i64 {
        match kind {
            InvalidKind::NonceTooLow => -38010,
            InvalidKind::NonceTooHigh => -38011,
            InvalidKind::BelowBaseFee => -38012,
            InvalidKind::TooLittleGas => -38013,
            InvalidKind::Funds => -38014,
            InvalidKind::BlockGasLimit => BLOCK_GAS,
            InvalidKind::SenderHasCode => -38024,
            InvalidKind::InitCodeSize => -38025,
            InvalidKind::Stopped => super::SERVER_ERROR,
            InvalidKind::Other => -32603,
        }
    }
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
        format!(": {}", panic(code))
    } else {
        String::new()
    };
    ErrorPayload {
        code: EXECUTION_REVERTED,
        message: format!("execution reverted{reason}").into(),
        data: RawValue::from_string(format!("\"{data}\"")).ok(),
    }
}

/// The meaning of one of Solidity's panics, in geth's words.
fn panic(code: U256) -> String {
    let known = match code.try_into() {
        Ok(0x00_u8) => "generic panic",
        Ok(0x01) => "assert(false)",
        Ok(0x11) => "arithmetic underflow or overflow",
        Ok(0x12) => "division or modulo by zero",
        Ok(0x21) => "enum overflow",
        Ok(0x22) => "invalid encoded storage byte array accessed",
        Ok(0x31) => "out-of-bounds array access; popping on an empty array",
        Ok(0x32) => "out-of-bounds access of an array or bytesN",
        Ok(0x41) => "out of memory",
        Ok(0x51) => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    known.to_owned()
}

/// The answer of `eth_sendRawTransactionSync` without a receipt (EIP-7966).
pub(crate) fn not_mined_yet(hash: B256) -> RpcError {
    ErrorPayload {
        code: NOT_MINED_YET,
        message:
            "the transaction was added to the pool but is not mined yet: ask for its receipt later"
                .into(),
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
