//! The chain that a command works on: how to reach it, and the set on it.

mod args;
mod connect;
mod file;
mod keeper_table;
mod notes;
mod reading;
mod settings;

pub(crate) use args::ChainArgs;
pub(crate) use connect::{Chain, now, run, unreached};
pub(crate) use keeper_table::KeeperFile;
pub(crate) use reading::cache_folder;
pub(crate) use settings::{ChainSettings, Origin, Setting};
