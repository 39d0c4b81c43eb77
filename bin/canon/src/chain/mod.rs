//! The chain that a command works on: how to reach it, and the set on it.

mod args;
mod connect;
mod file;
mod notes;
mod reading;
mod settings;

pub(crate) use args::ChainArgs;
pub(crate) use connect::{Chain, now, run, run_and_leave, unreached};
pub(crate) use settings::{ChainSettings, Origin, Setting};
