//! End-to-end tests of the program.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod audit;
mod audit_findings;
mod chain;
mod deploy;
mod deploy_stopped;
mod deploy_unsigned;
mod due;
mod endpoint;
mod forecast;
mod forecast_chain;
mod forecast_refused;
mod foreign_text;
mod guide;
mod help;
mod json;
mod live;
mod manual;
mod power;
mod prevented;
mod proposal_actions;
mod proposing;
mod recipients;
mod rehearse;
mod replaced_blocks;
mod rounds;
mod sending;
mod sending_anyone;
mod sending_holder;
mod servers;
mod setup_epoch;
mod signaling;
mod silent_rollup;
mod staking;
mod support;
mod terminal;
mod unsigned;
mod upgrade;
mod voting;
mod widths;
