//! The rules in Rust and the contracts' bytecode, run in lockstep.
//!
//! [`canon_protocol`] describes what the contracts do. This crate checks it by running both through
//! the same random histories: many actors, jumps of time, reorganizations and hostile contracts.
//! The outcome of every call is compared: success or the exact refusal with its arguments, the
//! returned values, and every event. At intervals, every view of every contract is compared, and
//! the state folded from the chain's events.
//!
//! - [`History`]: a history of a seed. A failure can be shrunk to the few steps that reproduce it.
//! - [`Histories`]: many of them, on all cores.
//! - [`Lockstep`]: both sides, which take one step at a time.
//! - [`Coverage`]: the number of times that each call, refusal, event and state was reached.

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
