//! Tests of the chain through its public interfaces: alloy providers, the typed handle, HTTP.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::missing_const_for_fn, reason = "nothing here runs at compile time")]

mod actions;
mod calls;
mod code;
mod connections;
mod documentation;
mod dump;
mod encodings;
mod executions;
mod fees;
mod hostile_dumps;
mod latency;
mod limits;
mod logs;
mod missing;
mod openrpc;
mod pending;
mod pool;
mod provider;
mod proxy;
mod raw;
mod requests;
mod rewind;
mod server;
mod signing;
mod simulation;
mod size;
mod support;
mod time;
mod tracing;
mod types;
