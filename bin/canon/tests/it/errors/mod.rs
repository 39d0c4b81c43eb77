//! The refusals of commands, whole: each says what was expected, what was found, and what to do next.
//!
//! There is a snapshot for each command. Texts that another test compares whole aren't repeated.

mod deployments;
mod holders;
mod proposals;
mod push;
mod reaching;
mod signal;
mod stake;
mod vote;
