//! Locking the asset, and leaving.

use super::{Governance, GovernanceEvent, GovernanceRefusal, Payment, next_number};
use crate::{
    asset,
    messages::Log,
    refusal::{CommonRefusal, Refusal},
    scene::{Decision, Scene},
    units::{Amount, Seconds, WithdrawalId},
};
use alloy_primitives::{Address, B256, U256};

pub(super) fn deposit(scene: Scene<'_>, on_behalf_of: Address, amount: U256) -> Decision {
    let allowance = scene.world.asset.allowance(scene.caller, scene.this);
    deposit_allowed(scene, on_behalf_of, amount, allowance)
}

/// Anybody can use a permit up before its holder does. If that gave the allowance, nothing is lost.
pub(super) fn deposit_with_permit(
    scene: Scene<'_>,
    on_behalf_of: Address,
    amount: U256,
    deadline: U256,
    signature: (u8, B256, B256),
) -> Decision {
    let (owner, spender) = (scene.caller, scene.this);
    let asset = scene.calling(scene.world.addresses().asset);
    match asset::permit(asset, owner, spender, amount, deadline, signature) {
        Ok(mut logs) => {
            logs.extend(deposit_allowed(scene, on_behalf_of, amount, amount)?);
            Ok(logs)
        }
        Err(_) => deposit(scene, on_behalf_of, amount),
    }
}

fn deposit_allowed(
    scene: Scene<'_>,
    on_behalf_of: Address,
    amount: U256,
    allowance: U256,
) -> Decision {
    let (depositor, this) = (scene.caller, scene.this);
    if depositor == this || on_behalf_of == this {
        return Err(GovernanceRefusal::SelfDeposit { depositor, on_behalf_of }.into());
    }
    if on_behalf_of.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    let asset = scene.calling(scene.world.addresses().asset);
    let mut logs = asset::transfer_from(asset, depositor, this, amount, allowance)?;
    scene.world.governance.require_storable(scene.now())?;
    let amount = Amount::try_from(amount)?;
    logs.push(scene.log(GovernanceEvent::Deposit { depositor, on_behalf_of, amount }));
    Ok(logs)
}

pub(super) fn initiate_withdraw(scene: Scene<'_>, to: Address, amount: U256) -> Decision {
    if to.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    let delay = scene.world.governance.withdrawal_delay(scene.now());
    withdraw(scene, to, amount, delay)
}

/// The caller's power becomes a withdrawal that is paid after `delay`.
pub(super) fn withdraw(
    scene: Scene<'_>,
    to: Address,
    amount: U256,
    delay: Seconds,
) -> Result<Vec<Log>, Refusal> {
    let governance: &Governance = &scene.world.governance;
    let holder = scene.caller;
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
    governance.require_storable(scene.now())?;
    let id = WithdrawalId::of(next_number(governance.withdrawals.len())?);
    let unlocks_at = scene.after(delay)?;
    Ok(vec![
        scene.log(GovernanceEvent::WithdrawInitiated { withdrawal_id: id, recipient: to, amount }),
        scene.log(GovernanceEvent::WithdrawalQueued { id, holder, unlocks_at }),
    ])
}

pub(super) fn finalise_withdraw(scene: Scene<'_>, id: U256) -> Decision {
    let (withdrawal_id, withdrawal) = scene.world.governance.withdrawal(id)?;
    if withdrawal.payment == Payment::Claimed {
        return Err(GovernanceRefusal::AlreadyClaimed { id }.into());
    }
    if scene.now() < withdrawal.unlocks_at {
        return Err(GovernanceRefusal::NotUnlocked {
            timestamp: scene.now().to_word(),
            unlocks_at: withdrawal.unlocks_at.to_word(),
        }
        .into());
    }
    let mut logs = vec![scene.log(GovernanceEvent::WithdrawFinalised { withdrawal_id })];
    let asset = scene.calling(scene.world.addresses().asset);
    let amount = withdrawal.amount.to_word();
    logs.extend(asset::transfer(asset, scene.this, withdrawal.recipient, amount)?);
    Ok(logs)
}
