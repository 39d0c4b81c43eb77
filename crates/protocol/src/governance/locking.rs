//! Locking the asset as power, and withdrawing it.

use super::{Governance, GovernanceEvent, GovernanceRefusal, Payment, next_number};
use crate::{
    asset,
    call_frame::{CallFrame, Decision},
    messages::Log,
    refusal::{CommonRefusal, Refusal},
    units::{Amount, Seconds, WithdrawalId},
};
use alloy_primitives::{Address, B256, U256};

pub(super) fn deposit(
    frame: CallFrame<'_>,
    governance: &Governance,
    on_behalf_of: Address,
    amount: U256,
) -> Decision {
    let allowance = frame.set.asset.allowance(frame.caller, frame.this);
    deposit_allowed(frame, governance, on_behalf_of, amount, allowance)
}

/// Deposits with a permit. Any account can submit a permit before its holder does, so a failing permit is
/// ignored and the allowance decides.
pub(super) fn deposit_with_permit(
    frame: CallFrame<'_>,
    governance: &Governance,
    on_behalf_of: Address,
    amount: U256,
    deadline: U256,
    signature: (u8, B256, B256),
) -> Decision {
    let (owner, spender) = (frame.caller, frame.this);
    let asset = frame.calling(frame.set.addresses().asset);
    match asset::permit(asset, owner, spender, amount, deadline, signature) {
        Ok(mut logs) => {
            logs.extend(deposit_allowed(frame, governance, on_behalf_of, amount, amount)?);
            Ok(logs)
        }
        Err(_) => deposit(frame, governance, on_behalf_of, amount),
    }
}

fn deposit_allowed(
    frame: CallFrame<'_>,
    governance: &Governance,
    on_behalf_of: Address,
    amount: U256,
    allowance: U256,
) -> Decision {
    let (depositor, this) = (frame.caller, frame.this);
    if depositor == this || on_behalf_of == this {
        return Err(GovernanceRefusal::SelfDeposit { depositor, on_behalf_of }.into());
    }
    if on_behalf_of.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    let asset = frame.calling(frame.set.addresses().asset);
    let mut logs = asset::transfer_from(asset, depositor, this, amount, allowance)?;
    governance.require_storable(frame.now())?;
    let amount = Amount::try_from(amount)?;
    logs.push(frame.log(GovernanceEvent::Deposit { depositor, on_behalf_of, amount }));
    Ok(logs)
}

pub(super) fn initiate_withdraw(
    frame: CallFrame<'_>,
    governance: &Governance,
    to: Address,
    amount: U256,
) -> Decision {
    if to.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    let delay = governance.withdrawal_delay(frame.now());
    withdraw(frame, governance, to, amount, delay)
}

/// Turns `amount` of the caller's power into a withdrawal that is paid after `delay`.
pub(super) fn withdraw(
    frame: CallFrame<'_>,
    governance: &Governance,
    to: Address,
    amount: U256,
    delay: Seconds,
) -> Result<Vec<Log>, Refusal> {
    let holder = frame.caller;
    let available = governance.power(holder);
    let amount = match Amount::try_from(amount) {
        Ok(amount) if amount <= available => amount,
        _ => {
            let available = available.to_word();
            return Err(
                GovernanceRefusal::InsufficientPower { holder, available, needed: amount }.into()
            );
        }
    };
    governance.require_storable(frame.now())?;
    let id = WithdrawalId::of(next_number(governance.withdrawals.len())?);
    let unlocks_at = frame.after(delay)?;
    Ok(vec![
        frame.log(GovernanceEvent::WithdrawInitiated { withdrawal_id: id, recipient: to, amount }),
        frame.log(GovernanceEvent::WithdrawalQueued { id, holder, unlocks_at }),
    ])
}

pub(super) fn finalize_withdraw(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
) -> Decision {
    let (withdrawal_id, withdrawal) = governance.withdrawal(id)?;
    if withdrawal.payment == Payment::Claimed {
        return Err(GovernanceRefusal::AlreadyClaimed { id }.into());
    }
    if !withdrawal.is_payable(frame.now()) {
        return Err(GovernanceRefusal::NotUnlocked {
            timestamp: frame.now().to_word(),
            unlocks_at: withdrawal.unlocks_at.to_word(),
        }
        .into());
    }
    let mut logs = vec![frame.log(GovernanceEvent::WithdrawFinalised { withdrawal_id })];
    let asset = frame.calling(frame.set.addresses().asset);
    let amount = withdrawal.amount.to_word();
    logs.extend(asset::transfer(asset, frame.this, withdrawal.recipient, amount)?);
    Ok(logs)
}
