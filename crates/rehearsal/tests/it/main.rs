//! Tests of whole rehearsals: every committed scenario, determinism, and checks that fail.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod bad_files;
mod checks;
mod determinism;
mod folded;
mod scenarios;
mod support;
