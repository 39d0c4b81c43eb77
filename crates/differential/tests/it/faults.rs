//! Faults that a test plants in the bytecode.

use alloy_primitives::{Address, Bytes, U256, keccak256};
use canon_devchain::{CallEnd, UnsignedCall};
use canon_differential::Lockstep;
use canon_payload::{Assembler, op};
use core::ops::RangeInclusive;
use std::collections::BTreeMap;

/// Calldata that the code in front answers with itself.
const PLANTED: &[u8] = b"fault";

const ADD: u8 = 0x01;
const CALLDATASIZE: u8 = 0x36;
const CALLDATACOPY: u8 = 0x37;
const EXTCODESIZE: u8 = 0x3b;
const EXTCODECOPY: u8 = 0x3c;
const DELEGATECALL: u8 = 0xf4;

/// A fault of one function. The planted code runs the contract's own code by DELEGATECALL, so the
/// fault is the only difference.
pub(crate) struct Fault {
    selector: [u8; 4],
    what: What,
    /// Words of the arguments, with the range of values for which the fault shows.
    only: Vec<(usize, RangeInclusive<u64>)>,
    /// The contract's own code and the planted code, by address.
    codes: BTreeMap<Address, (Bytes, Bytes)>,
}

/// The kind of a fault.
#[derive(Clone, Copy)]
pub(crate) enum What {
    /// The call runs with this word of the arguments increased by one.
    OneMore(usize),
    /// A call that succeeds returns 0.
    ReturnsZero,
}

impl Fault {
    pub(crate) const fn new(selector: [u8; 4], what: What) -> Self {
        Self { selector, what, only: Vec::new(), codes: BTreeMap::new() }
    }

    /// Limits the fault to calls whose argument word `word` is in `range`.
    pub(crate) fn only(mut self, word: usize, range: RangeInclusive<u64>) -> Self {
        self.only.push((word, range));
        self
    }

    /// Plants the fault in `contract`, unless it is there already.
    pub(crate) fn plant(&mut self, lockstep: &Lockstep, contract: Address) {
        let chain = lockstep.chain();
        // A reorganization may have removed it.
        if chain.read(contract, PLANTED).unwrap() == CallEnd::Success(Bytes::from_static(PLANTED)) {
            return;
        }
        let moved = Address::from_word(keccak256(contract));
        if !self.codes.contains_key(&contract) {
            self.codes.insert(contract, (code_at(lockstep, contract), self.front(moved)));
        }
        let (own, front) = &self.codes[&contract];
        chain.set_code(moved, own.clone()).unwrap();
        chain.set_code(contract, front.clone()).unwrap();
    }

    fn front(&self, moved: Address) -> Bytes {
        let offset = |word: usize| U256::from(4 + 32 * word);
        let mut code = Assembler::new();
        code.ops(&[CALLDATASIZE, op::PUSH0, op::PUSH0, CALLDATACOPY]).selector();
        code.on(*PLANTED.first_chunk().unwrap(), "planted").on(self.selector, "fault");
        code.push(U256::from(1)).jump_if("pass");
        code.label("fault");
        for (word, range) in &self.only {
            code.push(offset(*word)).ops(&[op::CALLDATALOAD]).push(U256::from(*range.start()));
            code.ops(&[op::GT]).jump_if("pass");
            code.push(U256::from(*range.end())).push(offset(*word)).ops(&[op::CALLDATALOAD]);
            code.ops(&[op::GT]).jump_if("pass");
        }
        match self.what {
            What::OneMore(word) => {
                code.push(offset(word)).ops(&[op::CALLDATALOAD, op::PUSH1, 1, ADD]);
                code.push(offset(word)).ops(&[op::MSTORE]);
            }
            What::ReturnsZero => {
                run(&mut code, moved);
                code.ops(&[op::PUSH0, op::PUSH0, op::MSTORE, op::PUSH1, 32, op::PUSH0, op::RETURN]);
            }
        }
        code.label("pass");
        run(&mut code, moved);
        code.ops(&[op::RETURNDATASIZE, op::PUSH0, op::PUSH0, op::RETURNDATACOPY]);
        code.ops(&[op::RETURNDATASIZE, op::PUSH0, op::RETURN]);
        code.label("planted").answer(PLANTED);
        code.label("failed");
        code.ops(&[op::RETURNDATASIZE, op::PUSH0, op::PUSH0, op::RETURNDATACOPY]);
        code.ops(&[op::RETURNDATASIZE, op::PUSH0, op::REVERT]);
        code.runtime()
    }
}

/// Runs the code at `moved` by DELEGATECALL with the calldata in memory.
fn run(code: &mut Assembler, moved: Address) {
    code.ops(&[op::PUSH0, op::PUSH0, CALLDATASIZE, op::PUSH0]);
    code.push(moved.into_word().into()).ops(&[op::GAS, DELEGATECALL]);
    code.ops(&[op::ISZERO]).jump_if("failed");
}

/// The code that `creation` returns. Nothing is deployed.
pub(crate) fn created(lockstep: &Lockstep, creation: Bytes) -> Bytes {
    let chain = lockstep.chain();
    let deploy = UnsignedCall { from: Address::repeat_byte(1), to: None, input: creation };
    let snapshot = chain.snapshot();
    let (_, executed) = chain.mine_unsigned(&[deploy]).unwrap();
    chain.revert(snapshot).unwrap();
    executed[0].end.clone().success().unwrap()
}

/// The code at `account`.
fn code_at(lockstep: &Lockstep, account: Address) -> Bytes {
    let word = account.into_word().into();
    let mut copy = Assembler::new();
    copy.push(word).ops(&[EXTCODESIZE, op::DUP1, op::PUSH0, op::PUSH0]).push(word);
    copy.ops(&[EXTCODECOPY, op::PUSH0, op::RETURN]);
    created(lockstep, copy.runtime())
}
