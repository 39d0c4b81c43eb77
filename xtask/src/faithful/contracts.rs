//! The contracts that the transactions call.

use alloy_primitives::{Bytes, U256, bytes};

use super::asm::*;

/// All contracts, by their names in the sequence.
pub(super) fn all() -> Vec<(&'static str, Bytes)> {
    let n = Asm::new;
    let mut all = vec![
        // Stores the first word of its calldata and logs it, or returns the stored word if called
        // without calldata.
        ("cell", bytes!("36600c575f545f5260205ff35b5f35805f55805f52600160205fa200")),
        ("reverter", n().rest(0).push(0).op(REVERT).code()),
        ("spin", n().op(JUMPDEST).push(0).op(JUMP).code()),
        ("invalid", n().push(1).sstore(0).op(INVALID).code()),
        ("bad jump", n().push(3).op(JUMP).code()),
        ("underflow", n().op(ADD).code()),
        // Creates a contract with its calldata as init code.
        ("factory", n().rest(0).push(0).ops(&[CALLVALUE, CREATE]).ret_with_data().code()),
        // The same with CREATE2. The calldata begins with the salt.
        ("factory2", {
            let salted = n().arg(0).rest(32).push(0);
            salted.ops(&[CALLVALUE, CREATE2]).ret_with_data().code()
        }),
        // Writes the first word of its calldata to ten slots.
        ("ten slots", (0..10).fold(n(), |asm, slot| asm.arg(0).sstore(slot)).op(STOP).code()),
        // Changes a slot back and forth (EIP-2200, EIP-3529).
        ("flip", {
            let flip = n().push(5).sstore(0).push(0).sstore(0).arg(0).sstore(0);
            flip.push(0).op(SLOAD).mstore(0).ret(32).code()
        }),
        // Reads transient storage that an earlier call may have written: it is visible only in the
        // same transaction.
        ("transient", {
            let asm = n().push(7).op(TLOAD).sstore(0).arg(0).push(7).op(TSTORE);
            asm.push(7).op(TLOAD).sstore(1).push(0).op(SLOAD).mstore(0).ret(32).code()
        }),
        // Copies overlapping ranges of memory.
        ("mcopy", {
            let asm = n().rest(0).op(DUP1).push(0).push(5).op(MCOPY);
            asm.push(5).op(ADD).push(0).op(RETURN).code()
        }),
        ("clz", n().arg(0).op(CLZ).mstore(0).arg(1).op(CLZ).mstore(32).ret(64).code()),
        ("arithmetic", {
            let asm = n().arg(1).arg(0).op(EXP).mstore(0);
            let asm = asm.push_word(U256::MAX).arg(0).arg(1).op(MULMOD).mstore(32);
            asm.push(64).push(0).op(KECCAK256).sstore(0).ret(64).code()
        }),
        // Logs facts about an account and about the environment of the call.
        ("probe", {
            let account = [BALANCE, EXTCODESIZE, EXTCODEHASH];
            let around = [
                ADDRESS,
                ORIGIN,
                CALLER,
                CALLVALUE,
                GASPRICE,
                COINBASE,
                TIMESTAMP,
                NUMBER,
                GASLIMIT,
                CHAINID,
                SELFBALANCE,
                BASEFEE,
                BLOBBASEFEE,
                CODESIZE,
            ];
            let asm =
                account.iter().zip(0_u64..).fold(n(), |a, (op, i)| a.arg(0).op(*op).mstore(i * 32));
            let asm = around.iter().zip(3_u64..).fold(asm, |a, (op, i)| a.op(*op).mstore(i * 32));
            asm.push(17 * 32).push(0).op(LOG0).op(STOP).code()
        }),
        ("copy code", {
            let asm = n().arg(0).op(EXTCODESIZE).push(0).push(0).arg(0).op(EXTCODECOPY);
            asm.arg(0).op(EXTCODESIZE).push(0).op(RETURN).code()
        }),
        // Sends half of the value on.
        ("splitter", {
            let asm = n().push(0).push(0).push(0).push(0);
            let asm = asm.push(2).ops(&[CALLVALUE, DIV]).arg(0);
            asm.ops(&[GAS, CALL]).ret_with_data().code()
        }),
        ("suicide", n().arg(0).op(SELFDESTRUCT).code()),
        // Counts its calls of itself, until too little gas is left.
        ("recursion", {
            let asm = n().push(1).push(0).ops(&[SLOAD, ADD]).sstore(0);
            let asm = asm.push(0).push(0).push(0).push(0).push(0);
            asm.ops(&[ADDRESS, GAS, CALL]).sstore(1).op(STOP).code()
        }),
        // A contract wallet, with target, value and data as its calldata. Passes reverts on.
        ("wallet", {
            let asm = n().push(0).push(0).rest(64).push(0).arg(1).arg(0);
            let asm = asm.ops(&[GAS, CALL]);
            let asm = asm.op(RETURNDATASIZE).push(0).push(0).op(RETURNDATACOPY);
            let fail = n().op(RETURNDATASIZE).push(0).op(REVERT).code();
            asm.skip_if(&fail).op(RETURNDATASIZE).push(0).op(RETURN).code()
        }),
    ];
    for topics in 0..=4_u64 {
        let name = ["log0", "log1", "log2", "log3", "log4"][topics as usize];
        let asm = (0..topics).fold(n(), |asm, topic| asm.push(0x1111 * (topic + 1)));
        all.push((name, asm.rest(0).push(0).op(LOG0 + topics as u8).op(STOP).code()));
    }
    // Calls a target with data, stores whether the call succeeded, and returns that and the
    // returned data.
    for (name, call) in [
        ("call", CALL),
        ("callcode", CALLCODE),
        ("delegatecall", DELEGATECALL),
        ("staticcall", STATICCALL),
    ] {
        let asm = n().push(0).push(0).rest(32).push(0);
        let asm = if matches!(call, CALL | CALLCODE) { asm.op(CALLVALUE) } else { asm };
        let asm = asm.arg(0).ops(&[GAS, call, DUP1]).sstore(9);
        all.push((name, asm.ret_with_data().code()));
    }
    all
}
