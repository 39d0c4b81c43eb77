//! Takes a stake to the next rollup.

use crate::{
    outbox::Outbox,
    outcome::{Act, Outcome},
    view::View,
};
use alloy_primitives::Address;
use canon_chain::{Checks, Result, Sender, calls};
use canon_protocol::{AttesterStatus, Timestamp};

/// Where a move stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// It isn't announced.
    Unannounced,
    /// It is announced; the exit delay runs.
    Waiting {
        /// From when on the stake may go.
        ready_at: Timestamp,
    },
    /// The delay is over; the target isn't canonical yet. The attester keeps its seat.
    Ready,
    /// The stake is there.
    Moved,
    /// The attester isn't in the set any more: there is nothing to move.
    Gone,
}

/// The withdrawer of an attester that moves from one rollup to another.
#[derive(Debug)]
pub struct Mover {
    outbox: Outbox,
    checks: Checks,
    attester: Address,
    /// Where somebody else registered the attester, the stake goes under this one.
    spare: Address,
    from: Address,
    to: Address,
    phase: Phase,
    /// Whether the chain was asked how the move stands.
    known: bool,
}

impl Mover {
    /// Moves `attester` from one rollup to another. `sender` has its withdrawer's key.
    pub const fn new(sender: Sender, attester: Address, from: Address, to: Address) -> Self {
        let spare = sender.address();
        Self {
            outbox: Outbox::new(sender),
            checks: Checks::Full,
            attester,
            spare,
            from,
            to,
            phase: Phase::Unannounced,
            known: false,
        }
    }

    /// The attester under which the stake goes if somebody else registered its own in the new rollup.
    /// Default: the withdrawer's address.
    #[must_use]
    pub const fn with_spare(mut self, attester: Address) -> Self {
        self.spare = attester;
        self
    }

    /// What is checked before a transaction is sent. Default: everything.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// Where the move stands.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The attester.
    pub const fn attester(&self) -> Address {
        self.attester
    }

    /// Settles what is in flight and does what can be done in the next block. Call it once per
    /// block.
    ///
    /// # Errors
    ///
    /// If the endpoint fails. It goes on at the next call.
    pub async fn tick(&mut self, view: &View) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        if matches!(self.phase, Phase::Moved | Phase::Gone) {
            return Ok(outcomes);
        }
        if !self.outbox.is_idle() {
            outcomes = self.outbox.settle(view, |_| false).await?;
            if !outcomes.is_empty() {
                self.known = false;
            }
            if !self.outbox.is_idle() {
                return Ok(outcomes);
            }
        }
        if !self.known {
            self.learn(view).await?;
        }
        if let Phase::Waiting { ready_at } = self.phase
            && ready_at <= view.next()
        {
            self.phase = Phase::Ready;
        }
        let sent = match self.phase {
            Phase::Unannounced => {
                let act = Act::AnnounceMove { attester: self.attester, to: self.to };
                let call = calls::announce_move(self.from, self.attester, self.to);
                self.outbox.keep_trying(act, call, self.checks, view).await?
            }
            Phase::Ready if view.canonical() == self.to => {
                let act = Act::FinaliseMove { rollup: self.from, attester: self.attester };
                let call = match self.is_squatted(view).await? {
                    false => calls::finalise_move(self.from, self.attester),
                    true => calls::finalise_move_as(self.from, self.attester, self.spare),
                };
                self.outbox.keep_trying(act, call, self.checks, view).await?
            }
            _ => return Ok(outcomes),
        };
        outcomes.extend(sent);
        Ok(outcomes)
    }

    /// Asks the old rollup how the move stands.
    async fn learn(&mut self, view: &View) -> Result<()> {
        let (client, at) = (self.outbox.sender().client(), view.head().hash.into());
        let attester = client.attester(at, self.from, self.attester).await?;
        self.phase = match (attester.status, attester.moving) {
            (AttesterStatus::Validating, Some((to, ready_at))) if to == self.to => {
                Phase::Waiting { ready_at }
            }
            (AttesterStatus::Validating, _) => Phase::Unannounced,
            (AttesterStatus::None, _) => match self.has_arrived(view).await? {
                true => Phase::Moved,
                false => Phase::Gone,
            },
            (AttesterStatus::Living | AttesterStatus::Exiting, _) => Phase::Gone,
        };
        self.known = true;
        Ok(())
    }

    /// Whether the attester is registered in the new rollup, while its stake is still in the old one.
    async fn is_squatted(&self, view: &View) -> Result<bool> {
        let (client, at) = (self.outbox.sender().client(), view.head().hash.into());
        let there = client.attester(at, self.to, self.attester).await?;
        Ok(there.status != AttesterStatus::None)
    }

    /// Whether the new rollup has a stake of this withdrawer, under either attester.
    async fn has_arrived(&self, view: &View) -> Result<bool> {
        let (client, at) = (self.outbox.sender().client(), view.head().hash.into());
        for attester in [self.attester, self.spare] {
            let there = client.attester(at, self.to, attester).await?;
            if there.withdrawer == self.outbox.sender().address() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
