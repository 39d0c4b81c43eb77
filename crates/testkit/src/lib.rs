//! What the tests of more than one crate need.
//!
//! - [`histories`]: random histories of the set, of a seed.
//! - [`small_set`]: constructors of a set whose votes take minutes.
//! - [`chain`]: that set on a chain that does nothing by itself.
//! - `properties` (feature `proptest`): property tests that draw the same cases every time.

pub mod chain;
pub mod histories;
#[cfg(feature = "proptest")]
mod property;
pub mod small_set;

#[cfg(feature = "proptest")]
pub use property::properties;
