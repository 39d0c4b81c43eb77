//! Returning to earlier states, and finally to the set's first block.

use super::{Advance, Follower, Verification, unread_logs::UnreadLogs};
use crate::{
    compare::ViewDifference,
    earlier::EarlierStates,
    error::{FailureSite, FollowError, SourceError},
    fold::Fold,
    source::SetSource,
};
use alloy_primitives::B256;
use canon_protocol::BlockNumber;
use canon_views::BlockView;

/// The number of consecutive answers that must contradict the base block before it is abandoned. A single
/// node of a pool may be on a fork of its own.
const CONTRADICTIONS: u32 = 3;

/// The number of attempts to apply a log of the newest blocks that doesn't match, before the window's
/// blocks are read again.
const ATTEMPTS_BEFORE_WINDOW: u32 = 2;

/// The number of attempts to read the window's blocks again, before earlier blocks are read. A node's log
/// index may lag.
const ATTEMPTS_AT_WINDOW: u32 = 2;

/// The number of answers without all logs of a new block after which the block is read without this check.
/// A node can have a block before its log index is complete.
const ATTEMPTS_AT_LOGS: u32 = 3;

/// The number of consecutive failures after which a range is shortened, whatever the errors. The endpoint
/// may be too slow for so many blocks.
const FAILURES_TO_SHORTEN: u32 = 3;

/// The number of times that all blocks are read because of the same log, before a person has to intervene.
const RESTARTS_BEFORE_STOP: u32 = 2;

/// The failures so far, and the earlier states.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    earlier: EarlierStates,
    /// Whether blocks were taken back since the last successful step.
    pub(super) taken_back: bool,
    /// The number of consecutive answers that contradict the base block.
    pub(super) contradictions: u32,
    /// The last block for which an answer lacked logs, and the number of such answers.
    missing_logs: Option<(B256, u32)>,
    /// The number of consecutive failed requests for the logs of a range.
    failed_ranges: u32,
    /// The last mismatch of the state and the chain.
    pub(super) last_failure: Option<LastFailure>,
}

/// The destination of a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    EarlierState,
    Start,
}

/// A mismatch of the state and the chain, and the attempts to recover from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastFailure {
    site: FailureSite,
    attempts: u32,
    /// The number of returns to an earlier state. Each one goes back one state further.
    returns: usize,
    /// The number of times that all blocks were read again.
    restarts: u32,
}

impl Recovery {
    /// Records that an answer lacks logs that a new block's bloom shows.
    ///
    /// # Errors
    ///
    /// [`SourceError::MissingLogs`] until several answers have lacked logs.
    pub(super) fn note_missing_logs(&mut self, block: &BlockView) -> Result<(), SourceError> {
        let before = self.missing_logs.filter(|(hash, _)| *hash == block.hash);
        let attempts = before.map_or(0, |(_, attempts)| attempts) + 1;
        self.missing_logs = Some((block.hash, attempts));
        if attempts < ATTEMPTS_AT_LOGS {
            return Err(SourceError::MissingLogs(block.number));
        }
        Ok(())
    }
}

impl<S: SetSource> Follower<S> {
    /// Records the outcome of a request for the logs of a range, and returns the answer, or `None` if the
    /// range should be shortened.
    ///
    /// # Errors
    ///
    /// Any other failure.
    pub(super) fn note_range<T>(
        &mut self,
        outcome: Result<T, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let failures = &mut self.recovery.failed_ranges;
        *failures = if outcome.is_ok() { 0 } else { *failures + 1 };
        let is_failing = *failures >= FAILURES_TO_SHORTEN;
        let is_refusal =
            |error: &SourceError| is_failing || matches!(error, SourceError::RangeTooLong(_));
        let noted = self.range_length.note(outcome, is_refusal)?;
        if noted.is_none() {
            self.recovery.failed_ranges = 0;
        }
        Ok(noted)
    }

