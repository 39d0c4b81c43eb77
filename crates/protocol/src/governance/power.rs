//! Power: the locked amounts, and their history.

use crate::{
    apply_error::{Applied, Holding},
    checkpoints::Checkpoints,
    stored::{Restored, sorted},
    units::{Amount, Timestamp},
};
use alloy_primitives::{Address, map::AddressMap};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The power of every holder and the total power, at every time.
///
/// Looking up a value takes a binary search in one history, whatever the number of holders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Power {
    #[serde(with = "sorted")]
    holders: AddressMap<Checkpoints<Timestamp, Amount>>,
    /// The sum of the power of all holders at every time.
    #[serde(skip)]
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

    /// All accounts that ever had power, with their power now, in no order.
    pub(super) fn holders(&self) -> impl Iterator<Item = (Address, Amount)> {
        self.holders
            .iter()
            .map(|(holder, history)| (*holder, history.latest().copied().unwrap_or_default()))
    }

    pub(super) fn raise(&mut self, holder: Address, amount: Amount, now: Timestamp) -> Applied {
        let sum = Holding::Power(holder).add(self.of(holder), amount)?;
        let total = Holding::TotalPower.add(self.total(), amount)?;
        self.set(holder, sum, total, now);
        Ok(())
    }

    pub(super) fn lower(&mut self, holder: Address, amount: Amount, now: Timestamp) -> Applied {
        let rest = Holding::Power(holder).take(self.of(holder), amount)?;
        let total = Holding::TotalPower.take(self.total(), amount)?;
        self.set(holder, rest, total, now);
        Ok(())
    }

    /// Sums up the power of all holders.
    pub(super) fn restore(&mut self) -> Restored {
        let mut changes: BTreeMap<Timestamp, i128> = BTreeMap::new();
        for history in self.holders.values() {
            let mut before = 0;
            for (time, amount) in history.iter() {
                // Each amount has 96 bits, and there are fewer than 2^31 holders.
                let amount = amount.get() as i128;
                *changes.entry(time).or_default() += amount - before;
                before = amount;
            }
        }
        let mut sum = 0;
        for (time, change) in changes {
            sum += change;
            let total = u128::try_from(sum).ok().and_then(Amount::new);
            self.total.set(time, total.ok_or("the power of all holders exceeds 96 bits")?);
        }
        Ok(())
    }

    fn set(&mut self, holder: Address, amount: Amount, total: Amount, now: Timestamp) {
        self.holders.entry(holder).or_default().set(now, amount);
        self.total.set(now, total);
    }
}
