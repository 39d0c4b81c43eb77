//! Tests of the rules and the bytecode in lockstep.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod faults;
mod histories;
mod shrinking;
