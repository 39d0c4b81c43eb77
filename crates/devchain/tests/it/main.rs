//! The chain through its public interfaces: alloy providers, the typed handle, HTTP.

mod calls;
mod code;
mod dump;
mod fees;
mod logs;
mod pool;
mod provider;
mod rewind;
mod server;
mod support;
mod time;
mod types;
