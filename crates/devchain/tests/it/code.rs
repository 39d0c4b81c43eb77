//! Hand-written contracts.

use alloy_primitives::{Address, Bytes, bytes};

/// Init code that deploys `runtime`.
pub(crate) fn init(runtime: &[u8]) -> Bytes {
    let len = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    // PUSH2 len, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN; then the runtime.
    let mut code = vec![0x61, len[0], len[1], 0x80, 0x60, 0x0a, 0x5f, 0x39, 0x5f, 0xf3];
    code.extend(runtime);
    code.into()
}

/// Stores the first word of its calldata in slot 0 and logs it (topics: 1 and the word; data: the
/// word). Without calldata, returns slot 0.
pub(crate) fn cell() -> Bytes {
    bytes!(
        "36600c57" // CALLDATASIZE, PUSH1 12, JUMPI
        "5f545f52" // MSTORE(0, SLOAD(0))
        "60205ff3" // RETURN(0, 32)
        "5b5f3580" // 12: JUMPDEST, CALLDATALOAD(0), DUP1
        "5f55"     // SSTORE(0, word)
        "805f52"   // MSTORE(0, word)
        "600160205fa2" // LOG2(0, 32, 1, word)
        "00"
    )
}

/// Reverts with its calldata.
pub(crate) fn reverter() -> Bytes {
    bytes!("365f5f37365ffd")
}

/// Returns number, timestamp, prevrandao, base fee and the parent's hash, in one word each.
pub(crate) fn surroundings() -> Bytes {
    bytes!("435f52" "42602052" "44604052" "48606052" "600143034060805260a05ff3")
}

/// Calls `to` with its calldata and passes on all gas; reverts if the call fails.
pub(crate) fn forwarder(to: Address) -> Bytes {
    let mut code = bytes!("365f5f37" "5f5f365f5f73").to_vec(); // CALLDATACOPY; out, in, value
    code.extend(to);
    code.extend(bytes!("5af1" "15603057" "00" "5b5f5ffd"));
    let target = code.len() as u8 - 4;
    let jump = code.len() - 7;
    code[jump] = target;
    code.into()
}
