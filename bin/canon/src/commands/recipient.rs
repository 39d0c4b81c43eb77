//! Accounts that get tokens, or decide about them.

use alloy_primitives::Address;
use canon_views::{Present, SetAddresses};
use eyre::eyre;

use crate::exit::Failure;

/// Refuses a contract of the set where an account is expected: nobody could take tokens out of it. `flag` is the
/// argument that names the account, and `rollups` are the rollups that are known besides those of `present`.
///
/// # Errors
///
/// If the account is such a contract. The error names it.
pub(super) fn require_account(
    present: &Present,
    rollups: &[Address],
    flag: &str,
    account: Address,
) -> Result<(), Failure> {
    let SetAddresses { registry, governance, proposals, asset, issuer, rollup, reward_distributor } =
        present.addresses;
    let named = [
        (registry, "the set's Registry"),
        (governance, "the set's Governance"),
        (proposals, "the set's Proposals"),
        (asset, "the set's Asset"),
        (issuer, "the set's Issuer"),
        (rollup, "the canonical rollup"),
    ];
    let distributor = reward_distributor.map(|address| (address, "the set's RewardDistributor"));
    let others = present.rollups.keys().chain(rollups).map(|rollup| (*rollup, "a rollup"));
    let mut contracts = named.into_iter().chain(distributor).chain(others);
    match contracts.find(|(address, _)| *address == account) {
        None => Ok(()),
        Some((_, what)) => {
            let report = eyre!(
                "{flag}: expected an account that can use its tokens, found {what}, {account}"
            );
            Err(Failure::bad_input(report, "name an account that somebody has the key of"))
        }
    }
}
