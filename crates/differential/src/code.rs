//! The bytecode of a [`Program`].

use alloy_primitives::{Bytes, U256};
use canon_payload::{Assembler, op};
use canon_protocol::Action;
use canon_testkit::histories::{Behavior, Conduct, Program, Put};

/// The runtime code of an account with `put` at it.
pub(crate) fn code_of(put: &Put) -> Bytes {
    match put {
        Put::Program(program) => compile(program),
        Put::Delegation(to) => [&[0xef, 0x01, 0x00], to.as_slice()].concat().into(),
        Put::Nothing => Bytes::new(),
    }
}

fn compile(program: &Program) -> Bytes {
    let mut code = Assembler::new();
    if let Some((until, later)) = &program.later {
        code.push(until.to_word()).ops(&[op::TIMESTAMP, op::GT]).jump_if("later");
        behavior(&mut code, "first", &program.first);
        code.label("later");
        behavior(&mut code, "later", later);
    } else {
        behavior(&mut code, "first", &program.first);
    }
    // Reverts with the data of the call that failed.
    code.label("failed").ops(&[op::RETURNDATASIZE, op::PUSH0, op::PUSH0, op::RETURNDATACOPY]);
    code.ops(&[op::RETURNDATASIZE, op::PUSH0, op::REVERT]);
    code.runtime()
}

fn behavior(code: &mut Assembler, name: &str, behavior: &Behavior) {
    let label = |index: usize| format!("{name} {index}");
    code.selector();
    for (index, (selector, _)) in behavior.functions.iter().enumerate() {
        code.on(selector.0, label(index));
    }
    conduct(code, &behavior.otherwise);
    for (index, (_, function)) in behavior.functions.iter().enumerate() {
        code.label(label(index));
        conduct(code, function);
    }
}

fn conduct(code: &mut Assembler, conduct: &Conduct) {
    match conduct {
        Conduct::Answers(answer) => code.answer(answer),
        Conduct::Pads { answer, length } => {
            // Memory that was never written is zero.
            let length = U256::from(*length);
            code.in_memory(answer).push(length).ops(&[op::PUSH0, op::RETURN])
        }
        Conduct::Reverts(reason) => code.fail(reason),
        Conduct::Counts { since, seconds } => {
            code.push(U256::from(seconds.get())).push(since.to_word());
            code.ops(&[op::TIMESTAMP, op::SUB, op::DIV, op::PUSH0, op::MSTORE]);
            code.ops(&[op::PUSH1, 32, op::PUSH0, op::RETURN])
        }
        Conduct::Calls(calls) => {
            if !calls.is_empty() {
                // Writes transient storage, so that a static call fails here without data, whatever
                // the calls below do.
                code.ops(&[op::PUSH0, op::PUSH0, op::TSTORE]);
            }
            for Action { target, data } in calls {
                // CALL(gas, target, value 0, data at 0, nothing returned)
                code.in_memory(data).ops(&[op::PUSH0, op::PUSH0]).push(U256::from(data.len()));
                code.ops(&[op::PUSH0, op::PUSH0]).push(target.into_word().into());
                code.ops(&[op::GAS, op::CALL, op::ISZERO]).jump_if("failed");
            }
            code.ops(&[op::STOP])
        }
    };
}
