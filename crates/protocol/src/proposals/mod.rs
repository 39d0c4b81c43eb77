//! Proposals: signals of sequencers, counted per round.

mod rounds;

pub use rounds::{InvalidRoundRules, LIFETIME_IN_ROUNDS, PushWindow, RoundRules};
