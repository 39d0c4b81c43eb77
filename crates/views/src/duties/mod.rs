//! The duties of agents: functions of a view and a plan, without memory.

use crate::intent::Intent;
use serde::{Deserialize, Serialize};

mod holder;
mod keeper;
mod mover;
mod sequencer;
mod window;

pub use holder::{LockMethod, Order, OrderAmount, OrderStatus, WaitsFor, holder};
pub use keeper::{PayOut, keeper};
pub(crate) use keeper::{endings, payments, pushes};
pub use mover::{MoveObstacle, MovePhase, MovePlan, mover};
pub(crate) use sequencer::record_seed;
pub use sequencer::{
    BlockDuty, HopelessRule, SequencerIdentity, SignalDecision, SignalPlan, StatusRule, sequencer,
};
pub use window::{Window, payload_of, windows};

/// The intents of an agent for the next block, and the reason for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty<S> {
    /// The work that the agent does or waits for: a sequencer's decision, a move's phase, the status of each
    /// order.
    pub status: S,
    /// The intents that are due, in the order in which they are sent.
    pub intents: Vec<Intent>,
}
