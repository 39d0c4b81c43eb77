//! A whole rollup upgrade as a scenario.

mod bytecode;
mod check;
mod gas;
mod refusal;
pub mod scenario;
mod text;
mod timeline;
