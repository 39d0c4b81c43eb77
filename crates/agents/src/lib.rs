//! Those who act on an upgrade: sequencers, keepers, holders, movers.
//!
//! An [`Agent`] is a [`AgentRole`], which is a duty of `canon-views` with its settings, and a key that sends
//! what the duty asks for. Whoever owns the loop makes one [`SetView`](canon_views::SetView) per block that
//! covers what its agents [ask](Agent::ask) for, naming the expected time of the next block, and hands it
//! to every agent's [`tick`](Agent::tick).
//!
//! What is due follows from the view, the settings and the journal of transactions, so an agent that
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
pub use payload::{
    ALIASES, PROPOSAL_PAYLOAD, PayloadError, VettedPayload, is_assertion, payload_setting,
};
pub use sequencer::Sequencer;
