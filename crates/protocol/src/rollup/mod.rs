//! Rollup: staking, slots, proposer selection, the block log and the rewards of one rollup.

mod clock;
mod draw;
mod duties;
mod evolve;
mod messages;
mod moving;
mod parameters;
mod set;
mod staking;

pub use clock::SlotClock;
pub use draw::draw;
pub(crate) use duties::proposer_of;
pub use messages::{RollupCall, RollupEvent, RollupRefusal};
pub use parameters::{RawRollupParameters, RollupParameters};

use crate::{
    abi::Abi,
    call_frame::{CallFrame, Decision},
    ownership::OwnershipCall,
    stored::{Restored, require, stored},
    units::{Amount, Epoch, RollupBlock, Slot, Timestamp},
};
use alloy_primitives::{Address, U256, map::AddressMap};
use alloy_sol_types::sol_data;
use core::fmt;
use serde::{Deserialize, Serialize};
use set::{Registration, Seats};

/// The status of an attester, with the contract's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum AttesterStatus {
    /// It isn't registered.
    #[default]
    None = 0,
    /// It is in the set and can be drawn for slots.
    Validating = 1,
    /// It was slashed below the minimum stake, is out of the set and may only exit.
    Living = 2,
    /// It left the set, and is slashable until the stake is paid.
    Exiting = 3,
}

impl AttesterStatus {
    /// All statuses, in numeric order.
    pub const ALL: [Self; 4] = [Self::None, Self::Validating, Self::Living, Self::Exiting];
}

impl fmt::Display for AttesterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Abi for AttesterStatus {
    type Sol = sol_data::Uint<8>;

    fn to_sol(&self) -> u8 {
        *self as u8
    }

    fn from_sol(value: u8) -> Option<Self> {
        Self::ALL.get(usize::from(value)).copied()
    }
}

/// An announced move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakeMove {
    /// The rollup to move to.
    #[serde(with = "crate::text::address")]
    pub new_rollup: Address,
    /// The first second in which it can be finalized.
    pub ready_at: Timestamp,
}

impl StakeMove {
    /// Whether it can be finalized at `now`, if its target is canonical.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.ready_at <= now
    }
}

/// An exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakeExit {
    /// The recipient of the stake.
    #[serde(with = "crate::text::address")]
    pub recipient: Address,
    /// The first second in which it can be paid.
    pub exitable_at: Timestamp,
}

impl StakeExit {
    /// Whether it can be paid at `now`.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.exitable_at <= now
    }
}

/// The state of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum MemberState {
    /// It is in the set, and may have announced a move.
    Validating { seat: u32, moving: Option<StakeMove> },
    /// It was slashed out of the set.
    Living,
    /// It left the set; its stake is paid later.
    Exiting(StakeExit),
    /// Its stake was paid or moved. It may still be drawn from closed sets.
    Gone,
}

/// A registration of an attester.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    attester: Address,
    proposer: Address,
    withdrawer: Address,
    coinbase: Option<Address>,
    stake: Amount,
    state: MemberState,
}

impl Member {
    /// The staker.
    pub const fn attester(&self) -> Address {
        self.attester
    }

    /// The account that signals and proposes for it.
    pub const fn proposer(&self) -> Address {
        self.proposer
    }

    /// The account that decides about the stake.
    pub const fn withdrawer(&self) -> Address {
        self.withdrawer
    }

    /// The recipient of the rewards of its blocks: the proposer, unless the withdrawer set another.
    pub fn coinbase(&self) -> Address {
        self.coinbase.unwrap_or(self.proposer)
    }

    /// Its stake.
    pub const fn stake(&self) -> Amount {
        self.stake
    }

    /// Its status.
    pub const fn status(&self) -> AttesterStatus {
        match self.state {
            MemberState::Validating { .. } => AttesterStatus::Validating,
            MemberState::Living => AttesterStatus::Living,
            MemberState::Exiting(_) => AttesterStatus::Exiting,
            MemberState::Gone => AttesterStatus::None,
        }
    }

    /// The move that it announced, if any.
    pub const fn moving(&self) -> Option<StakeMove> {
        match self.state {
            MemberState::Validating { moving, .. } => moving,
            _ => None,
        }
    }

    /// Its exit, if it is leaving.
    pub const fn exit(&self) -> Option<StakeExit> {
        match self.state {
            MemberState::Exiting(exit) => Some(exit),
            _ => None,
        }
    }
}

