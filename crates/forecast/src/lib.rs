//! What teams ask before they choose parameters or start a campaign of signals.
//!
//! - [`Electorate`]: who sequences, how many seats each has, who signals, how often each is missing.
//! - [`RoundOdds`], [`RestOfRound`]: the chance that a payload wins a round, or what is left of one.
//!   Exact.
//! - [`Campaign`]: how many rounds it takes, and when the upgrade can be executed. Exact.
//! - [`Contest`]: what a hostile minority pushes or blocks. Exact.
//! - [`Vote`]: what a proposal then needs of the holders. Exact.
//! - [`simulate()`]: the same question put to the rules themselves, where no formula holds: operators
//!   that fail for hours at a time.

mod binomial;
mod campaign;
mod electorate;
mod interval;
mod minority;
mod odds;
mod share;
mod simulate;
mod vote;

pub use campaign::{Campaign, Milestone, Schedule, Start, Terms};
pub use electorate::{Electorate, ElectorateError, Operator, Side, seats_of};
pub use interval::{Interval, Quantile};
pub use minority::{Contest, Minority, Pace};
pub use odds::{Prospect, RestOfRound, RoundOdds};
pub use share::{NoShare, Share};
pub use simulate::{PATIENCE, Simulated, Simulation, SimulationError, simulate};
pub use vote::{Force, Outlook, Vote};
