//! Tests of the explorer, and with it of the rules.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod broken;
mod reduction;
mod worlds;
