//! A call to send, with the evidence of its success.

use crate::{deploy::Create2Origin, tx::intended::contract_call};
use alloy_primitives::{Address, B256, Bloom, Bytes, TxKind, U256};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::{SolCall, SolConstructor, SolEvent};
use canon_abi::Contract;
use canon_views::Intent;

/// A call to send: its destination, its input, and the events that prove its success.
///
/// The functions in [`crate::calls`] return the calls of the protocol.
#[derive(Clone, Debug)]
pub struct ContractCall {
    what: &'static str,
    to: TxKind,
    input: Bytes,
    value: U256,
    answer: ExpectedAnswer,
    events: Vec<ExpectedEvent>,
    headroom: u64,
}

/// The answer that a call must have when it is simulated.
#[derive(Clone, Copy, Debug)]
enum ExpectedAnswer {
    Any,
    /// The results of a function, according to its ABI.
    Results(fn(&[u8]) -> bool),
    /// The code of the created contract.
    Code,
    /// The address of the contract that a factory creates, without padding.
    Created(Address),
}

/// An event that must be in the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ExpectedEvent {
    emitter: Address,
    topic: B256,
    signature: &'static str,
}

impl ContractCall {
    /// A call of a function. Without [`expecting`](Self::expecting), only the receipt's status shows
    /// whether it succeeded.
    pub fn new<C: SolCall>(to: Address, call: &C) -> Self {
        Self::encoded::<C>(to, call.abi_encode().into())
    }

    /// A call of the function `C` whose selector and arguments are `input`.
    pub(crate) fn encoded<C: SolCall>(to: Address, input: Bytes) -> Self {
        debug_assert_eq!(input.get(..4), Some(&C::SELECTOR[..]), "not a call of {}", C::SIGNATURE);
        Self {
            what: C::SIGNATURE,
            to: TxKind::Call(to),
            input,
            value: U256::ZERO,
            answer: ExpectedAnswer::Results(|answer| {
                C::abi_decode_returns_validate(answer).is_ok()
            }),
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// The call that carries out an intent, with the events that prove it; `None` if the intent needs a permit.
    pub fn of_intent(intent: &Intent) -> Option<Self> {
        contract_call(intent, None)
    }

    /// The creation of a contract by a transaction of its own. The address follows from the sender's nonce.
    pub fn create<C: SolConstructor>(contract: Contract, arguments: &C) -> Self {
        Self::create_with(contract.name(), contract.init_code(arguments))
    }

    /// The creation of a contract by a transaction of its own, from code with its arguments. `what` is its name
    /// in errors.
    pub const fn create_with(what: &'static str, init_code: Bytes) -> Self {
        Self {
            what,
            to: TxKind::Create,
            input: init_code,
            value: U256::ZERO,
            answer: ExpectedAnswer::Code,
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// The creation of a contract with CREATE2 by a factory, which returns the contract's address as the deployment
    /// proxy does. `what` is its name in errors.
    pub fn create2(what: &'static str, origin: Create2Origin, init_code: &[u8]) -> Self {
        Self {
            what,
            to: TxKind::Call(origin.factory),
            input: origin.calldata(init_code),
            value: U256::ZERO,
            answer: ExpectedAnswer::Created(origin.create2(init_code).address()),
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// A payment of `value` wei.
    pub(crate) const fn pay(what: &'static str, to: Address, value: U256) -> Self {
        Self {
            what,
            to: TxKind::Call(to),
            input: Bytes::new(),
            value,
            answer: ExpectedAnswer::Any,
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// Adds that the receipt must have the event `E` of `emitter`.
    #[must_use]
    pub fn expecting<E: SolEvent>(mut self, emitter: Address) -> Self {
        let (topic, signature) = (E::SIGNATURE_HASH, E::SIGNATURE);
        self.events.push(ExpectedEvent { emitter, topic, signature });
        self
    }

    /// Sets the gas added to an estimate and its margin, for costs that an earlier transaction can
    /// increase.
    #[must_use]
    pub const fn with_headroom(mut self, gas: u64) -> Self {
        self.headroom = gas;
        self
    }

    /// The function's signature, or the created contract's name.
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// The destination of the call.
    pub const fn to(&self) -> TxKind {
        self.to
    }

    /// The calldata, or the creation code with its arguments.
    pub const fn input(&self) -> &Bytes {
        &self.input
    }

    /// The value in wei.
    pub const fn value(&self) -> U256 {
        self.value
    }

    /// The gas added to an estimate and its margin.
    pub const fn headroom(&self) -> u64 {
        self.headroom
    }

    /// The contract that a factory creates; `None` for other calls.
    pub const fn created(&self) -> Option<Address> {
        match self.answer {
            ExpectedAnswer::Created(contract) => Some(contract),
            ExpectedAnswer::Any | ExpectedAnswer::Results(_) | ExpectedAnswer::Code => None,
        }
    }

    /// Whether a simulation may answer this.
    pub(crate) fn is_answer(&self, answer: &[u8]) -> bool {
        match self.answer {
            ExpectedAnswer::Any => true,
            ExpectedAnswer::Results(is_valid) => is_valid(answer),
            ExpectedAnswer::Code => !answer.is_empty(),
            ExpectedAnswer::Created(contract) => *answer == *contract,
        }
    }

    /// Whether both calls are the same, with the same events as proof.
    #[cfg(test)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let parts = |call: &Self| {
            (call.what, call.to, call.input.clone(), call.value, call.events.clone(), call.headroom)
        };
        parts(self) == parts(other)
    }

    /// The signature of an expected event that is missing in the receipt.
    pub(crate) fn missing_event(&self, receipt: &TransactionReceipt) -> Option<&'static str> {
        let found = |expected: &&ExpectedEvent| {
            receipt.logs().iter().any(|log| {
                log.address() == expected.emitter && log.topic0() == Some(&expected.topic)
            })
        };
        self.events.iter().find(|expected| !found(expected)).map(|expected| expected.signature)
    }

    /// Whether the bloom of a receipt or block shows that an expected event isn't in it.
    pub(crate) fn is_ruled_out_by(&self, bloom: &Bloom) -> bool {
        let may_have = |expected: &ExpectedEvent| {
            bloom.contains_raw_log(expected.emitter, core::slice::from_ref(&expected.topic))
        };
        !self.events.iter().all(may_have)
    }
}
