//! A small assembler. Nearly all contracts here have no jumps.

use alloy_primitives::{Bytes, U256};

macro_rules! opcodes {
    ($($name:ident $value:literal),* $(,)?) => { $(pub(super) const $name: u8 = $value;)* };
}

opcodes! {
    STOP 0x00, ADD 0x01, SUB 0x03, DIV 0x04, MULMOD 0x09, EXP 0x0a, CLZ 0x1e,
    KECCAK256 0x20, ADDRESS 0x30, BALANCE 0x31, ORIGIN 0x32, CALLER 0x33, CALLVALUE 0x34,
    CALLDATALOAD 0x35, CALLDATASIZE 0x36, CALLDATACOPY 0x37, CODESIZE 0x38, CODECOPY 0x39,
    GASPRICE 0x3a, EXTCODESIZE 0x3b, EXTCODECOPY 0x3c, RETURNDATASIZE 0x3d, RETURNDATACOPY 0x3e,
    EXTCODEHASH 0x3f, COINBASE 0x41, TIMESTAMP 0x42, NUMBER 0x43, GASLIMIT 0x45, CHAINID 0x46,
    SELFBALANCE 0x47, BASEFEE 0x48, BLOBBASEFEE 0x4a, MSTORE 0x52, SLOAD 0x54,
    SSTORE 0x55, JUMP 0x56, JUMPI 0x57, GAS 0x5a, JUMPDEST 0x5b, TLOAD 0x5c, TSTORE 0x5d,
    MCOPY 0x5e, DUP1 0x80, LOG0 0xa0, CREATE 0xf0, CALL 0xf1,
    CALLCODE 0xf2, RETURN 0xf3, DELEGATECALL 0xf4, CREATE2 0xf5, STATICCALL 0xfa, REVERT 0xfd,
    INVALID 0xfe, SELFDESTRUCT 0xff,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Asm(Vec<u8>);

impl Asm {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(self, value: u64) -> Self {
        self.push_word(U256::from(value))
    }

    /// Pushes a number with the shortest opcode.
    pub(super) fn push_word(mut self, value: U256) -> Self {
        let bytes = value.to_be_bytes_trimmed_vec();
        self.0.push(0x5f + bytes.len() as u8);
        self.0.extend(bytes);
        self
    }

    pub(super) fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    pub(super) fn ops(mut self, opcodes: &[u8]) -> Self {
        self.0.extend(opcodes);
        self
    }

    /// Pushes a word of the calldata.
    pub(super) fn arg(self, index: u64) -> Self {
        self.push(index * 32).op(CALLDATALOAD)
    }

    /// Copies the calldata from position `from` on to memory 0, and pushes its length.
    pub(super) fn rest(self, from: u64) -> Self {
        let length = |asm: Self| asm.push(from).ops(&[CALLDATASIZE, SUB]);
        length(length(self).push(from).push(0).op(CALLDATACOPY))
    }

    /// Stores the top of the stack in memory.
    pub(super) fn mstore(self, at: u64) -> Self {
        self.push(at).op(MSTORE)
    }

    /// Stores the top of the stack in a slot.
    pub(super) fn sstore(self, slot: u64) -> Self {
        self.push(slot).op(SSTORE)
    }

    /// Returns the first `length` bytes of memory.
    pub(super) fn ret(self, length: u64) -> Self {
        self.push(length).push(0).op(RETURN)
    }

    /// Returns the top of the stack, followed by the data that the last call returned.
    pub(super) fn ret_with_data(self) -> Self {
        self.mstore(0)
            .op(RETURNDATASIZE)
            .push(0)
            .push(32)
            .op(RETURNDATACOPY)
            .push(32)
            .ops(&[RETURNDATASIZE, ADD])
            .push(0)
            .op(RETURN)
    }

    /// Jumps over the code `skipped` if the top of the stack isn't zero.
    pub(super) fn skip_if(self, skipped: &[u8]) -> Self {
        // PUSH2 target, JUMPI, skipped, JUMPDEST
        let target = (self.0.len() + 4 + skipped.len()) as u16;
        let mut asm = self.op(0x61);
        asm.0.extend(target.to_be_bytes());
        asm.op(JUMPI).ops(skipped).op(JUMPDEST)
    }

    pub(super) fn code(self) -> Bytes {
        self.0.into()
    }

    /// Init code that deploys `runtime`.
    pub(super) fn init(runtime: &[u8]) -> Bytes {
        let length = runtime.len() as u16;
        let mut asm = Self::new().op(0x61);
        asm.0.extend(length.to_be_bytes());
        // The code from here to the runtime is 7 bytes long.
        asm.op(DUP1).ops(&[0x60, 0x0a, 0x5f, CODECOPY, 0x5f, RETURN]).ops(runtime).code()
    }
}
