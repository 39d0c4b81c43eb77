//! Views of sets on a chain that does nothing by itself.
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
