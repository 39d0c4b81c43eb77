//! A set's state in step with a chain.
//!
//! The state is folded from the logs of the set's contracts and nothing else, by the rules of
//! [`canon_protocol`]. A [`Follower`] takes logs from a [`LogSource`] and survives what endpoints and
//! chains do: reorganizations of any depth, nodes that lag or are on different forks, limits of ranges,
//! and a kill at any point. [`self_check`] compares all of the state with the contracts' own answers.
//! [`SetIdentity::find`] finds a set from its Registry's address, and [`open_set`] its present and its history.
//!
//! One limit is known. Where a set emits none of the events that mark ranges for long, and the three answers
//! about such a range all come from nodes that lag, an event may be lost. The comparison with the contracts'
//! own answers shows it, unless no view of a [`Present`](canon_views::Present) depends on that event.

mod chain_source;
mod checkpoint;
mod compare;
mod earlier;
mod error;
mod external;
mod find;
mod fold;
mod follower;
mod identity;
mod opened_set;
mod retries;
mod self_check;
mod source;

pub use chain_source::ChainSource;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use compare::{ViewDifference, compare_views};
pub use error::{FollowError, SourceError};
pub use external::ExternalAnswers;
pub use find::FindError;
pub use follower::{Advance, Follower, WINDOW};
pub use identity::SetIdentity;
pub use opened_set::{CacheNote, HistoryError, HistoryProgress, OpenedSet, open_set};
pub use self_check::{SelfCheckError, SelfChecked, self_check};
pub use source::{Header, LogSource, PlacedLog, RangeLogs, Selection};
