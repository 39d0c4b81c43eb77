//! Small contracts assembled by hand: payloads of any list of actions, payloads that misbehave, and
//! a gate that such payloads wait for. No compiler is needed for contracts that only answer with
//! constants.

use std::collections::BTreeMap;

use alloy::{
    primitives::{Bytes, Selector},
    sol,
    sol_types::{Revert, SolCall, SolError, SolValue},
};
use canon_bindings::{Governance::Action, UpgradePayload as IPayload};

sol! {
    interface IShifting {
        /// From now on the other actions are listed.
        function shift() external;
    }

    interface IGate {
        /// Lets everybody pass from now on.
        function open() external;
        /// Reverts while the gate is closed.
        function pass() external;
    }
}

/// The opcodes that are used here.
mod op {
    pub(super) const EQ: u8 = 0x14;
    pub(super) const ISZERO: u8 = 0x15;
    pub(super) const SHR: u8 = 0x1c;
    pub(super) const CALLDATALOAD: u8 = 0x35;
    pub(super) const CODECOPY: u8 = 0x39;
    pub(super) const SLOAD: u8 = 0x54;
    pub(super) const SSTORE: u8 = 0x55;
    pub(super) const JUMPI: u8 = 0x57;
    pub(super) const JUMPDEST: u8 = 0x5b;
    pub(super) const STOP: u8 = 0x00;
    pub(super) const PUSH0: u8 = 0x5f;
    pub(super) const PUSH1: u8 = 0x60;
    pub(super) const PUSH2: u8 = 0x61;
    pub(super) const PUSH4: u8 = 0x63;
    pub(super) const DUP1: u8 = 0x80;
    pub(super) const RETURN: u8 = 0xf3;
    pub(super) const REVERT: u8 = 0xfd;
}

/// Creation code of a payload that lists `actions` and nothing else, for ever.
pub(crate) fn constant_payload(actions: &[Action], uri: &str) -> Bytes {
    let mut code = Assembler::default();
    code.selector();
    code.on(IPayload::getActionsCall::SELECTOR, "actions");
    code.on(IPayload::getURICall::SELECTOR, "uri");
    code.refuse();
    code.label("actions").answer(answer(actions));
    code.label("uri").answer(uri.abi_encode());
    code.creation()
}

/// Creation code of a payload that lists `before` until anyone calls `shift()`, and `after` from
/// then on.
pub(crate) fn shifting_payload(before: &[Action], after: &[Action], uri: &str) -> Bytes {
    let mut code = Assembler::default();
    code.selector();
    code.on(IPayload::getActionsCall::SELECTOR, "actions");
    code.on(IPayload::getURICall::SELECTOR, "uri");
    code.on(IShifting::shiftCall::SELECTOR, "shift");
    code.refuse();
    code.label("actions");
    code.ops(&[op::PUSH0, op::SLOAD]).jump_if("after").answer(answer(before));
    code.label("after").answer(answer(after));
    code.label("uri").answer(uri.abi_encode());
    code.label("shift").set_switch();
    code.creation()
}

/// Creation code of a gate: closed until anyone opens it.
pub(crate) fn gate() -> Bytes {
    let mut code = Assembler::default();
    code.selector();
    code.on(IGate::openCall::SELECTOR, "open");
    code.ops(&[op::PUSH0, op::SLOAD, op::ISZERO]).jump_if("closed").ops(&[op::STOP]);
    code.label("open").set_switch();
    code.label("closed");
    code.fail(Revert::from("the gate is closed").abi_encode());
    code.creation()
}

fn answer(actions: &[Action]) -> Vec<u8> {
    actions.abi_encode()
}

/// Machine code with labels and data behind it.
#[derive(Debug, Default)]
struct Assembler {
    code: Vec<u8>,
    labels: BTreeMap<&'static str, u16>,
    /// Where the address of a label has to be written.
    jumps: Vec<(usize, &'static str)>,
    /// Where the offset of a piece of data has to be written, and the data.
    data: Vec<(usize, Vec<u8>)>,
}

impl Assembler {
    fn ops(&mut self, ops: &[u8]) -> &mut Self {
        self.code.extend_from_slice(ops);
        self
    }

    fn short(&mut self, value: usize) -> &mut Self {
        // Code is limited to 24,576 bytes (EIP-170), so two bytes address all of it.
        let value = u16::try_from(value).expect("code is shorter than 64 KiB");
        self.ops(&[op::PUSH2]).ops(&value.to_be_bytes())
    }

    /// Leaves the call's selector on the stack.
    fn selector(&mut self) -> &mut Self {
        self.ops(&[op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR])
    }

    /// Goes to a label if the selector on the stack is this one.
    fn on(&mut self, selector: [u8; 4], label: &'static str) -> &mut Self {
        let Selector { 0: bytes } = selector.into();
        self.ops(&[op::DUP1, op::PUSH4]).ops(&bytes).ops(&[op::EQ]).jump_if(label)
    }

    fn jump_if(&mut self, label: &'static str) -> &mut Self {
        self.jumps.push((self.code.len() + 1, label));
        self.short(0).ops(&[op::JUMPI])
    }

    fn label(&mut self, label: &'static str) -> &mut Self {
        let here = u16::try_from(self.code.len()).expect("code is shorter than 64 KiB");
        self.labels.insert(label, here);
        self.ops(&[op::JUMPDEST])
    }

