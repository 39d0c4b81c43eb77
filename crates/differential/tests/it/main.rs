//! The rules and the bytecode, in step.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod faults;
mod histories;
mod shrinking;
