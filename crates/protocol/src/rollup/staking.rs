//! Joining, leaving, and being slashed.

use super::{Member, Rollup, RollupEvent, RollupRefusal, Status};
use crate::{
    asset,
    refusal::CommonRefusal,
    scene::{Decision, Scene},
    units::Amount,
};
use alloy_primitives::{Address, U256};

impl Rollup {
    pub(super) fn require_member(&self, attester: Address) -> Result<&Member, RollupRefusal> {
        self.member(attester).ok_or(RollupRefusal::NotRegistered { attester })
    }

    /// The registration of `attester`, about which only its withdrawer decides.
    pub(super) fn require_withdrawer(
        &self,
        attester: Address,
        caller: Address,
    ) -> Result<&Member, RollupRefusal> {
        let member = self.member(attester);
        member.filter(|member| member.withdrawer == caller).ok_or_else(|| {
            let withdrawer = member.map(|member| member.withdrawer).unwrap_or_default();
            RollupRefusal::NotWithdrawer { caller, withdrawer }
        })
    }
}

pub(super) fn deposit(
    scene: Scene<'_>,
    rollup: &Rollup,
    attester: Address,
    proposer: Address,
    withdrawer: Address,
    amount: U256,
) -> Decision {
    scene.enter()?;
    if [attester, proposer, withdrawer].contains(&Address::ZERO) {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if rollup.member(attester).is_some() {
        return Err(RollupRefusal::AlreadyRegistered { attester }.into());
    }
    let stake = Amount::try_from(amount)?;
    let minimum = rollup.parameters.minimum_stake;
    if stake < minimum {
        let minimum_stake = minimum.to_word();
        return Err(RollupRefusal::StakeTooLow { amount, minimum_stake }.into());
    }
    let event = RollupEvent::Deposit { attester, proposer, withdrawer, amount: stake };
    let mut logs = vec![scene.log(event)];
    let asset = scene.calling(scene.world.addresses().asset);
    let allowance = scene.world.asset.allowance(scene.caller, scene.this);
    logs.extend(asset::transfer_from(asset, scene.caller, scene.this, amount, allowance)?);
    Ok(logs)
}

pub(super) fn initiate_withdraw(
    scene: Scene<'_>,
    rollup: &Rollup,
    attester: Address,
    recipient: Address,
) -> Decision {
    let member = rollup.require_withdrawer(attester, scene.caller)?;
    if member.status() == Status::Exiting {
        return Err(RollupRefusal::AlreadyExiting { attester }.into());
    }
    if recipient.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    scene.after(rollup.parameters.exit_delay)?;
    let amount = member.stake;
    Ok(vec![scene.log(RollupEvent::WithdrawInitiated { attester, recipient, amount })])
}

pub(super) fn finalise_withdraw(scene: Scene<'_>, rollup: &Rollup, attester: Address) -> Decision {
    scene.enter()?;
    let member = rollup.require_member(attester)?;
    let exit = member
        .exit()
        .ok_or_else(|| RollupRefusal::NotExiting { attester, status: member.status() })?;
    if scene.now() < exit.exitable_at {
        return Err(RollupRefusal::ExitNotReady {
            timestamp: scene.now().to_word(),
            exitable_at: exit.exitable_at.to_word(),
        }
        .into());
    }
    let (recipient, amount) = (exit.recipient, member.stake);
    let event = RollupEvent::WithdrawFinalised { attester, recipient, amount };
    let mut logs = vec![scene.log(event)];
    let asset = scene.calling(scene.world.addresses().asset);
    logs.extend(asset::transfer(asset, scene.this, recipient, amount.to_word())?);
    Ok(logs)
}

pub(super) fn set_coinbase(
    scene: Scene<'_>,
    rollup: &Rollup,
    attester: Address,
    coinbase: Address,
) -> Decision {
    rollup.require_withdrawer(attester, scene.caller)?;
    if coinbase.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    Ok(vec![scene.log(RollupEvent::CoinbaseSet { attester, coinbase })])
}

pub(super) fn slash(
    scene: Scene<'_>,
    rollup: &Rollup,
    attester: Address,
    amount: U256,
) -> Decision {
    scene.require_owner()?;
    let stake = rollup.require_member(attester)?.stake;
    let taken = Amount::try_from(amount).unwrap_or(Amount::MAX).min(stake);
    if taken.is_zero() {
        return Err(RollupRefusal::NothingToSlash { attester }.into());
    }
    Ok(vec![scene.log(RollupEvent::Slashed { attester, amount: taken })])
}
