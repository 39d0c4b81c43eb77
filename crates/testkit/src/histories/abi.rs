//! The functions of contracts outside the set, and their answers.

use alloy_primitives::{Address, Bytes, Selector, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use canon_protocol::Action;

sol! {
    function getCurrentSlot();
    function getCurrentProposer();
    function proposalCount();
    function governanceProposer();
    function getActions();
    function isValidSignature(bytes32 digest, bytes signature) returns (bytes4);
}

pub(super) const CURRENT_SLOT: Selector = Selector::new(getCurrentSlotCall::SELECTOR);
pub(super) const CURRENT_PROPOSER: Selector = Selector::new(getCurrentProposerCall::SELECTOR);
pub(super) const PROPOSAL_COUNT: Selector = Selector::new(proposalCountCall::SELECTOR);
pub(super) const GOVERNANCE_PROPOSER: Selector = Selector::new(governanceProposerCall::SELECTOR);
pub(super) const ACTIONS: Selector = Selector::new(getActionsCall::SELECTOR);
/// The selector of `isValidSignature`, which is also what it returns for a valid signature
/// (ERC-1271).
pub(super) const VALID_SIGNATURE: Selector = Selector::new(isValidSignatureCall::SELECTOR);

/// `abi.encode(actions)`.
pub(super) fn encode_actions(actions: &[Action]) -> Vec<u8> {
    let list = actions.iter().map(|action| (action.target, action.data.clone()));
    list.collect::<Vec<(Address, Bytes)>>().abi_encode()
}

/// The address in `word`; `None` if the upper bytes aren't zero.
pub(super) fn to_address(word: U256) -> Option<Address> {
    let word = word.to_be_bytes::<32>();
    word[..12].iter().all(|byte| *byte == 0).then(|| Address::from_slice(&word[12..]))
}
