//! A set's state in step with a chain.
//!
//! The state is folded from the logs of the set's contracts and nothing else, by the rules of
//! [`canon_protocol`]. A [`Follower`] takes logs from a [`SetSource`] and survives what endpoints and
//! chains do: reorganizations of any depth, nodes that lag or are on different forks, limits of ranges,
//! and a kill at any point. [`SetIdentity::find`] finds a set from its Registry's address, and [`open_set`] its
//! present and its history.
//!
//! Two checks compare a state with the contracts' own answers: a [`Follower`] compares what every view has, and the
//! accounts of a [`ComparisonScope`] ([`compare_present`]), at the price of one view, which doesn't depend on how many
//! other accounts there are; [`check_every_view`] compares everything, at the price of thousands of calls.
//! `docs/architecture.md` says what each is for, what it covers and costs, and the limits that are known ("Events are
//! enough, and are checked").

mod chain_source;
mod checkpoint;
mod compare;
mod earlier;
mod error;
mod every_view;
mod external;
mod find;
mod fold;
mod follower;
mod identity;
mod opened_set;
mod retries;
mod source;

pub use chain_source::ChainSource;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use compare::{Comparison, ComparisonScope, ViewDifference, compare_present};
pub use error::{FollowError, SourceError};
pub use every_view::{CheckedViews, EveryViewError, check_every_view};
pub use external::{ExternalAnswers, KnownAnswers};
pub use find::FindError;
pub use follower::{Advance, Follower, Verification, WINDOW};
pub use identity::SetIdentity;
pub use opened_set::{HistoryError, HistoryProgress, OpenNote, OpenSubject, OpenedSet, open_set};
pub use retries::Pause;
pub use source::{Header, PlacedLog, RangeLogs, Selection, SetSource};
