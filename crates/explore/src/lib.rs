#![doc = include_str!("../README.md")]

mod accounts;
mod explore;
mod fingerprint;
mod payloads;
mod properties;
mod search;
mod small_world;
mod start;
mod state;
mod steps;
mod times;
mod views;

pub use accounts::{Holder, Staker};
pub use explore::{Exploration, Report, Trace};
pub use payloads::Payload;
pub use properties::{Check, Property, Violation};
pub use search::{Counterexample, Figures, Model, search};
pub use small_world::{Kind, SmallWorld, Start};
pub use state::State;
pub use steps::{Decide, Step};
pub use views::Views;
