//! Power: what was locked, and when.

use crate::{
    checkpoints::Checkpoints,
    refusal::{Applied, ApplyError},
    units::{Amount, Timestamp},
};
use alloy_primitives::{Address, map::AddressMap};

/// The power of every holder and of all together, at every time.
///
/// Looking up takes a binary search in one history, however many holders there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Power {
    holders: AddressMap<Checkpoints<Timestamp, Amount>>,
    total: Checkpoints<Timestamp, Amount>,
}

impl Power {
    /// The power of `holder` now.
    pub(super) fn of(&self, holder: Address) -> Amount {
        self.holders.get(&holder).and_then(Checkpoints::latest).copied().unwrap_or_default()
    }

    /// All power now.
    pub(super) fn total(&self) -> Amount {
        self.total.latest().copied().unwrap_or_default()
    }

    /// The power of `holder` at the end of second `time`.
    pub(super) fn of_at(&self, holder: Address, time: Timestamp) -> Amount {
        let history = self.holders.get(&holder);
        history.and_then(|history| history.at(time)).copied().unwrap_or_default()
    }

    /// All power at the end of second `time`.
    pub(super) fn total_at(&self, time: Timestamp) -> Amount {
        self.total.at(time).copied().unwrap_or_default()
    }

    /// Everybody who ever had power with what it is now, in no order.
    pub(super) fn holders(&self) -> impl Iterator<Item = (Address, Amount)> {
        self.holders
            .iter()
            .map(|(holder, history)| (*holder, history.latest().copied().unwrap_or_default()))
    }

    pub(super) fn raise(&mut self, holder: Address, amount: Amount, now: Timestamp) -> Applied {
        let sum = self.of(holder).checked_add(amount).ok_or(ApplyError::Amount)?;
        let total = self.total().checked_add(amount).ok_or(ApplyError::Amount)?;
        self.set(holder, sum, total, now);
        Ok(())
    }

    pub(super) fn lower(&mut self, holder: Address, amount: Amount, now: Timestamp) -> Applied {
        let rest = self.of(holder).checked_sub(amount).ok_or(ApplyError::Amount)?;
        let total = self.total().checked_sub(amount).ok_or(ApplyError::Amount)?;
        self.set(holder, rest, total, now);
        Ok(())
    }

    fn set(&mut self, holder: Address, amount: Amount, total: Amount, now: Timestamp) {
        self.holders.entry(holder).or_default().set(now, amount);
        self.total.set(now, total);
    }
}
