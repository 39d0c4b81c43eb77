//! How far a rehearsal is, for whoever watches.

use std::fmt;

use crate::timeline::Chapter;

/// A step of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The chapter of the story.
    pub chapter: Chapter,
    /// What is being done.
    pub doing: &'static str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub of: u64,
}

/// Tells whoever wants to know.
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
