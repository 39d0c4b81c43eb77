//! The agents of an upgrade: sequencers, keepers, holders and movers.
//!
//! An [`Agent`] pairs a [role](AgentRole) (a duty of `canon-views` with its settings) with the key that sends
//! its intents. The owner of the loop collects with [`extend`](Agent::extend) what its agents need to know,
//! makes one [`SetView`](canon_views::SetView) per block that covers it, naming the expected time of the next
//! block, and hands it to every agent's [`tick`](Agent::tick).
//!
//! All duties follow from the view, the settings and the journal of transactions, so an agent that
//! starts in the middle of an upgrade does the same as one that ran all along. No agent reads a clock, the
//! environment or randomness, and one that has nothing to do asks the chain nothing.

mod agent;
mod holder;
mod keeper;
mod mover;
mod payload;
mod sequencer;

pub use agent::{Agent, AgentRole, Tick};
pub use holder::Holder;
pub use keeper::Keeper;
pub use mover::Mover;
pub use payload::{PayloadError, VettedPayload};
pub use sequencer::Sequencer;
