//! Typed reads: what the contracts answer, in the protocol's types.

mod governance;
mod rollup;
mod signals;

pub use governance::ProposalSnapshot;
pub use rollup::{Attester, RollupRules};
pub use signals::{RoundSnapshot, SignalStatus};

use alloy_primitives::Address;

/// Address 0 stands for nobody.
fn some(address: Address) -> Option<Address> {
    (!address.is_zero()).then_some(address)
}
