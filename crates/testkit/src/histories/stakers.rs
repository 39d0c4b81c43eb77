//! The calls of stakers: join, leave, move.

use super::{Director, Staker, Step, call};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    AssetCall, AttesterStatus, Finality, Member, Rollup, RollupCall, SetState, Timestamp,
};

impl Director {
    pub(super) fn stake(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let staker = *self.rng.pick(&self.accounts.stakers)?;
        let attester = staker.attester;
        let home = set.rollups().find(|(_, rollup)| rollup.member(attester).is_some());
        let (contract, rollup) = match home {
            Some(home) if self.rng.chance(2, 3) => home,
            _ => self.some_rollup(set)?,
        };
        // Another account may have registered the attester there.
        let withdrawer = rollup.member(attester).map_or(staker.withdrawer, Member::withdrawer);
        let caller = if self.rng.chance(9, 10) { withdrawer } else { self.anybody() };
        let status = rollup.member(attester).map_or(AttesterStatus::None, |member| member.status());
        let request = match self.rng.below(16) {
            0 => RollupCall::SetupEpoch,
            1 => RollupCall::SetCoinbase { attester, coinbase: self.anybody() },
            // A call that fits another status of the attester.
            2 | 3 => {
                let status = *self.rng.pick(&AttesterStatus::ALL)?;
                self.request(set, now, (contract, rollup), staker, status)?
            }
            _ => self.request(set, now, (contract, rollup), staker, status)?,
        };
        Some(call(caller, contract, request))
    }

    /// A call of a staker whose attester has this status.
    fn request(
        &mut self,
        set: &SetState,
        now: Timestamp,
        (contract, rollup): (Address, &Rollup),
        staker: Staker,
        status: AttesterStatus,
    ) -> Option<RollupCall> {
        let attester = staker.attester;
        Some(match status {
            AttesterStatus::None => RollupCall::Deposit {
                attester,
                // The keys may differ between two registrations.
                proposer: self.rng.pick(&self.accounts.stakers)?.proposer,
                withdrawer: staker.withdrawer,
                amount: self.stake_amount(rollup),
            },
            AttesterStatus::Exiting => RollupCall::FinaliseWithdraw { attester },
            AttesterStatus::Validating | AttesterStatus::Living => {
                let moving = rollup.member(attester).and_then(|member| member.moving());
                let is_ready = moving.is_some_and(|moving| moving.ready_at <= now);
                match self.rng.below(8) {
                    0 | 1 => RollupCall::InitiateWithdraw { attester, recipient: self.anybody() },
                    2..6 if !is_ready => {
                        let new_rollup = self.move_target(set, contract);
                        RollupCall::InitiateMove { attester, new_rollup }
                    }
                    2 | 6 => {
                        let target = moving.and_then(|moving| set.rollup(moving.new_rollup));
                        let new_attester = self.new_attester(target);
                        RollupCall::FinaliseMoveAs { attester, new_attester }
                    }
                    _ => RollupCall::FinaliseMove { attester },
                }
            }
        })
    }

    /// The end of an announced move to the canonical rollup. Sometimes another account registers the
    /// attester there just before; then the withdrawer moves the stake under another attester.
    pub(super) fn finish_move(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let canonical = set.registry().rollup();
        let movers: Vec<_> = set
            .rollups()
            .flat_map(|(from, rollup)| rollup.set().map(move |member| (from, *member)))
            .filter(|(_, member)| {
                let ready = member.moving().filter(|moving| moving.ready_at <= now);
                ready.is_some_and(|moving| moving.new_rollup == canonical)
            })
            .collect();
        let (from, member) = *self.rng.pick(&movers)?;
        let attester = member.attester();
        let finalize = call(self.anybody(), from, RollupCall::FinaliseMove { attester });
        let Some(new_rollup) = set.rollup(canonical).filter(|_| self.rng.chance(1, 2)) else {
            return Some(finalize);
        };
        let Staker { proposer, withdrawer, .. } = *self.rng.pick(&self.accounts.stakers)?;
        let amount = new_rollup.parameters().minimum_stake.to_word();
        let squat = RollupCall::Deposit { attester, proposer, withdrawer, amount };
        let new_attester = self.new_attester(Some(new_rollup));
        let escape = RollupCall::FinaliseMoveAs { attester, new_attester };
        self.then([
            call(withdrawer, canonical, squat),
            finalize,
            call(member.withdrawer(), from, escape),
        ]);
        let approve = AssetCall::Approve { spender: canonical, amount: U256::MAX };
        Some(call(withdrawer, set.addresses().asset, approve))
    }

    /// An attester: mostly one that isn't registered in `rollup`.
    fn new_attester(&mut self, rollup: Option<&Rollup>) -> Address {
        let is_free =
            |staker: &&Staker| rollup.is_none_or(|rollup| rollup.member(staker.attester).is_none());
        let free: Vec<_> = self.accounts.stakers.iter().filter(is_free).copied().collect();
        match self.rng.below(16) {
            0 => Address::ZERO,
            1 => self.rng.pick(&self.accounts.stakers).map(|one| one.attester).unwrap_or_default(),
            2..5 => self.new_address(),
            _ => match self.rng.pick(&free) {
                Some(staker) => staker.attester,
                None => self.new_address(),
            },
        }
    }

    /// Records the next epoch's seed if it isn't recorded: in the canonical rollup, and sometimes in
    /// another.
    pub(super) fn keep(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let canonical = set.canonical_rollup();
        let other = if self.rng.chance(1, 20) { self.any_rollup(set) } else { None };
        let (contract, rollup) = other.or(canonical)?;
        let epoch = rollup.clock().epoch_at(now)?;
        let is_open = rollup.finality(epoch.next(), now) == Ok(Finality::Open);
        // Before this second, the call has no effect.
        let does_something = now >= rollup.clock().seed_recording_start(epoch)?;
        if !is_open || !(does_something || self.rng.chance(1, 12)) {
            return None;
        }
        Some(call(self.anybody(), contract, RollupCall::SetupEpoch))
    }

    /// The target of a move: mostly the canonical rollup or one that may become it, sometimes the zero
    /// address or the present rollup.
    fn move_target(&mut self, set: &SetState, here: Address) -> Address {
        let canonical = set.registry().rollup();
        let mut others = set.rollups().map(|(address, _)| address).filter(|next| *next != here);
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