/// The newest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupHead {
    /// Its number; the first is 1.
    pub number: RollupBlock,
    /// Its slot.
    pub slot: Slot,
}

impl RollupHead {
    /// Whether it is the block of `slot`, which is the present slot or a later one. A slot has at most one
    /// block.
    pub fn is_of(&self, slot: Slot) -> bool {
        self.slot == slot
    }
}

/// State of a Rollup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Rollup {
    parameters: RollupParameters,
    /// The registrations in the order of their numbers.
    registrations: Vec<Member>,
    /// The present registration of each registered attester.
    #[serde(skip)]
    attesters: AddressMap<Registration>,
    seats: Seats,
    head: Option<RollupHead>,
}

/// Whether the proposers of an epoch's slots can still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finality {
    /// They can't: the seed is recorded, or the epoch has begun.
    Final,
    /// They can: the first call after the first slot of the previous epoch records the seed.
    Open,
}

stored!(Rollup);

impl Rollup {
    fn restore(&mut self) -> Restored {
        self.parameters.check_ranges()?;
        let numbers = (1..=u32::MAX).map(Registration).zip(&self.registrations);
        let present = numbers.filter(|(_, member)| member.state != MemberState::Gone);
        let present: Vec<_> = present.collect();
        self.attesters = present.iter().map(|(id, member)| (member.attester, *id)).collect();
        require(self.attesters.len() == present.len(), || {
            "an attester is registered twice".to_owned()
        })?;
        let seated = present.iter().filter_map(|(id, member)| match member.state {
            MemberState::Validating { seat, .. } => Some((seat, *id)),
            _ => None,
        });
        self.seats.check(seated.collect(), self.registrations.len())
    }

    /// The constructor's parameters.
    pub const fn parameters(&self) -> &RollupParameters {
        &self.parameters
    }

    /// Its slots and epochs.
    pub const fn clock(&self) -> &SlotClock {
        &self.parameters.clock
    }

    /// The registration of `attester`, if it has one.
    pub fn member(&self, attester: Address) -> Option<&Member> {
        self.registration(*self.attesters.get(&attester)?)
    }

    /// All registrations, oldest first. Those whose stake was paid or moved have the status None.
    pub fn registrations(&self) -> &[Member] {
        &self.registrations
    }

    /// The present members of the set, by seat.
    pub fn set(&self) -> impl Iterator<Item = &Member> {
        self.seats.members().filter_map(|id| self.registration(id))
    }

    /// The present number of members of the set.
    pub fn set_size_now(&self) -> u32 {
        self.seats.size()
    }

    /// The newest block.
    pub const fn head(&self) -> Option<RollupHead> {
        self.head
    }

    /// The slot of `time`. Refused before genesis.
    pub fn slot_at(&self, time: Timestamp) -> Result<Slot, RollupRefusal> {
        self.clock().slot_at(time).ok_or_else(|| RollupRefusal::BeforeGenesis {
            timestamp: time.to_word(),
            genesis_time: self.clock().genesis.to_word(),
        })
    }

    /// The member that proposes in the slot of `time`, which has to be in the present or the next epoch.
    /// `None` if no seed is recorded for the epoch or its set is empty.
    pub fn member_at(
        &self,
        time: Timestamp,
        now: Timestamp,
    ) -> Result<Option<&Member>, RollupRefusal> {
        let slot = self.slot_at(time)?;
        self.require_known(self.clock().epoch_of(slot), now)?;
        Ok(self.drawn(slot))
    }

    /// The size of the set of `epoch`, which has to be the present or the next.
    pub fn set_size(&self, epoch: Epoch, now: Timestamp) -> Result<u32, RollupRefusal> {
        self.require_known(epoch, now)?;
        Ok(self.seats.size_of(epoch))
    }

    /// The seed of `epoch`, which has to be the present or the next, if one is recorded.
    pub fn seed(&self, epoch: Epoch, now: Timestamp) -> Result<Option<U256>, RollupRefusal> {
        self.require_known(epoch, now)?;
        Ok(self.seats.seed_of(epoch))
    }

