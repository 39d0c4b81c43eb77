//! The chain through its public interfaces: alloy providers, the typed handle, HTTP.

mod code;
mod provider;
mod support;
