//! Histories that are generated from a seed.

use crate::{
    coverage::Coverage,
    genesis::{KeyedAccounts, Supply},
    lockstep::Lockstep,
    mismatch::Mismatch,
    names::{Names, shown},
};
use canon_protocol::Timestamp;
use canon_testkit::histories::{Director, Rate, Rng, Step};
use core::fmt;

/// A recorded step of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedStep {
    /// The planned time of the step.
    pub(crate) time: Timestamp,
    /// The number of steps before it in the history.
    pub(crate) index: u64,
    /// The action of the step.
    pub(crate) action: RecordedAction,
}

/// The action of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordedAction {
    /// A step that the director chose.
    Step(Box<Step>),
    /// Every view is compared.
    Compare,
    /// The chain is saved here, so that it can be reverted to this block.
    Checkpoint,
    /// The chain is reverted to the newest checkpoint that hasn't been used.
    Reorganize,
}

impl fmt::Display for RecordedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.time)?;
        match &self.action {
            RecordedAction::Step(step) => match &**step {
                Step::Call { caller, contract, call } => {
                    write!(f, "{caller} calls {contract}: {call:?}")
                }
                Step::Transaction { caller, target, data } => {
                    write!(f, "{caller} calls {target} with {data}")
                }
                Step::Put(account, put) => {
                    write!(f, "{account} gets the code of {}", shown(put))
                }
                Step::Deploy(deployment) => write!(f, "deployed: {deployment:?}"),
            },
            RecordedAction::Compare => f.write_str("the whole state is compared"),
            RecordedAction::Checkpoint => f.write_str("checkpoint"),
            RecordedAction::Reorganize => f.write_str("the chain goes back to the last checkpoint"),
        }
    }
}

/// A history that is generated from one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// The seed. With an even seed each block has one call, with an odd one several. Every fourth seed
    /// begins with nearly the largest supply of the asset.
    pub seed: u64,
    /// The least number of calls.
    pub calls: u64,
}

/// A difference between the rules and the bytecode, with the steps that reproduce it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Difference {
    /// The history in which it was found.
    pub history: History,
    /// The difference.
    pub mismatch: Mismatch,
    /// The steps that reproduce it, after the opening that every history has.
    pub steps: Vec<RecordedStep>,
    /// The result of shrinking; `None` if the steps haven't been shrunk.
    pub shrunk: Option<Shrunk>,
}

/// The result of shrinking a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The original number of steps.
    pub from: usize,
    /// The number of replays that shrinking took.
    pub replays: usize,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Names::new(&self.steps);
        let History { seed, calls } = self.history;
        writeln!(f, "seed {seed}, {calls} calls: {}", names.named(&self.mismatch.to_string()))?;
        write!(f, "shown by these {} steps", self.steps.len())?;
        if let Some(Shrunk { from, replays }) = self.shrunk {
            write!(f, " (of {from}, after {replays} replays)")?;
        }
        writeln!(f, ":")?;
        for step in &self.steps {
            writeln!(f, "  {}", names.named(&step.to_string()))?;
        }
        write!(f, "replay with `cargo xtask differential --seed {seed} --calls {calls}`")
    }
}

/// The mean number of steps between two comparisons, two checkpoints and two reorganizations.
const STEPS_BETWEEN_COMPARISONS: u64 = 600;
const STEPS_BETWEEN_CHECKPOINTS: u64 = 150;
const STEPS_BETWEEN_REORGS: u64 = 400;

impl History {
    /// Runs the history and compares both sides in every step.
    ///
    /// # Errors
    ///
    /// The first difference, with all steps up to it; [`Difference::shrink`] reduces them.
    pub fn run(self) -> Result<Coverage, Box<Difference>> {
        self.run_with(|_, _| {})
    }

    /// As [`Self::run`], but calls `before_step` before each step with its index. A test uses it to plant
    /// faults and check that they are found.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn run_with(
        self,
        mut before_step: impl FnMut(&Lockstep, u64),
    ) -> Result<Coverage, Box<Difference>> {
        let mut steps = Vec::new();
        self.record(&mut steps, &mut before_step).map_err(|mismatch| {
            Box::new(Difference { history: self, mismatch, steps, shrunk: None })
        })
    }

    pub(crate) const fn supply(self) -> Supply {
        if self.seed % 4 == 3 { Supply::NearlyAll } else { Supply::Usual }
    }

    fn record(
        self,
        steps: &mut Vec<RecordedStep>,
        before_step: &mut impl FnMut(&Lockstep, u64),
    ) -> Result<Coverage, Mismatch> {
        let accounts = KeyedAccounts::new();
        let mut lockstep = accounts.lockstep(self.supply())?;
        let rate =
            if self.seed.is_multiple_of(2) { Rate::OneCallPerBlock } else { Rate::SharedBlocks };
        let mut director = Director::new(self.seed, accounts.all.clone(), rate, accounts.signer());
        let mut rng = Rng::new(!self.seed);
        while lockstep.coverage().calls < self.calls {
            let now = lockstep.now();
            let (time, action) = if rng.chance(1, STEPS_BETWEEN_COMPARISONS) {
                (now, RecordedAction::Compare)
            } else if rng.chance(1, STEPS_BETWEEN_CHECKPOINTS) {
                (now, RecordedAction::Checkpoint)
            } else if rng.chance(1, STEPS_BETWEEN_REORGS) {
                (now, RecordedAction::Reorganize)
            } else {
                let (wait, step) = director.next(lockstep.set(), now, lockstep.foreign());
                (now + wait, RecordedAction::Step(Box::new(step)))
            };
            let recorded = RecordedStep { time, index: steps.len() as u64, action };
            steps.push(recorded.clone());
            before_step(&lockstep, recorded.index);
            take(&mut lockstep, &recorded)?;
        }
        lockstep.compare()?;
        lockstep.compare_events()?;
        Ok(lockstep.coverage().clone())
    }
}

pub(crate) fn take(lockstep: &mut Lockstep, recorded: &RecordedStep) -> Result<(), Mismatch> {
    match &recorded.action {
        RecordedAction::Step(step) => lockstep.step(recorded.time, recorded.index, step),
        RecordedAction::Compare => lockstep.compare(),
        RecordedAction::Checkpoint => lockstep.checkpoint(),
        RecordedAction::Reorganize => lockstep.reorganize(),
    }
}
