//! Revert data of every contract, decoded for people.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod table;
