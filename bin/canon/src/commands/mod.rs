//! The commands: one file or folder each.

pub(crate) mod audit;
pub(crate) mod calendar;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod deploy;
pub(crate) mod drop;
pub(crate) mod execute;
pub(crate) mod forecast;
mod holding;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod payload;
pub(crate) mod power;
pub(crate) mod proposal;
pub(crate) mod propose;
pub(crate) mod push;
pub(crate) mod rehearse;
pub(crate) mod rollup;
pub(crate) mod round;
pub(crate) mod setup_epoch;
pub(crate) mod signal;
pub(crate) mod stake;
pub(crate) mod status;
pub(crate) mod unlock;
pub(crate) mod vote;
pub(crate) mod withdraw;
