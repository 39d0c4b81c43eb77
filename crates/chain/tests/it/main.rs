//! Tests of the crate with an in-process chain.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod audit;
mod blocks;
mod deploy_races;
mod deploying;
mod endpoint;
mod failover;
mod further;
mod genuine;
mod killed_deployments;
mod limited_endpoint;
mod log_ranges;
mod many_proposals;
mod parameters;
mod proxy;
mod reading;
mod replaced_blocks;
mod rules;
mod sending;
mod shared_steps;
mod signer;
mod test_chain;
mod tx;
mod tx_answers;
mod tx_ballots;
mod tx_chain;
mod tx_executing;
mod tx_faults;
mod tx_journal;
mod tx_nonces;
mod tx_origin;
mod tx_refusals;
mod view_endpoints;
mod view_histories;
