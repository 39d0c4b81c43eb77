//! RewardDistributor: pays the canonical rollup for its blocks.
//!
//! It pays once per slot of a rollup, and at most once per timestamp over all rollups. A slot lasts at
//! least a second, so a slot number above the timestamp can't be right and is refused. This limits the
//! payments to a rollup that reports wrong slots.

use crate::{
    abi::{abi_enum, abi_events},
    apply_error::Applied,
    asset,
    call_frame::{CallFrame, Decision, L1Block},
    questions,
    units::{Amount, Slot, Timestamp},
};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// State of the RewardDistributor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distributor {
    registry: Address,
    block_reward: Amount,
    last_slots: BTreeMap<Address, Slot>,
    last_payment: Timestamp,
}

abi_enum! {
    /// Calls of the RewardDistributor.
    pub enum DistributorCall {
        /// Pays min(`BLOCK_REWARD`, balance) to `to` for the caller's current slot. Only the
        /// canonical rollup.
        Claim { to: Address } = "claim",
        /// Changes the registry that determines the canonical rollup. Only the owner.
        UpdateRegistry { new_registry: Address } = "updateRegistry",
    }
}

abi_events! {
    /// Events of the RewardDistributor.
    pub enum DistributorEvent {
        /// The constructor's arguments. The registry is in an event of its own.
        Deployed [asset: Address] { block_reward: Amount } = "RewardDistributorDeployed",
        /// `registry` now determines the canonical rollup.
        RegistryUpdated [registry: Address] {} = "RegistryUpdated",
        /// `amount` was paid to `to` for `slot` of `rollup`; it is 0 when the balance is 0.
        RewardPaid [rollup: Address, slot: Slot] { to: Address, amount: Amount } = "RewardPaid",
    }
}

abi_enum! {
    /// Refusals of the RewardDistributor.
    #[derive(thiserror::Error)]
    pub enum DistributorRefusal {
        /// Only the canonical rollup is paid.
        #[error("{caller} is not the canonical rollup {canonical}")]
        NotCanonical { caller: Address, canonical: Address } = "RewardDistributor__NotCanonical",
        /// The rollup reports a slot that cannot have begun yet.
        #[error("slot {slot} cannot have begun at {timestamp}")]
        SlotInFuture { slot: U256, timestamp: U256 } = "RewardDistributor__SlotInFuture",
        /// `slot` is not above the last slot paid to this rollup.
        #[error("slot {slot} is not above {last_slot}, which was paid already")]
        SlotAlreadyPaid { slot: U256, last_slot: U256 } = "RewardDistributor__SlotAlreadyPaid",
        /// A rollup was paid at the same timestamp already.
        #[error("there was a payment at {timestamp} already")]
        AlreadyPaidNow { timestamp: U256 } = "RewardDistributor__AlreadyPaidNow",
    }
}

impl Distributor {
    /// The registry that determines the canonical rollup.
    pub const fn registry(&self) -> Address {
        self.registry
    }

    /// The reward for a block, in base units.
    pub const fn block_reward(&self) -> Amount {
        self.block_reward
    }

    /// The last slot for which `rollup` was paid, or `None`.
    pub fn last_paid_slot(&self, rollup: Address) -> Option<Slot> {
        self.last_slots.get(&rollup).copied()
    }

    /// The time of the last payment to any rollup, or 0.
    pub const fn last_payment_time(&self) -> Timestamp {
        self.last_payment
    }

    pub(crate) fn evolve(&mut self, event: &DistributorEvent, block: L1Block) -> Applied {
        match event {
            DistributorEvent::Deployed { block_reward, .. } => self.block_reward = *block_reward,
            DistributorEvent::RegistryUpdated { registry } => self.registry = *registry,
            DistributorEvent::RewardPaid { rollup, slot, .. } => {
                self.last_slots.insert(*rollup, *slot);
                self.last_payment = block.timestamp;
            }
        }
        Ok(())
    }
}

pub(crate) fn decide(frame: CallFrame<'_>, call: &DistributorCall) -> Decision {
    match call {
        DistributorCall::Claim { to } => claim(frame, *to),
        DistributorCall::UpdateRegistry { new_registry } => {
            frame.require_owner()?;
            frame.require_code(*new_registry)?;
            Ok(vec![frame.log(DistributorEvent::RegistryUpdated { registry: *new_registry })])
        }
    }
}

/// Pays the caller, which has to be the canonical rollup, for its current slot.
pub(crate) fn claim(frame: CallFrame<'_>, to: Address) -> Decision {
    let this = &frame.set.distributor;
    let (rollup, now) = (frame.caller, frame.now());
    let canonical = frame.address_word(this.registry, questions::ROLLUP)?;
    if rollup != canonical {
        return Err(DistributorRefusal::NotCanonical { caller: rollup, canonical }.into());
    }
    let answer = frame.word(rollup, questions::CURRENT_SLOT)?;
    let slot = match Slot::try_from(answer) {
        Ok(slot) if slot.get() <= now.get() => slot,
        _ => {
            let timestamp = now.to_word();
            return Err(DistributorRefusal::SlotInFuture { slot: answer, timestamp }.into());
        }
    };
    if let Some(last) = this.last_paid_slot(rollup).filter(|last| slot <= *last) {
        let last_slot = last.to_word();
        return Err(DistributorRefusal::SlotAlreadyPaid { slot: answer, last_slot }.into());
    }
    if this.last_payment >= now {
        return Err(DistributorRefusal::AlreadyPaidNow { timestamp: now.to_word() }.into());
    }
    let amount = this.block_reward.min(frame.set.asset.balance_of(frame.this));
    let mut logs = vec![frame.log(DistributorEvent::RewardPaid { rollup, slot, to, amount })];
    if !amount.is_zero() {
        let asset = frame.calling(frame.set.addresses().asset);
        logs.extend(asset::transfer(asset, frame.this, to, amount.to_word())?);
    }
    Ok(logs)
}
