//! The view functions by which contracts of the set query each other and contracts outside.

use alloy_primitives::{B256, Bytes, Selector};
use alloy_sol_types::{SolCall, sol};

sol! {
    function getCurrentSlot();
    function getCurrentProposer();
    function getRollup();
    function getGovernance();
    function owner();
    function proposalCount();
    function governanceProposer();
    function getConfiguration();
    function getActions();
    function isValidSignature(bytes32 digest, bytes signature) returns (bytes4);
}

/// `Rollup.getCurrentSlot()`.
pub(crate) const CURRENT_SLOT: Selector = Selector::new(getCurrentSlotCall::SELECTOR);
/// `Rollup.getCurrentProposer()`.
pub(crate) const CURRENT_PROPOSER: Selector = Selector::new(getCurrentProposerCall::SELECTOR);
/// `Registry.getRollup()`.
pub(crate) const ROLLUP: Selector = Selector::new(getRollupCall::SELECTOR);
/// `Registry.getGovernance()`.
pub(crate) const GOVERNANCE: Selector = Selector::new(getGovernanceCall::SELECTOR);
/// `owner()` of every owned contract.
pub(crate) const OWNER: Selector = Selector::new(ownerCall::SELECTOR);
/// `Governance.proposalCount()`.
pub(crate) const PROPOSAL_COUNT: Selector = Selector::new(proposalCountCall::SELECTOR);
/// `Governance.governanceProposer()`.
pub(crate) const GOVERNANCE_PROPOSER: Selector = Selector::new(governanceProposerCall::SELECTOR);
/// `Governance.getConfiguration()`.
pub(crate) const CONFIGURATION: Selector = Selector::new(getConfigurationCall::SELECTOR);
/// `getActions()` of a payload.
pub(crate) const ACTIONS: Selector = Selector::new(getActionsCall::SELECTOR);
/// `isValidSignature(bytes32,bytes)` of ERC-1271. Its selector is also the answer for a valid signature.
pub(crate) const VALID_SIGNATURE: Selector = Selector::new(isValidSignatureCall::SELECTOR);

/// `isValidSignature(digest, signature)`.
pub(crate) fn is_valid_signature(digest: B256, signature: &[u8]) -> Vec<u8> {
    let signature = Bytes::copy_from_slice(signature);
    isValidSignatureCall { digest, signature }.abi_encode()
}
