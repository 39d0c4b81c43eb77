//! What a rollup answers.

use super::some;
use crate::{
    client::Client,
    error::{Error, InRange, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, U256};
use canon_abi::Rollup;
use canon_protocol::{
    Amount, AttesterStatus, Epoch, RollupBlock, Seconds, Slot, SlotClock, Timestamp,
};
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// What never changes about a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupRules {
    /// Its slots and epochs.
    pub clock: SlotClock,
    /// The least stake of a member of the set.
    pub minimum_stake: Amount,
    /// Between leaving and getting the stake.
    pub exit_delay: Seconds,
}

/// An attester of a rollup. All zero if it isn't registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attester {
    /// Where it stands.
    pub status: AttesterStatus,
    /// Its stake; what is due to it while it is exiting.
    pub stake: Amount,
    /// Who decides about the stake.
    pub withdrawer: Address,
    /// Who proposes its slots.
    pub proposer: Address,
    /// When and to whom an exit is paid.
    pub exit: Option<(Timestamp, Address)>,
    /// Where it moves, and from when on.
    pub moving: Option<(Address, Timestamp)>,
}

impl Client {
    /// What never changes about a rollup.
    ///
    /// # Errors
    ///
    /// If it doesn't answer, or with values out of range.
    pub async fn rollup_rules(&self, at: BlockId, rollup: Address) -> Result<RollupRules> {
        let genesis = self.read(at, rollup, Rollup::GENESIS_TIMECall {}).await?;
        let slot = self.read(at, rollup, Rollup::SLOT_DURATIONCall {}).await?;
        let epoch = self.read(at, rollup, Rollup::EPOCH_DURATIONCall {}).await?;
        let stake = self.read(at, rollup, Rollup::MINIMUM_STAKECall {}).await?;
        let exit = self.read(at, rollup, Rollup::EXIT_DELAYCall {}).await?;
        let duration = |what, value| {
            let value = u64::try_from(value).ok().and_then(NonZeroU64::new);
            value.ok_or(Error::BadAnswer { what, address: rollup })
        };
        Ok(RollupRules {
            clock: SlotClock {
                genesis: genesis.try_into().in_range("GENESIS_TIME")?,
                slot_duration: duration("SLOT_DURATION", slot)?,
                epoch_duration: duration("EPOCH_DURATION", epoch)?,
            },
            minimum_stake: stake.try_into().in_range("MINIMUM_STAKE")?,
            exit_delay: exit.try_into().in_range("EXIT_DELAY")?,
        })
    }

    /// An attester of a rollup.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, or with values out of range.
    pub async fn attester(
        &self,
        at: BlockId,
        rollup: Address,
        attester: Address,
    ) -> Result<Attester> {
        let info = self.read(at, rollup, Rollup::getInfoCall { attester }).await?;
        let exit = self.read(at, rollup, Rollup::getExitCall { attester }).await?;
        let moving = self.read(at, rollup, Rollup::getMoveCall { attester }).await?;
        let status = AttesterStatus::ALL.get(usize::from(info.status));
        let status = status.ok_or(Error::BadAnswer { what: "getInfo", address: rollup })?;
        let exitable_at = exit.exitableAt.try_into().in_range("getExit")?;
        let ready_at = moving.readyAt.try_into().in_range("getMove")?;
        Ok(Attester {
            status: *status,
            stake: info.stake.try_into().in_range("getInfo")?,
            withdrawer: info.withdrawer,
            proposer: info.proposer,
            exit: (!exit.recipient.is_zero()).then_some((exitable_at, exit.recipient)),
            moving: (!moving.newRollup.is_zero()).then_some((moving.newRollup, ready_at)),
        })
    }

    /// Who may signal and propose at a time of the present or the next epoch; `None` if the set is
    /// empty.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, or the time is in another epoch.
    pub async fn proposer_at(
        &self,
        at: BlockId,
        rollup: Address,
        time: Timestamp,
    ) -> Result<Option<Address>> {
        let call = Rollup::getProposerAtCall { timestamp: time.to_word() };
        self.read(at, rollup, call).await.map(some)
    }

    /// How many seats draw the slots of `epoch`, the one that the block is in or the next: the set as
    /// it stood when the epoch before it began.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, with more seats than a set can have, or it is another epoch.
    pub async fn set_size(&self, at: BlockId, rollup: Address, epoch: Epoch) -> Result<u32> {
        let call = Rollup::getSetSizeCall { epoch: epoch.to_word() };
        u32::try_from(self.read(at, rollup, call).await?)
            .map_err(|_| Error::BadAnswer { what: "getSetSize", address: rollup })
    }

    /// Number and slot of a rollup's newest block; 0 and no slot if there is none.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer.
    pub async fn newest_block(
        &self,
        at: BlockId,
        rollup: Address,
    ) -> Result<(RollupBlock, Option<Slot>)> {
        let number = self.read(at, rollup, Rollup::blockNumberCall {}).await?;
        let last = self.read(at, rollup, Rollup::lastBlockSlotCall {}).await?;
        let slot = last.slot.try_into().in_range("lastBlockSlot")?;
        Ok((number.try_into().in_range("blockNumber")?, last.exists.then_some(slot)))
    }

    /// Whether the seed of an epoch is recorded. `false` for an epoch that is later than the one after
    /// the block's.
    ///
    /// # Errors
    ///
    /// If the rollup doesn't answer, or the epoch is over.
    pub async fn is_seed_recorded(
        &self,
        at: BlockId,
        rollup: Address,
        epoch: Epoch,
    ) -> Result<bool> {
        let present = self.read(at, rollup, Rollup::getCurrentEpochCall {}).await?;
        if epoch.to_word() > present + U256::ONE {
            return Ok(false);
        }
        let call = Rollup::getSeedCall { epoch: epoch.to_word() };
        Ok(self.read(at, rollup, call).await?.recorded)
    }
}
