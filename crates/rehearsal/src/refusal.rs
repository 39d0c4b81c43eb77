//! Refusals of the contracts, as the timeline shows them.

use canon_abi::{Contract, Revert};
use serde::Serialize;

/// The refusal of a call by a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ObservedRefusal {
    /// The error's name in Solidity; for other reverts, their description.
    pub name: String,
    /// The name of the innermost error, if the outer one only passes it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The error with its arguments.
    pub detail: String,
}

impl From<&Revert> for ObservedRefusal {
    fn from(revert: &Revert) -> Self {
        let name =
            |revert: &Revert| revert.name().map_or_else(|| revert.to_string(), str::to_owned);
        let root = revert.root();
        Self {
            name: name(revert),
            root: (root != revert).then(|| name(root)),
            detail: revert.to_string(),
        }
    }
}

/// Whether a contract of the set declares an error of this name.
pub(crate) fn is_known(name: &str) -> bool {
    Contract::ALL.iter().any(|contract| contract.artifact().abi().errors.contains_key(name))
}
