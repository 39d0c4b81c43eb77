//! The failure of a call's execution, recognized by the endpoint's message.

use alloy_primitives::Bytes;
use alloy_transport::{RpcError, TransportError};

/// A failure of a call's execution, as opposed to one of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExecutionFailure {
    /// The call reverted with this data.
    Reverted(Bytes),
    /// The call used up its gas.
    OutOfGas,
    /// The call ended without a result for another reason, or for one that the endpoint doesn't name.
    Exceptional,
}

/// The error code of a failed execution in geth.
const EXECUTION_ERROR: i64 = 3;

/// The messages of clients if the gas is used up, in lower case.
const OUT_OF_GAS: [&str; 7] = [
    "out of gas",
    "outofgas",
    // The names in revm.
    "operandoog",
    "memoryoog",
    "memorylimitoog",
    "precompileoog",
    "sentryoog",
];

/// The messages of clients if the execution ends without a result for another reason, in lower case. They are
/// whole phrases, because the message of a node's own failure can contain words such as "stack" and "revert".
const EXCEPTIONAL: [&str; 20] = [
    "transaction reverted",
    "vm exception while processing transaction",
    "vm execution error",
    "reverted 0x",
    "invalid opcode",
    "bad instruction",
    "badinstruction",
    // revm's names.
    "opcodenotfound",
    "invalidfeopcode",
    "invalid jump",
    "invalidjump",
    "stack underflow",
    "stackunderflow",
    "stack limit reached",
    "evm error stackoverflow",
    "evm error: stackoverflow",
    "write protection",
    "statechangeduringstaticcall",
    "return data out of bounds",
    "gas uint64 overflow",
];

impl ExecutionFailure {
    /// The failure of the execution; `None` if the error is of another kind.
    pub(crate) fn of(error: &TransportError) -> Option<Self> {
        let RpcError::ErrorResp(payload) = error else { return None };
        if let Some(data) = payload.as_revert_data() {
            return Some(Self::Reverted(data));
        }
        let failed = (payload.code == EXECUTION_ERROR).then_some(Self::Exceptional);
        Self::of_message(&payload.message).or(failed)
    }

    /// The failure according to the error's message alone. If a revert has no data, endpoints leave out the
    /// `data` field.
    pub(crate) fn of_message(message: &str) -> Option<Self> {
        let message = message.to_lowercase();
        let says_one_of = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if message.contains("execution reverted") {
            return Some(Self::Reverted(Bytes::new()));
        }
        if says_one_of(&OUT_OF_GAS) {
            return Some(Self::OutOfGas);
        }
        says_one_of(&EXCEPTIONAL).then_some(Self::Exceptional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_json_rpc::ErrorPayload;

    #[test]
    fn a_failed_execution_is_told_from_a_failed_endpoint() {
        let revert =
            |data: &'static [u8]| Some(ExecutionFailure::Reverted(Bytes::from_static(data)));
        for (code, message, data, expected) in [
            (3, "execution reverted", Some("0xab"), revert(&[0xab])),
            (3, "execution reverted: out of gas", None, revert(&[])),
            (-32_000, "Execution reverted", None, revert(&[])),
            (-32_000, "out of gas", None, Some(ExecutionFailure::OutOfGas)),
            (-32_003, "OutOfGas", None, Some(ExecutionFailure::OutOfGas)),
            (-32_003, "EVM error InvalidOperandOOG", None, Some(ExecutionFailure::OutOfGas)),
            (-32_000, "see google.com", None, None),
            (-32_015, "VM execution error.", None, Some(ExecutionFailure::Exceptional)),
            (-32_000, "invalid opcode: INVALID", None, Some(ExecutionFailure::Exceptional)),
            (-32_000, "stack underflow (0 <=> 1)", None, Some(ExecutionFailure::Exceptional)),
            (-32_000, "stack limit reached 1024 (1023)", None, Some(ExecutionFailure::Exceptional)),
            (-32_603, "EVM error: StackOverflow", None, Some(ExecutionFailure::Exceptional)),
            (-32_603, "EVM error: InvalidFEOpcode", None, Some(ExecutionFailure::Exceptional)),
            (-32_015, "Reverted 0x", None, Some(ExecutionFailure::Exceptional)),
            (3, "", None, Some(ExecutionFailure::Exceptional)),
            // The node itself failed.
            (-32_603, "internal error: stack trace follows", None, None),
            (-32_603, "java.lang.StackOverflowError", None, None),
            (-32_603, "method handler crashed: unknown opcode in database journal", None, None),
            (-32_000, "the block was reverted by a reorg", None, None),
            (-32_603, "failed to revert the state to an older block", None, None),
            (-32_000, "header not found", None, None),
            (-32_005, "too many requests", None, None),
        ] {
            let data = data.map(|data| serde_json::value::to_raw_value(data).unwrap());
            let payload = ErrorPayload { code, message: message.into(), data };
            let error = RpcError::ErrorResp(payload);
            assert_eq!(ExecutionFailure::of(&error), expected, "{code}: {message}");
        }
    }
}
