#![doc = include_str!("../README.md")]

mod abi;
mod asset;
mod checkpoints;
mod constructor;
mod create2;
mod distributor;
mod expect;
mod governance;
#[cfg(feature = "histories")]
pub mod histories;
#[cfg(test)]
mod interfaces;
mod issuer;
mod messages;
mod outside;
mod ownership;
mod preview;
mod proposals;
mod questions;
mod refusal;
mod registry;
mod rollup;
mod scene;
mod signature;
mod stage;
mod units;
mod world;

pub use asset::{Asset, AssetCall, AssetEvent, AssetRefusal};
pub use checkpoints::Checkpoints;
pub use constructor::Constructor;
pub use create2::Create2;
pub use distributor::{Distributor, DistributorCall, DistributorEvent, DistributorRefusal};
pub use expect::{ExpectCall, ExpectRefusal};
pub use governance::{
    Configuration, Deadlines, Ending, ExitFloor, Governance, GovernanceCall, GovernanceEvent,
    GovernanceRefusal, Origin, Payment, Proposal, ProposalState, ProposeConfiguration,
    RawConfiguration, RawProposeConfiguration, Support, Tabulation, Tally, Withdrawal, tabulate,
    votes_needed, withdrawal_delay, yea_limit,
};
pub use issuer::{Issuer, IssuerCall, IssuerEvent, IssuerRefusal};
pub use messages::{Call, Event, Log, Role};
pub use outside::{Action, Code, CodeKind, MAX_ACTIONS_LENGTH, Outside, Reaction, actions_hash};
pub use ownership::{Ownership, OwnershipCall, OwnershipEvent, OwnershipRefusal};
pub use preview::{Preview, Warning};
pub use proposals::{
    InvalidRoundRules, LIFETIME_IN_ROUNDS, Leader, Pin, Proposals, ProposalsCall, ProposalsEvent,
    ProposalsRefusal, PushWindow, PushableRound, Pushed, RoundRules, RoundTally, SignalingStatus,
};
pub use refusal::{ApplyError, CommonRefusal, Refusal};
pub use registry::{Registry, RegistryCall, RegistryEvent, RegistryRefusal, SENTINEL, Snapshot};
pub use rollup::{
    Exit, Finality, Head, Member, Move, RawRollupParameters, Rollup, RollupCall, RollupEvent,
    RollupParameters, RollupRefusal, SlotClock, Status, draw,
};
pub use scene::{Block, Context};
pub use signature::{Ballot, Permit, Signal, signature_parts, signing_domain};
pub use units::{
    Amount, BlockNumber, ConfigurationId, Epoch, Fraction, Nonce, ParseAmountError, ProposalId,
    RollupBlock, Round, Seconds, Slot, Timestamp, TooLarge, Version, WithdrawalId,
};
pub use world::{Addresses, World};
