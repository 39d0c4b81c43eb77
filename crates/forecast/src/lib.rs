//! What teams ask before they choose parameters or start a campaign of signals.
//!
//! - [`Electorate`]: who sequences, how many seats each has, who signals, how often each is missing.
//! - [`RoundOdds`]: the chance that a payload wins a round. Exact.
//! - [`Campaign`]: how many rounds it takes, and when the upgrade can be executed. Exact.
//! - [`simulate`]: the same question put to the rules themselves, where no formula holds: operators
//!   that fail for hours at a time.

mod campaign;
mod electorate;
mod interval;
mod odds;
mod simulate;

pub use campaign::{Campaign, Milestone, Schedule};
pub use electorate::{Electorate, ElectorateError, Operator, Share, Side};
pub use interval::Interval;
pub use odds::RoundOdds;
pub use simulate::{Simulated, Simulation, SimulationError, simulate};
