//! Progress of a rehearsal, as it is reported to the caller.

use std::fmt;

use crate::timeline::Chapter;

/// The progress of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The chapter of the timeline.
    pub chapter: Chapter,
    /// The work, such as "vote".
    pub doing: &'static str,
    /// The number of units done.
    pub done: u64,
    /// The number of units in all.
    pub of: u64,
}

/// Reports progress to the caller.
pub(crate) struct Reporter<'a> {
    pub(crate) chapter: Chapter,
    sink: &'a mut dyn FnMut(Progress),
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(sink: &'a mut dyn FnMut(Progress)) -> Self {
        Self { chapter: Chapter::Setting, sink }
    }

    pub(crate) fn update(&mut self, doing: &'static str, done: u64, of: u64) {
        (self.sink)(Progress { chapter: self.chapter, doing, done, of });
    }
}

impl fmt::Debug for Reporter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("chapter", &self.chapter).finish_non_exhaustive()
    }
}
