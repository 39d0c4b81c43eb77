//! Folding what a chain says, whatever happens on the way.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod attack;
mod checkpoints;
mod compare;
mod faults;
mod histories;
mod network;
mod opening;
mod reorganizations;
mod self_check;
mod support;
mod views;
