//! The rules of Canon's contracts as a pure state machine.

mod governance;
mod proposals;
mod rollup;
mod units;

pub use governance::{
    Configuration, Course, Deadlines, ExitFloor, ProposalState, ProposeConfiguration, Support,
    Tabulation, Tally, tabulate, votes_needed, withdrawal_delay, yea_limit,
};
pub use proposals::{InvalidRoundRules, LIFETIME_IN_ROUNDS, PushWindow, RoundRules};
pub use rollup::{SlotClock, draw};
pub use units::{
    Amount, BlockNumber, ConfigurationId, Epoch, Fraction, Nonce, ParseAmountError, ProposalId,
    RollupBlock, Round, Seconds, Slot, Timestamp, TooLarge, Version, WithdrawalId,
};
