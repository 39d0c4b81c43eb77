//! A set's state in step with a chain.
//!
//! The state is folded only from the logs of the set's contracts, by the rules of [`canon_protocol`]. A
//! [`Follower`] reads logs from a [`SetSource`]. It handles reorganizations of any depth, nodes that lag or
//! are on different forks, limits of ranges, and a kill at any point. [`SetIdentity::find`] determines a
//! set from its Registry's address, and [`open_set`] its present and its history.
//!
//! Two checks compare a state with the contracts' answers. A [`Follower`] compares the parts that every
//! view has, and the accounts of a [`ComparisonScope`] ([`compare_present`]). This costs as much as one
//! view and doesn't depend on the number of other accounts. [`check_every_view`] compares everything, with
//! thousands of calls. `docs/architecture.md` describes the purpose, the coverage and the cost of both, and
//! their known limits ("Events are enough, and are checked").

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
mod history_cache;
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
pub use history_cache::HistoryCache;
pub use identity::SetIdentity;
pub use opened_set::{HistoryError, HistoryProgress, OpenNote, OpenSubject, OpenedSet, open_set};
pub use retries::Pause;
pub use source::{Header, PlacedLog, RangeLogs, Selection, SetSource};
