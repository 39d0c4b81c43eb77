//! Forecasts of signaling campaigns, for teams that choose parameters or are about to start one.
//!
//! A [`Plan`] has the set, the operators that sequence and the start of the campaign;
//! [`ForecastReport::compute`] computes everything that follows from it. The parts of the report can
//! also be used alone:
//!
//! - [`electorate`]: the operators that sequence, with their seats, the payloads that they signal for
//!   and the slots that they miss. [`operators`] reads them from a file.
//! - [`odds`]: the chance that a payload wins a round, or the rest of a running one. Exact.
//! - [`campaign`]: the number of rounds until it wins one, and the dates that follow. Exact.
//! - [`minority`]: the chance that a hostile minority pushes its payload or blocks another one. Exact.
//! - [`deployed`]: the state of a deployed set, from which a forecast starts.
//! - [`vote`]: the votes that the proposal then needs. Exact.
//! - [`simulation`]: campaigns that are simulated with the rules, where there is no formula: for
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
