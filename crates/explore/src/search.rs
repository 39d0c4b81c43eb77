//! Breadth-first search of a transition system.

use std::{collections::HashSet, fmt};

/// A transition system, and the checks that it must pass.
pub trait Model {
    /// A state.
    type State;
    /// A step from one state to the next.
    type Step: Clone;
    /// A violation in a state or a step.
    type Violation;

    /// The state from which the search starts.
    fn initial(&self) -> Self::State;

    /// The steps that are possible in `state`, each with the state that it leads to.
    fn successors(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// The identity of `state`. States with the same fingerprint must have the same fingerprints
    /// among their successors and the same violations: only one of them is explored.
    fn fingerprint(&self, state: &Self::State) -> u128;

    /// Checks `state` by itself.
    fn check_state(&self, state: &Self::State) -> Result<(), Self::Violation>;

    /// Checks the step from `before` to `after`.
    fn check_step(
        &self,
        before: &Self::State,
        step: &Self::Step,
        after: &Self::State,
    ) -> Result<(), Self::Violation>;
}

/// The size of the searched graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The number of distinct states.
    pub states: usize,
    /// The number of steps from all states.
    pub transitions: usize,
    /// The largest number of steps that a state is away from the initial one.
    pub depth: usize,
    /// Whether states at the depth limit were left without trying their steps.
    pub cut_off: bool,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, transitions, depth, cut_off } = self;
        let end = if *cut_off { " (cut off there)" } else { "" };
        write!(f, "{states} states, {transitions} transitions, depth {depth}{end}")
    }
}

/// A violation, and the shortest sequence of steps to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample<S, V> {
    /// The violation.
    pub violation: V,
    /// The steps from the initial state. The last one, or the state after it, has the violation.
    pub steps: Vec<S>,
}

/// Tries every step of every state that is at most `depth` steps away, nearest first. Calls `visit`
/// with the initial state and with the state after every step, seen before or not. Returns the first
/// violation found; no shorter sequence of steps leads to one.
pub fn search<M: Model>(
    model: &M,
    depth: usize,
    mut visit: impl FnMut(&M::State),
) -> Result<Figures, Counterexample<M::Step, M::Violation>> {
    let initial = model.initial();
    let mut seen = HashSet::from([model.fingerprint(&initial)]);
    let mut tree = Tree(Vec::new());
    let mut figures = Figures { states: 1, ..Figures::default() };
    visit(&initial);
    model.check_state(&initial).map_err(|violation| tree.counterexample(None, None, violation))?;
    let mut frontier = vec![(None, initial)];
    while !frontier.is_empty() && figures.depth < depth {
        let mut next = Vec::new();
        for (node, state) in frontier {
            for (step, successor) in model.successors(&state) {
                figures.transitions += 1;
                let is_new = seen.insert(model.fingerprint(&successor));
                model
                    .check_step(&state, &step, &successor)
                    .and_then(|()| if is_new { model.check_state(&successor) } else { Ok(()) })
                    .map_err(|violation| {
                        tree.counterexample(node, Some(step.clone()), violation)
                    })?;
                visit(&successor);
                if is_new {
                    next.push((Some(tree.push(node, step)), successor));
                }
            }
        }
        figures.states += next.len();
        figures.depth += usize::from(!next.is_empty());
        frontier = next;
    }
    figures.cut_off = !frontier.is_empty();
    Ok(figures)
}

/// For each state but the initial one, the step that first reached it and the node of the state before
/// that step.
struct Tree<S>(Vec<(Option<u32>, S)>);

impl<S: Clone> Tree<S> {
    fn push(&mut self, parent: Option<u32>, step: S) -> u32 {
        let node = u32::try_from(self.0.len()).expect("memory ends before 2^32 states");
        self.0.push((parent, step));
        node
    }

    fn counterexample<V>(
        &self,
        mut node: Option<u32>,
        last: Option<S>,
        violation: V,
    ) -> Counterexample<S, V> {
        let mut steps = Vec::from_iter(last);
        while let Some((parent, step)) = node.map(|index| &self.0[index as usize]) {
            steps.push(step.clone());
            node = *parent;
        }
        steps.reverse();
        Counterexample { violation, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jugs of 3 and 5 liters, one of which must never hold `forbidden`.
    struct Jugs {
        forbidden: u8,
    }

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Act {
        Fill(usize),
        Empty(usize),
        Pour { from: usize },
    }

    const SIZES: [u8; 2] = [3, 5];

    impl Model for Jugs {
        type State = [u8; 2];
        type Step = Act;
        type Violation = [u8; 2];

        fn initial(&self) -> [u8; 2] {
            [0, 0]
        }

        fn successors(&self, state: &[u8; 2]) -> Vec<(Act, [u8; 2])> {
            let acts = |jug| [Act::Fill(jug), Act::Empty(jug), Act::Pour { from: jug }];
            let after = |act: &Act| {
                let mut jugs = *state;
                match *act {
                    Act::Fill(jug) => jugs[jug] = SIZES[jug],
                    Act::Empty(jug) => jugs[jug] = 0,
                    Act::Pour { from } => {
                        let poured = jugs[from].min(SIZES[1 - from] - jugs[1 - from]);
                        jugs[from] -= poured;
                        jugs[1 - from] += poured;
                    }
                }
                jugs
            };
            (0..2).flat_map(acts).map(|act| (act.clone(), after(&act))).collect()
        }

        fn fingerprint(&self, state: &[u8; 2]) -> u128 {
            u128::from(u16::from_le_bytes(*state))
        }

        fn check_state(&self, state: &[u8; 2]) -> Result<(), [u8; 2]> {
            if state.contains(&self.forbidden) { Err(*state) } else { Ok(()) }
        }

        fn check_step(&self, _: &[u8; 2], _: &Act, _: &[u8; 2]) -> Result<(), [u8; 2]> {
            Ok(())
        }
    }

    #[test]
    fn the_shortest_way_is_found() {
        let counterexample = search(&Jugs { forbidden: 4 }, 9, |_| {}).unwrap_err();
        assert_eq!(counterexample.violation, [3, 4]);
        let [big, pour] = [Act::Fill(1), Act::Pour { from: 1 }];
        let expected = [big.clone(), pour.clone(), Act::Empty(0), pour.clone(), big, pour];
        assert_eq!(counterexample.steps, expected);
    }

    #[test]
    fn every_state_is_expanded_once() {
        let mut visited = Vec::new();
        let figures = search(&Jugs { forbidden: 9 }, usize::MAX, |state| visited.push(*state));
        let expected = Figures { states: 16, transitions: 96, depth: 7, cut_off: false };
        assert_eq!(figures, Ok(expected));
        assert_eq!(visited.len(), 1 + 96, "where each step leads");
        visited.sort_unstable();
        visited.dedup();
        assert_eq!(visited.len(), 16);
    }

    #[test]
    fn a_limit_cuts_the_search_off() {
        let jugs = Jugs { forbidden: 4 };
        let expected = Figures { states: 6, transitions: 18, depth: 2, cut_off: true };
        assert_eq!(search(&jugs, 2, |_| {}), Ok(expected));
        assert_eq!(search(&jugs, 6, |_| {}).unwrap_err().steps.len(), 6);
        assert!(search(&jugs, 5, |_| {}).is_ok());
    }

    #[test]
    fn the_initial_state_is_checked() {
        let counterexample = search(&Jugs { forbidden: 0 }, 9, |_| {}).unwrap_err();
        assert_eq!(counterexample, Counterexample { violation: [0, 0], steps: Vec::new() });
    }
}
