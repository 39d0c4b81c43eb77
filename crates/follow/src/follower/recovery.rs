//! Going back: to earlier states, and in the end to the set's first block.

use super::{Advance, Confirmation, Follower};
use crate::{
    compare::ViewDifference,
    earlier::EarlierStates,
    error::{FollowError, SourceError},
    fold::Fold,
    source::{LogSource, StateComparer},
};
use canon_protocol::BlockNumber;

/// The answers in a row that must contradict the settled block before it is given up: one node of a pool may
/// be on a fork that nobody else follows.
const CONTRADICTIONS: u32 = 3;

/// The attempts at a log of the newest blocks that doesn't fit, after which the window's blocks are read again.
const ATTEMPTS_BEFORE_WINDOW: u32 = 2;

/// The attempts at reading the window's blocks again, before earlier ones are read: a node's index of logs may lag.
const ATTEMPTS_AT_WINDOW: u32 = 2;

/// The times that all blocks are read because of the same log, before a person has to look.
const RESTARTS_BEFORE_STOP: u32 = 2;

/// The failures so far, and the states to go back to.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    earlier: EarlierStates,
    /// Whether blocks were taken back since a step succeeded.
    pub(super) taken_back: bool,
    /// The answers in a row that contradict the settled block.
    pub(super) contradictions: u32,
    /// The log that didn't fit the state last.
    pub(super) unapplied_log: Option<UnappliedLog>,
}

/// The distance that a follower went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WentBack {
    ToEarlierState,
    ToStart,
}

/// A log that doesn't fit the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnappliedLog {
    place: (BlockNumber, u64),
    attempts: u32,
    /// The times that an earlier state was gone back to. Each time it is one more state back.
    returns: usize,
    /// The times that all blocks were read again.
    restarts: u32,
}

impl<S: LogSource + StateComparer> Follower<S> {
    /// An answer says that the settled block isn't on the chain any more. Once enough of them say so in a row,
    /// everything is read again.
    pub(super) fn contradicted(&mut self) -> Result<Advance, FollowError> {
        self.recovery.contradictions += 1;
        if self.recovery.contradictions < CONTRADICTIONS {
            let number = self.settled.next(&self.identity);
            return Err(SourceError::Forked { number }.into());
        }
        self.go_back(0);
        Ok(Advance::Extended)
    }

    /// A log of the newest blocks doesn't fit the state before its block. Its answer may lack a log; or one
    /// before did, and the more often it fails at the same place, the more is read again.
    pub(super) fn not_applied(&mut self, error: FollowError) -> FollowError {
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

    /// The contracts' own answers aren't those of the state. The window's blocks are read again, since a node may
    /// have had one of them before the index of its logs; if that doesn't help, earlier ones too.
    pub(super) fn differs(&mut self, difference: Box<ViewDifference>) -> FollowError {
        let error = FollowError::Differs(difference);
        let Some(place) = error.place() else { return error };
        let unapplied_log = self.unapplied_at(place);
        unapplied_log.attempts += 1;
        if unapplied_log.attempts > ATTEMPTS_AT_WINDOW || self.window.blocks.is_empty() {
            return self.go_back_from(error);
        }
        self.confirmation = Confirmation::Pending;
        self.drop_window();
        error
    }

    /// The state is wrong or between two blocks. Blocks are read again, and if that doesn't help either,
    /// earlier ones too.
    pub(super) fn go_back_from(&mut self, error: FollowError) -> FollowError {
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

    /// The record of a log that doesn't fit.
    fn unapplied_at(&mut self, place: (BlockNumber, u64)) -> &mut UnappliedLog {
        let same = self.recovery.unapplied_log.filter(|unapplied_log| unapplied_log.place == place);
        self.recovery.unapplied_log.insert(same.unwrap_or(UnappliedLog {
            place,
            attempts: 0,
            returns: 0,
            restarts: 0,
        }))
    }

    /// The log that didn't fit does, or isn't there any more, if the state is at its block.
    pub(super) fn forget_unapplied(&mut self, reached: BlockNumber) {
        self.recovery.unapplied_log =
            self.recovery.unapplied_log.filter(|unapplied_log| unapplied_log.place.0 > reached);
    }

    /// Takes the window's blocks back.
    pub(super) fn drop_window(&mut self) {
        self.recovery.taken_back |= !self.window.blocks.is_empty();
        self.window.blocks.clear();
        self.current = self.settled.clone();
    }

    /// Keeps the settled state to go back to, if the last that was kept is far from it.
    pub(super) fn keep_settled(&mut self) {
        if let Some(head) = self.head {
            self.recovery.earlier.keep(&self.settled, self.identity.first_block, head.number);
        }
    }

    /// Goes back to the newest earlier state but `skipped`; if there is none, to read all blocks again.
    fn go_back(&mut self, skipped: usize) -> WentBack {
        let (settled, went) = match self.recovery.earlier.pop(skipped) {
            Some(earlier) => (earlier, WentBack::ToEarlierState),
            None => (Fold::new(&self.identity), WentBack::ToStart),
        };
        self.settled = settled;
        self.confirmation = Confirmation::Pending;
        self.recovery.taken_back = true;
        self.recovery.contradictions = 0;
        self.drop_window();
        went
    }
}
