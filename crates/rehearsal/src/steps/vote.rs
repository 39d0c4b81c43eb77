//! From a proposal to its result.

use canon_abi::Governance;
use canon_agents::{Order, Share};
use canon_chain::calls;
use canon_protocol::{
    Amount, Configuration, Deadlines, ProposalState, Seconds, Support, Tabulation, Tally,
    Timestamp, tabulate,
};

use super::{execution, payload};
use crate::{
    agenda::{Agenda, Task},
    batch::Role,
    bytecode::IShifting,
    describe::describe,
    error::{During, Error, Result, refusal_of},
    scenario::{BallotPlan, End, PayloadKind},
    timeline::{Event, Side, Spent, Who, Window},
    upgrade_run::{Leave, Live, UpgradeRun, rejection, sum},
};

/// What a proposal's birth tells about it.
pub(super) fn live(run: &UpgradeRun<'_>, frozen: Governance::ProposalFrozen) -> Result<Live> {
    let unexpected = |error: canon_protocol::TooLarge| Error::Unexpected(error.to_string());
    Ok(Live {
        id: frozen.proposalId.try_into().map_err(unexpected)?,
        deadlines: Deadlines::new(run.driver.now(), &run.scenario.governance),
        frozen: frozen.actions,
        proposer: frozen.proposer,
        tally: Tally::default(),
        result: None,
    })
}

/// The appointments of a proposal up to the end of its vote.
pub(super) fn schedule(run: &UpgradeRun<'_>, agenda: &mut Agenda, track: usize, live: &Live) {
    agenda.add(live.deadlines.voting_starts(), Task::Ballots { track });
    if run.cast.holders.iter().any(|holder| holder.late && holder.ballot == BallotPlan::Yes) {
        agenda.add(run.driver.last_block_until(live.deadlines.active), Task::LateBallots { track });
    }
    agenda.add(live.deadlines.active + Seconds::SECOND, Task::Close { track });
}

/// The holder with the most power gives some of it up for a proposal.
pub(super) async fn propose_with_lock(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let holders = 0..run.cast.holders.len();
    // The first of equals.
    let holder = holders.rev().max_by_key(|holder| run.power(*holder)).unwrap_or_default();
    let (governance, payload) = (run.set.governance, run.tracks[track].payload);
    let to = run.cast.holders[holder].sender.address();
    let call = calls::propose_with_lock(governance, payload, to);
    let sender = &mut run.cast.holders[holder].sender;
    sender.resync();
    let confirmed = run.driver.send("propose with lock", sender, call).await?;
    // Its agent counted nonces without this one.
    sender.resync();
    run.cast.holders[holder].agent = crate::participants::holder(sender.clone());
    let frozen = confirmed.event::<Governance::ProposalFrozen>(governance);
    let frozen = frozen.ok_or_else(|| Error::Unexpected("a lock has no proposal".to_owned()))?;
    let live = live(run, frozen)?;
    let amount = run.scenario.governance.propose_config.lock_amount;
    let leave = leave(run, &confirmed, holder, amount, None)?;
    let event = Event::ProposedWithLock {
        azip: run.tracks[track].plan.azip.clone(),
        proposal: live.id,
        amount,
        unlocks_at: leave.unlocks_at,
        actions: live.frozen.len() as u64,
        voting_from: live.deadlines.voting_starts(),
    };
    run.withdrawals.push(leave);
    let who = Who::Holder(run.cast.holders[holder].number);
    run.tell(who, event, Some(Spent { transactions: 1, gas: confirmed.gas_used }));
    schedule(run, agenda, track, &live);
    run.tracks[track].live = Some(live);
    Ok(())
}

/// The withdrawal that a transaction started.
fn leave(
    run: &UpgradeRun<'_>,
    confirmed: &canon_chain::Confirmed,
    holder: usize,
    amount: Amount,
    not_before: Option<Timestamp>,
) -> Result<Leave> {
    let queued = confirmed.event::<Governance::WithdrawalQueued>(run.set.governance);
    let queued = queued.ok_or_else(|| Error::Unexpected("a withdrawal isn't queued".to_owned()))?;
    let unexpected = |error: canon_protocol::TooLarge| Error::Unexpected(error.to_string());
    Ok(Leave {
        id: queued.id.try_into().map_err(unexpected)?,
        holder,
        amount,
        at: run.driver.now(),
        unlocks_at: queued.unlocksAt.try_into().map_err(unexpected)?,
        not_before,
        claimed: false,
    })
}

