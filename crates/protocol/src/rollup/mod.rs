//! Rollup: staking, slots, proposer selection.

mod clock;
mod draw;

pub use clock::SlotClock;
pub use draw::draw;
