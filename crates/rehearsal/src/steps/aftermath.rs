//! The time after the votes: moves of stake, rewards and withdrawals.

use canon_abi::Rollup;
use canon_chain::Confirmed;
use canon_protocol::Timestamp;

use super::{slots, vote::holders};
use crate::{
    acting::AgentRef,
    error::Result,
    timeline::{TimelineEvent, Who},
    upgrade_run::{UpgradeRun, sum},
};

/// Simulates the first slots after a switch: the new rollup earns rewards, the old one doesn't.
pub(super) async fn show_switch(run: &mut UpgradeRun<'_>) -> Result<()> {
    for rollup in [run.set.canonical()?, 0] {
        let slot = slots::next_slot(run, rollup);
        let outcome = slots::run_slot(run, rollup, slot).await?;
        slots::record_outcome(run, rollup, &outcome);
    }
    Ok(())
}

/// Finishes the announced moves to the rollup with index `to`.
pub(super) async fn finish_moves(run: &mut UpgradeRun<'_>, to: usize) -> Result<()> {
    let address = run.set.rollups[to].address;
    let sequencers = run.participants.sequencers.iter().enumerate();
    let movers = sequencers.filter(|(_, sequencer)| sequencer.moves_to(address));
    let members: Vec<_> = movers.map(|(index, _)| AgentRef::Mover(index)).collect();
    if members.is_empty() {
        return Ok(());
    }
    let acted = run.act_all("finish moves", &members).await?;
    let moved = acted.done.len() as u64;
    let old = run.set.rollups[0].address;
    let is_renamed = |confirmed: &Confirmed| {
        let moved = confirmed.event::<Rollup::MoveFinalised>(old);
        moved.is_some_and(|moved| moved.newAttester != moved.attester)
    };
    let renamed = acted.done.iter().filter(|(.., confirmed)| is_renamed(confirmed)).count() as u64;
    for sequencer in run.participants.sequencers.iter_mut().filter(|one| one.moves_to(address)) {
        sequencer.agent.role.identity.rollup = address;
    }
    let total = sum((0..moved).map(|_| run.scenario.rollup.stake));
    let rollup = &run.set.rollups[to];
    let (label, first_slot) = (rollup.label, rollup.first_slot_after(run.driver.now()));
    let event = TimelineEvent::Moved { rollup: label, total, first_slot, renamed };
    run.record_event(Who::Sequencers(moved), event, Some(acted.spent));
    Ok(())
}

/// Pays the withdrawals that are unlocked.
pub(super) async fn withdraw(run: &mut UpgradeRun<'_>) -> Result<()> {
    let due = run.driver.next_time();
    let payable = run.state().governance().withdrawals().iter().filter(|one| one.is_payable(due));
    let payable: Vec<_> = payable.map(|one| (one.holder, one.amount)).collect();
    let is_due = |index: &usize| {
        let address = run.participants.holders[*index].agent.address();
        payable.iter().any(|(holder, _)| *holder == address)
    };
    let members: Vec<_> = (0..run.participants.holders.len()).filter(is_due).collect();
    if members.is_empty() {
        return Ok(());
    }
    let acted = run.act_all("withdraw", &holders(&members)).await?;
    let who = run.participants.these_holders(&members);
    let total = sum(payable.iter().map(|(_, amount)| *amount));
    run.record_event(who, TimelineEvent::Withdrawn { total }, Some(acted.spent));
    Ok(())
}

/// Simulates some slots of the canonical and of the first rollup, after the moved stake has begun
/// to draw slots.
pub(super) async fn show_end(run: &mut UpgradeRun<'_>) -> Result<()> {
    let canonical = run.set.canonical()?;
    if canonical != 0 {
        let moved = run.timeline.entries().iter().rev().find_map(|entry| match entry.what {
            TimelineEvent::Moved { first_slot, .. } => Some(first_slot),
            _ => None,
        });
        let rollup = &run.set.rollups[canonical];
        let time = moved.and_then(|slot| rollup.clock.slot_start(slot)).unwrap_or(Timestamp::ZERO);
        let label = rollup.label;
        run.wait_until(time, &format!("the moved stake draws slots of rollup {label}")).await?;
    }
    let wanted = run.scenario.rollup.blocks_after;
    for done in 0..wanted {
        run.progress("blocks at the end", done, wanted);
        let rollups = if canonical == 0 { vec![0] } else { vec![canonical, 0] };
        for rollup in rollups {
            let slot = slots::next_slot(run, rollup);
            let outcome = slots::run_slot(run, rollup, slot).await?;
            slots::record_outcome(run, rollup, &outcome);
        }
    }
    Ok(())
}
