//! The progress of a rehearsal, which is reported to the caller.

use std::fmt;

use crate::timeline::Chapter;

/// The progress of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsalProgress {
    /// The chapter of the timeline.
    pub chapter: Chapter,
    /// The kind of work, such as "vote".
    pub doing: &'static str,
    /// The number of units that are done.
    pub done: u64,
    /// The number of units in all.
    pub of: u64,
}

/// Reports progress to the caller.
pub(crate) struct Reporter<'a> {
    pub(crate) chapter: Chapter,
    sink: &'a mut dyn FnMut(RehearsalProgress),
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(sink: &'a mut dyn FnMut(RehearsalProgress)) -> Self {
        Self { chapter: Chapter::Setting, sink }
    }

    pub(crate) fn update(&mut self, doing: &'static str, done: u64, of: u64) {
        (self.sink)(RehearsalProgress { chapter: self.chapter, doing, done, of });
    }
}

impl fmt::Debug for Reporter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("chapter", &self.chapter).finish_non_exhaustive()
    }
}
