//! Payload contracts: made without a compiler, and shown in words.
//!
//! - [`constant_payload`]: a payload of any list of actions. It only answers with constants, so there
//!   is nothing in it to review but the list.
//! - [`describe()`]: an action as the exact call, with names.
//! - [`explain()`]: its effect in words, with units.
//! - [`Assembler`]: what it is made with, for contracts that are little more than that.

mod assembler;
mod constant;
mod describe;
mod explain;

pub use assembler::{Assembler, op};
pub use constant::constant_payload;
pub use describe::{Hashes, describe};
pub use explain::{KnownSet, explain};
