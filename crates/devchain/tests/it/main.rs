//! Tests of the chain through its public interfaces: alloy providers, the typed handle, HTTP.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::missing_const_for_fn, reason = "nothing here runs at compile time")]

mod calls;
mod code;
mod dump;
mod fees;
mod logs;
mod pool;
mod provider;
mod proxy;
mod rewind;
mod server;
mod support;
mod time;
mod types;
