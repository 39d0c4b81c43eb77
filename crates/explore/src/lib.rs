#![doc = include_str!("../README.md")]

mod accounts;
mod explore;
mod fingerprint;
mod payloads;
mod properties;
mod scope;
mod search;
mod start;
mod state;
mod steps;
mod times;
mod views;

pub use accounts::{Holder, Staker};
pub use explore::{Exploration, Report, Trace};
pub use payloads::Payload;
pub use properties::{Check, Property, Violation};
pub use scope::{Kind, Scope, Start};
pub use search::{Counterexample, Figures, Model, search};
pub use state::State;
pub use steps::{Decide, Step};
pub use views::Views;
