//! Tests of views on a chain that only the tests advance.
#![allow(clippy::unwrap_used)]

mod chain;
mod histories;
mod holders;
mod json;
mod keepers;
mod movers;
mod payloads;
mod sequencers;
mod shown;
mod upgrade;
