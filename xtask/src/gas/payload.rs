//! The leanest payload: code, assembled by hand, that answers with constants.

use alloy::{
    primitives::{Address, Bytes},
    sol_types::{SolCall, SolValue},
};
use canon_bindings::UpgradePayload;
use eyre::{Result, WrapErr};

mod op {
    pub(super) const EQ: u8 = 0x14;
    pub(super) const SHR: u8 = 0x1c;
    pub(super) const CALLDATALOAD: u8 = 0x35;
    pub(super) const CODECOPY: u8 = 0x39;
    pub(super) const JUMPI: u8 = 0x57;
    pub(super) const JUMPDEST: u8 = 0x5b;
    pub(super) const PUSH0: u8 = 0x5f;
    pub(super) const PUSH1: u8 = 0x60;
    pub(super) const PUSH2: u8 = 0x61;
    pub(super) const PUSH4: u8 = 0x63;
    pub(super) const DUP1: u8 = 0x80;
    pub(super) const RETURN: u8 = 0xf3;
    pub(super) const REVERT: u8 = 0xfd;
}

/// Bytes before the first answer: selector, two branches, refusal.
const DISPATCH: u8 = 5 + 2 * 10 + 3;
/// Bytes that return an answer.
const ANSWER: u8 = 1 + 3 + 3 + 2 + 3 + 2;

/// Creation code of a payload whose one action is `call` of `target`.
pub(super) fn constant<C: SolCall>(target: Address, call: &C) -> Result<Bytes> {
    let action = UpgradePayload::Action { target, data: call.abi_encode().into() };
    let actions = UpgradePayload::getActionsCall::abi_encode_returns(&vec![action]);
    creation(runtime(&actions, &"https://example.org/azip-1".abi_encode())?)
}

fn runtime(actions: &[u8], uri: &[u8]) -> Result<Vec<u8>> {
    let data = usize::from(DISPATCH) + 2 * usize::from(ANSWER);
    let mut code = vec![op::PUSH0, op::CALLDATALOAD, op::PUSH1, 224, op::SHR];
    code.extend(branch(UpgradePayload::getActionsCall::SELECTOR, DISPATCH));
    code.extend(branch(UpgradePayload::getURICall::SELECTOR, DISPATCH + ANSWER));
    code.extend([op::PUSH0, op::PUSH0, op::REVERT]);
    code.extend(answer(actions.len(), data)?);
    code.extend(answer(uri.len(), data + actions.len())?);
    code.extend(actions);
    code.extend(uri);
    Ok(code)
}

/// Goes to `to` if the call has this selector.
fn branch(selector: [u8; 4], to: u8) -> Vec<u8> {
    let [a, b, c, d] = selector;
    vec![op::DUP1, op::PUSH4, a, b, c, d, op::EQ, op::PUSH1, to, op::JUMPI]
}

/// Returns `length` bytes of the code from `offset` on.
fn answer(length: usize, offset: usize) -> Result<Vec<u8>> {
    let word = |value| u16::try_from(value).map(u16::to_be_bytes).wrap_err("too much to answer");
    let ([a, b], [c, d]) = (word(length)?, word(offset)?);
    let copy = [op::PUSH2, a, b, op::PUSH2, c, d, op::PUSH0, op::CODECOPY];
    Ok([&[op::JUMPDEST], &copy[..], &[op::PUSH2, a, b, op::PUSH0, op::RETURN]].concat())
}

/// Code that deploys `runtime`.
fn creation(runtime: Vec<u8>) -> Result<Bytes> {
    let [a, b] = u16::try_from(runtime.len()).wrap_err("too much code")?.to_be_bytes();
    let prologue = [op::PUSH2, a, b, op::DUP1, op::PUSH1, 10, op::PUSH0, op::CODECOPY];
    Ok([&prologue[..], &[op::PUSH0, op::RETURN], &runtime].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gas::chain::Chain;
    use canon_bindings::Governance;

    #[test]
    fn it_answers_and_refuses_all_else() -> Result<()> {
        let chain = Chain::new()?;
        let (governance, proposals) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: proposals };
        let payload = chain.deploy("payload", constant(governance, &call)?)?;
        let actions = chain.ask(payload, &UpgradePayload::getActionsCall {})?;
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0].target, governance);
        assert!(actions[0].data.ends_with(proposals.as_slice()));
        let uri = chain.ask(payload, &UpgradePayload::getURICall {})?;
        assert!(uri.starts_with("https://"));
        assert!(chain.ask(payload, &UpgradePayload::OWNERCall {}).is_err());
        Ok(())
    }
}
