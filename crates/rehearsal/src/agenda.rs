//! The tasks to come, by time.

use std::collections::BTreeMap;

use canon_protocol::{Round, Slot, Timestamp};

/// Something to be done. Numbers are indices of proposals and rollups.
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
    /// A holder gives up power for a proposal.
    Lock { track: usize },
    /// The holders vote.
    Ballots { track: usize },
    /// Those vote who waited for the last block of the vote.
    LateBallots { track: usize },
    /// Those object who waited for the last block in which objections are taken.
    Objections { track: usize },
    /// The vote is over.
    Close { track: usize },
    /// The gate of a payload opens.
    OpenGate { track: usize },
    /// The keeper executes.
    Execute { track: usize },
    /// Nothing can be executed any more.
    TooLate { track: usize },
    /// Somebody stores that a proposal is dropped.
    Drop { track: usize },
    /// A few slots of all rollups, just after a switch.
    ShowSwitch,
    /// Announced moves are finished.
    Move { to: usize },
    /// Holders get their tokens back.
    Withdraw,
}

/// Tasks by time; those of the same second in the order in which they were added.
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

    /// The next task, which is taken off the agenda.
    pub(crate) fn next(&mut self) -> Option<(Timestamp, Task)> {
        self.tasks.pop_first().map(|((time, _), task)| (time, task))
    }

    /// Takes off all tasks of a kind.
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
