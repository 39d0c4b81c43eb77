//! The keeper at work, and what follows from what it does.

use canon_agents::{Act, Outcome};
use canon_bindings::{Governance, Revert};
use canon_l1::Confirmed;
use canon_protocol::Round;

use super::{execution, vote};
use crate::{
    agenda::Agenda,
    crowd::kind,
    error::{During, Error, Result, refusal_of},
    timeline::{Event, Spent, Who},
    world::World,
};

/// Lets the keeper do all that can be done now.
pub(super) async fn tick(world: &mut World<'_>, agenda: &mut Agenda) -> Result<()> {
    loop {
        let view = world.look().await?;
        let outcomes = world.cast.keeper.tick(&view).await.during(ACT)?;
        let mut sent = false;
        for outcome in outcomes {
            match outcome {
                Outcome::Sent { .. } => sent = true,
                Outcome::Done { act, confirmed } => done(world, agenda, act, confirmed)?,
                Outcome::Failed { act, error } => failed(world, act, error)?,
                _ => return Err(Error::NotIncluded { act: ACT, time: world.stage.now() }),
            }
        }
        if !sent {
            return Ok(());
        }
        world.stage.mine_all()?;
    }
}

const ACT: &str = "letting the keeper work";

fn done(world: &mut World<'_>, agenda: &mut Agenda, act: Act, confirmed: Confirmed) -> Result<()> {
    world.stage.gas.record(kind(&act), confirmed.gas_used);
    match act {
        Act::Push { round } => pushed(world, agenda, round, &confirmed),
        Act::Execute { id } => execution::executed(world, agenda, id, &confirmed, false),
        Act::ExecuteFrozen { id } => execution::executed(world, agenda, id, &confirmed, true),
        Act::Drop { id } => execution::dropped(world, agenda, id, &confirmed),
        Act::RecordSeed { rollup, epoch } => {
            let rollup = world.rollups.iter().find(|known| known.address == rollup);
            let rollup = rollup.map(|rollup| rollup.label).unwrap_or_default();
            let spent = Spent { transactions: 1, gas: confirmed.gas_used };
            world.tell(Who::Keeper, Event::SeedRecorded { rollup, epoch }, Some(spent));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn failed(world: &mut World<'_>, act: Act, error: canon_l1::Error) -> Result<()> {
    let already = |revert: &Revert| revert.is::<Governance::Governance__AlreadyDropped>();
    if error.as_revert().is_some_and(already) {
        // Somebody was faster, be it the keeper itself a block ago.
        return Ok(());
    }
    let (Act::Execute { id } | Act::ExecuteFrozen { id }) = act else {
        return Err(error).during(ACT);
    };
    execution::refused(world, id, Who::Keeper, refusal_of(error, ACT)?)
}

fn pushed(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    round: Round,
    confirmed: &Confirmed,
) -> Result<()> {
    let frozen = confirmed.event::<Governance::ProposalFrozen>(world.set.governance);
    let frozen = frozen.ok_or_else(|| Error::Unexpected("a push made no proposal".to_owned()))?;
    let docket = world.dockets.iter().position(|docket| docket.has_won(round));
    let docket = docket.ok_or_else(|| Error::Unexpected(format!("nobody won round {round}")))?;
    let live = vote::live(world, frozen)?;
    let event = Event::Pushed {
        azip: world.dockets[docket].plan.azip.clone(),
        round,
        proposal: live.id,
        actions: live.frozen.len() as u64,
        voting_from: live.deadlines.voting_starts(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Keeper, event, Some(spent));
    vote::schedule(world, agenda, docket, &live);
    world.dockets[docket].live = Some(live);
    Ok(())
}