    fn refuse(&mut self) -> &mut Self {
        self.ops(&[op::PUSH0, op::PUSH0, op::REVERT])
    }

    fn set_switch(&mut self) -> &mut Self {
        self.ops(&[op::PUSH1, 1, op::PUSH0, op::SSTORE, op::STOP])
    }

    /// Returns constant data.
    fn answer(&mut self, data: Vec<u8>) -> &mut Self {
        self.end_with(op::RETURN, data)
    }

    /// Reverts with constant data.
    fn fail(&mut self, data: Vec<u8>) -> &mut Self {
        self.end_with(op::REVERT, data)
    }

    /// The data is put behind the code.
    fn end_with(&mut self, end: u8, data: Vec<u8>) -> &mut Self {
        let length = data.len();
        self.short(length);
        self.data.push((self.code.len() + 1, data));
        self.short(0).ops(&[op::PUSH0, op::CODECOPY]);
        self.short(length).ops(&[op::PUSH0, end])
    }

    /// The runtime code with all addresses written.
    fn runtime(mut self) -> Vec<u8> {
        for (position, label) in self.jumps {
            let target = self.labels.get(label).expect("every label that is jumped to is set");
            self.code[position..position + 2].copy_from_slice(&target.to_be_bytes());
        }
        for (position, data) in self.data {
            let offset = u16::try_from(self.code.len()).expect("code is shorter than 64 KiB");
            self.code[position..position + 2].copy_from_slice(&offset.to_be_bytes());
            self.code.extend(data);
        }
        self.code
    }

    /// Code that deploys the runtime code.
    fn creation(&mut self) -> Bytes {
        let runtime = std::mem::take(self).runtime();
        let mut creation = Self::default();
        creation.short(runtime.len()).ops(&[op::DUP1]);
        let offset = creation.code.len() + 1;
        creation.short(0).ops(&[op::PUSH0, op::CODECOPY, op::PUSH0, op::RETURN]);
        let start = u16::try_from(creation.code.len()).expect("the prologue is a few bytes");
        creation.code[offset..offset + 2].copy_from_slice(&start.to_be_bytes());
        creation.code.extend(runtime);
        creation.code.into()
    }
}

#[cfg(test)]
mod tests {
    use alloy::{
        network::TransactionBuilder,
        primitives::Address,
        providers::{DynProvider, Provider, ProviderBuilder},
        rpc::types::TransactionRequest,
    };
    use canon_devchain::{Devchain, DevchainConfig};

    use super::*;

    fn provider() -> DynProvider {
        let chain = Devchain::new(DevchainConfig::default());
        let wallet = chain.dev_accounts().remove(0);
        ProviderBuilder::new().wallet(wallet).connect_client(chain.client()).erased()
    }

    async fn deploy(provider: &DynProvider, code: Bytes) -> Address {
        let request = TransactionRequest::default().with_deploy_code(code);
        let receipt =
            provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
        receipt.contract_address.unwrap()
    }

    async fn call<C: SolCall>(provider: &DynProvider, to: Address, call: C) -> Option<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = provider.call(request).await.ok()?;
        C::abi_decode_returns(&answer).ok()
    }

    async fn send<C: SolCall>(provider: &DynProvider, to: Address, call: C) {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    }

    fn actions(count: u8) -> Vec<Action> {
        let action = |n| Action { target: Address::repeat_byte(n), data: vec![n; 5].into() };
        (1..=count).map(action).collect()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_constant_payload_answers_and_refuses_all_else() {
        let provider = provider();
        let payload = deploy(&provider, constant_payload(&actions(3), "doc")).await;
        let listed = call(&provider, payload, IPayload::getActionsCall {}).await.unwrap();
        assert_eq!(listed.abi_encode(), actions(3).abi_encode());
        assert_eq!(call(&provider, payload, IPayload::getURICall {}).await.unwrap(), "doc");
        let other = TransactionRequest::default().with_to(payload).with_input(vec![1, 2, 3, 4]);
        assert!(provider.call(other).await.is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_shifting_payload_changes_once() {
        let provider = provider();
        let code = shifting_payload(&actions(1), &actions(2), "");
        let payload = deploy(&provider, code).await;
        let listed = call(&provider, payload, IPayload::getActionsCall {}).await.unwrap();
        assert_eq!(listed.len(), 1);
        send(&provider, payload, IShifting::shiftCall {}).await;
        let listed = call(&provider, payload, IPayload::getActionsCall {}).await.unwrap();
        assert_eq!(listed.abi_encode(), actions(2).abi_encode());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_gate_is_closed_until_it_is_opened() {
        let provider = provider();
        let gate = deploy(&provider, gate()).await;
        let pass = IGate::passCall {}.abi_encode();
        let pass = TransactionRequest::default().with_to(gate).with_input(pass);
        let refusal = provider.call(pass.clone()).await.unwrap_err();
        let refusal = refusal.as_error_resp().unwrap().as_revert_data().unwrap();
        assert_eq!(Revert::abi_decode(&refusal).unwrap().reason, "the gate is closed");
        send(&provider, gate, IGate::openCall {}).await;
        assert!(provider.call(pass).await.is_ok());
    }
}
