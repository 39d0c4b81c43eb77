//! Tests of agents on an in-process chain.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod accounts;
mod daemon;
mod faults;
mod forgotten;
mod frugality;
mod holders;
mod keepers;
mod lists;
mod mined;
mod movers;
mod process;
mod restarts;
mod run;
mod sending_once;
mod sequencers;
mod test_chain;
mod upgrade;
mod views;
