//! Histories of a seed, and how a failing one is shrunk.

use crate::{
    coverage::Coverage,
    lockstep::Lockstep,
    mismatch::Mismatch,
    opening::{Company, Supply},
};
use alloy::primitives::Address;
use canon_protocol::{
    Timestamp,
    histories::{Director, Pace, Rng, Step},
};
use core::fmt;
use std::collections::BTreeSet;

/// Steps that were taken in a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When.
    time: Timestamp,
    /// Which one it was.
    turn: u64,
    /// What it was.
    act: Act,
}

/// What is done next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// Something happens.
    Step(Box<Step>),
    /// Every view is compared.
    Compare,
    /// The chain may be taken back to here.
    Checkpoint,
    /// The chain is taken back to the last checkpoint that wasn't used yet.
    Reorganise,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.time)?;
        match &self.act {
            Act::Step(step) => match &**step {
                Step::Call { caller, contract, call } => {
                    write!(f, "{caller} calls {contract}: {call:?}")
                }
                Step::Transaction { caller, target, data } => {
                    write!(f, "{caller} calls {target} with {data}")
                }
                Step::Put(account, put) => write!(f, "at {account} stands {put:?}"),
                Step::Deploy(deployment) => write!(f, "deployed: {deployment:?}"),
            },
            Act::Compare => f.write_str("the whole state is compared"),
            Act::Checkpoint => f.write_str("checkpoint"),
            Act::Reorganise => f.write_str("the chain goes back to the last checkpoint"),
        }
    }
}

/// A history of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// The seed. Even ones have one call in each block, odd ones several; every fourth has nearly as
    /// much of the asset as there can be.
    pub seed: u64,
    /// Calls, at least.
    pub calls: u64,
}

/// A difference between the rules and the bytecode, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Difference {
    /// The history that showed it.
    pub history: History,
    /// What it is.
    pub mismatch: Mismatch,
    /// The steps that show it, after the opening that every history has.
    pub steps: Vec<Taken>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let company = Company::new();
        let History { seed, calls } = self.history;
        writeln!(f, "seed {seed}, {calls} calls: {}", company.named(&self.mismatch.to_string()))?;
        writeln!(f, "shown by these {} steps:", self.steps.len())?;
        for step in &self.steps {
            writeln!(f, "  {}", company.named(&step.to_string()))?;
        }
        write!(f, "replay with `cargo xtask differential --seed {seed} --calls {calls}`")
    }
}

/// One in how many steps, on average.
const STEPS_BETWEEN_COMPARISONS: u64 = 600;
const STEPS_BETWEEN_CHECKPOINTS: u64 = 150;
const STEPS_BETWEEN_REORGS: u64 = 400;
/// Replays that shrinking may take.
const MOST_REPLAYS: usize = 3000;

impl History {
    /// Plays the history and compares both sides all the way.
    ///
    /// # Errors
    ///
    /// The first difference, with all steps up to it; [`Difference::shrink`] makes them few.
    pub fn play(self) -> Result<Coverage, Box<Difference>> {
        self.play_with(|_, _| {})
    }

    /// The same, with `meddle` called before each step: what a test does to see that differences are
    /// found.
    ///
    /// # Errors
    ///
    /// As [`Self::play`].
    pub fn play_with(
        self,
        mut meddle: impl FnMut(&Lockstep, u64),
    ) -> Result<Coverage, Box<Difference>> {
        let mut steps = Vec::new();
        self.record(&mut steps, &mut meddle)
            .map_err(|mismatch| Box::new(Difference { history: self, mismatch, steps }))
    }

    const fn supply(self) -> Supply {
        if self.seed % 4 == 3 { Supply::NearlyAll } else { Supply::Usual }
    }

    fn record(
        self,
        steps: &mut Vec<Taken>,
        meddle: &mut impl FnMut(&Lockstep, u64),
    ) -> Result<Coverage, Mismatch> {
        let company = Company::new();
        let mut lockstep = company.lockstep(self.supply())?;
        let pace =
            if self.seed.is_multiple_of(2) { Pace::OneCallPerBlock } else { Pace::SharedBlocks };
        let mut director = Director::new(self.seed, company.cast.clone(), pace, company.signer());
        let mut rng = Rng::new(!self.seed);
        while lockstep.coverage().calls < self.calls {
            let now = lockstep.now();
            let act = if rng.chance(1, STEPS_BETWEEN_COMPARISONS) {
                (now, Act::Compare)
            } else if rng.chance(1, STEPS_BETWEEN_CHECKPOINTS) {
                (now, Act::Checkpoint)
            } else if rng.chance(1, STEPS_BETWEEN_REORGS) {
                (now, Act::Reorganise)
            } else {
                let (wait, step) = director.next(lockstep.world(), now, lockstep.foreign());
                (now + wait, Act::Step(Box::new(step)))
            };
            let (time, act) = act;
            let taken = Taken { time, turn: steps.len() as u64, act };
            steps.push(taken.clone());
            meddle(&lockstep, taken.turn);
            take(&mut lockstep, &taken)?;
        }
        lockstep.compare()?;
        lockstep.compare_events()?;
        Ok(lockstep.coverage().clone())
    }
}