/// Holders that vote do so, then those leave that are meant to.
pub(super) async fn ballots(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    // Power at the snapshot is known once the snapshot is past.
    run.driver.mine_all()?;
    for (plan, side) in
        [(BallotPlan::Yes, Side::Yes), (BallotPlan::No, Side::No), (BallotPlan::Split, Side::Both)]
    {
        cast(run, track, plan, side, false).await?;
    }
    leave_after(run, agenda, track).await
}

/// The ballots for of those who waited.
pub(super) async fn late_ballots(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    cast(run, track, BallotPlan::Yes, Side::Yes, true).await
}

/// The ballots against of those who waited until the vote was over. They can turn an accepted proposal
/// into a rejected one, and nothing turns it back.
pub(super) async fn object(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    cast(run, track, BallotPlan::No, Side::No, true).await?;
    let live = run.live(track)?;
    let (id, tally, snapshot) = (live.id, live.tally, live.deadlines.pending);
    let (client, governance) = (run.driver.client(), run.set.governance);
    let state = client.proposal_state(run.driver.head(), governance, id).await;
    let state = state.during("reading a proposal's state")?;
    let total = run.total_power_at(snapshot);
    let result = tabulate(&run.scenario.governance, total, tally);
    if let Some(live) = &mut run.tracks[track].live {
        live.result = Some(result);
    }
    match (state, rejection(result, tally)) {
        (ProposalState::Queued, None) => Ok(()),
        (ProposalState::Rejected, Some(rejected)) => {
            agenda.cancel(|task| execution::is_about(task, track));
            let azip = run.tracks[track].plan.azip.clone();
            let event = Event::Overturned { azip, tally, total, rejected };
            run.tell(Who::Time, event, None);
            answer_in_vain(run, track).await?;
            // The event above says it already.
            run.decide(track, End::Rejected);
            Ok(())
        }
        (other, _) => {
            Err(Error::Unexpected(format!("the proposal is {other} after the objections")))
        }
    }
}

/// Somebody who is for it tries to answer the objections.
async fn answer_in_vain(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let mut holders = run.cast.holders.iter();
    let Some(holder) = holders.find(|holder| holder.ballot == BallotPlan::Yes) else {
        return Ok(());
    };
    let (id, one) = (run.live(track)?.id, Amount::of(1));
    let call = calls::vote(run.set.governance, id, one, Support::Yea);
    let (who, next) = (Who::Holder(holder.number), run.driver.next());
    let Err(error) = holder.sender.simulate(&call, next).await else {
        return Err(Error::Unexpected("a ballot for a rejected proposal was taken".to_owned()));
    };
    let refusal = refusal_of(error, "voting in vain")?;
    run.refused(track, who, "tries to vote yes on it".to_owned(), refusal);
    Ok(())
}

/// The ballots of one kind.
async fn cast(
    run: &mut UpgradeRun<'_>,
    track: usize,
    plan: BallotPlan,
    side: Side,
    late: bool,
) -> Result<()> {
    let live = run.live(track)?;
    let (id, snapshot, mut tally) = (live.id, live.deadlines.pending, live.tally);
    let mut voters: Vec<_> = (0..run.cast.holders.len())
        .filter(|holder| {
            let holder = &run.cast.holders[*holder];
            holder.ballot == plan && holder.late == late
        })
        .map(|holder| (holder, run.power_at(holder, snapshot)))
        .filter(|(_, power)| !power.is_zero())
        .collect();
    if late && plan == BallotPlan::No {
        // The objection that tips it is the last one that is taken.
        let (rules, total) = (&run.scenario.governance, run.total_power_at(snapshot));
        let mut so_far = tally;
        voters.retain(|(_, power)| {
            let wanted = tabulate(rules, total, so_far) == Tabulation::Accepted;
            so_far = so_far.checked_add(Support::Nea, *power).unwrap_or(so_far);
            wanted
        });
    }
    if voters.is_empty() {
        return Ok(());
    }
    for &(holder, power) in &voters {
        let half = Amount::new(power.get() / 2).unwrap_or_default();
        let ballots: &[_] = match plan {
            BallotPlan::Yes => &[(Support::Yea, Share::All, power)],
            BallotPlan::No => &[(Support::Nea, Share::All, power)],
            BallotPlan::Split => &[
                (Support::Yea, Share::Exactly(half), half),
                (Support::Nea, Share::Exactly(half), half),
            ],
            BallotPlan::None => &[],
        };
        for &(support, share, amount) in ballots {
            let sum = tally.checked_add(support, amount);
            tally = sum.ok_or_else(|| Error::Unexpected("too many votes".to_owned()))?;
            run.cast.holders[holder].agent.queue(Order::Vote { id, support, share });
        }
    }
    let members: Vec<_> = voters.iter().map(|(holder, _)| *holder).collect();
    let done = run.crowd("vote", Role::Holders, &members).await?;
    if let Some(live) = &mut run.tracks[track].live {
        live.tally = tally;
    }
    let azip = run.tracks[track].plan.azip.clone();
    let power = sum(voters.iter().map(|(_, power)| *power));
    let who = run.these_holders(&members);
    run.tell(who, Event::Balloted { azip, side, power }, Some(done.spent));
    Ok(())
}

