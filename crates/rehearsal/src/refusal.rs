//! Refusals of the contracts, as the story tells them.

use canon_bindings::Contract;

/// Whether a contract of the set declares an error of this name.
pub(crate) fn is_known(name: &str) -> bool {
    Contract::ALL.iter().any(|contract| contract.artifact().abi().errors.contains_key(name))
}
