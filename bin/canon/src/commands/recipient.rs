//! Accounts that get tokens, or decide about them.

use alloy_primitives::{Address, U160, address};
use canon_chain::deploy::{ContractPlan, Create2Origin, DEPLOYMENT_PROXY};
use canon_views::{Present, SetAddresses};
use eyre::eyre;

use crate::exit::Failure;

/// The addresses to which people send what they want to destroy.
const BURNED: [Address; 2] = [
    address!("0x000000000000000000000000000000000000dEaD"),
    address!("0xdEAD000000000000000042069420694206942069"),
];

/// The last precompile of the first range.
const LAST_PRECOMPILE: u16 = 0x11;

/// The precompile that checks signatures of the curve P-256 (EIP-7951).
const P256: u16 = 0x100;

/// What is at an address from which no tokens return, on every chain; `None` for other addresses.
fn dead_end(account: Address) -> Option<&'static str> {
    let number = U160::from_be_bytes(account.0.0);
    if number.is_zero() {
        Some("the zero address, which is nobody's")
    } else if number <= U160::from(LAST_PRECOMPILE) || number == U160::from(P256) {
        Some("a precompiled contract")
    } else if BURNED.contains(&account) {
        Some("an address for tokens that are to be destroyed")
    } else if account == DEPLOYMENT_PROXY {
        Some("the deterministic deployment proxy")
    } else if account == ContractPlan::expect(Create2Origin::default()).address() {
        Some("the contract Expect")
    } else {
        None
    }
}

/// Refuses a contract of the set, and any other place from which no tokens return, where an account is expected. `flag`
/// is the argument that names the account, and `rollups` are the rollups that are known besides those of `present`.
///
/// # Errors
///
/// If the account is such a place. The error names it.
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
    let of_set = contracts.find(|(address, _)| *address == account).map(|(_, what)| what);
    match of_set.or_else(|| dead_end(account)) {
        None => Ok(()),
        Some(what) => {
            let report = eyre!(
                "{flag}: expected an account that can use its tokens, found {what}, {account}"
            );
            Err(Failure::bad_input(report, "name an account that somebody has the key of"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_without_a_way_back_are_refused() {
        for (account, expected) in [
            (Address::ZERO, "the zero address"),
            (Address::with_last_byte(1), "a precompiled"),
            (Address::with_last_byte(0x11), "a precompiled"),
            (address!("0x0000000000000000000000000000000000000100"), "a precompiled"),
            (address!("0x000000000000000000000000000000000000dEaD"), "an address for tokens"),
            (DEPLOYMENT_PROXY, "the deterministic deployment proxy"),
        ] {
            assert!(dead_end(account).unwrap().starts_with(expected), "{account}");
        }
        for account in [
            Address::with_last_byte(0x12),
            address!("0x00000000000000000000000000000000000000fF"),
            address!("0x0000000000000000000000000000000000000101"),
            Address::repeat_byte(1),
        ] {
            assert_eq!(dead_end(account), None, "{account}");
        }
    }
}
