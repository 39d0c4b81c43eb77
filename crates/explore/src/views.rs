//! The views of the rules that properties check.

use alloy_primitives::Address;
use canon_protocol::{
    Amount, Governance, GovernanceRefusal, Member, Proposal, ProposalState, Rollup, RollupRefusal,
    Timestamp,
};

/// Views of the rules, which read a state and decide nothing: those of [`canon_protocol`], or wrong
/// versions of them.
#[derive(Clone, Copy, Debug)]
pub struct Views {
    /// The state of a proposal at a time.
    pub state: fn(&Governance, &Proposal, Timestamp) -> ProposalState,
    /// The power of a holder at the first time, asked at the second time.
    pub power_at:
        fn(&Governance, Address, Timestamp, Timestamp) -> Result<Amount, GovernanceRefusal>,
    /// The member that draws the slot at the first time, asked at the second time.
    pub member_at: fn(&Rollup, Timestamp, Timestamp) -> Result<Option<&Member>, RollupRefusal>,
}

impl Views {
    /// The views of [`canon_protocol`].
    pub const RULES: Self = Self {
        state: Governance::state,
        power_at: Governance::power_at,
        member_at: Rollup::member_at,
    };
}
