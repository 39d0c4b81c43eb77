//! Payload contracts: made without a compiler, and shown in words.
//!
//! - [`constant_payload`]: a payload of any list of actions. It only answers with constants, so there
//!   is nothing in it to review but the list.
//! - [`describe`]: an action in words.
//! - [`Assembler`]: what it is made with, for contracts that are little more than that.

mod assembler;
mod constant;
mod describe;

pub use assembler::{Assembler, op};
pub use constant::constant_payload;
pub use describe::{Hashes, describe};
