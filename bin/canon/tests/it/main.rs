//! The program as its users meet it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod chain;
mod endpoint;
mod forecast;
mod foreign_text;
mod help;
mod live;
mod power;
mod proposing;
mod rehearse;
mod rounds;
mod sending;
mod sending_anyone;
mod sending_holder;
mod servers;
mod signaling;
mod staking;
mod support;
mod voting;
