//! The rules in Rust and the contracts' bytecode, driven in step.
//!
//! [`canon_protocol`] says what the contracts do; this crate proves it, by making both do the same:
//! random histories of many actors, with jumps of time, reorganizations and hostile contracts.
//! After every call the outcome is compared: success or the exact refusal with its arguments, what
//! is returned, and every event; at intervals every view of every contract, and the state that the
//! chain's events give.
//!
//! - [`History`]: a history of a seed. A failure can be shrunk to the few steps that show it.
//! - [`Histories`]: many of them, on all cores.
//! - [`Lockstep`]: both sides; takes one step at a time.
//! - [`Coverage`]: how often each call, refusal, event and state was met.

mod code;
mod coverage;
mod genesis;
mod histories;
mod history;
mod lockstep;
mod mismatch;
mod names;
mod replay;
mod shrink;

pub use coverage::{Counts, Coverage, UNREACHABLE};
pub use genesis::salts;
pub use histories::Histories;
pub use history::{Difference, History, RecordedStep, Shrunk};
pub use lockstep::Lockstep;
pub use mismatch::{Differs, ErrorKind, Mismatch, OutcomeKind};
