//! Those who act on an upgrade: sequencers, keepers, holders, movers.
//!
//! Each agent is a state machine. Whoever owns the loop reads a [`View`] once per block with a
//! [`Watcher`], naming the expected time of the next block, and hands it to every agent's `tick`;
//! agents send transactions and report [`Outcome`]s. No agent reads a clock, the environment or
//! randomness, and an idle agent asks the chain nothing.

mod holder;
mod keeper;
mod mover;
mod outbox;
mod outcome;
mod payload;
mod sequencer;
mod view;
mod watcher;

pub use holder::{AssetFacts, Holder, Order, Share};
pub use keeper::{Keeper, PayOut};
pub use mover::{Mover, Phase};
pub use outcome::{Act, Outcome, Skipped};
pub use payload::{
    ALIASES, HopelessRule, PROPOSAL_PAYLOAD, PayloadError, SignalDecision, SignalPlan, StatusRule,
    VettedPayload, decide_signal, is_assertion, payload_setting,
};
pub use sequencer::{BlockDuty, Sequencer};
pub use view::{Block, PayloadStatus, RollupView, Seed, Signaling, View};
pub use watcher::Watcher;
