//! Tests of the public interface of the rules.

#![allow(clippy::unwrap_used, reason = "tests")]

mod asset;
mod chain;
mod constructors;
mod elsewhere;
mod events;
mod execution;
mod functions;
mod governance;
mod histories;
mod invariants;
mod leaving;
mod lock_path;
mod previews;
mod proposals;
mod random_history;
mod rollup;
mod signatures;
mod status;
mod stored;
mod supporting;
mod text;
mod won_rounds;
