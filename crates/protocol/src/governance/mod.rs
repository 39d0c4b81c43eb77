//! Governance: lock, vote, delay, execute.

mod configuration;
mod deadlines;
mod exit;
mod tabulation;

pub use configuration::{Configuration, ProposeConfiguration};
pub use deadlines::{Course, Deadlines, ProposalState};
pub use exit::{ExitFloor, withdrawal_delay};
pub use tabulation::{Support, Tabulation, Tally, tabulate, votes_needed, yea_limit};
