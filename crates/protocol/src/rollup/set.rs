//! The members of an epoch's set, and the seed that draws a proposer from them for each slot.
//!
//! The set of epoch `e` has the members that the rollup had when epoch `e − 1` began. The seed of `e` is
//! `prevrandao` at the first call in `e − 1` that changes the rollup, except for calls in the first slot of
//! `e − 1`. So the set is closed before its seed is known, and nobody can change a draw by joining or
//! leaving. An epoch for which no seed was recorded has no proposers.
//!
//! | a member joins or leaves in epoch | the first set that shows it is that of epoch |
//! |---|---|
//! | `e − 2` or before | `e` |
//! | `e − 1` | `e + 1` |
//! | `e` | `e + 2` |

use super::draw;
use crate::{
    apply_error::{Applied, ApplyError, Subject},
    checkpoints::Checkpoints,
    stored::{Restored, require},
    units::{Epoch, Slot},
};
use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of a registration. An attester that leaves and joins again gets another one, so that
/// closed sets keep the keys with which their members joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Registration(pub(super) u32);

/// The seats of the set and the registrations that have had them, by epoch, and the seeds.
///
/// Members have seats 0 to size − 1 without a gap: a new member takes the next one, and when a member
/// leaves, the member of the last seat takes the empty one. The order matters, since a draw results in the
/// number of a seat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seats {
    size: Checkpoints<Epoch, u32>,
    members: Vec<Checkpoints<Epoch, Registration>>,
    seeds: BTreeMap<Epoch, U256>,
}

impl Seats {
    /// The present number of members.
    pub(super) fn size(&self) -> u32 {
        self.size.latest().copied().unwrap_or_default()
    }

    /// The present members, by seat.
    pub(super) fn members(&self) -> impl Iterator<Item = Registration> {
        self.members.iter().take(self.size() as usize).filter_map(|seat| seat.latest().copied())
    }

    /// The size of the set of `epoch`.
    pub(super) fn size_of(&self, epoch: Epoch) -> u32 {
        last_change_of(epoch).and_then(|last| self.size.at(last)).copied().unwrap_or_default()
    }

    /// Member number `index` of the set of `epoch`, or `None` if the set is smaller.
    pub(super) fn member_of(&self, epoch: Epoch, index: u32) -> Option<Registration> {
        if index >= self.size_of(epoch) {
            return None;
        }
        self.members.get(index as usize)?.at(last_change_of(epoch)?).copied()
    }

    /// The seed of `epoch`, if one was recorded.
    pub(super) fn seed_of(&self, epoch: Epoch) -> Option<U256> {
        self.seeds.get(&epoch).copied()
    }

    /// The epochs with a seed, oldest first.
    pub(super) fn seeded_epochs(&self) -> impl Iterator<Item = Epoch> {
        self.seeds.keys().copied()
    }

    /// The member that proposes in `slot` of `epoch`, or `None` if there is no seed or the set is empty.
    pub(super) fn draw(&self, epoch: Epoch, slot: Slot) -> Option<Registration> {
        let size = self.size_of(epoch);
        let index = draw(self.seed_of(epoch)?, slot, u64::from(size))?;
        self.member_of(epoch, u32::try_from(index).ok()?)
    }

    /// Records the seed of `epoch`, which must not have one yet.
    pub(super) fn record_seed(&mut self, epoch: Epoch, seed: U256) -> Applied {
        if self.seeds.contains_key(&epoch) {
            return Err(ApplyError::Duplicate(Subject::Seed(epoch)));
        }
        self.seeds.insert(epoch, seed);
        Ok(())
    }

    /// Checks that the present members have these seats, that closed sets aren't larger than the number
    /// of seats, and that all members are among the first `registrations`.
    pub(super) fn check(
        &self,
        members: BTreeMap<u32, Registration>,
        registrations: usize,
    ) -> Restored {
        require(members.into_iter().eq((0..).zip(self.members())), || {
            "the seats aren't those of the members".to_owned()
        })?;
        require(self.size.iter().all(|(_, size)| *size as usize <= self.members.len()), || {
            "a set is larger than the number of seats".to_owned()
        })?;
        let holders = self.members.iter().flat_map(Checkpoints::iter);
        let mut numbers = holders.map(|(_, Registration(number))| *number as usize);
        require(numbers.all(|number| (1..=registrations).contains(&number)), || {
            "a seat has a member that never registered".to_owned()
        })
    }

