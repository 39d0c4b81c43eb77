//! Revert data of every contract, as people read it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod table;
