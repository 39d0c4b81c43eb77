//! Forecasts of signaling campaigns, for teams that choose parameters or are about to start one.
//!
//! A [`Plan`] says which set the campaign is about, who sequences and when it starts;
//! [`ForecastReport::compute`] computes everything that follows from it. The parts of the report can
//! also be used alone:
//!
//! - [`electorate`]: the operators that sequence, their seats, what they signal for and how many slots
//!   they miss. [`operators`] reads them from a file.
//! - [`odds`]: the chance that a payload wins a round, or the rest of a running one. Exact.
//! - [`campaign`]: the number of rounds until it wins one, and the dates that follow. Exact.
//! - [`minority`]: what a hostile minority pushes or blocks. Exact.
//! - [`deployed`]: what a deployed set says of a campaign.
//! - [`vote`]: what the proposal then needs from the holders. Exact.
//! - [`simulation`]: campaigns that run on the rules themselves, where there is no formula: for
//!   operators that are offline for hours at a time.

mod binomial;
pub mod campaign;
pub mod deployed;
pub mod electorate;
mod interval;
pub mod minority;
pub mod odds;
pub mod operators;
pub mod plan;
pub mod report;
mod share;
pub mod simulation;
pub mod vote;

pub use campaign::Campaign;
pub use electorate::Electorate;
pub use plan::Plan;
pub use report::ForecastReport;
pub use share::{NotAShare, Share};
