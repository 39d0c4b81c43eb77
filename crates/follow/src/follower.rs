//! Following a chain block by block.
//!
//! Old blocks are read in ranges, the newest [`WINDOW`] one by one, each by its hash. The state after the
//! last block that is older than the window is kept; so a reorganization within the window replays a few
//! blocks, and a deeper one starts from the set's first block. Both end in the state that a fresh
//! follower reaches.

use crate::{
    chain_source::ChainSource,
    checkpoint::Checkpoint,
    error::{FollowError, SourceError},
    external::ExternalAnswers,
    fold::Fold,
    identity::SetIdentity,
    source::{Header, LogSource, PlacedLog, Selection},
};
use alloy_primitives::B256;
use canon_chain::RangeLength;
use canon_protocol::{BlockNumber, SetState};
use canon_views::{BlockView, Question, SetView};
use std::{collections::VecDeque, sync::Arc};

/// The number of newest blocks that are read one by one and can be replaced without starting again.
pub const WINDOW: u64 = 64;

/// The answers in a row that must contradict the settled block before it is given up: one node of a pool may
/// be on a fork that nobody else follows.
const CONTRADICTIONS: u32 = 3;

/// The attempts at a log that doesn't fit, after which the window's blocks are read again.
const ATTEMPTS_BEFORE_WINDOW: u32 = 2;

/// The attempts after which all blocks are read again: an earlier answer left out a log.
const ATTEMPTS_BEFORE_START: u32 = 4;

/// The attempts after which a person has to look.
const ATTEMPTS_BEFORE_STOP: u32 = 6;

/// What came of one step towards the chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advance {
    /// The state is that after the newest block.
    UpToDate,
    /// The state came closer to the newest block, or the next step brings it closer.
    Extended,
    /// Blocks were taken back since the last step that succeeded, and others may have been added: nothing
    /// that was computed from an earlier state holds.
    Reorganized,
    /// The endpoint is behind the state's block. Nothing changed.
    Behind,
}

/// A set's state, kept in step with a chain.
#[derive(Clone, Debug)]
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
    head: Option<BlockView>,
    source_chain: SourceChain,
    /// Whether blocks were taken back since a step succeeded.
    taken_back: bool,
    /// The answers in a row that contradict the settled block.
    contradictions: u32,
    misfit: Option<Misfit>,
}

/// Whether the source is known to be of the set's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceChain {
    Unchecked,
    Checked,
}

/// A log that doesn't fit the state.
#[derive(Clone, Copy, Debug)]
struct Misfit {
    place: (BlockNumber, u64),
    attempts: u32,
}

