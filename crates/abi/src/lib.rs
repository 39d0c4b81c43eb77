//! Typed bindings of Canon's contracts, made from the committed artifacts.
//!
//! - [`Contract`], [`Artifact`]: the compiled contracts: ABI, creation code, runtime code.
//! - [`Asset`] … [`UpgradePayload`]: one `sol!` module per contract.
//! - [`init_code`], [`protocol_log`] and `From` implementations: to and from the protocol's types.
//! - [`expected_answers`]: what every view of a contract answers in a state of the set.
//! - [`decode_revert`], [`Revert`]: why a call was refused, by name, and what to do next.
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
