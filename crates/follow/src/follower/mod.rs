//! Following a chain block by block.
//!
//! Old blocks are read in ranges, and the newest [`WINDOW`] ones one by one, each by its hash. The state
//! after the last block before the window is kept, as are some earlier states. So a reorganization within
//! the window replays a few blocks, and a deeper one reads blocks again from an earlier state on. In both
//! cases the result is the state that a new follower reaches.
//!
//! A node that lags omits logs without an error. A range counts only up to its last marker, which is a log
//! that the set emits regularly. If there is no marker for a long time, several answers must agree. Of the
//! newest blocks all logs are read, and must match the block's bloom. Everything else is covered by a
//! comparison with the contracts' answers. It takes place at the newest block after a range, a checkpoint,
//! or blocks of which only the set's logs were read, and otherwise every half window. If the state differs,
//! blocks are read again from an earlier state on. If the contracts' answers aren't those of a set, the
//! state stays unverified; see [`Follower::verification`].

mod ranges;
mod recovery;
mod unread_logs;
mod window;

use crate::{
    chain_source::ChainSource,
    checkpoint::Checkpoint,
    compare::{Comparison, ComparisonScope},
    error::{FollowError, SourceError},
    external::ExternalAnswers,
    fold::Fold,
    identity::SetIdentity,
    source::SetSource,
};
use canon_chain::{Error, FINALITY, RequestLength};
use canon_protocol::{BlockNumber, Seconds, SetState};
use canon_views::{BlockView, Question, SetView};
use recovery::Recovery;
use std::sync::Arc;
use window::Window;

/// The number of newest blocks that are read one by one and can be replaced without reading older ones
/// again.
pub const WINDOW: u64 = FINALITY;

/// The result of one step towards the chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advance {
    /// The state is that after the newest block.
    UpToDate,
    /// Another step is needed: blocks were added, or the next step requests shorter ranges, or reads
    /// earlier blocks again. Until the state is up to date, logs may be missing that a lagging node
    /// omitted.
    Extended,
    /// Blocks were taken back since the last successful step, and others may have been added. Results
    /// computed from earlier states are no longer valid.
    Reorganized,
    /// The endpoint's newest block is behind the state's block. Nothing changed.
    Behind,
}

/// A set's state, kept in step with a chain.
#[derive(Clone, Debug)]
pub struct Follower<S> {
    source: S,
    identity: SetIdentity,
    /// The base: the state after the last block before the window.
    base: Fold,
    /// The blocks after the base.
    window: Window,
    /// The state after all blocks.
    current: Fold,
    range_length: RequestLength,
    head: Option<BlockView>,
    source_chain: SourceChain,
    recovery: Recovery,
    verification: Verification,
    /// The evidence for the verification, if the state is verified.
    evidence: Evidence,
    /// The last block at which the state was compared with the contracts' answers.
    last_comparison: BlockNumber,
    /// The number of applied logs.
    events: u64,
}

/// Whether the state is known to contain all events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verification {
    /// Each block was read by its hash, with all logs that its bloom shows, since the first one or since
    /// the last successful comparison with the contracts' answers. The comparison is repeated every half
    /// window.
    Verified,
    /// Blocks were read in ranges, or only with the set's logs, or the state was read from a file, and
    /// there was no comparison with the contracts' answers since.
    Pending,
    /// As [`Self::Pending`], and the contracts' answers at the newest block can't be compared with the
    /// state. Events may be missing.
    NotComparable(Arc<Error>),
}

/// The evidence that a state contains all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Each block was read by its hash, with all logs that its bloom shows.
    Blocks,
    /// The contracts' answers agreed, within the source's scope.
    Comparison,
}

/// Whether the source is known to be on the set's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceChain {
    Unchecked,
    Checked,
}

impl<S: SetSource> Follower<S> {
    /// A follower that starts at the set's first block.
    pub fn new(source: S, identity: SetIdentity) -> Self {
        let start = Fold::new(&identity);
        Self::at(source, identity, start, Verification::Verified)
    }

    /// A follower that continues from a checkpoint. If the checkpoint's block is no longer on the chain, it
    /// starts at the set's first block.
    pub fn resume(source: S, checkpoint: Checkpoint) -> Self {
        let (identity, base) = checkpoint.into_parts();
        Self::at(source, identity, base, Verification::Pending)
    }

