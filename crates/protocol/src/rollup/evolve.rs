//! The changes that the events of a Rollup make.

use super::{
    Member, MemberState, Registration, Rollup, RollupEvent, RollupHead, RollupParameters, Seats,
    StakeExit, StakeMove,
};
use crate::{
    apply_error::{Applied, ApplyError, Holding, Subject, require_next},
    call_frame::L1Block,
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
        let epoch = self.clock().epoch_at(block.timestamp).ok_or_else(|| {
            let (genesis, found) = (self.clock().genesis, block.timestamp);
            ApplyError::BeforeGenesis { genesis, found }
        })?;
        match event {
            RollupEvent::Deployed { .. } => {}
            RollupEvent::Deposit { attester, proposer, withdrawer, amount } => {
                if self.attesters.contains_key(attester) {
                    return Err(ApplyError::Duplicate(Subject::Attester(*attester)));
                }
                let count = self.registrations.len() as u64;
                let id = u32::try_from(count + 1).map(Registration);
                let id = id.map_err(|_| ApplyError::TooMany { what: "registrations", count })?;
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
                member.stake = Holding::Stake(*attester).take(member.stake, *amount)?;
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
                    _ => return Err(ApplyError::Unknown(Subject::Validating(*attester))),
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
                require_next("block of the rollup", self.next_block().get(), block_number.get())?;
                self.head = Some(RollupHead { number: *block_number, slot: *slot });
            }
        }
        Ok(())
    }

    fn member_mut(&mut self, attester: Address) -> Result<&mut Member, ApplyError> {
        let id = self.attesters.get(&attester).copied();
        id.and_then(|id| self.registration_mut(id))
            .ok_or(ApplyError::Unknown(Subject::Attester(attester)))
    }

    fn registration_mut(&mut self, Registration(number): Registration) -> Option<&mut Member> {
        self.registrations.get_mut((number as usize).checked_sub(1)?)
    }

    /// Removes `attester` from the set, if it is in it. The member of the last seat gets its seat.
    fn unseat(&mut self, attester: Address, epoch: Epoch) -> Applied {
        let MemberState::Validating { seat, .. } = self.member_mut(attester)?.state else {
            return Ok(());
        };
        if let Some(moved) = self.seats.leave(epoch, seat)
            && let Some(member) = self.registration_mut(moved)
            && let MemberState::Validating { seat: its_seat, .. } = &mut member.state
        {
            *its_seat = seat;
        }
        Ok(())
    }

    /// Ends the registration of `attester`, whose stake was paid out or moved.
    fn release(&mut self, attester: Address) -> Applied {
        let member = self.member_mut(attester)?;
        member.stake = Default::default();
        member.state = MemberState::Gone;
        self.attesters.remove(&attester);
        Ok(())
    }
}
