//! The parameters with which a rollup is deployed.

use super::{RollupRefusal, SlotClock};
use crate::{
    abi::{Abi, abi_struct},
    refusal::{CommonRefusal, Refusal},
    stored::Restored,
    units::{Amount, Seconds, Timestamp, TooLarge},
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolType;
use core::num::NonZeroU64;
use serde::{Deserialize, Serialize};

/// The arguments of a rollup's constructor as a caller sends them, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRollupParameters {
    /// The asset that is staked.
    pub asset: Address,
    /// The Registry, in which the target of a move has to be canonical.
    pub registry: Address,
    /// The contract that pays for blocks.
    pub reward_distributor: Address,
    /// The first owner, which may slash.
    pub owner: Address,
    /// Timestamp of slot 0, in seconds.
    pub genesis_time: U256,
    /// Length of a slot, in seconds.
    pub slot_duration: U256,
    /// Length of an epoch, in slots.
    pub epoch_duration: U256,
    /// The least stake of a member of the set.
    pub minimum_stake: U256,
    /// The time from leaving the set to the payment of the stake, in seconds.
    pub exit_delay: U256,
}

abi_struct!(RawRollupParameters {
    asset: Address,
    registry: Address,
    reward_distributor: Address,
    owner: Address,
    genesis_time: U256,
    slot_duration: U256,
    epoch_duration: U256,
    minimum_stake: U256,
    exit_delay: U256,
});

/// The parameters with which a rollup was deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupParameters {
    /// The asset that is staked.
    pub asset: Address,
    /// The Registry, in which the target of a move has to be canonical.
    pub registry: Address,
    /// The contract that pays for blocks.
    pub reward_distributor: Address,
    /// The first owner, which may slash.
    pub owner: Address,
    /// Its slots and epochs.
    pub clock: SlotClock,
    /// The least stake of a member of the set; not 0.
    pub minimum_stake: Amount,
    /// The time from leaving the set to the payment of the stake: at least two epochs, since the attester
    /// may be drawn until then, and at most 365 days.
    pub exit_delay: Seconds,
}

impl RollupParameters {
    /// The least time of an epoch after its first slot: two L1 blocks. Without a block in it no seed could
    /// be recorded.
    pub const MIN_AFTER_FIRST_SLOT: Seconds = Seconds::of(24);
    /// The longest exit delay.
    pub const MAX_EXIT_DELAY: Seconds = Seconds::of(365 * Seconds::DAY.get());

    /// Returns the parameters if the constructor accepts them at `now`, provided that there is code at the
    /// asset and at the registry.
    pub fn check(raw: &RawRollupParameters, now: Timestamp) -> Result<Self, Refusal> {
        Self::require_distributor(raw)?;
        if raw.genesis_time > now.to_word() {
            return Err(RollupRefusal::GenesisInFuture {
                genesis_time: raw.genesis_time,
                timestamp: now.to_word(),
            }
            .into());
        }
        if raw.slot_duration.is_zero() || raw.epoch_duration.is_zero() {
            return Err(RollupRefusal::ZeroDuration {
                slot_duration: raw.slot_duration,
                epoch_duration: raw.epoch_duration,
            }
            .into());
        }
        if raw.minimum_stake.is_zero() {
            return Err(RollupRefusal::ZeroMinimumStake.into());
        }
        let parameters = Self::fit(raw)?;
        let seconds_after_first_slot = U256::from(parameters.clock.seconds_after_first_slot());
        let minimum = Self::MIN_AFTER_FIRST_SLOT.to_word();
        if seconds_after_first_slot < minimum {
            return Err(RollupRefusal::EpochTooShort { seconds_after_first_slot, minimum }.into());
        }
        let (min, max) =
            (U256::from(parameters.clock.two_epochs()), Self::MAX_EXIT_DELAY.to_word());
        let exit_delay = raw.exit_delay;
        if exit_delay < min || exit_delay > max {
            return Err(RollupRefusal::ExitDelayOutOfBounds { exit_delay, min, max }.into());
        }
        Ok(parameters)
    }

    /// Makes the constructor's first check, which comes before those for code.
    pub(crate) fn require_distributor(raw: &RawRollupParameters) -> Result<(), CommonRefusal> {
        if raw.reward_distributor.is_zero() { Err(CommonRefusal::ZeroAddress) } else { Ok(()) }
    }

    /// Checks that the durations are within 40 bits, as a constructor does.
    pub(super) fn check_ranges(&self) -> Restored {
        Self::fit(&RawRollupParameters::from(*self)).map(drop).map_err(|error| error.to_string())
    }

    fn fit(raw: &RawRollupParameters) -> Result<Self, TooLarge> {
        let genesis = Timestamp::try_from(raw.genesis_time)?;
        let [slot_duration, epoch_duration] = [raw.slot_duration, raw.epoch_duration].map(|word| {
            let narrow = Seconds::try_from(word)?;
            NonZeroU64::new(narrow.get()).ok_or(TooLarge { value: word, max: U256::ZERO })
        });
        Ok(Self {
            asset: raw.asset,
            registry: raw.registry,
            reward_distributor: raw.reward_distributor,
            owner: raw.owner,
            clock: SlotClock {
                genesis,
                slot_duration: slot_duration?,
                epoch_duration: epoch_duration?,
            },
            minimum_stake: raw.minimum_stake.try_into()?,
            exit_delay: raw.exit_delay.try_into()?,
        })
    }
}

impl From<RollupParameters> for RawRollupParameters {
    fn from(parameters: RollupParameters) -> Self {
        Self {
            asset: parameters.asset,
            registry: parameters.registry,
            reward_distributor: parameters.reward_distributor,
            owner: parameters.owner,
            genesis_time: parameters.clock.genesis.to_word(),
            slot_duration: U256::from(parameters.clock.slot_duration.get()),
            epoch_duration: U256::from(parameters.clock.epoch_duration.get()),
            minimum_stake: parameters.minimum_stake.to_word(),
            exit_delay: parameters.exit_delay.to_word(),
        }
    }
}

impl Abi for RollupParameters {
    type Sol = <RawRollupParameters as Abi>::Sol;

    fn to_sol(&self) -> <Self::Sol as SolType>::RustType {
        RawRollupParameters::from(*self).to_sol()
    }

    fn from_sol(value: <Self::Sol as SolType>::RustType) -> Option<Self> {
        Self::fit(&RawRollupParameters::from_sol(value)?).ok()
    }
}
