//! What the rules answer, as far as properties check it.

use alloy_primitives::Address;
use canon_protocol::{
    Amount, Governance, GovernanceRefusal, Member, Proposal, ProposalState, Rollup, RollupRefusal,
    Timestamp,
};

/// The answers of the rules that follow from a state and not from a decision: those of
/// [`canon_protocol`], or wrong ones.
#[derive(Clone, Copy, Debug)]
pub struct Views {
    /// The state of a proposal at a time.
    pub state: fn(&Governance, &Proposal, Timestamp) -> ProposalState,
    /// The power of a holder at the first time, asked at the second.
    pub power_at:
        fn(&Governance, Address, Timestamp, Timestamp) -> Result<Amount, GovernanceRefusal>,
    /// The member that draws the slot of the first time, asked at the second.
    pub member_at: fn(&Rollup, Timestamp, Timestamp) -> Result<Option<&Member>, RollupRefusal>,
}

impl Views {
    /// Those of [`canon_protocol`].
    pub const RULES: Self = Self {
        state: Governance::state,
        power_at: Governance::power_at,
        member_at: Rollup::member_at,
    };
}
