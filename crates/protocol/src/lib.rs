#![doc = include_str!("../README.md")]

mod abi;
mod apply_error;
mod asset;
mod call_frame;
mod checkpoints;
mod constructor;
mod create2;
mod distributor;
mod expect;
mod external;
mod foreign_text;
mod governance;
#[cfg(test)]
mod interfaces;
mod issuer;
mod logs;
mod messages;
mod overlay;
mod ownership;
mod pending;
mod preview;
mod proposals;
mod questions;
mod refusal;
mod registry;
mod rollup;
mod set_state;
mod signature;
mod stored;
pub mod text;
mod units;

pub use apply_error::{ApplyError, Holding, Subject};
pub use asset::{Asset, AssetCall, AssetEvent, AssetRefusal};
pub use call_frame::{Context, L1Block};
pub use checkpoints::Checkpoints;
pub use constructor::Constructor;
pub use create2::Create2;
pub use distributor::{Distributor, DistributorCall, DistributorEvent, DistributorRefusal};
pub use expect::{ExpectCall, ExpectRefusal};
pub use external::{
    Action, Code, CodeKind, ExternalContracts, MAX_ACTIONS_LENGTH, Reaction, actions_hash,
};
pub use foreign_text::ForeignText;
pub use governance::{
    Configuration, Deadlines, Ending, ExitFloor, Governance, GovernanceCall, GovernanceEvent,
    GovernanceRefusal, Origin, Payment, Proposal, ProposalState, ProposeConfiguration,
    RawConfiguration, RawProposeConfiguration, Support, Tabulation, Tally, Withdrawal, tabulate,
    votes_needed, withdrawal_delay, yea_limit,
};
pub use issuer::{Issuer, IssuerCall, IssuerEvent, IssuerRefusal};
pub use messages::{Call, Event, Log, Role};
pub use ownership::{Ownership, OwnershipCall, OwnershipEvent, OwnershipRefusal};
pub use preview::{Preview, Warning};
pub use proposals::{
    InvalidRoundRules, LIFETIME_IN_ROUNDS, Leader, PayloadPin, Proposals, ProposalsCall,
    ProposalsEvent, ProposalsRefusal, PushCandidate, PushWindow, PushableRound, Pushed, RoundRules,
    RoundTally, SignalingStatus, WonRound, pinned_code_hash,
};
pub use refusal::{CommonRefusal, Refusal};
pub use registry::{Registry, RegistryCall, RegistryEvent, RegistryRefusal, SENTINEL, Snapshot};
pub use rollup::{
    AttesterStatus, Finality, Member, RawRollupParameters, Rollup, RollupCall, RollupEvent,
    RollupHead, RollupParameters, RollupRefusal, SlotClock, StakeExit, StakeMove, draw,
};
pub use set_state::{Addresses, SetState};
pub use signature::{Ballot, Permit, Signal, signature_parts, signing_domain};
pub use units::{
    Amount, BlockNumber, ConfigurationId, Epoch, Fraction, Nonce, ProposalId, RollupBlock, Round,
    Seconds, Slot, Timestamp, TooLarge, Version, WithdrawalId,
};
