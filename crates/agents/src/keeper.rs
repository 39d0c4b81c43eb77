//! Does what anyone may do, as soon as it can be done: pushes, executes, drops, pays out.

use crate::{
    outbox::Outbox,
    outcome::{Act, Outcome},
    view::{Seed, View},
};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;
use canon_abi::{Governance, Rollup};
use canon_chain::{Checks, ProposalSnapshot, Result, Sender, calls};
use canon_protocol::{BlockNumber, ProposalId, ProposalState, Timestamp, WithdrawalId};
use core::cmp::Reverse;
use std::collections::BinaryHeap;

/// Whether a keeper also pays out what others are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayOut {
    /// It doesn't. The default.
    No,
    /// It finalises withdrawals, exits and moves that begin while it runs.
    Everything,
}

/// Somebody is due something at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Withdrawal(WithdrawalId),
    Exit { rollup: Address, attester: Address },
    Move { rollup: Address, attester: Address, to: Address },
}

/// Keeps proposals going.
#[derive(Debug)]
pub struct Keeper {
    outbox: Outbox,
    checks: Checks,
    pay_out: PayOut,
    due: BinaryHeap<Reverse<(Timestamp, Due)>>,
    /// The newest block whose events it knows.
    noted: Option<BlockNumber>,
}

impl Keeper {
    /// A keeper that pushes, executes, drops, and records seeds that nobody did.
    pub const fn new(sender: Sender) -> Self {
        Self {
            outbox: Outbox::new(sender),
            checks: Checks::Full,
            pay_out: PayOut::No,
            due: BinaryHeap::new(),
            noted: None,
        }
    }

    /// Whether it also pays out what others are due.
    #[must_use]
    pub const fn with_pay_out(mut self, pay_out: PayOut) -> Self {
        self.pay_out = pay_out;
        self
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.outbox.sender().address()
    }

    /// Settles what is in flight and does what can be done in the next block. Call it once per
    /// block.
    ///
    /// # Errors
    ///
    /// If the endpoint fails. It goes on at the next call.
    pub async fn tick(&mut self, view: &View) -> Result<Vec<Outcome>> {
        let mut outcomes = self.outbox.settle(view, |_| false).await?;
        self.push(view, &mut outcomes).await?;
        for proposal in view.proposals() {
            self.end(view, proposal, &mut outcomes).await?;
        }
        self.record_seeds(view, &mut outcomes).await?;
        if self.pay_out == PayOut::Everything {
            self.note(view);
            self.pay(view, &mut outcomes).await?;
        }
        Ok(outcomes)
    }

    async fn push(&mut self, view: &View, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let set = view.deployment();
        for (round, _) in view.signaling().map_or(&[][..], |signaling| &signaling.pushable) {
            let act = Act::Push { round: *round };
            if !self.outbox.has(|flying| *flying == act) {
                let call = calls::push(set.proposals, set.governance, *round);
                outcomes.extend(self.outbox.keep_trying(act, call, self.checks, view).await?);
            }
        }
        Ok(())
    }