    /// Records that an answer contradicts the base block. After enough of them in a row, everything is read
    /// again.
    pub(super) fn contradicted(&mut self) -> Result<Advance, FollowError> {
        self.recovery.contradictions += 1;
        if self.recovery.contradictions < CONTRADICTIONS {
            let number = self.base.next(&self.identity);
            return Err(SourceError::Forked { number }.into());
        }
        self.go_back(0);
        Ok(Advance::Extended)
    }

    /// Handles a log of the newest blocks that doesn't match the state. This answer or an earlier one may
    /// lack a log. The more often the same log fails, the more blocks are read again.
    pub(super) fn not_applied(&mut self, error: FollowError) -> FollowError {
        let Some(site) = error.site() else { return error };
        let failure = self.failure_at(site);
        failure.attempts += 1;
        match failure.attempts {
            ..ATTEMPTS_BEFORE_WINDOW => error,
            ATTEMPTS_BEFORE_WINDOW => {
                self.drop_window();
                error
            }
            _ => self.go_back_from(error),
        }
    }

    /// Handles a difference between the state and the contracts' answers. The window's blocks are read
    /// again, because a node may have had one of them before its logs were indexed. If that doesn't help,
    /// earlier blocks are read again too.
    pub(super) fn differs(&mut self, difference: Box<ViewDifference>) -> FollowError {
        let error = FollowError::Differs(difference);
        let Some(site) = error.site() else { return error };
        let failure = self.failure_at(site);
        failure.attempts += 1;
        if failure.attempts > ATTEMPTS_AT_WINDOW || self.window.blocks.is_empty() {
            return self.go_back_from(error);
        }
        self.verification = Verification::Pending;
        self.drop_window();
        error
    }

    /// Handles a state that is wrong or in the middle of a block. Blocks are read again, and if that
    /// doesn't help, also earlier ones.
    pub(super) fn go_back_from(&mut self, error: FollowError) -> FollowError {
        let Some(site) = error.site() else {
            self.go_back(0);
            return error;
        };
        let skipped = self.failure_at(site).returns;
        let went = self.go_back(skipped);
        let failure = self.failure_at(site);
        failure.returns += 1;
        failure.restarts += u32::from(went == Destination::Start);
        if failure.restarts > RESTARTS_BEFORE_STOP {
            return FollowError::Unfoldable(Box::new(error));
        }
        error
    }

    /// The record of a failure at `site`.
    fn failure_at(&mut self, site: FailureSite) -> &mut LastFailure {
        let same = self.recovery.last_failure.filter(|failure| failure.site == site);
        self.recovery.last_failure.insert(same.unwrap_or(LastFailure {
            site,
            attempts: 0,
            returns: 0,
            restarts: 0,
        }))
    }

    /// Forgets the last mismatch, if the state is past its location.
    pub(super) fn forget_failure(&mut self, reached: BlockNumber) {
        let failure = self.recovery.last_failure;
        self.recovery.last_failure = failure.filter(|failure| !failure.site.is_passed_at(reached));
    }

    /// Discards the window's blocks.
    pub(super) fn drop_window(&mut self) {
        self.recovery.taken_back |= !self.window.blocks.is_empty();
        self.window.blocks.clear();
        self.window.logs = UnreadLogs::default();
        self.current = self.base.clone();
    }

    /// Keeps the base state as an earlier state, if the last kept one is far from it.
    pub(super) fn keep_base(&mut self) {
        if let Some(head) = self.head {
            self.recovery.earlier.keep(&self.base, self.identity.first_block, head.number);
        }
    }

    /// Returns to an earlier state, after skipping the newest `skipped` ones. If there is none, all blocks
    /// are read again.
    fn go_back(&mut self, skipped: usize) -> Destination {
        let (base, went) = match self.recovery.earlier.pop(skipped) {
            Some(earlier) => (earlier, Destination::EarlierState),
            None => (Fold::new(&self.identity), Destination::Start),
        };
        self.base = base;
        self.verification = Verification::Pending;
        self.recovery.taken_back = true;
        self.recovery.contradictions = 0;
        self.drop_window();
        went
    }
}
