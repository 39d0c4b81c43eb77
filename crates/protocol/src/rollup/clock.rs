//! Slots and epochs of a rollup.
//!
//! `slot = (timestamp − GENESIS_TIME) / SLOT_DURATION`, `epoch = slot / EPOCH_DURATION`, both
//! rounded down. Slot 0 is an ordinary slot.

use crate::units::{Epoch, Seconds, Slot, Timestamp};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// The division of a rollup's time into slots and epochs, by `GENESIS_TIME`, `SLOT_DURATION` and
/// `EPOCH_DURATION`.
///
/// With a genesis of 1000, slots of 24 s and epochs of 2 slots:
///
/// | timestamp | slot | epoch |
/// |---|---|---|
/// | 999 | none | none |
/// | 1000 … 1023 | 0 | 0 |
/// | 1024 … 1047 | 1 | 0 |
/// | 1048 | 2 | 1 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotClock {
    /// First second of slot 0.
    pub genesis: Timestamp,
    /// Length of a slot in seconds.
    pub slot_duration: NonZeroU64,
    /// Length of an epoch in slots.
    pub epoch_duration: NonZeroU64,
}

impl SlotClock {
    /// The slot of `time`, or `None` before genesis.
    pub fn slot_at(&self, time: Timestamp) -> Option<Slot> {
        time.since(self.genesis).map(|age| Slot::of(age.get() / self.slot_duration))
    }

    /// The epoch of `time`, or `None` before genesis.
    pub fn epoch_at(&self, time: Timestamp) -> Option<Epoch> {
        self.slot_at(time).map(|slot| self.epoch_of(slot))
    }

    /// The epoch that `slot` belongs to.
    pub fn epoch_of(&self, slot: Slot) -> Epoch {
        Epoch::of(slot.get() / self.epoch_duration)
    }

    /// First second of `slot`, or `None` if no block can be that late.
    pub fn slot_start(&self, slot: Slot) -> Option<Timestamp> {
        let age = slot.get().checked_mul(self.slot_duration.get()).and_then(Seconds::new)?;
        self.genesis.checked_add(age)
    }

    /// Last second of `slot`, or `None` if no block can be that late.
    pub fn slot_end(&self, slot: Slot) -> Option<Timestamp> {
        self.slot_start(slot)?.checked_add(Seconds::new(self.slot_duration.get() - 1)?)
    }

    /// First slot of `epoch`, or `None` if there is none.
    pub fn first_slot(&self, epoch: Epoch) -> Option<Slot> {
        epoch.get().checked_mul(self.epoch_duration.get()).map(Slot::of)
    }

    /// First second of `epoch`, or `None` if no block can be that late.
    pub fn epoch_start(&self, epoch: Epoch) -> Option<Timestamp> {
        self.slot_start(self.first_slot(epoch)?)
    }

    /// Last second of `epoch`, or `None` if no block can be that late.
    pub fn epoch_end(&self, epoch: Epoch) -> Option<Timestamp> {
        self.slot_end(self.first_slot(epoch.next())?.previous()?)
    }

    /// The number of slots of its epoch before `slot`.
    pub fn position_in_epoch(&self, slot: Slot) -> u64 {
        slot.get() % self.epoch_duration
    }

    /// Whether `slot` is the first of its epoch, in which no seed is recorded.
    pub fn is_first_of_epoch(&self, slot: Slot) -> bool {
        self.position_in_epoch(slot) == 0
    }

    /// The epoch whose seed a call in `slot` records, unless it is recorded already: the next one. `None`
    /// in the first slot of an epoch, because the proposer of the last L1 block before the epoch knows the
    /// randomness of the block after it.
    pub fn recordable_epoch(&self, slot: Slot) -> Option<Epoch> {
        (!self.is_first_of_epoch(slot)).then(|| self.epoch_of(slot).next())
    }

