//! Following a chain block by block.
//!
//! Old blocks are read in ranges, the newest [`WINDOW`] one by one, each by its hash. The state after the
//! last block that is older than the window is kept, and some earlier ones; so a reorganization within the
//! window replays a few blocks, and a deeper one reads blocks again from an earlier state on. Both end in the
//! state that a fresh follower reaches.
//!
//! A node that lags leaves out logs of a range without saying so. So a range counts up to its last marker, a log
//! that the set emits all the time. Where a set emits none for long, several answers have to agree. And a state
//! that ranges or a checkpoint led to is compared with the contracts' own answers at the newest block before a
//! step succeeds there; if it differs, blocks are read again from an earlier state on.

use crate::{
    chain_source::ChainSource,
    checkpoint::Checkpoint,
    earlier::EarlierStates,
    error::{FollowError, SourceError},
    external::ExternalAnswers,
    fold::Fold,
    identity::SetIdentity,
    source::{Header, LogSource, PlacedLog, RangeLogs, Selection},
};
use alloy_primitives::{Address, B256};
use canon_chain::{FINALITY, RangeLength};
use canon_protocol::{BlockNumber, SetState};
use canon_views::{BlockView, Question, SetView};
use core::ops::RangeInclusive;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// The number of newest blocks that are read one by one and can be replaced without starting again.
pub const WINDOW: u64 = FINALITY;

/// The answers in a row that must contradict the settled block before it is given up: one node of a pool may
/// be on a fork that nobody else follows.
const CONTRADICTIONS: u32 = 3;

/// The number of blocks up to the newest that are rather read one by one than as a range without a marker.
const FEW_BLOCKS: u64 = 4 * WINDOW;

/// The answers that have to show a range without a marker before it is taken for one: nodes that lag give such
/// answers too.
const ANSWERS_WITHOUT_MARKER: u32 = 3;

/// The attempts at a log of the newest blocks that doesn't fit, after which the window's blocks are read again.
const ATTEMPTS_BEFORE_WINDOW: u32 = 2;

/// The times that all blocks are read because of the same log, before a person has to look.
const RESTARTS_BEFORE_STOP: u32 = 2;

/// What came of one step towards the chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advance {
    /// The state is that after the newest block.
    UpToDate,
    /// The state came closer to the newest block, or the next step brings it closer. Until it is there, a node
    /// that lags may have left out logs.
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
    earlier: EarlierStates,
    /// The state after the last block that the window doesn't have.
    settled: Fold,
    /// The blocks after that, oldest first.
    window: VecDeque<WindowBlock>,
    /// Headers that were read and whose blocks may come next, by hash. A request that fails costs none of them.
    unread: BTreeMap<B256, Header>,
    /// The state after all of them.
    current: Fold,
    range_length: RangeLength,
    head: Option<BlockView>,
    source_chain: SourceChain,
    /// Whether blocks were taken back since a step succeeded.
    taken_back: bool,
    /// The answers in a row that contradict the settled block.
    contradictions: u32,
    unapplied_log: Option<UnappliedLog>,
    evidence: Evidence,
    /// The logs that were applied.
    events: u64,
}

/// What shows that the state has all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Each block was read by its hash, since the first one or since the contracts' answers agreed.
    Complete,
    /// Ranges of blocks, or a file.
    Unconfirmed,
}

/// Whether the source is known to be of the set's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceChain {
    Unchecked,
    Checked,
}

/// What the markers in a range show.
#[derive(Debug)]
struct Markers {
    /// The blocks up to the last marker; the whole range if there is none.
    blocks: RangeInclusive<BlockNumber>,
    /// The hash of the last of them.
    end: B256,
    /// The contracts whose logs are followed in them.
    emitters: BTreeSet<Address>,
    last: Option<PlacedLog>,
}

/// How far a follower went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WentBack {
    ToEarlierState,
    ToStart,
}

