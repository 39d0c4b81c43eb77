//! The agents of an upgrade: sequencers, keepers, holders and movers.
//!
//! An [`Agent`] pairs a [role](AgentRole) (a duty of `canon-views` with its settings) with the key that
//! sends its intents. For every block, the caller collects the facts that its agents need with
//! [`extend`](Agent::extend), makes one [`SetView`](canon_views::SetView) that covers them and names the
//! expected time of the next block, and passes it to every agent's [`tick`](Agent::tick).
//!
//! All duties follow from the view, the settings and the journal of transactions, so an agent that starts
//! in the middle of an upgrade does the same as one that ran from the beginning. No agent reads a clock,
//! the environment or randomness, and an agent without work makes no requests.

mod agent;
pub mod daemon;
mod holder;
mod keeper;
mod mover;
mod sequencer;

pub use agent::{Agent, AgentRole, Deadline, Part, Recheck, Tick};
pub use holder::Holder;
pub use keeper::{Keeper, PriceLimit, Turns};
pub use mover::Mover;
pub use sequencer::Sequencer;
