//! The questions by which contracts of the set ask one another.

use alloy::{primitives::Selector, sol, sol_types::SolCall};

sol! {
    function getCurrentSlot();
    function getCurrentProposer();
    function getRollup();
    function getGovernance();
    function owner();
    function proposalCount();
    function governanceProposer();
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