    fn at(source: S, identity: SetIdentity, base: Fold, verification: Verification) -> Self {
        let current = base.clone();
        let last_comparison = identity.first_block;
        Self {
            source,
            identity,
            base,
            window: Window::default(),
            current,
            range_length: RequestLength::BLOCKS,
            head: None,
            source_chain: SourceChain::Unchecked,
            recovery: Recovery::default(),
            verification,
            evidence: Evidence::Blocks,
            last_comparison,
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

    /// The block of the state, with all events up to it; `None` before the first step.
    pub const fn block(&self) -> Option<BlockView> {
        self.current.block
    }

    /// The newest block of the source, as of the last step.
    pub const fn head(&self) -> Option<BlockView> {
        self.head
    }

    /// Whether the state is known to contain all events. A state that isn't verified can be used, but its
    /// users must know that events may be missing.
    pub const fn verification(&self) -> &Verification {
        &self.verification
    }

    /// The number of logs applied since the follower was created, including those of blocks that were taken
    /// back.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The state after the last block before the window, from which a later follower can continue. `None`
    /// if that is before the set's first block.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::of(&self.identity, &self.base)
    }

    /// Advances to the newest block.
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

    /// Advances one step towards the newest block: over a range of old blocks, or over all of the newest
    /// ones.
    ///
    /// # Errors
    ///
    /// If the source doesn't answer, is on another chain, or its logs don't match. The state is then that
    /// after a complete block, possibly without logs that a node omitted, and the next call continues from
    /// there.
    pub async fn step(&mut self) -> Result<Advance, FollowError> {
        match self.advance().await? {
            Advance::Behind => Ok(Advance::Behind),
            outcome => Ok(self.report(outcome)),
        }
    }

    /// The outcome to report. A reorganization is reported once, even if a step failed in between.
    const fn report(&mut self, outcome: Advance) -> Advance {
        if core::mem::replace(&mut self.recovery.taken_back, false) {
            Advance::Reorganized
        } else {
            outcome
        }
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
            self.recovery.contradictions = 0;
            // A comparison that wasn't possible isn't tried again at the same block.
            if matches!(self.verification, Verification::Pending) {
                self.verify().await?;
            }
            return Ok(Advance::UpToDate);
        }
        let next = self.current.next(&self.identity);
        let is_far = head.block.number.get() >= next.get().saturating_add(WINDOW);
        let outcome = match is_far {
            true => self.read_old_blocks(head).await?,
            false => self.read_new_blocks(head).await?,
        };
        self.verify_new().await?;
        Ok(outcome)
    }

    /// Compares the state with the contracts' answers at the same block, and updates
    /// [`Self::verification`]. If it differs, blocks are read again from an earlier state on.
    ///
    /// # Errors
    ///
    /// [`FollowError::NotStarted`] before the first block; [`FollowError::Differs`]; otherwise if the source
    /// doesn't answer.
    pub async fn verify(&mut self) -> Result<(), FollowError> {
        let block = self.current.block.ok_or(FollowError::NotStarted)?;
        let comparison = self.source.compare(&self.current.state, &block).await?;
        self.last_comparison = block.number;
        match comparison {
            Comparison::Agrees => {
                if !matches!(self.verification, Verification::Verified) {
                    self.evidence = Evidence::Comparison;
                }
                self.verification = Verification::Verified;
                self.recovery.last_failure = None;
            }
            Comparison::Differs(difference) => {
                return Err(self.differs(difference));
            }
            // A verified state stays verified, because each block since was read by its hash, with all
            // logs.
            Comparison::NotComparable(error) => {
                if !matches!(self.verification, Verification::Verified) {
                    self.verification = Verification::NotComparable(error.into());
                }
            }
        }
        Ok(())
    }

    /// Verifies the state if it is that after the newest block, and either it has no other evidence or the
    /// last comparison was half a window ago. Reading blocks is no proof, and an error found now costs at
    /// most the window.
    async fn verify_new(&mut self) -> Result<(), FollowError> {
        let newest =
            self.current.block.filter(|at| self.head.map(|head| head.hash) == Some(at.hash));
        let Some(newest) = newest else { return Ok(()) };
        let is_due = newest.number.get() >= self.last_comparison.get() + WINDOW / 2;
        if is_due || !matches!(self.verification, Verification::Verified) {
            self.verify().await?;
        }
        Ok(())
    }
}

impl Follower<ChainSource> {
    /// Sets the scope of comparisons. Call this before a step if the next view asks for other accounts. If
    /// the state is verified only by a comparison that doesn't cover `scope`, the next step compares it
    /// again.
    pub fn compare_for(&mut self, scope: ComparisonScope) {
        let compared = core::mem::replace(self.source.scope_mut(), scope);
        let is_verified = matches!(self.verification, Verification::Verified);
        if is_verified
            && self.evidence == Evidence::Comparison
            && !compared.covers(self.source.scope_mut())
        {
            self.verification = Verification::Pending;
        }
    }

    /// The set at [`Self::block`], with its history. The next block is expected `block_time` later. Questions
    /// about contracts outside the set are answered by the chain at that block's hash. Accounts that the state
    /// wasn't [compared for](Self::compare_for) are shown according to the events.
    ///
    /// # Errors
    ///
    /// [`FollowError::NotStarted`] before the first block; otherwise if the endpoint doesn't answer, or
    /// doesn't have the block any more.
    pub async fn view(
        &self,
        question: &Question,
        block_time: Seconds,
    ) -> Result<SetView, FollowError> {
        let Fold { block, state, .. } = &self.current;
        let block = block.ok_or(FollowError::NotStarted)?;
        let mut external = ExternalAnswers::at(block.hash);
        let view = external.resolve(self.source.client(), |external| {
            SetView::of_state(Arc::clone(state), external, block, question, block_time)
        });
        Ok(view.await.map_err(SourceError::from)?)
    }
}
