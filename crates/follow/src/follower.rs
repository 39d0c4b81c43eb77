//! Following a chain block by block.
//!
//! Old blocks are read in ranges, the newest [`WINDOW`] one by one, each by its hash. The state after the
//! last block that is older than the window is kept; so a reorganization within the window replays a few
//! blocks, and a deeper one starts from the set's first block. Both end in the state that a fresh
//! follower reaches.

use crate::{
    checkpoint::Checkpoint,
    error::{FollowError, SourceError},
    fold::Fold,
    identity::SetIdentity,
    source::{BlockId, Header, LogSource, PlacedLog, Selection},
};
use canon_chain::RangeLength;
use canon_protocol::{BlockNumber, SetState};
use std::collections::VecDeque;

/// The number of newest blocks that are read one by one and can be replaced without starting again.
pub const WINDOW: u64 = 64;

/// What came of one step towards the chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advance {
    /// The state is that after the newest block.
    UpToDate,
    /// Blocks were added to the state's. More may follow.
    Extended,
    /// Blocks that aren't on the chain any more were taken back, and others added. More may follow.
    Reorganized,
    /// The endpoint is behind the state's block. Nothing changed.
    Behind,
}

/// A set's state, kept in step with a chain.
#[derive(Debug)]
pub struct Follower<S> {
    source: S,
    identity: SetIdentity,
    /// The state after the last block that the window doesn't have.
    settled: Fold,
    /// The blocks after that, oldest first.
    window: VecDeque<WindowBlock>,
    /// The state after all of them.
    current: Fold,
    range_length: RangeLength,
    head: Option<Header>,
}

/// A block that may still be replaced.
#[derive(Debug)]
struct WindowBlock {
    header: Header,
    logs: Vec<PlacedLog>,
}

impl<S: LogSource> Follower<S> {
    /// A follower that begins with the set's first block.
    pub fn new(source: S, identity: SetIdentity) -> Self {
        let start = Fold::new(&identity);
        Self::at(source, identity, start)
    }

    /// A follower that goes on from a checkpoint. If its block isn't on the chain any more, it begins
    /// with the set's first block.
    pub fn resume(source: S, checkpoint: Checkpoint) -> Self {
        let (identity, block, state) = checkpoint.into_parts();
        Self::at(source, identity, Fold { block: Some(block), state })
    }

    fn at(source: S, identity: SetIdentity, settled: Fold) -> Self {
        let (window, range_length) = (VecDeque::new(), RangeLength::default());
        let current = settled.clone();
        Self { source, identity, settled, window, current, range_length, head: None }
    }

    /// The set's identity.
    pub const fn identity(&self) -> &SetIdentity {
        &self.identity
    }

    /// The state after [`Self::block`].
    pub const fn state(&self) -> &SetState {
        &self.current.state
    }

    /// The block up to which the state has all events; `None` before the first step.
    pub const fn block(&self) -> Option<BlockId> {
        self.current.block
    }

    /// The header of [`Self::block`], unless that is in an old range.
    pub fn header(&self) -> Option<&Header> {
        self.window.back().map(|block| &block.header)
    }

    /// The newest block that the source had at the last step: the end of the way.
    pub const fn head(&self) -> Option<&Header> {
        self.head.as_ref()
    }