    /// Adds `member` in `epoch`. Returns its seat.
    pub(super) fn join(&mut self, epoch: Epoch, member: Registration) -> u32 {
        let seat = self.size();
        self.size.set(epoch, seat + 1);
        if self.members.len() == seat as usize {
            self.members.push(Checkpoints::default());
        }
        self.members[seat as usize].set(epoch, member);
        seat
    }

    /// Removes the member of `seat` in `epoch`. Returns the member that takes the seat, or `None` if it was
    /// the last seat.
    pub(super) fn leave(&mut self, epoch: Epoch, seat: u32) -> Option<Registration> {
        let last = self.size().checked_sub(1)?;
        self.size.set(epoch, last);
        if seat == last {
            return None;
        }
        let moved = *self.members.get(last as usize)?.latest()?;
        self.members.get_mut(seat as usize)?.set(epoch, moved);
        Some(moved)
    }
}

/// The last epoch whose joins and leaves count for the set of `epoch`. `None` for epochs 0 and 1, whose
/// sets are empty.
const fn last_change_of(epoch: Epoch) -> Option<Epoch> {
    match epoch.previous() {
        Some(previous) => previous.previous(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of(seats: &Seats, epoch: u64) -> Vec<u32> {
        let epoch = Epoch::of(epoch);
        (0..seats.size_of(epoch)).map(|index| seats.member_of(epoch, index).unwrap().0).collect()
    }

    #[test]
    fn a_change_shows_in_the_set_two_epochs_later() {
        let mut seats = Seats::default();
        seats.join(Epoch::of(0), Registration(1));
        seats.join(Epoch::of(0), Registration(2));
        seats.join(Epoch::of(1), Registration(3));
        assert_eq!(seats.leave(Epoch::of(3), 0), Some(Registration(3)));
        for (epoch, set) in [
            (0, vec![]),
            (1, vec![]),
            (2, vec![1, 2]),
            (3, vec![1, 2, 3]),
            (4, vec![1, 2, 3]),
            (5, vec![3, 2]),
        ] {
            assert_eq!(set_of(&seats, epoch), set, "the set of {epoch}");
        }
    }

    #[test]
    fn a_seat_that_fell_out_of_the_set_is_remembered() {
        let mut seats = Seats::default();
        seats.join(Epoch::of(0), Registration(1));
        seats.join(Epoch::of(0), Registration(2));
        assert_eq!(seats.leave(Epoch::of(2), 1), None);
        assert_eq!(seats.join(Epoch::of(2), Registration(3)), 1);
        assert_eq!(set_of(&seats, 3), [1, 2]);
        assert_eq!(set_of(&seats, 4), [1, 3]);
    }

    #[test]
    fn an_epoch_without_its_own_seed_has_no_draw() {
        let mut seats = Seats::default();
        seats.join(Epoch::of(0), Registration(1));
        seats.record_seed(Epoch::of(2), U256::ZERO).unwrap();
        seats.record_seed(Epoch::of(4), U256::from(44)).unwrap();
        let repeated = Err(ApplyError::Duplicate(Subject::Seed(Epoch::of(4))));
        assert_eq!(seats.record_seed(Epoch::of(4), U256::from(45)), repeated);
        for (epoch, seed) in [(1, None), (2, Some(0)), (3, None), (4, Some(44)), (5, None)] {
            let epoch = Epoch::of(epoch);
            assert_eq!(seats.seed_of(epoch), seed.map(U256::from), "seed of {epoch}");
            let drawn = seats.draw(epoch, Slot::ZERO);
            assert_eq!(drawn, seed.map(|_| Registration(1)), "draw of {epoch}");
        }
        assert_eq!(set_of(&seats, 3), [1], "the set doesn't depend on the seed");
    }
}
