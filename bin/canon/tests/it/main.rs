//! The program as its users meet it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod chain;
mod forecast;
mod help;
mod rehearse;
mod support;
