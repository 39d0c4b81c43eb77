//! A set's state in step with a chain.
//!
//! The state is folded from the logs of the set's contracts and nothing else, by the rules of
//! [`canon_protocol`]. A [`Follower`] takes logs from a [`LogSource`] and survives what endpoints and
//! chains do: reorganizations of any depth, nodes that lag or are on different forks, limits of ranges,
//! and a kill at any point. [`self_check`] compares all of the state with the contracts' own answers.

mod chain_source;
mod checkpoint;
mod compare;
mod earlier;
mod error;
mod external;
mod fold;
mod follower;
mod identity;
mod self_check;
mod source;

pub use chain_source::ChainSource;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use compare::{ViewDifference, compare_views};
pub use error::{FollowError, SourceError};
pub use external::ExternalAnswers;
pub use follower::{Advance, Follower, WINDOW};
pub use identity::SetIdentity;
pub use self_check::{SelfCheckError, SelfChecked, self_check};
pub use source::{Header, LogSource, PlacedLog, RangeLogs, Selection};
