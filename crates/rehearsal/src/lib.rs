//! A whole rollup upgrade, carried out on an embedded L1 with the real contracts.
//!
//! - [`scenario`]: the description of a rehearsal, in TOML.
//! - [`Rehearsal`]: a simulated scenario, from the deployment of the set to the new rollup's
//!   rewards.
//! - [`Report`]: its [`Timeline`], its [`Check`]s and its gas, for people and for programs.
//!
//! ```
//! use canon_rehearsal::{
//!     Rehearsal,
//!     scenario::{DEFAULT, Scenario},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let scenario = Scenario::read("the default", DEFAULT)?;
//! let mut progress = |_| {};
//! let rehearsal = Rehearsal::run(&scenario, &mut progress).await?;
//! let report = rehearsal.report().await?;
//! assert!(report.passed, "{}", report.to_text());
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here reads a clock, the environment or randomness: equal scenarios give equal reports,
//! bit for bit.

mod acting;
mod agenda;
mod bytecode;
mod chain_driver;
mod checks;
mod creation;
mod describe;
mod error;
mod followed_set;
mod forgery;
mod gas;
mod keys;
mod participants;
mod progress;
mod refusal;
mod rehearsal;
mod report;
pub mod scenario;
mod steps;
mod timeline;
mod upgrade_run;

pub use checks::{Check, Relation};
pub use error::{Error, Result};
pub use gas::GasRow;
pub use progress::RehearsalProgress;
pub use refusal::ObservedRefusal;
pub use rehearsal::Rehearsal;
pub use report::Report;
pub use timeline::{
    Chapter, Entry, NamedContract, Side, Spent, Timeline, TimelineEvent, Who, Window,
};
