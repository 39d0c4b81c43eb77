//! Signals and their effects: proposals, draws, the order of events.

use super::require;
use crate::{
    accounts::{ASSET, ISSUER, REGISTRY, ROLLUPS},
    scope::{M, N},
    state::State,
    steps::{Step, present_round},
    views::Views,
};
use alloy_primitives::Address;
use canon_protocol::{
    Finality, LIFETIME_IN_ROUNDS, Leader, Member, Origin, Proposal, ProposalId, Pushed, Rollup,
    Round, Slot,
};

pub(super) fn signals_add_up(state: &State, _: &Views) -> Result<(), String> {
    for (_, proposals) in state.set.all_proposals() {
        let needed = proposals.rules().n();
        for (round, tally) in proposals.instances().flat_map(|it| proposals.rounds(it)) {
            let counts = || tally.payloads.values().map(|pin| pin.count);
            let signals: u32 = counts().sum();
            require(u64::from(signals) <= M, || format!("{signals} signals in round {round}"))?;
            let winners = counts().filter(|count| *count >= needed).count();
            require(winners <= 1, || format!("{winners} winners of round {round}"))?;
            let most = counts().max();
            let leads = tally.leader.map(|leader| leader.count);
            require(leads == most, || format!("{leads:?} lead round {round}, not {most:?}"))?;
        }
    }
    Ok(())
}

pub(super) fn proposals_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.governance(), after.governance());
    for proposal in new.proposals().iter().skip(old.proposals().len()) {
        match (proposal.origin(), step) {
            (Origin::Lock, Step::Propose(holder, payload)) => {
                let amount = old.configuration().propose_config.lock_amount.get();
                let holder = holder.address();
                let given_up = old.power(holder).get() - new.power(holder).get();
                require(given_up == amount && proposal.payload() == payload.address(), || {
                    format!("{given_up} were given up, {amount} is the lock's amount")
                })?;
            }
            (Origin::Pushed { by, .. }, Step::Push(round)) => {
                winner_was_pushed(before, after, by, round, proposal.payload())?;
            }
            (origin, _) => return Err(format!("{origin:?} by another step: {step}")),
        }
    }
    Ok(())
}

/// Checks that the Proposals contract `by` made `payload` a proposal because it had won `round`.
fn winner_was_pushed(
    before: &State,
    after: &State,
    by: Address,
    round: Round,
    payload: Address,
) -> Result<(), String> {
    let canonical = before.set.registry().rollup();
    let tally = |state: &State| state.set.proposals(by)?.round(canonical, round).cloned();
    let present = present_round(before);
    let past = present.checked_sub(round.get());
    require(past.is_some_and(|past| (1..=LIFETIME_IN_ROUNDS).contains(&past)), || {
        format!("round {round} is pushed in round {present}")
    })?;
    let leader = tally(before).and_then(|tally| tally.leader);
    let has_won = |leader: Leader| leader.payload == payload && u64::from(leader.count) >= N;
    require(leader.is_some_and(has_won), || format!("round {round} was led by {leader:?}"))?;

    let governance = before.governance();
    let next = Some(Pushed::Proposal(ProposalId::of(governance.proposals().len() as u64)));
    let marks = [before, after].map(|state| tally(state).and_then(|tally| tally.pushed));
    require(marks == [None, next], || format!("the push of round {round} is stored as {marks:?}"))?;
    let twin = governance.proposals().iter().find(|twin| {
        let is_live = governance.state(twin, before.now).is_live();
        is_live && twin.payload() == payload && twin.origin() != Origin::Lock
    });
    require(twin.is_none(), || format!("{payload} has a proposal that isn't over"))
}

pub(super) fn proposers_have_a_seed(state: &State, views: &Views) -> Result<(), String> {
    for (address, rollup) in state.set.rollups() {
        let epoch = rollup.clock().epoch_at(state.now).unwrap_or_default();
        let drawn = (views.member_at)(rollup, state.now, state.now).ok().flatten();
        let drawn = drawn.map(Member::proposer);
        let recorded = state.has_seed(rollup, epoch);
        let size = rollup.set_size(epoch, state.now).unwrap_or_default();
        let expected = recorded && size > 0;
        require(drawn.is_some() == expected, || {
            format!("{address} draws {drawn:?} of {size}; its seed is recorded: {recorded}")
        })?;
    }
    Ok(())
}

pub(super) fn draws_stand(before: &State, step: Step, after: &State) -> Result<(), String> {
    if matches!(step, Step::Wait(_)) {
        return Ok(());
    }
    let now = before.now;
    for (address, old) in before.set.rollups() {
        let Some(new) = after.set.rollup(address).filter(|new| *new != old) else { continue };
        let clock = old.clock();
        let present = clock.epoch_at(now).unwrap_or_default();
        let is_final = old.finality(present.next(), now) == Ok(Finality::Final);
        let first = clock.first_slot(present).unwrap_or_default().get();
        let epochs = if is_final { 2 } else { 1 };
        let slots = first..first + epochs * clock.epoch_duration.get();
        for slot in slots.filter_map(|slot| clock.slot_start(Slot::of(slot))) {
            let drawn =
                |rollup: &Rollup| rollup.member_at(slot, now).ok().flatten().map(Member::proposer);
            require(drawn(old) == drawn(new), || {
                format!("{address} drew {:?} for {slot} and draws {:?}", drawn(old), drawn(new))
            })?;
        }
        let is_recorded =
            before.has_seed(old, present.next()) != after.has_seed(new, present.next());
        let slot = clock.slot_at(now).unwrap_or_default();
        require(!is_recorded || slot.get() > first, || {
            format!("{address} recorded a seed in slot {slot}, the first of epoch {present}")
        })?;
        let next_size = |rollup: &Rollup| rollup.set_size(present.next(), now);
        require(next_size(old) == next_size(new), || {
            format!(
                "the next set of {address} had {:?} and has {:?}",
                next_size(old),
                next_size(new)
            )
        })?;
    }
    Ok(())
}

pub(super) fn histories_grow(before: &State, _: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.set.registry().snapshots(), after.set.registry().snapshots());
    require(new.starts_with(old), || format!("{old:?} became {new:?}"))?;
    let creations = after.governance().proposals().iter().map(Proposal::creation);
    require(creations.is_sorted(), || {
        "a proposal was created before the one before it".to_owned()
    })?;
    for contract in [ASSET, REGISTRY, ISSUER].into_iter().chain(ROLLUPS) {
        let owner = |state: &State| state.set.ownership(contract).owner();
        require(owner(before) == owner(after), || {
            format!("{contract} went from {} to {}", owner(before), owner(after))
        })?;
    }
    Ok(())
}
