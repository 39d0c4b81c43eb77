//! Payload contracts: built without a compiler, and described in words.
//!
//! - [`constant_payload`]: a payload with any list of actions. It only returns constants, so that
//!   only the list has to be reviewed.
//! - [`describe()`]: the exact call of an action, with names.
//! - [`explain()`]: the effect of an action in words, with units.
//! - [`Assembler`]: builds such small contracts from opcodes.

mod assembler;
mod constant;
mod describe;
mod explain;

pub use assembler::{Assembler, op};
pub use constant::constant_payload;
pub use describe::{Hashes, describe};
pub use explain::{KnownSet, explain};
