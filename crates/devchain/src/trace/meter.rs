//! A limit on the size of a trace, which ends the execution when it is reached.

use alloy_primitives::{
    Log, U256,
    map::{AddressMap, HashSet},
};
use alloy_rpc_types_trace::geth::GethDefaultTracingOptions;
use revm::{
    Inspector,
    bytecode::opcode::{SLOAD, SSTORE},
    context_interface::{ContextError, ContextTr},
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter,
        interpreter::EthInterpreter,
        interpreter_types::{InputsTr, Jumps},
    },
    state::EvmState,
};

use super::MAX_STEPS;
use crate::exec::abort;

/// The largest number of bytes of a trace, about as JSON has them.
pub(super) const MAX_BYTES: usize = 25 << 20;

/// The bytes of a single step without stack, memory and storage.
const STEP: usize = 100;

/// The bytes of a call, of a log and of an account without their data.
const FRAME: usize = 400;

/// The bytes of a slot of storage, with its key.
const SLOT: usize = 137;

/// The bytes of a word of memory.
const WORD: usize = 67;

/// The data that a tracer records.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recorded {
    /// Nothing that grows with the execution.
    Nothing,
    /// Calls, with what they pass on and log.
    Calls,
    /// Single steps.
    Steps(GethDefaultTracingOptions),
}

/// Counts the bytes of traces while they are recorded.
#[derive(Debug)]
pub(super) struct Meter {
    recorded: Recorded,
    bytes_left: usize,
    /// The steps that are still recorded.
    steps_left: u64,
    /// The slots that each contract has accessed, which its later steps show again.
    slots: AddressMap<HashSet<U256>>,
    exceeded: Option<String>,
}

impl Meter {
    pub(super) fn new(recorded: Recorded) -> Self {
        let mut meter = Self {
            recorded,
            bytes_left: MAX_BYTES,
            steps_left: 0,
            slots: AddressMap::default(),
            exceeded: None,
        };
        meter.next_transaction();
        meter
    }

    /// Prepares for a further transaction. What was recorded before stays counted.
    pub(super) fn next_transaction(&mut self) {
        self.slots.clear();
        self.steps_left = match self.recorded {
            Recorded::Steps(options) => options.limit.unwrap_or(MAX_STEPS),
            Recorded::Nothing | Recorded::Calls => 0,
        };
    }

    /// Counts the accounts that a transaction touched. The tracer that shows them (`prestateTracer`) shows
    /// each of them before and perhaps after it.
    pub(super) fn count_accounts(&mut self, state: &EvmState) -> Result<(), String> {
        for account in state.values() {
            let code = account.info.code.as_ref().map_or(0, |code| code.len());
            self.take(2 * (FRAME + 2 * code + SLOT * account.storage.len()));
        }
        self.exceeded.clone().map_or(Ok(()), Err)
    }

    fn take(&mut self, bytes: usize) {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => self.bytes_left = left,
            None => {
                self.exceeded.get_or_insert_with(|| {
                    format!("the trace has more than {MAX_BYTES} bytes: record less")
                });
            }
        }
    }

    /// Like [`Self::take`], for the data of calls. If that was too much, the execution ends when the call that
    /// began or ended here returns, or before its next instruction.
    fn take_in<CTX: ContextTr>(&mut self, context: &mut CTX, bytes: usize) {
        if !matches!(self.recorded, Recorded::Calls) {
            return;
        }
        self.take(bytes);
        if let Some(why) = &self.exceeded {
            *context.error() = Err(ContextError::Custom(why.clone()));
        }
    }

    fn count_step(
        &mut self,
        options: &GethDefaultTracingOptions,
        interpreter: &Interpreter<EthInterpreter>,
    ) {
        let Some(left) = self.steps_left.checked_sub(1) else {
            if options.limit.is_none() {
                self.exceeded.get_or_insert_with(|| {
                    format!(
                        "the trace has more than {MAX_STEPS} steps: set `limit`, or use callTracer"
                    )
                });
            }
            return;
        };
        self.steps_left = left;
        let mut bytes = STEP;
        if options.is_stack_enabled() {
            let digits = |word: &U256| 5 + word.bit_len().div_ceil(4);
            bytes += interpreter.stack.data().iter().map(digits).sum::<usize>();
        }
        if options.is_memory_enabled() {
            bytes += interpreter.memory.len().div_ceil(32) * WORD;
        }
        if options.is_return_data_enabled() {
            bytes += 2 * interpreter.return_data.0.len();
        }
        if options.is_storage_enabled()
            && matches!(interpreter.bytecode.opcode(), SLOAD | SSTORE)
            && let Ok(slot) = interpreter.stack.peek(0)
        {
            let slots = self.slots.entry(interpreter.input.target_address()).or_default();
            slots.insert(slot);
            bytes += SLOT * slots.len();
        }
        self.take(bytes);
    }
}

impl<CTX: ContextTr> Inspector<CTX, EthInterpreter> for Meter {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, context: &mut CTX) {
        if let Recorded::Steps(options) = self.recorded {
            self.count_step(&options, interpreter);
        }
        if let Some(why) = &self.exceeded {
            abort(interpreter, context, why);
        }
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        self.take_in(context, FRAME + 2 * log.data.data.len());
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.take_in(context, FRAME + 2 * inputs.input.len());
        None
    }

    fn call_end(&mut self, context: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.take_in(context, 2 * outcome.result.output.len());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.take_in(context, FRAME + 2 * inputs.init_code().len());
        None
    }

    fn create_end(&mut self, context: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.take_in(context, 2 * outcome.result.output.len());
    }
}
