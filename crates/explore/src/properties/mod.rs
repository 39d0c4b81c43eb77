//! The properties of every state and of every step.
//!
//! A property that repeats a rule uses other formulas than the rules do, so that both don't contain
//! the same mistake.

mod assets;
mod proposals;
mod signals;

use crate::{state::State, steps::Step, views::Views};
use canon_protocol::{Amount, Proposal};

/// A property that must always hold.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The property, as a sentence.
    pub claim: &'static str,
    /// The check.
    pub check: Check,
}

/// The check of a property: an error describes the violation.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Checks every state, with these views of the rules.
    State(fn(&State, &Views) -> Result<(), String>),
    /// Checks every step, with the states before and after it.
    Step(fn(&State, Step, &State) -> Result<(), String>),
}

/// A property that doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{claim}: {found}")]
pub struct Violation {
    /// The property, as a sentence.
    pub claim: &'static str,
    /// The values that violate it.
    pub found: String,
}

impl Property {
    /// All properties that the explored scopes are checked for.
    pub const ALL: &[Self] = &[
        Self {
            claim: "every contract has the assets that it owes",
            check: Check::State(assets::solvency),
        },
        Self {
            claim: "total power is the sum of the holders' power",
            check: Check::State(assets::power_adds_up),
        },
        Self {
            claim: "no holder casts more than its power at the snapshot",
            check: Check::State(proposals::ballots_add_up),
        },
        Self {
            claim: "a proposal's state follows from its creation, its configuration and its ballots",
            check: Check::State(proposals::states_are_as_written),
        },
        Self {
            claim: "no holder has its tokens back before a proposal on which its ballot counts can be executed",
            check: Check::State(assets::tokens_stay),
        },
        Self {
            claim: "a round has one signal per slot and one winner at most",
            check: Check::State(signals::signals_add_up),
        },
        Self {
            claim: "only the slots of an epoch with a recorded seed have a proposer",
            check: Check::State(signals::proposers_have_a_seed),
        },
        Self {
            claim: "a proposal's state leads only to those after it",
            check: Check::Step(proposals::states_advance),
        },
        Self {
            claim: "ballots are taken while Active, and against also in the first half of Queued",
            check: Check::Step(proposals::ballots_in_time),
        },
        Self {
            claim: "after Active no refusal becomes an acceptance, and in the second half of the execution delay nothing changes any more",
            check: Check::Step(proposals::results_last),
        },
        Self {
            claim: "a proposal is executed once, in time, as published, if it was accepted",
            check: Check::Step(proposals::executions_are_due),
        },
        Self {
            claim: "a proposal comes from a winner of N signals or from a paid lock",
            check: Check::Step(signals::proposals_are_due),
        },
        Self {
            claim: "a withdrawal is paid once, from its time on",
            check: Check::Step(assets::withdrawals_are_due),
        },
        Self {
            claim: "the Registry only grows, owners stay, and creation times don't decrease",
            check: Check::Step(signals::histories_grow),
        },
        Self {
            claim: "no call changes a draw that is final, or records a seed in an epoch's first slot",
            check: Check::Step(signals::draws_stand),
        },
    ];

    /// Checks `state`, if the property is one of states.
    pub(crate) fn check_state(&self, state: &State, views: &Views) -> Result<(), Violation> {
        match self.check {
            Check::State(check) => check(state, views).map_err(|found| self.violation(found)),
            Check::Step(_) => Ok(()),
        }
    }

    /// Checks `step`, if the property is one of steps.
    pub(crate) fn check_step(
        &self,
        before: &State,
        step: Step,
        after: &State,
    ) -> Result<(), Violation> {
        match self.check {
            Check::State(_) => Ok(()),
            Check::Step(check) => check(before, step, after).map_err(|found| self.violation(found)),
        }
    }

    const fn violation(&self, found: String) -> Violation {
        Violation { claim: self.claim, found }
    }
}

/// Returns the error `found` unless `holds`.
fn require(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}

fn sum(amounts: impl Iterator<Item = Amount>) -> u128 {
    amounts.map(Amount::get).sum()
}

/// The proposals that exist before and after a step, with their numbers.
fn pairs<'a>(
    before: &'a State,
    after: &'a State,
) -> impl Iterator<Item = (u64, &'a Proposal, &'a Proposal)> {
    let both = before.governance().proposals().iter().zip(after.governance().proposals());
    (0..).zip(both).map(|(id, (old, new))| (id, old, new))
}
