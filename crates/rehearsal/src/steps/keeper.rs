//! The keeper's transactions, and the tasks that follow from them.

use canon_abi::Governance;
use canon_chain::Confirmed;
use canon_protocol::{Round, Timestamp, TooLarge};
use canon_views::IntentSubject;

use super::{execution, vote};
use crate::{
    acting::AgentRef,
    agenda::Agenda,
    error::{During, Error, Result, refusal_of},
    timeline::{Event, Spent, Who},
    upgrade_run::UpgradeRun,
};

const ACT: &str = "letting the keeper work";

/// Makes the keeper do everything that is due now.
pub(super) async fn tick(run: &mut UpgradeRun<'_>, agenda: &mut Agenda) -> Result<()> {
    loop {
        let acted = run.tick(ACT, &[AgentRef::Keeper], Timestamp::MAX).await?;
        for (_, subject, confirmed) in acted.done {
            done(run, agenda, subject, &confirmed)?;
        }
        for (subject, error) in acted.refused {
            let IntentSubject::Execute { id } = subject else { return Err(error).during(ACT) };
            execution::refused(run, id, Who::Keeper, refusal_of(error, ACT)?)?;
        }
        if acted.in_flight.is_empty() {
            return Ok(());
        }
        run.mine_all().await?;
    }
}

fn done(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    subject: IntentSubject,
    confirmed: &Confirmed,
) -> Result<()> {
    match subject {
        IntentSubject::Push { round, .. } => pushed(run, agenda, round, confirmed),
        IntentSubject::Execute { id } => execution::executed(run, agenda, id, confirmed),
        IntentSubject::Drop { id } => execution::dropped(run, agenda, id, confirmed),
        IntentSubject::RecordSeed { rollup, epoch } => {
            let rollup = run.set.rollups.iter().find(|known| known.address == rollup);
            let rollup = rollup.map(|rollup| rollup.label).unwrap_or_default();
            let spent = Spent { transactions: 1, gas: confirmed.gas_used };
            run.record_event(Who::Keeper, Event::SeedRecorded { rollup, epoch }, Some(spent));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn pushed(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    round: Round,
    confirmed: &Confirmed,
) -> Result<()> {
    let frozen = confirmed.event::<Governance::ProposalFrozen>(run.set.addresses().governance);
    let frozen = frozen.ok_or_else(|| Error::Unexpected("a push made no proposal".to_owned()))?;
    let unexpected = |error: TooLarge| Error::Unexpected(error.to_string());
    let track = run.track_of(frozen.proposalId.try_into().map_err(unexpected)?)?;
    let (id, proposal) = run.proposal(track)?;
    let event = Event::Pushed {
        azip: run.tracks[track].plan.azip.clone(),
        round,
        proposal: id,
        actions: proposal.actions().len() as u64,
        voting_from: proposal.deadlines().voting_starts(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Keeper, event, Some(spent));
    vote::schedule(run, agenda, track)
}
