//! Small contracts assembled by hand: a payload that changes its actions, and a gate that payloads can
//! depend on.

use alloy_primitives::Bytes;
use alloy_sol_types::{Revert, SolCall, SolError, SolValue, sol};
use canon_abi::{Governance::Action, UpgradePayload as IPayload};
use canon_payload::{Assembler, op};

sol! {
    interface IShifting {
        /// Makes the payload list the other actions from now on.
        function shift() external;
    }

    interface IGate {
        /// Opens the gate for good.
        function open() external;
        /// Reverts while the gate is closed.
        function pass() external;
    }
}

/// Creation code of a payload that lists `before` until anyone calls `shift()`, and `after` from
/// then on.
pub(crate) fn shifting_payload(before: &[Action], after: &[Action], uri: &str) -> Bytes {
    let mut code = Assembler::new();
    code.selector();
    code.on(IPayload::getActionsCall::SELECTOR, "actions");
    code.on(IPayload::getURICall::SELECTOR, "uri");
    code.on(IShifting::shiftCall::SELECTOR, "shift");
    code.fail(&[]);
    code.label("actions");
    code.ops(&[op::PUSH0, op::SLOAD]).jump_if("after").answer(&before.abi_encode());
    code.label("after").answer(&after.abi_encode());
    code.label("uri").answer(&uri.abi_encode());
    code.label("shift").ops(SET_SWITCH);
    code.creation()
}

/// Creation code of a gate: closed until anyone opens it.
pub(crate) fn gate() -> Bytes {
    let mut code = Assembler::new();
    code.selector();
    code.on(IGate::openCall::SELECTOR, "open");
    code.ops(&[op::PUSH0, op::SLOAD, op::ISZERO]).jump_if("closed").ops(&[op::STOP]);
    code.label("open").ops(SET_SWITCH);
    code.label("closed");
    code.fail(&Revert::from("the gate is closed").abi_encode());
    code.creation()
}

/// Sets the storage slot for "shifted" or "open" permanently.
const SET_SWITCH: &[u8] = &[op::PUSH1, 1, op::PUSH0, op::SSTORE, op::STOP];

#[cfg(test)]
mod tests {
    use alloy_network::TransactionBuilder;
    use alloy_primitives::Address;
    use alloy_provider::{DynProvider, Provider, ProviderBuilder};
    use alloy_rpc_types_eth::TransactionRequest;
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
