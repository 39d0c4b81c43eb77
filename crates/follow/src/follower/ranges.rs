//! Old blocks, read in ranges up to their last markers.

use super::{Advance, Follower, Verification};
use crate::{
    error::{FollowError, SourceError},
    fold::Fold,
    identity::SetIdentity,
    source::{Header, PlacedLog, RangeLogs, Selection, SetSource},
};
use alloy_primitives::{Address, B256};
use canon_chain::FINALITY;
use canon_protocol::BlockNumber;
use canon_views::BlockView;
use core::ops::RangeInclusive;
use std::collections::BTreeSet;

/// The number of blocks up to the newest one that are read one by one instead of as a range without a
/// marker.
const FEW_BLOCKS: u64 = 4 * FINALITY;

/// The number of answers that must show no marker before a range counts as one without. Nodes that lag give
/// such answers too.
const ANSWERS_WITHOUT_MARKER: u32 = 3;

/// The markers found in a range.
#[derive(Debug)]
struct Markers {
    /// The blocks up to the last marker, or the whole range if there is none.
    blocks: RangeInclusive<BlockNumber>,
    /// The hash of the last of these blocks.
    end: B256,
    /// The contracts whose logs are followed in these blocks.
    emitters: BTreeSet<Address>,
    last: Option<PlacedLog>,
}

impl<S: SetSource> Follower<S> {
    /// Reads a range of old blocks, up to its last marker. A node that lags omits the logs of blocks that it
    /// doesn't have, so logs after the last marker may be missing.
    ///
    /// It takes two answers, possibly from two nodes: the markers with the events of new contracts, and the logs
    /// of all contracts. Both must contain the last marker, and also the one in the base block if there is one.
    /// So each answer is from a node that has all blocks in between.
    pub(super) async fn read_old_blocks(&mut self, head: Header) -> Result<Advance, FollowError> {
        if !self.window.blocks.is_empty() {
            return self.settle_window().await;
        }
        let next = self.base.next(&self.identity);
        let mut answers = 0;
        let Markers { blocks, end, emitters, last } = loop {
            let markers = match self.markers(head).await? {
                Some(markers) => markers,
                None => return Ok(Advance::Extended),
            };
            answers += 1;
            if markers.last.is_some() || answers == ANSWERS_WITHOUT_MARKER {
                break markers;
            }
        };
        if last.is_none() && head.block.number.get() - next.get() < FEW_BLOCKS {
            return self.read_new_blocks(head).await;
        }
        let reached = *blocks.end();
        let read = self.source.range_logs(blocks, Selection::Emitters(&emitters)).await;
        let Some(mut read) = self.note_range(read)? else {
            return Ok(Advance::Extended);
        };
        if !self.has_mark(&read) || last.is_some_and(|last| !read.logs.contains(&last)) {
            return Err(SourceError::NoBlock(reached).into());
        }
        if read.last.hash != end {
            return Err(SourceError::Forked { number: reached }.into());
        }
        read.logs.retain(|log| log.block.number >= next);
        // Now only views and earlier states share the state, so it is usually not copied.
        self.base = Fold::new(&self.identity);
        self.verification = Verification::Pending;
        if let Err(error) = self.current.apply(&self.identity, read.last, &read.logs) {
            // The state is in the middle of a block.
            return Err(self.go_back_from(error));
        }
        self.events += read.logs.len() as u64;
        self.base = self.current.clone();
        self.keep_base();
        self.forget_failure(reached);
        Ok(Advance::Extended)
    }

    /// The markers of the next range of old blocks. `None` if the range is too long, or doesn't continue
    /// the base block.
    async fn markers(&mut self, head: Header) -> Result<Option<Markers>, FollowError> {
        let next = self.base.next(&self.identity);
        let first = self.mark().map_or(next, |mark| mark.number);
        let last_old = head.block.number.get().saturating_sub(FINALITY);
        let end = first.get().saturating_add(self.range_length.get() - 1).min(last_old);
        let topics = SetIdentity::marker_topics();
        let blocks = first..=BlockNumber::of(end);
        let found = self.source.range_logs(blocks, Selection::Events(&topics)).await;
        let Some(found) = self.note_range(found)? else { return Ok(None) };
        let is_continued = self.base.block.is_none_or(|base| match self.mark() {
            Some(mark) => found.first.hash == mark.hash,
            None => found.first.parent == base.hash,
        });
        if !is_continued {
            self.contradicted()?;
            return Ok(None);
        }
        self.recovery.contradictions = 0;
        let emitters = self.base.emitters(&self.identity, &found.logs);
        let is_new = |log: &&PlacedLog| log.block.number >= next;
        let is_ours = |log: &&PlacedLog| emitters.contains(&log.log.address);
        let last = found.logs.iter().filter(is_new).rfind(is_ours).cloned();
        let last = last.filter(|_| self.has_mark(&found));
        let (number, end) = match &last {
            Some(last) => (last.block.number, last.hash),
            None => (found.last.number, found.last.hash),
        };
        Ok(Some(Markers { blocks: first..=number, end, emitters, last }))
    }

    /// The base block, if it has a marker.
    fn mark(&self) -> Option<BlockView> {
        self.base.block.filter(|_| self.base.is_marked)
    }

    /// Whether an answer has the base block's marker, if there is one.
    fn has_mark(&self, read: &RangeLogs) -> bool {
        self.mark().is_none_or(|mark| read.logs.iter().any(|log| log.hash == mark.hash))
    }
}
