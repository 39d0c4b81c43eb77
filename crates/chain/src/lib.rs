//! Canon's contracts on an L1.

mod actions;
mod call;
pub mod calls;
mod client;
mod confirm;
pub mod deploy;
mod deployment;
mod error;
mod logs;
mod read;
mod sender;
mod view;

pub use call::ContractCall;
pub use calls::PermitRequest;
pub use client::{ChainHead, Client, NextBlock};
pub use confirm::{Confirmed, NoWait, Pending, Receipts, Wait, Waited};
pub use deployment::Deployment;
pub use error::{Error, Result};
pub use read::{Attester, ProposalSnapshot, RollupRules, RoundSnapshot, SignalStatus};
pub use sender::{Checks, Key, Sender};
