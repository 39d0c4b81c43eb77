//! A payload that only returns constants.

use crate::assembler::Assembler;
use alloy_primitives::Bytes;
use alloy_sol_types::{SolCall, SolValue};
use canon_abi::{Governance::Action, UpgradePayload};

/// Creation code of a payload whose only actions are `actions`. They never change.
///
/// The payload answers `getActions()` and `getURI()`, and reverts without data on any other call.
pub fn constant_payload(actions: &[Action], uri: &str) -> Bytes {
    let mut code = Assembler::new();
    code.selector();
    code.on(UpgradePayload::getActionsCall::SELECTOR, "actions");
    code.on(UpgradePayload::getURICall::SELECTOR, "uri");
    code.fail(&[]);
    code.label("actions").answer(&actions.abi_encode());
    code.label("uri").answer(&uri.abi_encode());
    code.creation()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use canon_devchain::{CallEnd, Devchain, DevchainConfig, UnsignedCall};

    fn actions(count: u8) -> Vec<Action> {
        let action = |n| Action { target: Address::repeat_byte(n), data: vec![n; 5].into() };
        (1..=count).map(action).collect()
    }

    #[test]
    fn it_answers_and_refuses_all_else() {
        for count in [0, 1, 3, 40] {
            let chain = Devchain::new(DevchainConfig::default());
            let input = constant_payload(&actions(count), "doc");
            let deploy = UnsignedCall { from: Address::repeat_byte(1), to: None, input };
            let (_, executed) = chain.mine_unsigned(&[deploy]).unwrap();
            let payload = executed[0].contract.unwrap();
            let ask = |data: Vec<u8>| chain.read(payload, data).unwrap();

            let listed = ask(UpgradePayload::getActionsCall {}.abi_encode()).success().unwrap();
            assert_eq!(listed, actions(count).abi_encode());
            let uri = ask(UpgradePayload::getURICall {}.abi_encode()).success().unwrap();
            assert_eq!(uri, "doc".abi_encode());
            assert_eq!(ask(vec![1, 2, 3, 4]), CallEnd::Revert(Bytes::new()));
            assert_eq!(ask(Vec::new()), CallEnd::Revert(Bytes::new()));
        }
    }
}
