//! Tokens and power.

use super::{require, sum};
use crate::{
    accounts::{GOVERNANCE, Holder},
    state::State,
    steps::Step,
    views::Views,
};
use canon_protocol::{Member, Payment, ProposalState, Withdrawal};

/// The unpaid withdrawals of `holder`, or of all holders.
fn due(state: &State, holder: Option<Holder>) -> u128 {
    let withdrawals = state.governance().withdrawals().iter();
    let due = withdrawals.filter(|withdrawal| {
        withdrawal.payment == Payment::Due
            && holder.is_none_or(|holder| withdrawal.holder == holder.address())
    });
    sum(due.map(|withdrawal| withdrawal.amount))
}

pub(super) fn solvency(state: &State, _: &Views) -> Result<(), String> {
    let asset = state.set.asset();
    let has = |contract| asset.balance_of(contract).get();
    let owed = state.governance().total_power().get() + due(state, None);
    require(has(GOVERNANCE) >= owed, || {
        format!("Governance has {} and owes {owed}", has(GOVERNANCE))
    })?;
    for (rollup, it) in state.set.rollups() {
        let owed = sum(it.registrations().iter().map(Member::stake));
        require(has(rollup) >= owed, || format!("{rollup} has {} and owes {owed}", has(rollup)))?;
    }
    let balances = sum(asset.balances().map(|(_, balance)| balance));
    let supply = asset.total_supply().get();
    require(balances == supply, || format!("balances of {balances} of a supply of {supply}"))
}

pub(super) fn power_adds_up(state: &State, views: &Views) -> Result<(), String> {
    let governance = state.governance();
    let snapshots = state.open_proposals().map(|proposal| proposal.deadlines().pending);
    for time in snapshots.filter(|time| *time <= state.now).chain([state.now]) {
        let power =
            |holder| (views.power_at)(governance, holder, time, state.now).unwrap_or_default();
        let powers = sum(governance.holders().map(|(holder, _)| power(holder)));
        let total = governance.total_power_at(time, state.now).unwrap_or_default().get();
        require(powers == total, || {
            format!("{total} in total, {powers} of all holders, at {time}")
        })?;
    }
    Ok(())
}

/// Checks that power which counts on a proposal that may still pass is locked, or in an unpaid
/// withdrawal.
pub(super) fn tokens_stay(state: &State, _: &Views) -> Result<(), String> {
    let governance = state.governance();
    for (id, proposal) in governance.proposals().iter().enumerate() {
        let proposal_state = governance.state(proposal, state.now);
        if !matches!(proposal_state, ProposalState::Active | ProposalState::Queued) {
            continue;
        }
        let snapshot = proposal.deadlines().pending;
        for holder in Holder::ALL {
            let power = governance.power_at(holder.address(), snapshot, state.now);
            let counted = power.unwrap_or_default().get();
            let held = governance.power(holder.address()).get() + due(state, Some(holder));
            require(counted <= held, || {
                format!(
                    "proposal {id} is {proposal_state} with {counted} of {holder}, of whom Governance holds {held}"
                )
            })?;
        }
    }
    Ok(())
}

pub(super) fn withdrawals_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.governance().withdrawals(), after.governance().withdrawals());
    for (id, (old, new)) in (0..).zip(old.iter().zip(new)) {
        let unpaid = Withdrawal { payment: old.payment, ..*new };
        require(unpaid == *old, || format!("withdrawal {id} was {old:?} and is {new:?}"))?;
        if new.payment == old.payment {
            continue;
        }
        let is_due = matches!(step, Step::Finalize(of) if of.get() == id)
            && old.payment == Payment::Due
            && before.now >= old.unlocks_at;
        require(is_due, || format!("withdrawal {id} was {old:?} and is {new:?}"))?;
        let balance = |state: &State| state.set.asset().balance_of(old.recipient).get();
        require(balance(after) == balance(before) + old.amount.get(), || {
            format!("withdrawal {id} paid {} of {}", balance(after) - balance(before), old.amount)
        })?;
    }
    Ok(())
}