/// A log that doesn't fit the state.
#[derive(Clone, Copy, Debug)]
struct UnappliedLog {
    place: (BlockNumber, u64),
    attempts: u32,
    /// The times that an earlier state was gone back to. Each time it is one more state back.
    returns: usize,
    /// The times that all blocks were read again.
    restarts: u32,
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
        Self::at(source, identity, start, Evidence::Complete)
    }

    /// A follower that goes on from a checkpoint. If its block isn't on the chain any more, it begins
    /// with the set's first block.
    pub fn resume(source: S, checkpoint: Checkpoint) -> Self {
        let (identity, settled) = checkpoint.into_parts();
        Self::at(source, identity, settled, Evidence::Unconfirmed)
    }

    fn at(source: S, identity: SetIdentity, settled: Fold, evidence: Evidence) -> Self {
        let (window, range_length) = (VecDeque::new(), RangeLength::default());
        let current = settled.clone();
        Self {
            source,
            identity,
            earlier: EarlierStates::default(),
            settled,
            window,
            unread: BTreeMap::new(),
            current,
            range_length,
            head: None,
            source_chain: SourceChain::Unchecked,
            taken_back: false,
            contradictions: 0,
            unapplied_log: None,
            evidence,
            events: 0,
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

    /// The number of logs that were applied since the follower was made, also those of blocks that were taken
    /// back.
    pub const fn events(&self) -> u64 {
        self.events
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
    /// after a whole block, maybe without logs that a node left out, and the next call goes on.
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
            self.confirm_new().await?;
            return Ok(Advance::UpToDate);
        }
        let next = self.current.next(&self.identity);
        let is_far = head.block.number.get() >= next.get().saturating_add(WINDOW);
        let outcome = match is_far {
            true => self.read_old_blocks(head).await?,
            false => self.read_new_blocks(head).await?,
        };
        self.confirm_new().await?;
        Ok(outcome)
    }

    /// Compares the state with the contracts' own answers at the same block. If it differs, blocks are read
    /// again from an earlier state on.
    ///
    /// # Errors
    ///
    /// [`FollowError::NotStarted`] before the first block; [`FollowError::Differs`]; otherwise if the source
    /// doesn't answer.
    pub async fn confirm(&mut self) -> Result<(), FollowError> {
        let block = self.current.block.ok_or(FollowError::NotStarted)?;
        if let Some(difference) = self.source.compare(&self.current.state, &block).await? {
            return Err(self.go_back_from(FollowError::Differs(difference.into())));
        }
        self.evidence = Evidence::Complete;
        self.unapplied_log = None;
        Ok(())
    }

    /// Confirms the state if it is that after the newest block and nothing else does.
    async fn confirm_new(&mut self) -> Result<(), FollowError> {
        let is_newest = self.head.map(|head| head.hash) == self.current.block.map(|at| at.hash);
        if is_newest && self.evidence == Evidence::Unconfirmed {
            self.confirm().await?;
        }
        Ok(())
    }

    /// Reads a range of old blocks, up to its last marker: a node that lags leaves out the logs of blocks that
    /// it doesn't have, so what comes after may be missing.
    ///
    /// Two answers are needed, maybe of two nodes: the markers with what shows new contracts, and the logs of
    /// all contracts. Both must have the last marker, and one in the settled block if that has one. So each is
    /// of a node that has all blocks in between.
    async fn read_old_blocks(&mut self, head: Header) -> Result<Advance, FollowError> {
        if !self.window.is_empty() {
            return self.settle_window().await;
        }
        let next = self.settled.next(&self.identity);
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
        let Some(mut read) = self.range_length.note(read, is_too_long)? else {
            return Ok(Advance::Extended);
        };
        if !self.has_mark(&read) || last.is_some_and(|last| !read.logs.contains(&last)) {
            return Err(SourceError::NoBlock(reached).into());
        }
        if read.last.hash != end {
            return Err(SourceError::Forked { number: reached }.into());
        }
        read.logs.retain(|log| log.block.number >= next);
        // Nobody but views and earlier states share the state now, so mostly it isn't copied.
        self.settled = Fold::new(&self.identity);
        self.evidence = Evidence::Unconfirmed;
        if let Err(error) = self.current.apply(&self.identity, read.last, &read.logs) {
            // The state is between two blocks.
            return Err(self.go_back_from(error));
        }
        self.events += read.logs.len() as u64;
        self.settled = self.current.clone();
        self.keep_settled();
        self.forget_unapplied(reached);
        Ok(Advance::Extended)
    }

    /// The markers of the next range of old blocks. `None` if the range is too long, or doesn't continue the
    /// settled block.
    async fn markers(&mut self, head: Header) -> Result<Option<Markers>, FollowError> {
        let next = self.settled.next(&self.identity);
        let first = self.mark().map_or(next, |mark| mark.number);
        let last_old = head.block.number.get().saturating_sub(WINDOW);
        let end = first.get().saturating_add(self.range_length.get() - 1).min(last_old);
        let topics = SetIdentity::marker_topics();
        let blocks = first..=BlockNumber::of(end);
        let found = self.source.range_logs(blocks, Selection::Events(&topics)).await;
        let Some(found) = self.range_length.note(found, is_too_long)? else { return Ok(None) };
        let is_continued = self.settled.block.is_none_or(|settled| match self.mark() {
            Some(mark) => found.first.hash == mark.hash,
            None => found.first.parent == settled.hash,
        });
        if !is_continued {
            self.contradicted()?;
            return Ok(None);
        }
        self.contradictions = 0;
        let emitters = self.settled.emitters(&self.identity, &found.logs);
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

    /// The settled block, if it has a marker.
    fn mark(&self) -> Option<BlockView> {
        self.settled.block.filter(|_| self.settled.is_marked)
    }

    /// Whether an answer has the settled block's logs, if that has a marker.
    fn has_mark(&self, read: &RangeLogs) -> bool {
        self.mark().is_none_or(|mark| read.logs.iter().any(|log| log.hash == mark.hash))
    }

    /// Takes the window's blocks into the settled state, if they are still on the chain: the chain went
    /// on by more than a window since the last step.
    async fn settle_window(&mut self) -> Result<Advance, FollowError> {
        let Some(newest) = self.window.back() else { return Ok(Advance::Extended) };
        let newest = newest.block;
        let next = newest.number.next();
        let after = self.source.headers_at(next..=next).await?;
        let after = after.first().ok_or(SourceError::NoBlock(next))?;
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
        self.read_likely_ancestors(&head).await?;
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
            header = match self.unread.get(&child.parent) {
                Some(parent) => *parent,
                None => {
                    let parent = self.source.header(child.parent).await?;
                    let parent = parent.ok_or(SourceError::UnknownBlock(child.parent))?;
                    self.unread.insert(child.parent, parent);
                    parent
                }
            };
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
        self.unread.clear();
        Ok(Advance::Extended)
    }

    /// Reads the headers between those that are known and `head`, if there are several. They are asked by
    /// number at once, where going from parent to parent takes a request for each; if the chain was
    /// reorganized, some aren't the ancestors.
    async fn read_likely_ancestors(&mut self, head: &Header) -> Result<(), SourceError> {
        let (next, head) = (self.current.next(&self.identity), head.block.number);
        self.unread.retain(|_, header| (next..head).contains(&header.block.number));
        let known = self.unread.values().map(|header| header.block.number.next()).max();
        let first = known.unwrap_or(next);
        if first.next() >= head {
            return Ok(());
        }
        let headers = self.source.headers_at(first..=BlockNumber::of(head.get() - 1)).await?;
        self.unread.extend(headers.into_iter().map(|header| (header.block.hash, header)));
        Ok(())
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
            return Err(self.not_applied(error));
        }
        self.forget_unapplied(block.number);
        self.events += logs.len() as u64;
        self.window.push_back(WindowBlock { block, logs });
        while self.window.len() as u64 > WINDOW {
            let Some(oldest) = self.window.pop_front() else { break };
            self.settled.apply(&self.identity, oldest.block, &oldest.logs)?;
            self.keep_settled();
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
        self.go_back(0);
        Ok(Advance::Extended)
    }

    /// A log of the newest blocks doesn't fit the state before its block. Its answer may lack a log; or one
    /// before did, and the more often it fails at the same place, the more is read again.
    fn not_applied(&mut self, error: FollowError) -> FollowError {
        let Some(place) = error.place() else { return error };
        let unapplied_log = self.unapplied_at(place);
        unapplied_log.attempts += 1;
        match unapplied_log.attempts {
            ..ATTEMPTS_BEFORE_WINDOW => error,
            ATTEMPTS_BEFORE_WINDOW => {
                self.drop_window();
                error
            }
            _ => self.go_back_from(error),
        }
    }

    /// The state is wrong or between two blocks. Blocks are read again, and if that doesn't help either,
    /// earlier ones too.
    fn go_back_from(&mut self, error: FollowError) -> FollowError {
        let Some(place) = error.place() else {
            self.go_back(0);
            return error;
        };
        let skipped = self.unapplied_at(place).returns;
        let went = self.go_back(skipped);
        let unapplied_log = self.unapplied_at(place);
        unapplied_log.returns += 1;
        unapplied_log.restarts += u32::from(went == WentBack::ToStart);
        if unapplied_log.restarts > RESTARTS_BEFORE_STOP {
            return FollowError::Unfoldable(Box::new(error));
        }
        error
    }

    /// What is known of a log that doesn't fit.
    fn unapplied_at(&mut self, place: (BlockNumber, u64)) -> &mut UnappliedLog {
        let same = self.unapplied_log.filter(|unapplied_log| unapplied_log.place == place);
        self.unapplied_log.insert(same.unwrap_or(UnappliedLog {
            place,
            attempts: 0,
            returns: 0,
            restarts: 0,
        }))
    }

    /// The log that didn't fit does, or isn't there any more, if the state is at its block.
    fn forget_unapplied(&mut self, reached: BlockNumber) {
        self.unapplied_log =
            self.unapplied_log.filter(|unapplied_log| unapplied_log.place.0 > reached);
    }

    /// Takes the window's blocks back.
    fn drop_window(&mut self) {
        self.taken_back |= !self.window.is_empty();
        self.window.clear();
        self.current = self.settled.clone();
    }

    /// Keeps the settled state to go back to, if the last that was kept is far from it.
    fn keep_settled(&mut self) {
        if let Some(head) = self.head {
            self.earlier.keep(&self.settled, self.identity.first_block, head.number);
        }
    }

    /// Goes back to the newest earlier state but `skipped`; if there is none, to read all blocks again.
    fn go_back(&mut self, skipped: usize) -> WentBack {
        let (settled, went) = match self.earlier.pop(skipped) {
            Some(earlier) => (earlier, WentBack::ToEarlierState),
            None => (Fold::new(&self.identity), WentBack::ToStart),
        };
        self.settled = settled;
        self.evidence = Evidence::Unconfirmed;
        self.taken_back = true;
        self.contradictions = 0;
        self.drop_window();
        went
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
        let Fold { block, state, .. } = &self.current;
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
