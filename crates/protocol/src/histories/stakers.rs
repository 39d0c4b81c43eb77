//! What stakers do: join, leave, move.

use super::{Director, Staker, Step, call};
use crate::{
    rollup::{Rollup, RollupCall, Status},
    units::Timestamp,
    world::World,
};
use alloy::primitives::{Address, U256};

impl Director {
    pub(super) fn stake(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let staker = *self.rng.pick(&self.cast.stakers)?;
        let attester = staker.attester;
        let home = world.rollups().find(|(_, rollup)| rollup.member(attester).is_some());
        let (contract, rollup) = match home {
            Some(home) if self.rng.chance(2, 3) => home,
            _ => self.some_rollup(world)?,
        };
        let caller = if self.rng.chance(9, 10) { staker.withdrawer } else { self.anybody() };
        let status = rollup.member(attester).map_or(Status::None, |member| member.status());
        let request = match self.rng.below(16) {
            0 => RollupCall::SetupEpoch,
            1 => RollupCall::SetCoinbase { attester, coinbase: self.anybody() },
            // As if it stood elsewhere.
            2 | 3 => {
                let status = *self.rng.pick(&Status::ALL)?;
                self.request(world, now, (contract, rollup), staker, status)?
            }
            _ => self.request(world, now, (contract, rollup), staker, status)?,
        };
        Some(call(caller, contract, request))
    }

    /// What a staker that stands so may want of its rollup.
    fn request(
        &mut self,
        world: &World,
        now: Timestamp,
        (contract, rollup): (Address, &Rollup),
        staker: Staker,
        status: Status,
    ) -> Option<RollupCall> {
        let attester = staker.attester;
        Some(match status {
            Status::None => RollupCall::Deposit {
                attester,
                // Keys may change from one registration to the next.
                proposer: self.rng.pick(&self.cast.stakers)?.proposer,
                withdrawer: staker.withdrawer,
                amount: self.stake_amount(rollup),
            },
            Status::Exiting => RollupCall::FinaliseWithdraw { attester },
            Status::Validating | Status::Living => {
                let moving = rollup.member(attester).and_then(|member| member.moving());
                let is_ready = moving.is_some_and(|moving| moving.ready_at <= now);
                match self.rng.below(8) {
                    0 | 1 => RollupCall::InitiateWithdraw { attester, recipient: self.anybody() },
                    2..6 if !is_ready => {
                        let new_rollup = self.move_target(world, contract);
                        RollupCall::InitiateMove { attester, new_rollup }
                    }
                    _ => RollupCall::FinaliseMove { attester },
                }
            }
        })
    }

    /// The canonical rollup, mostly, or one that may become it; sometimes nowhere, or here.
    fn move_target(&mut self, world: &World, here: Address) -> Address {
        let canonical = world.registry().rollup();
        let mut others = world.rollups().map(|(address, _)| address).filter(|next| *next != here);
        match self.rng.below(12) {
            0 => here,
            1 => Address::ZERO,
            _ if canonical != here => canonical,
            _ => others.next_back().unwrap_or(canonical),
        }
    }

    fn stake_amount(&mut self, rollup: &Rollup) -> U256 {
        let minimum = rollup.parameters().minimum_stake.to_word();
        match self.rng.below(12) {
            0 => minimum - U256::from(1),
            1 => U256::MAX,
            2..5 => minimum * U256::from(2),
            _ => minimum,
        }
    }
}