    /// The source.
    pub const fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// The state after the last block that the window doesn't have, to go on from later. `None` if that
    /// is before the set's first block.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let block = self.settled.block?;
        Some(Checkpoint::new(self.identity.clone(), block, self.settled.state.clone()))
    }

    /// Goes all the way to the newest block.
    ///
    /// # Errors
    ///
    /// As [`Self::step`].
    pub async fn catch_up(&mut self) -> Result<Advance, FollowError> {
        let mut outcome = Advance::UpToDate;
        loop {
            match self.step().await? {
                Advance::UpToDate => return Ok(outcome),
                Advance::Behind => return Ok(Advance::Behind),
                Advance::Reorganized => outcome = Advance::Reorganized,
                Advance::Extended if outcome == Advance::UpToDate => outcome = Advance::Extended,
                Advance::Extended => {}
            }
        }
    }

    /// Goes one step towards the newest block: a range of old blocks, or all of the newest ones.
    ///
    /// # Errors
    ///
    /// If the source doesn't answer, or its logs don't fit. The state is then that after a whole block,
    /// and the next call goes on.
    pub async fn step(&mut self) -> Result<Advance, FollowError> {
        let head = self.source.newest().await?;
        self.head = Some(head);
        if self.current.block == Some(head.id) {
            return Ok(Advance::UpToDate);
        }
        let next = self.current.next(&self.identity);
        if let Some(last_old) = head.id.number.get().checked_sub(WINDOW)
            && last_old >= next.get()
        {
            return self.read_old_blocks(BlockNumber::of(last_old)).await;
        }
        self.read_new_blocks(head).await
    }

    /// Reads a range of blocks up to `last` at most.
    async fn read_old_blocks(&mut self, last: BlockNumber) -> Result<Advance, FollowError> {
        if !self.window.is_empty() {
            return self.settle_window().await;
        }
        let first = self.settled.next(&self.identity);
        let end = first.get().saturating_add(self.range_length.get() - 1).min(last.get());
        let blocks = first..=BlockNumber::of(end);
        let topics = SetIdentity::birth_topics();
        let births = self.source.range_logs(blocks.clone(), Selection::Events(&topics)).await;
        let births = self.range_length.note(births, is_too_long)?;
        let Some(births) = births else { return Ok(Advance::Extended) };
        if self.settled.block.is_some_and(|settled| births.first.parent != settled.hash) {
            return Ok(self.start_again());
        }
        let emitters = self.settled.emitters(&self.identity, &births.logs);
        let read = self.source.range_logs(blocks, Selection::Emitters(&emitters)).await;
        let Some(read) = self.range_length.note(read, is_too_long)? else {
            return Ok(Advance::Extended);
        };
        if (read.first, read.last) != (births.first, births.last) {
            return Err(SourceError::Forked { number: read.last.id.number }.into());
        }
        let mut next = self.settled.clone();
        next.apply(&self.identity, read.last.id, &read.logs)?;
        self.settled = next.clone();
        self.current = next;
        Ok(Advance::Extended)
    }

    /// Takes the window's blocks into the settled state, if they are still on the chain: the chain went
    /// on by more than a window since the last step.
    async fn settle_window(&mut self) -> Result<Advance, FollowError> {
        let Some(newest) = self.window.back() else { return Ok(Advance::Extended) };
        let id = newest.header.id;
        // The next range's parent decides whether they are; only the state has to be kept until then.
        let next = id.number.next();
        let topics = SetIdentity::birth_topics();
        let after = self.source.range_logs(next..=next, Selection::Events(&topics)).await?;
        if after.first.parent == id.hash {
            self.window.clear();
            self.settled = self.current.clone();
            return Ok(Advance::Extended);
        }
        self.window.clear();
        self.current = self.settled.clone();
        Ok(Advance::Reorganized)
    }

    /// Reads the blocks from the newest down to one that is known, then their logs.
    async fn read_new_blocks(&mut self, head: Header) -> Result<Advance, FollowError> {
        let lowest = self.settled.next(&self.identity);
        if head.id.number < lowest {
            return Ok(Advance::Behind);
        }
        let mut new = Vec::new();
        let mut header = head;
        let ancestor = loop {
            if self.is_known(&header.id) {
                break Some(header.id);
            }
            new.push(header);
            if header.id.number == lowest {
                // Its parent is the settled block, or another block of that number.
                break self.settled.block.filter(|settled| settled.hash == header.parent);
            }
            let parent = self.source.header(header.parent).await?;
            header = parent.ok_or(SourceError::UnknownBlock(header.parent))?;
            if header.id.number.next() != new[new.len() - 1].id.number {
                return Err(
                    SourceError::Malformed("a block's number isn't its parent's plus 1").into()
                );
            }
        };
        if ancestor.is_none() && self.settled.block.is_some() {
            return Ok(self.start_again());
        }
        if new.is_empty() {
            return Ok(Advance::Behind);
        }
        let kept = ancestor.map_or(0, |ancestor| {
            self.window.iter().take_while(|block| block.header.id.number <= ancestor.number).count()
        });
        let replaced = kept < self.window.len();
        if replaced {
            self.window.truncate(kept);
            self.replay()?;
        }
        for header in new.into_iter().rev() {
            self.read_block(header).await?;
        }
        Ok(if replaced { Advance::Reorganized } else { Advance::Extended })
    }

    /// Whether the state has this block's events, and could be taken back to it.
    fn is_known(&self, id: &BlockId) -> bool {
        self.settled.block == Some(*id) || self.window.iter().any(|block| block.header.id == *id)
    }

    async fn read_block(&mut self, header: Header) -> Result<(), FollowError> {
        let topics = SetIdentity::birth_topics();
        let births = self.block_logs(&header, Selection::Events(&topics)).await?;
        let emitters = self.current.emitters(&self.identity, &births);
        let logs = self.block_logs(&header, Selection::Emitters(&emitters)).await?;
        if let Err(error) = self.current.apply(&self.identity, header.id, &logs) {
            // What was applied of the block is taken back.
            self.replay()?;
            return Err(error);
        }
        self.window.push_back(WindowBlock { header, logs });
        while self.window.len() as u64 > WINDOW {
            let Some(oldest) = self.window.pop_front() else { break };
            let WindowBlock { header, logs } = oldest;
            self.settled.apply(&self.identity, header.id, &logs)?;
        }
        Ok(())
    }

    /// The logs of a block, which isn't asked for them if its bloom shows that it has none.
    async fn block_logs(
        &mut self,
        header: &Header,
        selection: Selection<'_>,
    ) -> Result<Vec<PlacedLog>, SourceError> {
        if !selection.may_be_in(&header.bloom) {
            return Ok(Vec::new());
        }
        self.source.block_logs(header, selection).await
    }

    /// The current state again, from the settled one and the window.
    fn replay(&mut self) -> Result<(), FollowError> {
        let mut current = self.settled.clone();
        for WindowBlock { header, logs } in &self.window {
            current.apply(&self.identity, header.id, logs)?;
        }
        self.current = current;
        Ok(())
    }

    /// Forgets everything: the settled block isn't on the chain any more.
    fn start_again(&mut self) -> Advance {
        self.settled = Fold::new(&self.identity);
        self.current = self.settled.clone();
        self.window.clear();
        Advance::Reorganized
    }
}

const fn is_too_long(error: &SourceError) -> bool {
    matches!(error, SourceError::RangeTooLong)
}
