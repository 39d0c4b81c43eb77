//! Going back: to earlier states, and in the end to the set's first block.

use super::{Advance, Follower, Verification};
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

/// The answers in a row that must contradict the base block before it is given up: one node of a pool may
/// be on a fork that nobody else follows.
const CONTRADICTIONS: u32 = 3;

/// The attempts at a log of the newest blocks that doesn't fit, after which the window's blocks are read again.
const ATTEMPTS_BEFORE_WINDOW: u32 = 2;

/// The attempts at reading the window's blocks again, before earlier ones are read: a node's index of logs may lag.
const ATTEMPTS_AT_WINDOW: u32 = 2;

/// The answers without all logs of a new block after which they are taken for all there are: a node can have a
/// block before the index of its logs.
const ATTEMPTS_AT_LOGS: u32 = 3;

/// The failures in a row of a range after which it is shortened, whatever the failures are: the endpoint may take
/// too long for so many blocks.
const FAILURES_TO_SHORTEN: u32 = 3;

/// The times that all blocks are read because of the same log, before a person has to look.
const RESTARTS_BEFORE_STOP: u32 = 2;

/// The failures so far, and the states to go back to.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    earlier: EarlierStates,
    /// Whether blocks were taken back since a step succeeded.
    pub(super) taken_back: bool,
    /// The answers in a row that contradict the base block.
    pub(super) contradictions: u32,
    /// The block of which an answer lacked logs last, and the number of such answers.
    missing_logs: Option<(B256, u32)>,
    /// The requests in a row for logs of a range that failed.
    failed_ranges: u32,
    /// The last time that the state didn't fit the chain.
    pub(super) last_failure: Option<LastFailure>,
}

/// The distance that a follower went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WentBack {
    ToEarlierState,
    ToStart,
}

/// A failure of the state to fit the chain, and what was done about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastFailure {
    site: FailureSite,
    attempts: u32,
    /// The times that an earlier state was gone back to. Each time it is one more state back.
    returns: usize,
    /// The times that all blocks were read again.
    restarts: u32,
}

impl Recovery {
    /// An answer lacks logs that a new block's bloom shows.
    ///
    /// # Errors
    ///
    /// [`SourceError::MissingLogs`] until several answers lacked some.
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
    /// Takes note of what came of a request for logs of a range: the answer, or `None` if a shorter one is to be
    /// asked for.
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

    /// An answer says that the base block isn't on the chain any more. Once enough of them say so in a row,
    /// everything is read again.
    pub(super) fn contradicted(&mut self) -> Result<Advance, FollowError> {
        self.recovery.contradictions += 1;
        if self.recovery.contradictions < CONTRADICTIONS {
            let number = self.base.next(&self.identity);
            return Err(SourceError::Forked { number }.into());
        }
        self.go_back(0);
        Ok(Advance::Extended)
    }

    /// A log of the newest blocks doesn't fit the state before its block. Its answer may lack a log; or one
    /// before did, and the more often it fails at the same place, the more is read again.
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

    /// The contracts' own answers aren't those of the state. The window's blocks are read again, since a node may
    /// have had one of them before the index of its logs; if that doesn't help, earlier ones too.
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

    /// The state is wrong or between two blocks. Blocks are read again, and if that doesn't help either,
    /// earlier ones too.
    pub(super) fn go_back_from(&mut self, error: FollowError) -> FollowError {
        let Some(site) = error.site() else {
            self.go_back(0);
            return error;
        };
        let skipped = self.failure_at(site).returns;
        let went = self.go_back(skipped);
        let failure = self.failure_at(site);
        failure.returns += 1;
        failure.restarts += u32::from(went == WentBack::ToStart);
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

    /// The log that didn't fit does, or isn't there any more, if the state is at its block.
    pub(super) fn forget_failure(&mut self, reached: BlockNumber) {
        let failure = self.recovery.last_failure;
        self.recovery.last_failure = failure.filter(|failure| !failure.site.is_passed_at(reached));
    }

    /// Takes the window's blocks back.
    pub(super) fn drop_window(&mut self) {
        self.recovery.taken_back |= !self.window.blocks.is_empty();
        self.window.blocks.clear();
        self.current = self.base.clone();
    }

    /// Keeps the base state to go back to, if the last that was kept is far from it.
    pub(super) fn keep_base(&mut self) {
        if let Some(head) = self.head {
            self.recovery.earlier.keep(&self.base, self.identity.first_block, head.number);
        }
    }

    /// Goes back to the newest earlier state but `skipped`; if there is none, to read all blocks again.
    fn go_back(&mut self, skipped: usize) -> WentBack {
        let (base, went) = match self.recovery.earlier.pop(skipped) {
            Some(earlier) => (earlier, WentBack::ToEarlierState),
            None => (Fold::new(&self.identity), WentBack::ToStart),
        };
        self.base = base;
        self.verification = Verification::Pending;
        self.recovery.taken_back = true;
        self.recovery.contradictions = 0;
        self.drop_window();
        went
    }
}
