//! Deposits, exits and slashing.

use super::{AttesterStatus, Member, Rollup, RollupEvent, RollupRefusal};
use crate::{
    asset,
    call_frame::{CallFrame, Decision},
    refusal::CommonRefusal,
    units::Amount,
};
use alloy_primitives::{Address, U256};

impl Rollup {
    fn require_vacant(&self, attester: Address) -> Result<(), RollupRefusal> {
        match self.member(attester) {
            Some(_) => Err(RollupRefusal::AlreadyRegistered { attester }),
            None => Ok(()),
        }
    }

    fn require_stake(&self, stake: Amount) -> Result<(), RollupRefusal> {
        let minimum = self.parameters.minimum_stake;
        if stake >= minimum {
            return Ok(());
        }
        Err(RollupRefusal::StakeTooLow {
            amount: stake.to_word(),
            minimum_stake: minimum.to_word(),
        })
    }

    pub(super) fn require_member(&self, attester: Address) -> Result<&Member, RollupRefusal> {
        self.member(attester).ok_or(RollupRefusal::NotRegistered { attester })
    }

    /// Returns the registration of `attester`, and refuses callers other than its withdrawer.
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
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    proposer: Address,
    withdrawer: Address,
    amount: U256,
) -> Decision {
    frame.enter()?;
    if [attester, proposer, withdrawer].contains(&Address::ZERO) {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    rollup.require_vacant(attester)?;
    let stake = Amount::try_from(amount)?;
    rollup.require_stake(stake)?;
    let event = RollupEvent::Deposit { attester, proposer, withdrawer, amount: stake };
    let mut logs = vec![frame.log(event)];
    let asset = frame.calling(frame.set.addresses().asset);
    let allowance = frame.set.asset.allowance(frame.caller, frame.this);
    logs.extend(asset::transfer_from(asset, frame.caller, frame.this, amount, allowance)?);
    Ok(logs)
}

pub(super) fn initiate_withdraw(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    recipient: Address,
) -> Decision {
    let member = rollup.require_withdrawer(attester, frame.caller)?;
    if member.status() == AttesterStatus::Exiting {
        return Err(RollupRefusal::AlreadyExiting { attester }.into());
    }
    if recipient.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    frame.after(rollup.parameters.exit_delay)?;
    let amount = member.stake;
    Ok(vec![frame.log(RollupEvent::WithdrawInitiated { attester, recipient, amount })])
}

pub(super) fn finalize_withdraw(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
) -> Decision {
    frame.enter()?;
    let member = rollup.require_member(attester)?;
    let exit = member
        .exit()
        .ok_or_else(|| RollupRefusal::NotExiting { attester, status: member.status() })?;
    if !exit.is_payable(frame.now()) {
        return Err(RollupRefusal::ExitNotReady {
            timestamp: frame.now().to_word(),
            exitable_at: exit.exitable_at.to_word(),
        }
        .into());
    }
    let (recipient, amount) = (exit.recipient, member.stake);
    let event = RollupEvent::WithdrawFinalised { attester, recipient, amount };
    let mut logs = vec![frame.log(event)];
    let asset = frame.calling(frame.set.addresses().asset);
    logs.extend(asset::transfer(asset, frame.this, recipient, amount.to_word())?);
    Ok(logs)
}

pub(super) fn set_coinbase(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    coinbase: Address,
) -> Decision {
    rollup.require_withdrawer(attester, frame.caller)?;
    if coinbase.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    Ok(vec![frame.log(RollupEvent::CoinbaseSet { attester, coinbase })])
}

pub(super) fn slash(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    amount: U256,
) -> Decision {
    frame.require_owner()?;
    let stake = rollup.require_member(attester)?.stake;
    let taken = Amount::try_from(amount).unwrap_or(Amount::MAX).min(stake);
    if taken.is_zero() {
        return Err(RollupRefusal::NothingToSlash { attester }.into());
    }
    Ok(vec![frame.log(RollupEvent::Slashed { attester, amount: taken })])
}