    /// Whether the contract returns the set and the seed of `epoch` at `now`: it does for the present and
    /// the next epoch.
    pub fn is_answered(&self, epoch: Epoch, now: Timestamp) -> bool {
        let present = self.epoch_at(now);
        matches!(present.and_then(|present| epoch.steps_since(present)), Some(0 | 1))
    }

    /// The first second in which a call in `epoch` can record the seed of the next epoch: that of its
    /// second slot. `None` if no block can be that late.
    pub fn seed_recording_start(&self, epoch: Epoch) -> Option<Timestamp> {
        self.slot_start(self.first_slot(epoch)?.next())
    }

    /// The number of seconds of an epoch after its first slot, in which a seed can be recorded.
    pub fn seconds_after_first_slot(&self) -> u128 {
        u128::from(self.epoch_duration.get() - 1) * u128::from(self.slot_duration.get())
    }

    /// The number of seconds of two epochs: the least `EXIT_DELAY`, since a member may be drawn for up to
    /// two epochs after it left the set.
    pub fn two_epochs(&self) -> u128 {
        2 * u128::from(self.slot_duration.get()) * u128::from(self.epoch_duration.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: SlotClock = SlotClock {
        genesis: Timestamp::of(1000),
        slot_duration: NonZeroU64::new(24).unwrap(),
        epoch_duration: NonZeroU64::new(2).unwrap(),
    };

    #[test]
    fn slots_and_epochs_begin_with_their_first_second() {
        for (time, slot, epoch) in [
            (999, None, None),
            (1000, Some(0), Some(0)),
            (1023, Some(0), Some(0)),
            (1024, Some(1), Some(0)),
            (1047, Some(1), Some(0)),
            (1048, Some(2), Some(1)),
        ] {
            let time = Timestamp::of(time);
            assert_eq!(CLOCK.slot_at(time), slot.map(Slot::of), "slot at {time}");
            assert_eq!(CLOCK.epoch_at(time), epoch.map(Epoch::of), "epoch at {time}");
        }
    }

    #[test]
    fn a_slot_is_the_seconds_from_its_start_to_its_end() {
        let slot = Slot::of(3);
        assert_eq!(CLOCK.slot_start(slot), Some(Timestamp::of(1072)));
        assert_eq!(CLOCK.slot_end(slot), Some(Timestamp::of(1095)));
        assert_eq!(CLOCK.first_slot(Epoch::of(2)), Some(Slot::of(4)));
        assert_eq!(CLOCK.epoch_start(Epoch::of(2)), Some(Timestamp::of(1096)));
        assert_eq!(CLOCK.slot_start(Slot::MAX), None);
        assert_eq!(CLOCK.two_epochs(), 96);
        assert_eq!(CLOCK.seed_recording_start(Epoch::of(2)), Some(Timestamp::of(1120)));
        assert_eq!(CLOCK.seconds_after_first_slot(), 24);
        assert_eq!(CLOCK.epoch_end(Epoch::of(2)), Some(Timestamp::of(1143)));
        let firsts = (0..5).map(Slot::of).filter(|slot| CLOCK.is_first_of_epoch(*slot));
        assert_eq!(firsts.collect::<Vec<_>>(), [0, 2, 4].map(Slot::of));
    }

    #[test]
    fn a_slot_but_the_first_of_its_epoch_can_record_the_seed_of_the_next() {
        let epochs = [0, 1, 2, 3, 4, 5].map(|slot| CLOCK.recordable_epoch(Slot::of(slot)));
        assert_eq!(epochs, [None, Some(1), None, Some(2), None, Some(3)].map(|e| e.map(Epoch::of)));
    }

    #[test]
    fn the_present_and_the_next_epoch_are_answered() {
        for (now, answered) in [(999, vec![]), (1000, vec![0, 1]), (1096, vec![2, 3])] {
            let is_answered =
                |epoch: &u64| CLOCK.is_answered(Epoch::of(*epoch), Timestamp::of(now));
            assert_eq!((0..6).filter(is_answered).collect::<Vec<_>>(), answered, "at {now}");
        }
    }
}
