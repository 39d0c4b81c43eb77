//! The keeper at work, and what follows from what it does.

use canon_abi::{Governance, Revert};
use canon_agents::{Act, Outcome};
use canon_chain::Confirmed;
use canon_protocol::Round;

use super::{execution, vote};
use crate::{
    agenda::Agenda,
    batch::kind,
    error::{During, Error, Result, refusal_of},
    timeline::{Event, Spent, Who},
    upgrade_run::UpgradeRun,
};

/// Lets the keeper do all that can be done now.
pub(super) async fn tick(run: &mut UpgradeRun<'_>, agenda: &mut Agenda) -> Result<()> {
    loop {
        let view = run.look().await?;
        let outcomes = run.cast.keeper.tick(&view).await.during(ACT)?;
        let mut sent = false;
        for outcome in outcomes {
            match outcome {
                Outcome::Sent { .. } => sent = true,
                Outcome::Done { act, confirmed } => done(run, agenda, act, confirmed)?,
                Outcome::Failed { act, error } => failed(run, act, error)?,
                _ => return Err(Error::NotIncluded { act: ACT, time: run.driver.now() }),
            }
        }
        if !sent {
            return Ok(());
        }
        run.driver.mine_all()?;
    }
}

const ACT: &str = "letting the keeper work";

fn done(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    act: Act,
    confirmed: Confirmed,
) -> Result<()> {
    run.driver.gas.record(kind(&act), confirmed.gas_used);
    match act {
        Act::Push { round } => pushed(run, agenda, round, &confirmed),
        Act::Execute { id } => execution::executed(run, agenda, id, &confirmed, false),
        Act::ExecuteFrozen { id } => execution::executed(run, agenda, id, &confirmed, true),
        Act::Drop { id } => execution::dropped(run, agenda, id, &confirmed),
        Act::RecordSeed { rollup, epoch } => {
            let rollup = run.rollups.iter().find(|known| known.address == rollup);
            let rollup = rollup.map(|rollup| rollup.label).unwrap_or_default();
            let spent = Spent { transactions: 1, gas: confirmed.gas_used };
            run.tell(Who::Keeper, Event::SeedRecorded { rollup, epoch }, Some(spent));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn failed(run: &mut UpgradeRun<'_>, act: Act, error: canon_chain::Error) -> Result<()> {
    let already = |revert: &Revert| revert.is::<Governance::Governance__AlreadyDropped>();
    if error.as_revert().is_some_and(already) {
        // Somebody was faster, be it the keeper itself a block ago.
        return Ok(());
    }
    let (Act::Execute { id } | Act::ExecuteFrozen { id }) = act else {
        return Err(error).during(ACT);
    };
    execution::refused(run, id, Who::Keeper, refusal_of(error, ACT)?)
}

fn pushed(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    round: Round,
    confirmed: &Confirmed,
) -> Result<()> {
    let frozen = confirmed.event::<Governance::ProposalFrozen>(run.set.governance);
    let frozen = frozen.ok_or_else(|| Error::Unexpected("a push made no proposal".to_owned()))?;
    let track = run.tracks.iter().position(|track| track.has_won(round));
    let track = track.ok_or_else(|| Error::Unexpected(format!("nobody won round {round}")))?;
    let live = vote::live(run, frozen)?;
    let event = Event::Pushed {
        azip: run.tracks[track].plan.azip.clone(),
        round,
        proposal: live.id,
        actions: live.frozen.len() as u64,
        voting_from: live.deadlines.voting_starts(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.tell(Who::Keeper, event, Some(spent));
    vote::schedule(run, agenda, track, &live);
    run.tracks[track].live = Some(live);
    Ok(())
}
