//! Exceptional halts.

use revm::context::result::HaltReason;

/// The reason of a halt in the words of geth
/// ([`errors.go`](https://github.com/ethereum/go-ethereum/blob/master/core/vm/errors.go)), but without the
/// opcode and the sizes of the stack that geth adds, which the EVM here doesn't tell.
pub(crate) fn halt(reason: &HaltReason) -> String {
    let reason = match reason {
        HaltReason::OutOfGas(_) => "out of gas",
        HaltReason::OpcodeNotFound | HaltReason::NotActivated => "invalid opcode",
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID",
        HaltReason::InvalidJump => "invalid jump destination",
        HaltReason::StackUnderflow => "stack underflow",
        HaltReason::StackOverflow => "stack limit reached",
        HaltReason::OutOfOffset => "return data out of bounds",
        HaltReason::CreateCollision => "contract address collision",
        HaltReason::NonceOverflow => "nonce uint64 overflow",
        HaltReason::CreateContractSizeLimit => "max code size exceeded",
        HaltReason::CreateContractStartingWithEF => "invalid code: must not begin with 0xef",
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded",
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection"
        }
        HaltReason::OutOfFunds => "insufficient balance for transfer",
        HaltReason::CallTooDeep => "max call depth exceeded",
        HaltReason::PrecompileError
        | HaltReason::PrecompileErrorWithContext(_)
        | HaltReason::OverflowPayment => return reason.to_string(),
    };
    reason.to_owned()
}
