//! A transaction that knows what it is for.

use alloy::{
    primitives::{Address, B256, Bytes, TxKind},
    rpc::types::TransactionReceipt,
    sol_types::{SolCall, SolConstructor, SolEvent},
};
use canon_bindings::Contract;

/// Something to be sent: where, what, and which event proves that it happened.
///
/// [`crate::calls`] makes those of the protocol.
#[derive(Clone, Debug)]
pub struct Call {
    what: &'static str,
    to: TxKind,
    input: Bytes,
    returns: fn(&[u8]) -> bool,
    events: Vec<Expected>,
    headroom: u64,
}

/// An event that must be in the receipt.
#[derive(Clone, Copy, Debug)]
struct Expected {
    emitter: Address,
    topic: B256,
    signature: &'static str,
}

impl Call {
    /// A call of a function. Without [`expecting`](Self::expecting) only the receipt's status
    /// tells whether it worked.
    pub fn new<C: SolCall>(to: Address, call: &C) -> Self {
        Self {
            what: C::SIGNATURE,
            to: TxKind::Call(to),
            input: call.abi_encode().into(),
            returns: |answer| C::abi_decode_returns_validate(answer).is_ok(),
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// The creation of a contract. The receipt must name the address, and it must have the
    /// artifact's code.
    pub fn create<C: SolConstructor>(contract: Contract, arguments: &C) -> Self {
        Self::create_with(contract, contract.init_code(arguments))
    }

    /// The same for a contract whose constructor takes no arguments.
    pub fn create_plain(contract: Contract) -> Self {
        Self::create_with(contract, contract.artifact().creation_code().clone())
    }

    fn create_with(contract: Contract, input: Bytes) -> Self {
        Self {
            what: contract.name(),
            to: TxKind::Create,
            input,
            returns: |code| !code.is_empty(),
            events: Vec::new(),
            headroom: 0,
        }
    }

    /// The receipt must have the event `E` of `emitter`.
    #[must_use]
    pub fn expecting<E: SolEvent>(mut self, emitter: Address) -> Self {
        let (topic, signature) = (E::SIGNATURE_HASH, E::SIGNATURE);
        self.events.push(Expected { emitter, topic, signature });
        self
    }

    /// Gas on top of an estimate's margin, for what another transaction before it can make dearer.
    #[must_use]
    pub const fn with_headroom(mut self, gas: u64) -> Self {
        self.headroom = gas;
        self
    }

    /// The function's signature, or the created contract's name.
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// Where it goes.
    pub const fn to(&self) -> TxKind {
        self.to
    }

    /// The calldata, or the creation code with its arguments.
    pub const fn input(&self) -> &Bytes {
        &self.input
    }

    /// Gas on top of an estimate's margin.
    pub const fn headroom(&self) -> u64 {
        self.headroom
    }

    /// Whether `answer` is what the function's ABI promises.
    pub(crate) fn is_answer(&self, answer: &[u8]) -> bool {
        (self.returns)(answer)
    }

    /// The signature of an expected event that the receipt doesn't have.
    pub(crate) fn missing_event(&self, receipt: &TransactionReceipt) -> Option<&'static str> {
        let found = |expected: &&Expected| {
            receipt.logs().iter().any(|log| {
                log.address() == expected.emitter && log.topic0() == Some(&expected.topic)
            })
        };
        self.events.iter().find(|expected| !found(expected)).map(|expected| expected.signature)
    }
}
