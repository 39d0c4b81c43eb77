//! After the votes: stake, rewards, tokens.

use canon_abi::Rollup;
use canon_chain::Confirmed;
use canon_protocol::Timestamp;

use super::slots;
use crate::{
    batch::Role,
    error::Result,
    timeline::{Event, Who},
    upgrade_run::{UpgradeRun, sum},
};

/// The first slots after a switch: the new rollup earns, the old one doesn't.
pub(super) async fn show_switch(run: &mut UpgradeRun<'_>) -> Result<()> {
    for rollup in [run.canonical(), 0] {
        let slot = slots::next_slot(run, rollup);
        let turn = slots::turn(run, rollup, slot).await?;
        slots::tell(run, rollup, &turn);
    }
    Ok(())
}

/// Those who announced it take their stake to the new rollup.
pub(super) async fn finish_moves(run: &mut UpgradeRun<'_>, to: usize) -> Result<()> {
    let members: Vec<_> = (0..run.cast.sequencers.len())
        .filter(|index| run.cast.sequencers[*index].moving_to == Some(to))
        .collect();
    if members.is_empty() {
        return Ok(());
    }
    // Agents look at the canonical rollup of the newest block.
    let done = run.crowd("finish moves", Role::Movers, &members).await?;
    let (moved, address) = (done.acts.len() as u64, run.rollups[to].address);
    let old = run.rollups[0].address;
    let is_renamed = |confirmed: &Confirmed| {
        let moved = confirmed.event::<Rollup::MoveFinalised>(old);
        moved.is_some_and(|moved| moved.newAttester != moved.attester)
    };
    let renamed = done.acts.iter().filter(|(.., confirmed)| is_renamed(confirmed)).count() as u64;
    for index in &members {
        run.cast.sequencers[*index].agent.set_rollup(address);
    }
    run.rollups[0].stakers -= moved;
    run.rollups[to].stakers += moved;
    let total = sum((0..moved).map(|_| run.scenario.rollup.stake));
    let first_slot = run.rollups[to].first_slot_after(run.driver.now());
    let event = Event::Moved { rollup: run.rollups[to].label, total, first_slot, renamed };
    run.tell(Who::Sequencers(moved), event, Some(done.spent));
    Ok(())
}

/// Those who left get their tokens, as far as they are unlocked.
pub(super) async fn withdraw(run: &mut UpgradeRun<'_>) -> Result<()> {
    let due = run.driver.next_time();
    let (mut holders, mut amounts) = (Vec::new(), Vec::new());
    for leave in &mut run.withdrawals {
        // What the lock withholds isn't waited for.
        if !leave.claimed && leave.unlocks_at <= due && leave.not_before.is_some() {
            leave.claimed = true;
            holders.push(leave.holder);
            amounts.push(leave.amount);
        }
    }
    if holders.is_empty() {
        return Ok(());
    }
    let done = run.crowd("withdraw", Role::Holders, &holders).await?;
    let who = run.these_holders(&holders);
    run.tell(who, Event::Withdrawn { total: sum(amounts) }, Some(done.spent));
    Ok(())
}

/// Some slots of every rollup that matters, once the moved stake has slots.
pub(super) async fn show_end(run: &mut UpgradeRun<'_>) -> Result<()> {
    let canonical = run.canonical();
    if canonical != 0 {
        let moved = run.timeline.entries().iter().rev().find_map(|entry| match entry.what {
            Event::Moved { first_slot, .. } => Some(first_slot),
            _ => None,
        });
        let clock = run.rollups[canonical].clock;
        let time = moved.and_then(|slot| clock.slot_start(slot)).unwrap_or(Timestamp::ZERO);
        let label = run.rollups[canonical].label;
        run.wait_until(time, &format!("the moved stake draws slots of rollup {label}")).await?;
    }
    let wanted = run.scenario.rollup.blocks_after;
    for done in 0..wanted {
        run.progress("blocks at the end", done, wanted);
        let rollups = if canonical == 0 { vec![0] } else { vec![canonical, 0] };
        for rollup in rollups {
            let slot = slots::next_slot(run, rollup);
            let turn = slots::turn(run, rollup, slot).await?;
            slots::tell(run, rollup, &turn);
        }
    }
    Ok(())
}
