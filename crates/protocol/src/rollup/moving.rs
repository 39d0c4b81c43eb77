//! Moving a stake to the next rollup without a gap in between.

use super::{AttesterStatus, Rollup, RollupCall, RollupEvent, RollupRefusal};
use crate::{
    asset,
    call_frame::{CallFrame, Decision},
    messages::Log,
    overlay::Overlay,
    questions,
    refusal::CommonRefusal,
};
use alloy_primitives::{Address, U256};

pub(super) fn initiate_move(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    new_rollup: Address,
) -> Decision {
    let member = rollup.require_withdrawer(attester, frame.caller)?;
    let status = member.status();
    if status != AttesterStatus::Validating {
        return Err(RollupRefusal::NotValidating { attester, status }.into());
    }
    if new_rollup.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    if new_rollup == frame.this {
        return Err(RollupRefusal::MoveToSelf.into());
    }
    // Changing the target doesn't restart the delay.
    let ready_at = match member.moving() {
        Some(announced) => announced.ready_at,
        None => frame.after(rollup.parameters.exit_delay)?,
    };
    Ok(vec![frame.log(RollupEvent::MoveInitiated { attester, new_rollup, ready_at })])
}

/// Decides the withdrawer's call that finalizes a move under another attester.
pub(super) fn finalize_move_as(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    new_attester: Address,
    logs: Vec<Log>,
) -> Decision {
    rollup.require_withdrawer(attester, frame.caller)?;
    if new_attester.is_zero() {
        return Err(CommonRefusal::ZeroAddress.into());
    }
    finalize_move(frame, rollup, attester, new_attester, logs)
}

/// Decides the final step of a move: the stake leaves this rollup and is deposited for `new_attester` into
/// the announced one. That may be any code, so the call is refused unless exactly the stake is gone
/// afterwards.
pub(super) fn finalize_move(
    frame: CallFrame<'_>,
    rollup: &Rollup,
    attester: Address,
    new_attester: Address,
    mut logs: Vec<Log>,
) -> Decision {
    let guard = frame.enter()?;
    let member = rollup.require_member(attester)?;
    let status = member.status();
    if status != AttesterStatus::Validating {
        return Err(RollupRefusal::NotValidating { attester, status }.into());
    }
    let announced = member.moving().ok_or(RollupRefusal::NoMove { attester })?;
    if !announced.is_ready(frame.now()) {
        return Err(RollupRefusal::MoveNotReady {
            timestamp: frame.now().to_word(),
            ready_at: announced.ready_at.to_word(),
        }
        .into());
    }
    let new_rollup = announced.new_rollup;
    let canonical = frame.address_word(rollup.parameters.registry, questions::ROLLUP)?;
    if new_rollup != canonical {
        return Err(RollupRefusal::MoveNotToCanonical { new_rollup, canonical }.into());
    }
    frame.require_code(new_rollup)?;

    let stake = member.stake;
    let amount = stake.to_word();
    let this = frame.this;
    let asset = frame.calling(frame.set.addresses().asset);
    let event = RollupEvent::MoveFinalised { attester, new_rollup, new_attester, amount: stake };
    logs.push(frame.log(event));
    logs.extend(asset::approve(asset, this, new_rollup, amount)?);

    let before = frame.set.asset.balance_of(this);
    let mut overlay = Overlay::new(CallFrame { guard: &guard, ..frame });
    overlay.apply(logs);
    let deposit = RollupCall::Deposit {
        attester: new_attester,
        proposer: member.proposer,
        withdrawer: member.withdrawer,
        amount,
    };
    overlay.call(this, new_rollup, &deposit.abi_encode())?;
    if !overlay.set().asset.allowance(this, new_rollup).is_zero() {
        overlay.apply(asset::approve(asset, this, new_rollup, U256::ZERO)?);
    }
    let taken = before.saturating_sub(overlay.set().asset.balance_of(this));
    if taken != stake {
        let taken = taken.to_word();
        return Err(RollupRefusal::StakeNotMoved { stake: amount, taken }.into());
    }
    Ok(overlay.into_logs())
}
