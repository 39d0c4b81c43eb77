//! The scheduled tasks, by time.

use std::collections::BTreeMap;

use canon_protocol::{Round, Slot, Timestamp};

/// A task. Numbers are indices of proposals and rollups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// The sequencers begin to signal for a proposal.
    Campaign { track: usize },
    /// A slot in which its proposer may signal.
    Signal { track: usize, slot: Slot },
    /// A round is over.
    RoundOver { track: usize, round: Round },
    /// The keeper pushes a round.
    Push { track: usize, round: Round },
    /// A holder locks power for a proposal.
    Lock { track: usize },
    /// The holders vote.
    Ballots { track: usize },
    /// The holders that wait for the last block of the vote cast their ballots.
    LateBallots { track: usize },
    /// The holders that wait for the last block for objections cast their ballots.
    Objections { track: usize },
    /// The vote is over.
    Close { track: usize },
    /// The gate of a payload opens.
    OpenGate { track: usize },
    /// The keeper executes.
    Execute { track: usize },
    /// The proposal can't be executed any more.
    TooLate { track: usize },
    /// The keeper stores that a proposal is dropped.
    Drop { track: usize },
    /// A few slots of all rollups are simulated, just after a switch.
    ShowSwitch,
    /// Announced moves are finished.
    Move { to: usize },
    /// Holders get their tokens back.
    Withdraw,
}

/// The tasks by time. Tasks of the same second are in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    tasks: BTreeMap<(Timestamp, u64), Task>,
    added: u64,
}

impl Agenda {
    pub(crate) fn add(&mut self, time: Timestamp, task: Task) {
        self.tasks.insert((time, self.added), task);
        self.added += 1;
    }

    /// Removes and returns the next task.
    pub(crate) fn next(&mut self) -> Option<(Timestamp, Task)> {
        self.tasks.pop_first().map(|((time, _), task)| (time, task))
    }

    /// Removes all tasks for which `unwanted` is true.
    pub(crate) fn cancel(&mut self, unwanted: impl Fn(Task) -> bool) {
        self.tasks.retain(|_, task| !unwanted(*task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_by_time_and_then_in_order() {
        let mut agenda = Agenda::default();
        agenda.add(Timestamp::of(2), Task::Withdraw);
        agenda.add(Timestamp::of(1), Task::ShowSwitch);
        agenda.add(Timestamp::of(2), Task::Move { to: 1 });
        assert_eq!(agenda.next(), Some((Timestamp::of(1), Task::ShowSwitch)));
        assert_eq!(agenda.next(), Some((Timestamp::of(2), Task::Withdraw)));
        agenda.cancel(|task| task == Task::Move { to: 1 });
        assert_eq!(agenda.next(), None);
    }
}
