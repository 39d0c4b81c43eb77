//! Folding the logs of a chain, with all kinds of disturbances.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod checkpoints;
mod compare;
mod comparison_cost;
mod every_view;
mod faults;
mod histories;
mod missing_logs;
mod network;
mod opening;
mod pauses;
mod reorganizations;
mod round_trips;
mod saved_states;
mod support;
mod verification;
mod views;
mod wrong_headers;
