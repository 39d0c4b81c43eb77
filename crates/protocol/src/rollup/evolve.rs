//! What the events of a Rollup change.

use super::{
    Member, MemberState, Registration, Rollup, RollupEvent, RollupHead, RollupParameters, Seats,
    StakeExit, StakeMove,
};
use crate::{
    call_frame::L1Block,
    refusal::{Applied, ApplyError},
    units::Epoch,
};
use alloy_primitives::{Address, map::AddressMap};

impl Rollup {
    pub(crate) fn new(parameters: RollupParameters) -> Self {
        Self {
            parameters,
            registrations: Vec::new(),
            attesters: AddressMap::default(),
            seats: Seats::default(),
            head: None,
        }
    }

    pub(crate) fn evolve(&mut self, event: &RollupEvent, block: L1Block) -> Applied {
        let epoch = self.clock().epoch_at(block.timestamp).ok_or(ApplyError::Backwards)?;
        match event {
            RollupEvent::Deployed { .. } => {}
            RollupEvent::Deposit { attester, proposer, withdrawer, amount } => {
                if self.attesters.contains_key(attester) {
                    return Err(ApplyError::Repeated);
                }
                let number = self.registrations.len() + 1;
                let id = Registration(u32::try_from(number).map_err(|_| ApplyError::Amount)?);
                let seat = self.seats.join(epoch, id);
                self.attesters.insert(*attester, id);
                self.registrations.push(Member {
                    attester: *attester,
                    proposer: *proposer,
                    withdrawer: *withdrawer,
                    coinbase: None,
                    stake: *amount,
                    state: MemberState::Validating { seat, moving: None },
                });
            }
            RollupEvent::WithdrawInitiated { attester, recipient, .. } => {
                let exitable_at = block.timestamp + self.parameters.exit_delay;
                let exit = StakeExit { recipient: *recipient, exitable_at };
                self.unseat(*attester, epoch)?;
                self.member_mut(*attester)?.state = MemberState::Exiting(exit);
            }
            RollupEvent::WithdrawFinalised { attester, .. } => self.release(*attester)?,
            RollupEvent::Slashed { attester, amount } => {
                let minimum = self.parameters.minimum_stake;
                let member = self.member_mut(*attester)?;
                member.stake = member.stake.checked_sub(*amount).ok_or(ApplyError::Amount)?;
                let too_little = member.stake < minimum;
                if too_little && matches!(member.state, MemberState::Validating { .. }) {
                    self.unseat(*attester, epoch)?;
                    self.member_mut(*attester)?.state = MemberState::Living;
                }
            }
            RollupEvent::MoveInitiated { attester, new_rollup, ready_at } => {
                match &mut self.member_mut(*attester)?.state {
                    MemberState::Validating { moving, .. } => {
                        *moving = Some(StakeMove { new_rollup: *new_rollup, ready_at: *ready_at });
                    }
                    _ => return Err(ApplyError::Unknown),
                }
            }
            RollupEvent::MoveFinalised { attester, .. } => {
                self.unseat(*attester, epoch)?;
                self.release(*attester)?;
            }
            RollupEvent::SeedRecorded { epoch, seed } => self.seats.record_seed(*epoch, *seed)?,
            RollupEvent::CoinbaseSet { attester, coinbase } => {
                self.member_mut(*attester)?.coinbase = Some(*coinbase);
            }
            RollupEvent::BlockProposed { block_number, slot, .. } => {
                if *block_number != self.next_block() {
                    return Err(ApplyError::Unknown);
                }
                self.head = Some(RollupHead { number: *block_number, slot: *slot });
            }
        }
        Ok(())
    }

    fn member_mut(&mut self, attester: Address) -> Result<&mut Member, ApplyError> {
        let id = *self.attesters.get(&attester).ok_or(ApplyError::Unknown)?;
        self.registration_mut(id)
    }

    fn registration_mut(
        &mut self,
        Registration(number): Registration,
    ) -> Result<&mut Member, ApplyError> {
        (number as usize)
            .checked_sub(1)
            .and_then(|index| self.registrations.get_mut(index))
            .ok_or(ApplyError::Unknown)
    }

    /// `attester` leaves the set, if it is in it; the member of the last seat takes its seat.
    fn unseat(&mut self, attester: Address, epoch: Epoch) -> Applied {
        let MemberState::Validating { seat, .. } = self.member_mut(attester)?.state else {
            return Ok(());
        };
        if let Some(moved) = self.seats.leave(epoch, seat)
            && let MemberState::Validating { seat: its_seat, .. } =
                &mut self.registration_mut(moved)?.state
        {
            *its_seat = seat;
        }
        Ok(())
    }

    /// The stake of `attester` was paid out or moved: its registration ends.
    fn release(&mut self, attester: Address) -> Applied {
        let member = self.member_mut(attester)?;
        member.stake = Default::default();
        member.state = MemberState::Gone;
        self.attesters.remove(&attester);
        Ok(())
    }
}