/// A block that may still be replaced.
#[derive(Clone, Debug)]
struct WindowBlock {
    block: BlockView,
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
        let (identity, settled) = checkpoint.into_parts();
        Self::at(source, identity, settled)
    }

    fn at(source: S, identity: SetIdentity, settled: Fold) -> Self {
        let (window, range_length) = (VecDeque::new(), RangeLength::default());
        let current = settled.clone();
        Self {
            source,
            identity,
            settled,
            window,
            current,
            range_length,
            head: None,
            source_chain: SourceChain::Unchecked,
            taken_back: false,
            contradictions: 0,
            misfit: None,
        }
    }

    /// The set's identity.
    pub const fn identity(&self) -> &SetIdentity {
        &self.identity
    }

    /// The state after [`Self::block`].
    pub fn state(&self) -> &SetState {
        &self.current.state
    }

    /// The block up to which the state has all events; `None` before the first step.
    pub const fn block(&self) -> Option<BlockView> {
        self.current.block
    }

    /// The newest block of the source, as of the last step.
    pub const fn head(&self) -> Option<BlockView> {
        self.head
    }

    /// The source.
    pub const fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// The state after the last block that the window doesn't have, to go on from later. `None` if that
    /// is before the set's first block.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::of(&self.identity, &self.settled)
    }

    /// Goes all the way to the newest block.
    ///
    /// # Errors
    ///
    /// As [`Self::step`].
    pub async fn catch_up(&mut self) -> Result<Advance, FollowError> {
        let mut outcome = Advance::UpToDate;
        loop {
            match self.advance().await? {
                Advance::UpToDate => return Ok(self.report(outcome)),
                Advance::Behind => return Ok(Advance::Behind),
                Advance::Extended | Advance::Reorganized => outcome = Advance::Extended,
            }
        }
    }

    /// Goes one step towards the newest block: a range of old blocks, or all of the newest ones.
    ///
    /// # Errors
    ///
    /// If the source doesn't answer, is of another chain, or its logs don't fit. The state is then that
    /// after a whole block, and the next call goes on.
    pub async fn step(&mut self) -> Result<Advance, FollowError> {
        match self.advance().await? {
            Advance::Behind => Ok(Advance::Behind),
            outcome => Ok(self.report(outcome)),
        }
    }

    /// An outcome as the caller is told it. That blocks were taken back is told once, also if a step failed
    /// in between.
    const fn report(&mut self, outcome: Advance) -> Advance {
        if core::mem::replace(&mut self.taken_back, false) { Advance::Reorganized } else { outcome }
    }

    async fn advance(&mut self) -> Result<Advance, FollowError> {
        if self.source_chain == SourceChain::Unchecked {
            let (expected, found) =
                (self.identity.addresses.chain_id, self.source.chain_id().await?);
            if expected != found {
                return Err(FollowError::OtherChain { expected, found });
            }
            self.source_chain = SourceChain::Checked;
        }
        let head = self.source.newest().await?;
        self.head = Some(head.block);
        if self.current.block.is_some_and(|block| block.hash == head.block.hash) {
            self.contradictions = 0;
            return Ok(Advance::UpToDate);
        }
        let next = self.current.next(&self.identity);
        let last_old = head.block.number.get().checked_sub(WINDOW).map(BlockNumber::of);
        match last_old.filter(|last| *last >= next) {
            Some(last) => self.read_old_blocks(last).await,
            None => self.read_new_blocks(head).await,
        }
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
            return self.contradicted();
        }
        self.contradictions = 0;
        let emitters = self.settled.emitters(&self.identity, &births.logs);
        let read = self.source.range_logs(blocks, Selection::Emitters(&emitters)).await;
        let Some(read) = self.range_length.note(read, is_too_long)? else {
            return Ok(Advance::Extended);
        };
        let last = read.last;
        if (read.first.hash, last.hash) != (births.first.hash, births.last.hash) {
            return Err(SourceError::Forked { number: last.number }.into());
        }
        // Nobody but the last view shares the state now, so it isn't copied.
        self.settled = Fold::new(&self.identity);
        if let Err(error) = self.current.apply(&self.identity, last, &read.logs) {
            // The state is between two blocks.
            self.start_again();
            return Err(self.misfitting(error));
        }
        self.settled = self.current.clone();
        self.forget_misfit(last.number);
        Ok(Advance::Extended)
    }

    /// Takes the window's blocks into the settled state, if they are still on the chain: the chain went
    /// on by more than a window since the last step.
    async fn settle_window(&mut self) -> Result<Advance, FollowError> {
        let Some(newest) = self.window.back() else { return Ok(Advance::Extended) };
        let newest = newest.block;
        let next = newest.number.next();
        let after = self.source.header_at(next).await?.ok_or(SourceError::NoBlock(next))?;
        if after.block.parent == newest.hash {
            self.window.clear();
            self.settled = self.current.clone();
        } else {
            self.drop_window();
        }
        Ok(Advance::Extended)
    }

    /// Reads the blocks from the newest down to one that is known, then their logs.
    async fn read_new_blocks(&mut self, head: Header) -> Result<Advance, FollowError> {
        let lowest = self.settled.next(&self.identity);
        if head.block.number < lowest {
            return Ok(Advance::Behind);
        }
        let mut new = Vec::new();
        let mut header = head;
        let ancestor = loop {
            if self.is_known(header.block.hash) {
                break Some(header.block);
            }
            new.push(header);
            if header.block.number == lowest {
                // Its parent is the settled block, or another block of that number.
                break self.settled.block.filter(|settled| settled.hash == header.block.parent);
            }
            let child = header.block;
            let parent = self.source.header(child.parent).await?;
            header = parent.ok_or(SourceError::UnknownBlock(child.parent))?;
            if header.block.number.next() != child.number {
                return Err(
                    SourceError::Malformed("a block's number isn't its parent's plus 1").into()
                );
            }
        };
        if ancestor.is_none() && self.settled.block.is_some() {
            return self.contradicted();
        }
        self.contradictions = 0;
        if new.is_empty() {
            return Ok(Advance::Behind);
        }
        let kept = ancestor.map_or(0, |ancestor| {
            self.window.iter().take_while(|known| known.block.number <= ancestor.number).count()
        });
        if kept < self.window.len() {
            self.window.truncate(kept);
            self.taken_back = true;
            self.replay()?;
        }
        for header in new.into_iter().rev() {
            self.read_block(header).await?;
        }
        Ok(Advance::Extended)
    }

    /// Whether the state has this block's events, and could be taken back to it.
    fn is_known(&self, hash: B256) -> bool {
        let window = self.window.iter().map(|known| known.block);
        self.settled.block.into_iter().chain(window).any(|block| block.hash == hash)
    }

    async fn read_block(&mut self, header: Header) -> Result<(), FollowError> {
        let block = header.block;
        let topics = SetIdentity::birth_topics();
        let births = self.block_logs(&header, Selection::Events(&topics)).await?;
        let emitters = self.current.emitters(&self.identity, &births);
        let logs = self.block_logs(&header, Selection::Emitters(&emitters)).await?;
        if let Err(error) = self.current.apply(&self.identity, block, &logs) {
            // What was applied of the block is taken back.
            self.replay()?;
            return Err(self.misfitting(error));
        }
        self.forget_misfit(block.number);
        self.window.push_back(WindowBlock { block, logs });
        while self.window.len() as u64 > WINDOW {
            let Some(oldest) = self.window.pop_front() else { break };
            self.settled.apply(&self.identity, oldest.block, &oldest.logs)?;
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
        self.source.block_logs(&header.block, selection).await
    }

    /// The current state again, from the settled one and the window.
    fn replay(&mut self) -> Result<(), FollowError> {
        let mut current = self.settled.clone();
        for WindowBlock { block, logs } in &self.window {
            current.apply(&self.identity, *block, logs)?;
        }
        self.current = current;
        Ok(())
    }

    /// An answer says that the settled block isn't on the chain any more. Once enough of them say so in a row,
    /// everything is read again.
    fn contradicted(&mut self) -> Result<Advance, FollowError> {
        self.contradictions += 1;
        if self.contradictions < CONTRADICTIONS {
            let number = self.settled.next(&self.identity);
            return Err(SourceError::Forked { number }.into());
        }
        self.start_again();
        Ok(Advance::Extended)
    }

    /// A log doesn't fit. The answer may lack a log; or one before did, and the more often it fails at the
    /// same place, the more is read again.
    fn misfitting(&mut self, error: FollowError) -> FollowError {
        let Some(place) = error.place() else { return error };
        let same = self.misfit.filter(|misfit| misfit.place == place);
        let attempts = same.map_or(1, |misfit| misfit.attempts + 1);
        self.misfit = Some(Misfit { place, attempts });
        match attempts {
            ATTEMPTS_BEFORE_WINDOW => self.drop_window(),
            ATTEMPTS_BEFORE_START => self.start_again(),
            ATTEMPTS_BEFORE_STOP.. => return FollowError::Unfoldable(Box::new(error)),
            _ => {}
        }
        error
    }

    /// The log that didn't fit does, or isn't there any more, if the state is at its block.
    fn forget_misfit(&mut self, reached: BlockNumber) {
        self.misfit = self.misfit.filter(|misfit| misfit.place.0 > reached);
    }

    /// Takes the window's blocks back.
    fn drop_window(&mut self) {
        self.taken_back |= !self.window.is_empty();
        self.window.clear();
        self.current = self.settled.clone();
    }

    /// Forgets everything, to read all blocks again.
    fn start_again(&mut self) {
        self.settled = Fold::new(&self.identity);
        self.taken_back = true;
        self.contradictions = 0;
        self.drop_window();
    }
}

impl Follower<ChainSource> {
    /// The set at [`Self::block`], with its history. What `question` asks about contracts outside the set
    /// is asked of the chain at that block's hash.
    ///
    /// # Errors
    ///
    /// [`FollowError::NotStarted`] before the first block; otherwise if the endpoint doesn't answer, or
    /// doesn't have the block any more.
    pub async fn view(&self, question: &Question) -> Result<SetView, FollowError> {
        let Fold { block, state } = &self.current;
        let block = block.ok_or(FollowError::NotStarted)?;
        let mut external = ExternalAnswers::at(block.hash);
        let view = external.resolve(self.source.client(), |external| {
            SetView::of_state(Arc::clone(state), external, block, question)
        });
        Ok(view.await.map_err(SourceError::from)?)
    }
}

const fn is_too_long(error: &SourceError) -> bool {
    matches!(error, SourceError::RangeTooLong(_))
}
