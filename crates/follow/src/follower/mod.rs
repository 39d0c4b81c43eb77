//! Following a chain block by block.
//!
//! Old blocks are read in ranges, the newest [`WINDOW`] one by one, each by its hash. The state after the
//! last block that is older than the window is kept, and some earlier ones; so a reorganization within the
//! window replays a few blocks, and a deeper one reads blocks again from an earlier state on. Both end in the
//! state that a fresh follower reaches.
//!
//! A node that lags leaves out logs without saying so. A range counts up to its last marker, a log that the set
//! emits all the time; where a set emits none for long, several answers have to agree. Of the newest blocks all logs
//! are read, and have to fit the block's bloom. What that doesn't show, a comparison with the contracts' own answers
//! does: at the newest block after a range, a checkpoint, or blocks of which only the set's logs were read, and
//! otherwise every half window. If they differ, blocks are read again from an earlier state on. Where the contracts'
//! answers aren't those of a set, the state stays unverified, and [`Follower::verification`] says so.

mod ranges;
mod recovery;
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

/// The number of newest blocks that are read one by one and can be replaced without starting again.
pub const WINDOW: u64 = FINALITY;

/// The result of one step towards the chain's newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advance {
    /// The state is that after the newest block.
    UpToDate,
    /// Another step is needed: blocks were added, or the next step reads fewer at once, or earlier ones again. Until
    /// the state is up to date, a node that lags may have left out logs.
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
    /// The base: the state after the last block that the window doesn't have.
    base: Fold,
    /// The blocks after that.
    window: Window,
    /// The state after all of them.
    current: Fold,
    range_length: RequestLength,
    head: Option<BlockView>,
    source_chain: SourceChain,
    recovery: Recovery,
    verification: Verification,
    /// What the verification is due to, if there is one.
    evidence: Evidence,
    /// The last block at which the state was compared with the contracts' answers.
    last_comparison: BlockNumber,
    /// The logs that were applied.
    events: u64,
}

/// Whether the state is known to have all events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verification {
    /// Each block was read by its hash, with all logs that its bloom shows, since the first one or since the
    /// contracts' answers agreed. They are compared again every half window.
    Verified,
    /// Blocks were read in ranges, or only the set's logs of them, or the state came from a file; and it wasn't
    /// compared with the contracts' answers since.
    Pending,
    /// The same, and the contracts' answers at the newest block can't be compared with the state: events may be
    /// missing.
    NotComparable(Arc<Error>),
}

/// What shows that a state has all events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Each block was read by its hash, with all logs that its bloom shows.
    Blocks,
    /// The contracts' answers agreed, for the source's scope.
    Comparison,
}

/// Whether the source is known to be of the set's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceChain {
    Unchecked,
    Checked,
}

impl<S: SetSource> Follower<S> {
    /// A follower that begins with the set's first block.
    pub fn new(source: S, identity: SetIdentity) -> Self {
        let start = Fold::new(&identity);
        Self::at(source, identity, start, Verification::Verified)
    }

    /// A follower that goes on from a checkpoint. If its block isn't on the chain any more, it begins
    /// with the set's first block.
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

    /// The block up to which the state has all events; `None` before the first step.
    pub const fn block(&self) -> Option<BlockView> {
        self.current.block
    }

    /// The newest block of the source, as of the last step.
    pub const fn head(&self) -> Option<BlockView> {
        self.head
    }

    /// Whether the state is known to have all events. A state that isn't verified can be used, and its reader has
    /// to know that events may be missing.
    pub const fn verification(&self) -> &Verification {
        &self.verification
    }

    /// The number of logs that were applied since the follower was made, also those of blocks that were taken
    /// back.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The state after the last block that the window doesn't have, to go on from later. `None` if that
    /// is before the set's first block.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Checkpoint::of(&self.identity, &self.base)
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

    /// An outcome as it is reported. That blocks were taken back is reported once, also if a step failed
    /// in between.
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
            // Answers that couldn't be compared at this block won't be better now.
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

    /// Compares the state with the contracts' own answers at the same block; [`Self::verification`] says what came
    /// of it. If it differs, blocks are read again from an earlier state on.
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
            // What is verified stays so: each block since was read by its hash, with all logs.
            Comparison::NotComparable(error) => {
                if !matches!(self.verification, Verification::Verified) {
                    self.verification = Verification::NotComparable(error.into());
                }
            }
        }
        Ok(())
    }

    /// Verifies the state if it is that after the newest block, and nothing else does or the last comparison was
    /// half a window ago: blocks are no proof, and what is found now costs no more than the window.
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
    /// Sets what the state is compared for from now on: call it before a step whose view asks for other accounts. A
    /// state that only a comparison verified, of less than `scope`, is compared again by the next step.
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

    /// The set at [`Self::block`], with its history; the next block is expected `block_time` later. What `question` asks about contracts outside the set
    /// is asked of the chain at that block's hash. Accounts that the state wasn't [compared for](Self::compare_for)
    /// are as the events show them.
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
