//! Tests of the explorer, and of the rules that it explores.

#![allow(clippy::unwrap_used, reason = "tests")]

mod broken;
mod reduction;
mod scopes;
