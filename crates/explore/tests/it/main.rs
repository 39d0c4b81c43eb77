//! Tests of the explorer, and with it of the rules.

#![allow(clippy::unwrap_used, reason = "tests")]

mod broken;
mod reduction;
mod scopes;
