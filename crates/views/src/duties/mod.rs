//! What agents do: functions of a view and a plan, without memory.

mod holder;
mod keeper;
mod mover;
mod sequencer;

pub use holder::{HolderDuty, LockMethod, Order, OrderId, OrderStatus, Share, WaitsFor, holder};
pub use keeper::{PayOut, keeper};
pub use mover::{MoveObstacle, MovePhase, MovePlan, MoverDuty, mover};
pub(crate) use sequencer::record_seed;
pub use sequencer::{
    BlockDuty, HopelessRule, SequencerDuty, SequencerIdentity, SignalDecision, SignalPlan,
    StatusRule, sequencer,
};
