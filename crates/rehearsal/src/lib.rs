//! A whole rollup upgrade as a scenario.

mod refusal;
pub mod scenario;
mod text;