    /// Member number `index` of the set of `epoch`, which has to be the present or the next.
    pub fn member_of(
        &self,
        epoch: Epoch,
        index: u32,
        now: Timestamp,
    ) -> Result<&Member, RollupRefusal> {
        let size = self.set_size(epoch, now)?;
        self.seats.member_of(epoch, index).and_then(|id| self.registration(id)).ok_or_else(|| {
            RollupRefusal::IndexOutOfRange { index: U256::from(index), size: U256::from(size) }
        })
    }

    /// The slots of `epoch`, which has to be the present or the next, in which `proposer` may propose and
    /// signal.
    pub fn slots_of(
        &self,
        proposer: Address,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<impl Iterator<Item = Slot>, RollupRefusal> {
        self.require_known(epoch, now)?;
        let first = self.clock().first_slot(epoch).map_or(u64::MAX, Slot::get);
        let end = first.saturating_add(self.clock().epoch_duration.get());
        Ok((first..end).map(Slot::of).filter(move |slot| {
            self.drawn(*slot).is_some_and(|member| member.proposer == proposer)
        }))
    }

    /// Whether the proposers of `epoch`, which has to be the present or the next, can still change.
    pub fn finality(&self, epoch: Epoch, now: Timestamp) -> Result<Finality, RollupRefusal> {
        let current = self.require_known(epoch, now)?;
        Ok(if epoch == current || self.seats.seed_of(epoch).is_some() {
            Finality::Final
        } else {
            Finality::Open
        })
    }

    /// The number of the next block.
    fn next_block(&self) -> RollupBlock {
        self.head.map_or(RollupBlock::ZERO, |head| head.number).next()
    }

    fn registration(&self, Registration(number): Registration) -> Option<&Member> {
        self.registrations.get((number as usize).checked_sub(1)?)
    }

    /// Returns the present epoch if `epoch` is that one or the next.
    fn require_known(&self, epoch: Epoch, now: Timestamp) -> Result<Epoch, RollupRefusal> {
        let current = self.clock().epoch_of(self.slot_at(now)?);
        if self.clock().is_answered(epoch, now) {
            return Ok(current);
        }
        Err(RollupRefusal::EpochOutOfRange {
            epoch: epoch.to_word(),
            current_epoch: current.to_word(),
        })
    }
}

/// The outcome of a call about the rollup's ownership. Like every other call, it records a seed.
pub(crate) fn decide_ownership(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    call: &OwnershipCall,
) -> Decision {
    let event = frame.ownership().decide(call, frame.caller)?;
    let mut logs: Vec<_> = duties::seed(frame, rollup).into_iter().collect();
    logs.push(frame.log(event));
    Ok(logs)
}

/// The outcome of a call. Every call that changes the rollup first records the next epoch's seed, if none
/// is recorded and it isn't the epoch's first slot.
pub(crate) fn decide(frame: CallFrame<'_>, rollup: &Rollup, call: &RollupCall) -> Decision {
    let mut logs: Vec<_> = duties::seed(frame, rollup).into_iter().collect();
    logs.extend(match *call {
        RollupCall::Deposit { attester, proposer, withdrawer, amount } => {
            staking::deposit(frame, rollup, attester, proposer, withdrawer, amount)?
        }
        RollupCall::InitiateWithdraw { attester, recipient } => {
            staking::initiate_withdraw(frame, rollup, attester, recipient)?
        }
        RollupCall::FinaliseWithdraw { attester } => {
            staking::finalize_withdraw(frame, rollup, attester)?
        }
        RollupCall::InitiateMove { attester, new_rollup } => {
            moving::initiate_move(frame, rollup, attester, new_rollup)?
        }
        RollupCall::FinaliseMove { attester } => {
            // Calls that this call makes see the recorded seed.
            return moving::finalize_move(frame, rollup, attester, attester, logs);
        }
        RollupCall::FinaliseMoveAs { attester, new_attester } => {
            return moving::finalize_move_as(frame, rollup, attester, new_attester, logs);
        }
        RollupCall::SetCoinbase { attester, coinbase } => {
            staking::set_coinbase(frame, rollup, attester, coinbase)?
        }
        RollupCall::Slash { attester, amount } => staking::slash(frame, rollup, attester, amount)?,
        RollupCall::SetupEpoch => Vec::new(),
        RollupCall::ProposeBlock { block_hash } => {
            return duties::propose_block(frame, rollup, block_hash, logs);
        }
    });
    Ok(logs)
}
