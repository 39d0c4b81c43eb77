//! The search of a small scope.

use crate::{
    accounts::Holder,
    fingerprint::fingerprint,
    payloads::{Payload, Payloads},
    properties::{Property, Violation},
    scope::Scope,
    search::{Counterexample, Figures, Model, search},
    start::start,
    state::State,
    steps::{Decide, Step, apply, successors},
    views::Views,
};
use canon_protocol::{
    Ending, Payment, ProposalId, ProposalState, Seconds, SetState, Support, Timestamp, WithdrawalId,
};
use std::{collections::BTreeSet, fmt};

/// A scope, the rules that it is explored with, and the properties that must hold in it.
#[derive(Debug)]
pub struct Exploration {
    scope: Scope,
    payloads: Payloads,
    start: State,
    /// The decision of the rules.
    pub decide: Decide,
    /// The views of the rules that properties of a state are checked with.
    pub views: Views,
    /// The properties that must hold.
    pub properties: Vec<Property>,
    /// The largest number of steps of a run that is tried.
    pub depth: usize,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The size of the scope.
    pub figures: Figures,
    /// The states in which a proposal was observed.
    pub reached: BTreeSet<ProposalState>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; proposals were", self.figures)?;
        let list = |names: Vec<String>| match names.as_slice() {
            [] => " never".to_owned(),
            names => format!(" {}", names.join(", ")),
        };
        f.write_str(&list(self.reached.iter().map(ToString::to_string).collect()))
    }
}

/// The shortest sequence of steps to a violation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Trace {
    /// The name of the scope.
    pub scope: &'static str,
    /// The steps, each with the number of seconds from the start to its end.
    pub steps: Vec<(Seconds, Step)>,
    /// The violation after the last of them.
    pub violation: Violation,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, steps, violation } = self;
        write!(f, "{violation}\nthe shortest way there, in the scope `{scope}`:")?;
        for (index, (seconds, step)) in steps.iter().enumerate() {
            // The time of the next call shows the length of a wait.
            if !matches!(step, Step::Wait(_)) || index + 1 == steps.len() {
                write!(f, "\n{seconds:>6} s  {step}")?;
            }
        }
        Ok(())
    }
}

impl Exploration {
    /// The exploration of `scope` with the real rules and [`Property::ALL`], without a limit of
    /// depth.
    pub fn new(scope: &Scope) -> Self {
        let payloads = Payloads::new();
        Self {
            scope: scope.clone(),
            start: start(scope, &payloads),
            payloads,
            decide: SetState::decide,
            views: Views::RULES,
            properties: Property::ALL.to_vec(),
            depth: usize::MAX,
        }
    }

    /// Tries every step in every reachable state.
    pub fn run(&self) -> Result<Report, Box<Trace>> {
        let mut reached = BTreeSet::new();
        let figures = search(self, self.depth, |state: &State| {
            let governance = state.governance();
            let proposals = governance.proposals().iter();
            reached.extend(proposals.map(|proposal| governance.state(proposal, state.now)));
        });
        match figures {
            Ok(figures) => Ok(Report { figures, reached }),
            Err(counterexample) => Err(Box::new(self.trace(counterexample))),
        }
    }

    fn trace(&self, Counterexample { violation, steps }: Counterexample<Step, Violation>) -> Trace {
        let mut state = self.start.clone();
        let steps = steps.into_iter().map(|step| {
            state = self.apply(&state, step).expect("the step was possible");
            (state.now.since(self.start.now).unwrap_or_default(), step)
        });
        Trace { scope: self.scope.name, steps: steps.collect(), violation }
    }

    fn apply(&self, state: &State, step: Step) -> Option<State> {
        apply(self.decide, &self.payloads, state, step)
    }

    /// The last second in which steps are tried.
    fn end(&self) -> Timestamp {
        let seconds = self.scope.seconds.map(Seconds::of);
        seconds.map_or(Timestamp::MAX, |seconds| self.start.now + seconds)
    }

    /// Whether the holders can make Governance act from `state` on, whatever happened before: they
    /// wait for their withdrawals, lock everything, propose through the lock, vote and execute.
    fn holders_can_act(&self, state: &State) -> Result<(), String> {
        let mut state = state.clone();
        // Repeats a step as often as it is allowed.
        let repeat = |state: &mut State, step| {
            while let Some(next) = self.apply(state, step) {
                *state = next;
            }
        };
        let due = |state: &State| {
            let withdrawals = (0..).map(WithdrawalId::of).zip(state.governance().withdrawals());
            let due = withdrawals.filter(|(_, it)| it.payment == Payment::Due);
            due.map(|(id, it)| (id, it.unlocks_at)).collect::<Vec<_>>()
        };
        for (id, unlocks_at) in due(&state) {
            state.now = state.now.max(unlocks_at);
            repeat(&mut state, Step::Finalize(id));
        }
        for holder in Holder::ALL {
            repeat(&mut state, Step::Deposit(holder));
        }

        let lock_amount = state.governance().configuration().propose_config.lock_amount;
        let rich = Holder::ALL
            .into_iter()
            .find(|holder| state.governance().power(holder.address()) >= lock_amount);
        let rich = rich.ok_or_else(|| format!("no holder can raise {lock_amount}"))?;
        let id = ProposalId::of(state.governance().proposals().len() as u64);
        state = self
            .apply(&state, Step::Propose(rich, Payload::Harmless))
            .ok_or_else(|| format!("{rich} can't propose"))?;
        let deadlines = state.governance().proposals().last().map(|it| it.deadlines());
        let deadlines = deadlines.ok_or_else(|| "nothing was proposed".to_owned())?;
        state.now = deadlines.voting_starts();
        for holder in Holder::ALL {
            repeat(&mut state, Step::Vote(holder, id, Support::Yea));
        }
        state.now = deadlines.earliest_execution();
        let executed = self.apply(&state, Step::Execute(id));
        let ending = executed.and_then(|it| Some(it.governance().proposals().last()?.ending()));
        if ending == Some(Ending::Executed) {
            return Ok(());
        }
        Err(format!("a proposal for which everybody voted isn't executed: {ending:?}"))
    }
}

impl Model for Exploration {
    type State = State;
    type Step = Step;
    type Violation = Violation;

    fn initial(&self) -> State {
        self.start.clone()
    }

    fn successors(&self, state: &State) -> Vec<(Step, State)> {
        successors(&self.scope, self.end(), self.decide, &self.payloads, state)
    }

    fn fingerprint(&self, state: &State) -> u128 {
        fingerprint(&self.scope, self.end(), state)
    }

    fn check_state(&self, state: &State) -> Result<(), Violation> {
        self.properties.iter().try_for_each(|property| property.check_state(state, &self.views))?;
        if self.scope.holders_can_act {
            let claim = "the holders can make Governance act";
            self.holders_can_act(state).map_err(|found| Violation { claim, found })?;
        }
        Ok(())
    }

    fn check_step(&self, before: &State, step: &Step, after: &State) -> Result<(), Violation> {
        self.properties.iter().try_for_each(|property| property.check_step(before, *step, after))
    }
}