    async fn end(
        &mut self,
        view: &View,
        proposal: &ProposalSnapshot,
        outcomes: &mut Vec<Outcome>,
    ) -> Result<()> {
        let (id, governance) = (proposal.id, view.deployment().governance);
        if self.outbox.has(|flying| is_about(flying, id)) {
            return Ok(());
        }
        match view.state_at_next(proposal) {
            Some(ProposalState::Executable) => {
                let outcome = self.execute(view, governance, proposal).await?;
                outcomes.extend(self.outbox.unless_reported(outcome));
            }
            Some(ProposalState::Dropped) if proposal.stored != ProposalState::Dropped => {
                let call = calls::drop_proposal(governance, id);
                let act = Act::Drop { id };
                outcomes.extend(self.outbox.keep_trying(act, call, self.checks, view).await?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Executes with what the payload lists; if that isn't what was voted on, with that.
    async fn execute(
        &mut self,
        view: &View,
        governance: Address,
        proposal: &ProposalSnapshot,
    ) -> Result<Outcome> {
        let id = proposal.id;
        let call = calls::execute(governance, id);
        let outcome = self.outbox.submit(Act::Execute { id }, call, self.checks, view).await?;
        if !withholds(&outcome) {
            return Ok(outcome);
        }
        let act = Act::ExecuteFrozen { id };
        match self.outbox.sender().client().frozen_actions(governance, proposal).await {
            Ok(actions) => {
                let call = calls::execute_with(governance, id, actions);
                self.outbox.submit(act, call, self.checks, view).await
            }
            Err(error) if error.is_temporary() => Err(error),
            Err(error) => Ok(Outcome::Failed { act, error }),
        }
    }

    /// An epoch without a call after its first slot leaves the next one without proposers. Blocks of
    /// sequencers record the seed on the way, so it waits for them until the middle of the epoch.
    async fn record_seeds(&mut self, view: &View, outcomes: &mut Vec<Outcome>) -> Result<()> {
        for (rollup, seen) in view.rollups() {
            let Seed::Missing(epoch) = seen.seed else { continue };
            let act = Act::RecordSeed { rollup, epoch };
            let due = seen.proposer.is_none() || seen.is_epochs_second_half();
            if due && !self.outbox.has(|flying| *flying == act) {
                let call = calls::setup_epoch(rollup);
                outcomes.extend(self.outbox.keep_trying(act, call, self.checks, view).await?);
            }
        }
        Ok(())
    }

    /// Learns from the events of each block who is due what.
    fn note(&mut self, view: &View) {
        let noted = self.noted.replace(view.head().number);
        let new = view.blocks().iter().filter(|block| noted.is_none_or(|n| block.head.number > n));
        for log in new.flat_map(|block| block.receipts.iter()).flat_map(|r| r.logs()) {
            let emitter = log.address();
            if emitter == view.deployment().governance
                && let Ok(event) = Governance::WithdrawalQueued::decode_log(&log.inner)
                && let (Ok(id), Ok(time)) = (event.id.try_into(), event.unlocksAt.try_into())
            {
                self.due.push(Reverse((time, Due::Withdrawal(id))));
            }
            let Some(rollup) = view.rollup(emitter) else { continue };
            if let Ok(event) = Rollup::WithdrawInitiated::decode_log(&log.inner) {
                let due = Due::Exit { rollup: emitter, attester: event.attester };
                let time = view.head().timestamp + rollup.rules.exit_delay;
                self.due.push(Reverse((time, due)));
            }
            if let Ok(event) = Rollup::MoveInitiated::decode_log(&log.inner)
                && let Ok(time) = event.readyAt.try_into()
            {
                let (attester, to) = (event.attester, event.newRollup);
                let due = Due::Move { rollup: emitter, attester, to };
                self.due.push(Reverse((time, due)));
            }
        }
    }

    async fn pay(&mut self, view: &View, outcomes: &mut Vec<Outcome>) -> Result<()> {
        let mut later = Vec::new();
        while let Some(Reverse((time, due))) = self.due.peek().copied() {
            if time > view.next() {
                break;
            }
            self.due.pop();
            let (act, call) = match due {
                Due::Withdrawal(id) => (
                    Act::FinaliseWithdrawal { id },
                    calls::finalise_withdrawal(view.deployment().governance, id),
                ),
                Due::Exit { rollup, attester } => (
                    Act::FinaliseExit { rollup, attester },
                    calls::finalise_unstake(rollup, attester),
                ),
                Due::Move { to, .. } if to != view.canonical() => {
                    later.push(Reverse((time, due)));
                    continue;
                }
                Due::Move { rollup, attester, .. } => {
                    (Act::FinaliseMove { rollup, attester }, calls::finalise_move(rollup, attester))
                }
            };
            // Somebody else may have paid it, or the plan changed: then it is refused, and that is
            // the end of it.
            match self.outbox.submit(act, call, self.checks, view).await? {
                Outcome::Failed { .. } => {}
                outcome => outcomes.push(outcome),
            }
        }
        self.due.extend(later);
        Ok(())
    }
}

fn is_about(act: &Act, proposal: ProposalId) -> bool {
    matches!(
        act,
        Act::Execute { id } | Act::ExecuteFrozen { id } | Act::Drop { id } if *id == proposal
    )
}

/// The payload lists something else than what was voted on, or nothing.
fn withholds(outcome: &Outcome) -> bool {
    let Outcome::Failed { error, .. } = outcome else { return false };
    error.as_revert().is_some_and(|revert| {
        revert.is::<Governance::Governance__ActionsChanged>()
            || revert.is::<Governance::Governance__UnreadableActions>()
            || revert.is::<Governance::Governance__NoActions>()
            || revert.is::<Governance::NoCode>()
    })
}
