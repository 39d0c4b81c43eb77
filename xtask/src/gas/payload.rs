//! Payloads with a single action.

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use canon_abi::Governance::Action;
use canon_payload::constant_payload;

/// Creation code of a constant payload whose one action is `call` of `target`.
pub(super) fn constant<C: SolCall>(target: Address, call: &C) -> Bytes {
    let action = Action { target, data: call.abi_encode().into() };
    constant_payload(&[action], "https://example.org/azip-1")
}
