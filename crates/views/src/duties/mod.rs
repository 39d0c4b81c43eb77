//! What agents do: functions of a view and a plan, without memory.

use crate::intent::Intent;
use serde::{Deserialize, Serialize};

mod holder;
mod keeper;
mod mover;
mod sequencer;

pub use holder::{LockMethod, Order, OrderAmount, OrderId, OrderStatus, WaitsFor, holder};
pub use keeper::{PayOut, keeper};
pub(crate) use keeper::{endings, payments, pushes};
pub use mover::{MoveObstacle, MovePhase, MovePlan, mover};
pub(crate) use sequencer::record_seed;
pub use sequencer::{
    BlockDuty, HopelessRule, SequencerIdentity, SignalDecision, SignalPlan, StatusRule, sequencer,
};

/// What an agent does in the next block, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty<S> {
    /// What the agent is doing or waiting for: a sequencer's decision, a move's phase, the status of each
    /// order.
    pub status: S,
    /// What is due, in the order in which it is sent.
    pub intents: Vec<Intent>,
}