fn take(lockstep: &mut Lockstep, taken: &Taken) -> Result<(), Mismatch> {
    match &taken.act {
        Act::Step(step) => lockstep.step(taken.time, taken.turn, step),
        Act::Compare => lockstep.compare(),
        Act::Checkpoint => lockstep.checkpoint(),
        Act::Reorganise => lockstep.reorganise(),
    }
}

impl Difference {
    /// The same difference shown by fewer steps: some are left out as long as what is left still shows
    /// a difference of the same kind. First all calls of one function or of one caller together, then
    /// halves, then ever smaller parts.
    #[must_use]
    pub fn shrink(self) -> Self {
        self.shrink_with(|_, _| {})
    }

    /// The same for a history that was played with `meddle`.
    #[must_use]
    pub fn shrink_with(mut self, mut meddle: impl FnMut(&Lockstep, u64)) -> Self {
        let mut replays = 0;
        let mut keeps = |difference: &mut Self, fewer: &[Taken]| {
            replays += 1;
            if replays > MOST_REPLAYS {
                return false;
            }
            match replay(difference.history, fewer, &mut meddle) {
                Some((mismatch, shown_by)) if mismatch.is_like(&difference.mismatch) => {
                    difference.steps = fewer[..shown_by].to_vec();
                    difference.mismatch = mismatch;
                    true
                }
                _ => false,
            }
        };
        let functions: BTreeSet<_> = self.steps.iter().map(Taken::function).collect();
        for function in functions {
            let others = self.steps.iter().filter(|step| step.function() != function);
            let fewer: Vec<_> = others.cloned().collect();
            keeps(&mut self, &fewer);
        }
        let callers: BTreeSet<_> = self.steps.iter().filter_map(Taken::caller).collect();
        for caller in callers {
            let others = self.steps.iter().filter(|step| step.caller() != Some(caller));
            let fewer: Vec<_> = others.cloned().collect();
            keeps(&mut self, &fewer);
        }
        let mut part = self.steps.len().div_ceil(2);
        while part > 0 {
            let mut from = 0;
            let mut any = false;
            while from < self.steps.len() {
                let to = (from + part).min(self.steps.len());
                let fewer = [&self.steps[..from], &self.steps[to..]].concat();
                if keeps(&mut self, &fewer) {
                    any = true;
                } else {
                    from = to;
                }
            }
            // Once nothing single can be left out, that is it.
            part = if part == 1 && any { 1 } else { part / 2 };
        }
        self
    }
}

impl Taken {
    /// What it does, without whom and with what.
    fn function(&self) -> String {
        let name = match &self.act {
            Act::Step(step) => match &**step {
                Step::Call { call, .. } => {
                    let text = format!("{call:?}");
                    return text.split([' ', '}']).next().unwrap_or_default().to_owned();
                }
                Step::Transaction { .. } => "transaction",
                Step::Put(..) => "put",
                Step::Deploy(_) => "deploy",
            },
            Act::Compare => "compare",
            Act::Checkpoint | Act::Reorganise => "reorg",
        };
        name.to_owned()
    }

    /// Who does it, or where it is done.
    fn caller(&self) -> Option<Address> {
        let Act::Step(step) = &self.act else { return None };
        match &**step {
            Step::Call { caller, .. } | Step::Transaction { caller, .. } => Some(*caller),
            Step::Put(account, _) => Some(*account),
            Step::Deploy(_) => None,
        }
    }
}

/// The difference that these steps show, and how many of them it takes.
fn replay(
    history: History,
    steps: &[Taken],
    meddle: &mut impl FnMut(&Lockstep, u64),
) -> Option<(Mismatch, usize)> {
    let mut lockstep = match Company::new().lockstep(history.supply()) {
        Ok(lockstep) => lockstep,
        Err(mismatch) => return Some((mismatch, 0)),
    };
    for (index, taken) in steps.iter().enumerate() {
        meddle(&lockstep, taken.turn);
        if let Err(mismatch) = take(&mut lockstep, taken) {
            return Some((mismatch, index + 1));
        }
    }
    let end = lockstep.compare().and_then(|()| lockstep.compare_events());
    end.err().map(|mismatch| (mismatch, steps.len()))
}
