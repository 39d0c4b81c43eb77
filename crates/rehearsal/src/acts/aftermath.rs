//! After the votes: stake, rewards, tokens.

use canon_bindings::Rollup;
use canon_l1::Confirmed;
use canon_protocol::Timestamp;

use super::slots;
use crate::{
    crowd::Role,
    error::Result,
    timeline::{Event, Who},
    world::{World, sum},
};

/// The first slots after a switch: the new rollup earns, the old one doesn't.
pub(super) async fn show_switch(world: &mut World<'_>) -> Result<()> {
    for rollup in [world.canonical(), 0] {
        let slot = slots::next_slot(world, rollup);
        let turn = slots::turn(world, rollup, slot).await?;
        slots::tell(world, rollup, &turn);
    }
    Ok(())
}

/// Those who announced it take their stake to the new rollup.
pub(super) async fn finish_moves(world: &mut World<'_>, to: usize) -> Result<()> {
    let members: Vec<_> = (0..world.cast.sequencers.len())
        .filter(|index| world.cast.sequencers[*index].moving_to == Some(to))
        .collect();
    if members.is_empty() {
        return Ok(());
    }
    // Agents look at the canonical rollup of the newest block.
    let done = world.crowd("finish moves", Role::Movers, &members).await?;
    let (moved, address) = (done.acts.len() as u64, world.rollups[to].address);
    let old = world.rollups[0].address;
    let is_renamed = |confirmed: &Confirmed| {
        let moved = confirmed.event::<Rollup::MoveFinalised>(old);
        moved.is_some_and(|moved| moved.newAttester != moved.attester)
    };
    let renamed = done.acts.iter().filter(|(.., confirmed)| is_renamed(confirmed)).count() as u64;
    for index in &members {
        world.cast.sequencers[*index].agent.set_rollup(address);
    }
    world.rollups[0].stakers -= moved;
    world.rollups[to].stakers += moved;
    let total = sum((0..moved).map(|_| world.scenario.rollup.stake));
    let first_slot = world.rollups[to].first_slot_after(world.stage.now());
    let event = Event::Moved { rollup: world.rollups[to].label, total, first_slot, renamed };
    world.tell(Who::Sequencers(moved), event, Some(done.spent));
    Ok(())
}

/// Those who left get their tokens, as far as they are unlocked.
pub(super) async fn withdraw(world: &mut World<'_>) -> Result<()> {
    let due = world.stage.next_time();
    let (mut holders, mut amounts) = (Vec::new(), Vec::new());
    for leave in &mut world.withdrawals {
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
    let done = world.crowd("withdraw", Role::Holders, &holders).await?;
    let who = world.these_holders(&holders);
    world.tell(who, Event::Withdrawn { total: sum(amounts) }, Some(done.spent));
    Ok(())
}

/// Some slots of every rollup that matters, once the moved stake has slots.
pub(super) async fn show_end(world: &mut World<'_>) -> Result<()> {
    let canonical = world.canonical();
    if canonical != 0 {
        let moved = world.timeline.entries().iter().rev().find_map(|entry| match entry.what {
            Event::Moved { first_slot, .. } => Some(first_slot),
            _ => None,
        });
        let clock = world.rollups[canonical].clock;
        let time = moved.and_then(|slot| clock.slot_start(slot)).unwrap_or(Timestamp::ZERO);
        let label = world.rollups[canonical].label;
        world.wait_until(time, &format!("the moved stake draws slots of rollup {label}")).await?;
    }
    let wanted = world.scenario.rollup.blocks_after;
    for done in 0..wanted {
        world.progress("blocks at the end", done, wanted);
        let rollups = if canonical == 0 { vec![0] } else { vec![canonical, 0] };
        for rollup in rollups {
            let slot = slots::next_slot(world, rollup);
            let turn = slots::turn(world, rollup, slot).await?;
            slots::tell(world, rollup, &turn);
        }
    }
    Ok(())
}
