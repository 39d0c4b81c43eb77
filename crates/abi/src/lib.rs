//! Typed bindings of Canon's contracts, generated from the committed artifacts.
//!
//! - [`Contract`], [`Artifact`]: the compiled contracts, with ABI, creation code and runtime code.
//! - [`Asset`] … [`UpgradePayload`]: one `sol!` module per contract.
//! - [`init_code`], [`protocol_log`] and `From` implementations: conversions to and from the
//!   protocol's types.
//! - [`expected_answers`]: the answers of every view of a contract in a state of the set.
//! - [`decode_revert`], [`Revert`]: the reason of a refused call by name, with a hint for the next
//!   step.
//!
//! Neither building nor testing needs a Solidity toolchain.

mod answers;
mod artifact;
mod constructor_arguments;
mod contracts;
mod convert;
mod revert;

pub use answers::{
    AnswerText, ExpectedAnswer, UnexpectedAnswer, Voters, expected_answers, viewed_contracts,
};
pub use artifact::{Artifact, CodeMismatch, Contract};
pub use constructor_arguments::ConstructorArgument;
pub use contracts::{
    Asset, Expect, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup, SetLens,
    UpgradePayload,
};
pub use convert::{init_code, protocol_log};
pub use revert::{Argument, Revert, RevertKind, decode_revert};
