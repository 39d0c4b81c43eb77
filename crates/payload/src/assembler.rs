//! An assembler of EVM code, with labels and constant data.

use alloy_primitives::{Bytes, U256};
use std::{borrow::Cow, collections::BTreeMap};

/// The opcodes that small contracts need, by the names of the Yellow Paper.
#[allow(missing_docs, reason = "the names of the opcodes")]
pub mod op {
    pub const STOP: u8 = 0x00;
    pub const SUB: u8 = 0x03;
    pub const DIV: u8 = 0x04;
    pub const GT: u8 = 0x11;
    pub const EQ: u8 = 0x14;
    pub const ISZERO: u8 = 0x15;
    pub const SHR: u8 = 0x1c;
    pub const CALLDATALOAD: u8 = 0x35;
    pub const CODECOPY: u8 = 0x39;
    pub const GASPRICE: u8 = 0x3a;
    pub const RETURNDATASIZE: u8 = 0x3d;
    pub const RETURNDATACOPY: u8 = 0x3e;
    pub const TIMESTAMP: u8 = 0x42;
    pub const MSTORE: u8 = 0x52;
    pub const SLOAD: u8 = 0x54;
    pub const SSTORE: u8 = 0x55;
    pub const JUMPI: u8 = 0x57;
    pub const GAS: u8 = 0x5a;
    pub const JUMPDEST: u8 = 0x5b;
    pub const TSTORE: u8 = 0x5d;
    pub const PUSH0: u8 = 0x5f;
    pub const PUSH1: u8 = 0x60;
    pub const PUSH2: u8 = 0x61;
    pub const PUSH4: u8 = 0x63;
    pub const DUP1: u8 = 0x80;
    pub const CALL: u8 = 0xf1;
    pub const RETURN: u8 = 0xf3;
    pub const REVERT: u8 = 0xfd;
}

type Label = Cow<'static, str>;

/// An assembler of EVM code. It checks only that every label that is jumped to is set.
///
/// # Panics
///
/// Every method panics if the code gets longer than 64 KiB. A contract has at most 24,576 bytes
/// ([EIP-170](https://eips.ethereum.org/EIPS/eip-170)).
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    code: Vec<u8>,
    labels: BTreeMap<Label, u16>,
    /// The positions at which the address of a label has to be written.
    jumps: Vec<(usize, Label)>,
    /// The positions at which the offset of a piece of data has to be written, with the data.
    data: Vec<(usize, Vec<u8>)>,
}

impl Assembler {
    /// An assembler without code.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends these bytes: opcodes and the operands of pushes.
    pub fn ops(&mut self, ops: &[u8]) -> &mut Self {
        self.code.extend_from_slice(ops);
        self
    }

    /// Pushes a number with the shortest opcode.
    pub fn push(&mut self, number: U256) -> &mut Self {
        let bytes = number.to_be_bytes_trimmed_vec();
        self.ops(&[op::PUSH0 + bytes.len() as u8]).ops(&bytes)
    }

    /// Pushes the selector of the call.
    pub fn selector(&mut self) -> &mut Self {
        self.ops(&[op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR])
    }

    /// Jumps to `label` if the selector on the stack is this one. The selector stays on the stack.
    pub fn on(&mut self, selector: [u8; 4], label: impl Into<Label>) -> &mut Self {
        self.ops(&[op::DUP1, op::PUSH4]).ops(&selector).ops(&[op::EQ]).jump_if(label)
    }

    /// Takes the top of the stack, and jumps to `label` unless it is 0.
    pub fn jump_if(&mut self, label: impl Into<Label>) -> &mut Self {
        self.jumps.push((self.code.len() + 1, label.into()));
        self.short(0).ops(&[op::JUMPI])
    }

    /// Marks the destination of jumps to `label`.
    pub fn label(&mut self, label: impl Into<Label>) -> &mut Self {
        self.labels.insert(label.into(), short(self.code.len()));
        self.ops(&[op::JUMPDEST])
    }

    /// Returns constant data.
    pub fn answer(&mut self, data: &[u8]) -> &mut Self {
        self.in_memory(data).short(data.len()).ops(&[op::PUSH0, op::RETURN])
    }

    /// Reverts with constant data.
    pub fn fail(&mut self, data: &[u8]) -> &mut Self {
        self.in_memory(data).short(data.len()).ops(&[op::PUSH0, op::REVERT])
    }

    /// Copies constant data to the beginning of memory.
    pub fn in_memory(&mut self, data: &[u8]) -> &mut Self {
        self.short(data.len());
        self.data.push((self.code.len() + 1, data.to_vec()));
        self.short(0).ops(&[op::PUSH0, op::CODECOPY])
    }

    /// Pushes a number of two bytes.
    fn short(&mut self, value: usize) -> &mut Self {
        let bytes = short(value).to_be_bytes();
        self.ops(&[op::PUSH2]).ops(&bytes)
    }

    /// The runtime code: the code at the contract's address.
    ///
    /// # Panics
    ///
    /// If a label that is jumped to was never set.
    pub fn runtime(&self) -> Bytes {
        let mut code = self.code.clone();
        for (position, label) in &self.jumps {
            let target = self.labels.get(label).expect("every label that is jumped to is set");
            code[*position..*position + 2].copy_from_slice(&target.to_be_bytes());
        }
        for (position, data) in &self.data {
            let offset = short(code.len());
            code[*position..*position + 2].copy_from_slice(&offset.to_be_bytes());
            code.extend(data);
        }
        code.into()
    }

    /// The creation code, which deploys [`Self::runtime`].
    pub fn creation(&self) -> Bytes {
        let mut creation = Self::new();
        creation.answer(&self.runtime());
        creation.runtime()
    }
}

fn short(value: usize) -> u16 {
    u16::try_from(value).expect("code is shorter than 64 KiB")
}
