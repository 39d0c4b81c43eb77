//! Helpers for the tests of several crates.
//!
//! - [`histories`]: random histories of the set, each generated from a seed.
//! - [`small_set`]: constructors of a set whose votes take minutes.
//! - [`chain`]: that set on a chain that does nothing by itself.
//! - [`TestFolder`]: a folder for the files of one test.
//! - `properties` (feature `proptest`): property tests that draw the same cases every time.

pub mod chain;
mod counter;
mod folder;
pub mod histories;
#[cfg(feature = "proptest")]
mod property;
pub mod small_set;

pub use counter::Counter;
pub use folder::TestFolder;
#[cfg(feature = "proptest")]
pub use property::properties;