/// Those who leave give up all their power.
async fn leave_after(run: &mut UpgradeRun<'_>, agenda: &mut Agenda, track: usize) -> Result<()> {
    let not_before = Some(run.live(track)?.deadlines.earliest_execution());
    let leavers: Vec<_> = (0..run.cast.holders.len())
        .filter(|holder| run.cast.holders[*holder].leaves && !run.power(*holder).is_zero())
        .collect();
    if leavers.is_empty() {
        return Ok(());
    }
    for holder in &leavers {
        run.cast.holders[*holder].agent.queue(Order::Withdraw(Share::All));
    }
    let done = run.crowd("leave", Role::Holders, &leavers).await?;
    let (mut unlocks_at, mut amounts) = (Timestamp::ZERO, Vec::new());
    for (holder, _, confirmed) in &done.acts {
        let leave = leave(run, confirmed, *holder, run.power(*holder), not_before)?;
        unlocks_at = unlocks_at.max(leave.unlocks_at);
        amounts.push(leave.amount);
        run.withdrawals.push(leave);
    }
    agenda.add(unlocks_at, Task::Withdraw);
    let who = run.these_holders(&leavers);
    let event = Event::LeaveStarted { total: sum(amounts), unlocks_at };
    run.tell(who, event, Some(done.spent));
    Ok(())
}

/// The vote is over: what came of it, and what follows.
pub(super) async fn close(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    // The first block after the vote.
    run.driver.mine_all()?;
    let (client, head) = (run.driver.client().clone(), run.driver.head());
    let live = run.live(track)?;
    let (id, deadlines, tally) = (live.id, live.deadlines, live.tally);
    let state = client.proposal_state(head, run.set.governance, id).await;
    let state = state.during("reading a proposal's state")?;
    let total = run.total_power_at(deadlines.pending);
    let rules: Configuration = run.scenario.governance;
    let result = tabulate(&rules, total, tally);
    let rejected = rejection(result, tally);
    if let Some(live) = &mut run.tracks[track].live {
        live.result = Some(result);
    }
    if state == ProposalState::Dropped {
        return Ok(());
    }
    let azip = run.tracks[track].plan.azip.clone();
    let (from, until) = (deadlines.earliest_execution(), deadlines.executable);
    let event = Event::VoteClosed {
        azip,
        rejected,
        tally,
        total,
        quorum: rules.quorum,
        executable: rejected.is_none().then_some(Window { from, until }),
    };
    run.tell(Who::Time, event, None);
    match state {
        // The event above says it already.
        ProposalState::Rejected => run.decide(track, End::Rejected),
        ProposalState::Queued => accepted(run, agenda, track, from, until).await?,
        other => return Err(Error::Unexpected(format!("the proposal is {other} after its vote"))),
    }
    Ok(())
}

/// The appointments of an accepted proposal.
async fn accepted(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
    from: Timestamp,
    until: Timestamp,
) -> Result<()> {
    let plan = run.tracks[track].plan.clone();
    agenda.add(from + run.scenario.keeper.execute_delay, Task::Execute { track });
    agenda.add(until + Seconds::SECOND, Task::TooLate { track });
    if run.cast.holders.iter().any(|holder| holder.late && holder.ballot == BallotPlan::No) {
        let last = run.live(track)?.deadlines.objections_until;
        agenda.add(run.driver.last_block_until(last), Task::Objections { track });
    }
    if plan.payload == PayloadKind::Gated {
        agenda.add(from + plan.gate_opens_after, Task::OpenGate { track });
    }
    if plan.payload == PayloadKind::Shifting {
        shift(run, track).await?;
    }
    if let Some(rollup) = run.tracks[track].rollup {
        execution::announce_moves(run, rollup).await?;
    }
    Ok(())
}

/// A payload shows its other face.
async fn shift(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let payload = run.tracks[track].payload;
    let call = canon_chain::ContractCall::new(payload, &IShifting::shiftCall {});
    let confirmed = run.driver.send("shift a payload", &mut run.cast.authors, call).await?;
    let actions = payload::listed(run, payload).await?;
    let event = Event::PayloadShifted {
        azip: run.tracks[track].plan.azip.clone(),
        actions: actions.iter().map(|action| describe(action, &run.set)).collect(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.tell(Who::Authors, event, Some(spent));
    Ok(())
}
