//! From a proposal to its result.

use canon_agents::{Share, Wish};
use canon_bindings::Governance;
use canon_l1::calls;
use canon_protocol::{
    Amount, Configuration, Deadlines, ProposalState, Seconds, Support, Tabulation, Tally,
    Timestamp, tabulate,
};

use super::{execution, payload};
use crate::{
    agenda::{Agenda, Task},
    bytecode::IShifting,
    crowd::Role,
    describe::describe,
    error::{During, Error, Result, refusal_of},
    scenario::{BallotPlan, End, PayloadKind},
    timeline::{Event, Side, Spent, Who, Window},
    world::{Leave, Live, World, rejection, sum},
};

/// What a proposal's birth tells about it.
pub(super) fn live(world: &World<'_>, frozen: Governance::ProposalFrozen) -> Result<Live> {
    let unexpected = |error: canon_protocol::TooLarge| Error::Unexpected(error.to_string());
    Ok(Live {
        id: frozen.proposalId.try_into().map_err(unexpected)?,
        deadlines: Deadlines::new(world.stage.now(), &world.scenario.governance),
        frozen: frozen.actions,
        proposer: frozen.proposer,
        tally: Tally::default(),
        result: None,
    })
}

/// The appointments of a proposal up to the end of its vote.
pub(super) fn schedule(world: &World<'_>, agenda: &mut Agenda, docket: usize, live: &Live) {
    agenda.add(live.deadlines.voting_starts(), Task::Ballots { docket });
    if world.cast.holders.iter().any(|holder| holder.late && holder.ballot == BallotPlan::Yes) {
        agenda
            .add(world.stage.last_block_until(live.deadlines.active), Task::LateBallots { docket });
    }
    agenda.add(live.deadlines.active + Seconds::SECOND, Task::Close { docket });
}

/// The holder with the most power gives some of it up for a proposal.
pub(super) async fn propose_with_lock(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
) -> Result<()> {
    let holders = 0..world.cast.holders.len();
    // The first of equals.
    let holder = holders.rev().max_by_key(|holder| world.power(*holder)).unwrap_or_default();
    let (governance, payload) = (world.set.governance, world.dockets[docket].payload);
    let to = world.cast.holders[holder].sender.address();
    let call = calls::propose_with_lock(governance, payload, to);
    let sender = &mut world.cast.holders[holder].sender;
    sender.resync();
    let confirmed = world.stage.send("propose with lock", sender, call).await?;
    // Its agent counted nonces without this one.
    sender.resync();
    world.cast.holders[holder].agent = crate::cast::holder(sender.clone());
    let frozen = confirmed.event::<Governance::ProposalFrozen>(governance);
    let frozen = frozen.ok_or_else(|| Error::Unexpected("a lock has no proposal".to_owned()))?;
    let live = live(world, frozen)?;
    let amount = world.scenario.governance.propose_config.lock_amount;
    let leave = leave(world, &confirmed, holder, amount, None)?;
    let event = Event::ProposedWithLock {
        azip: world.dockets[docket].plan.azip.clone(),
        proposal: live.id,
        amount,
        unlocks_at: leave.unlocks_at,
        actions: live.frozen.len() as u64,
        voting_from: live.deadlines.voting_starts(),
    };
    world.withdrawals.push(leave);
    let who = Who::Holder(world.cast.holders[holder].number);
    world.tell(who, event, Some(Spent { transactions: 1, gas: confirmed.gas_used }));
    schedule(world, agenda, docket, &live);
    world.dockets[docket].live = Some(live);
    Ok(())
}

/// The withdrawal that a transaction started.
fn leave(
    world: &World<'_>,
    confirmed: &canon_l1::Confirmed,
    holder: usize,
    amount: Amount,
    not_before: Option<Timestamp>,
) -> Result<Leave> {
    let queued = confirmed.event::<Governance::WithdrawalQueued>(world.set.governance);
    let queued = queued.ok_or_else(|| Error::Unexpected("a withdrawal isn't queued".to_owned()))?;
    let unexpected = |error: canon_protocol::TooLarge| Error::Unexpected(error.to_string());
    Ok(Leave {
        id: queued.id.try_into().map_err(unexpected)?,
        holder,
        amount,
        at: world.stage.now(),
        unlocks_at: queued.unlocksAt.try_into().map_err(unexpected)?,
        not_before,
        claimed: false,
    })
}

/// All holders vote who want to, then those leave who want to.
pub(super) async fn ballots(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
) -> Result<()> {
    // Power at the snapshot is known once the snapshot is past.
    world.stage.mine_all()?;
    for (plan, side) in
        [(BallotPlan::Yes, Side::Yes), (BallotPlan::No, Side::No), (BallotPlan::Split, Side::Both)]
    {
        cast(world, docket, plan, side, false).await?;
    }
    leave_after(world, agenda, docket).await
}

/// The ballots for of those who waited.
pub(super) async fn late_ballots(world: &mut World<'_>, docket: usize) -> Result<()> {
    cast(world, docket, BallotPlan::Yes, Side::Yes, true).await
}

/// The ballots against of those who waited until the vote was over. They can turn an accepted proposal
/// into a rejected one, and nothing turns it back.
pub(super) async fn object(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
) -> Result<()> {
    cast(world, docket, BallotPlan::No, Side::No, true).await?;
    let live = world.live(docket)?;
    let (id, tally, snapshot) = (live.id, live.tally, live.deadlines.pending);
    let (client, governance) = (world.stage.client(), world.set.governance);
    let state = client.proposal_state(world.stage.head(), governance, id).await;
    let state = state.during("reading a proposal's state")?;
    let total = world.total_power_at(snapshot);
    let result = tabulate(&world.scenario.governance, total, tally);
    if let Some(live) = &mut world.dockets[docket].live {
        live.result = Some(result);
    }
    match (state, rejection(result, tally)) {
        (ProposalState::Queued, None) => Ok(()),
        (ProposalState::Rejected, Some(rejected)) => {
            agenda.cancel(|task| execution::is_about(task, docket));
            let azip = world.dockets[docket].plan.azip.clone();
            let event = Event::Overturned { azip, tally, total, rejected };
            world.tell(Who::Time, event, None);
            answer_in_vain(world, docket).await?;
            // The event above says it already.
            world.decide(docket, End::Rejected);
            Ok(())
        }
        (other, _) => {
            Err(Error::Unexpected(format!("the proposal is {other} after the objections")))
        }
    }
}

/// Somebody who is for it tries to answer the objections.
async fn answer_in_vain(world: &mut World<'_>, docket: usize) -> Result<()> {
    let mut holders = world.cast.holders.iter();
    let Some(holder) = holders.find(|holder| holder.ballot == BallotPlan::Yes) else {
        return Ok(());
    };
    let (id, one) = (world.live(docket)?.id, Amount::of(1));
    let call = calls::vote(world.set.governance, id, one, Support::Yea);
    let (who, next) = (Who::Holder(holder.number), world.stage.next());
    let Err(error) = holder.sender.simulate(&call, next).await else {
        return Err(Error::Unexpected("a ballot for a rejected proposal was taken".to_owned()));
    };
    let refusal = refusal_of(error, "voting in vain")?;
    world.refused(docket, who, "tries to vote yes on it".to_owned(), refusal);
    Ok(())
}

/// The ballots of one kind.
async fn cast(
    world: &mut World<'_>,
    docket: usize,
    plan: BallotPlan,
    side: Side,
    late: bool,
) -> Result<()> {
    let live = world.live(docket)?;
    let (id, snapshot, mut tally) = (live.id, live.deadlines.pending, live.tally);
    let mut voters: Vec<_> = (0..world.cast.holders.len())
        .filter(|holder| {
            let holder = &world.cast.holders[*holder];
            holder.ballot == plan && holder.late == late
        })
        .map(|holder| (holder, world.power_at(holder, snapshot)))
        .filter(|(_, power)| !power.is_zero())
        .collect();
    if late && plan == BallotPlan::No {
        // The objection that tips it is the last one that is taken.
        let (rules, total) = (&world.scenario.governance, world.total_power_at(snapshot));
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
            world.cast.holders[holder].agent.want(Wish::Vote { id, support, share });
        }
    }
    let members: Vec<_> = voters.iter().map(|(holder, _)| *holder).collect();
    let done = world.crowd("vote", Role::Holders, &members).await?;
    if let Some(live) = &mut world.dockets[docket].live {
        live.tally = tally;
    }
    let azip = world.dockets[docket].plan.azip.clone();
    let power = sum(voters.iter().map(|(_, power)| *power));
    let who = world.these_holders(&members);
    world.tell(who, Event::Balloted { azip, side, power }, Some(done.spent));
    Ok(())
}

/// Those who leave give up all their power.
async fn leave_after(world: &mut World<'_>, agenda: &mut Agenda, docket: usize) -> Result<()> {
    let not_before = Some(world.live(docket)?.deadlines.earliest_execution());
    let leavers: Vec<_> = (0..world.cast.holders.len())
        .filter(|holder| world.cast.holders[*holder].leaves && !world.power(*holder).is_zero())
        .collect();
    if leavers.is_empty() {
        return Ok(());
    }
    for holder in &leavers {
        world.cast.holders[*holder].agent.want(Wish::Withdraw(Share::All));
    }
    let done = world.crowd("leave", Role::Holders, &leavers).await?;
    let (mut unlocks_at, mut amounts) = (Timestamp::ZERO, Vec::new());
    for (holder, _, confirmed) in &done.acts {
        let leave = leave(world, confirmed, *holder, world.power(*holder), not_before)?;
        unlocks_at = unlocks_at.max(leave.unlocks_at);
        amounts.push(leave.amount);
        world.withdrawals.push(leave);
    }
    agenda.add(unlocks_at, Task::Withdraw);
    let who = world.these_holders(&leavers);
    let event = Event::LeaveStarted { total: sum(amounts), unlocks_at };
    world.tell(who, event, Some(done.spent));
    Ok(())
}

/// The vote is over: what came of it, and what follows.
pub(super) async fn close(world: &mut World<'_>, agenda: &mut Agenda, docket: usize) -> Result<()> {
    // The first block after the vote.
    world.stage.mine_all()?;
    let (client, head) = (world.stage.client().clone(), world.stage.head());
    let live = world.live(docket)?;
    let (id, deadlines, tally) = (live.id, live.deadlines, live.tally);
    let state = client.proposal_state(head, world.set.governance, id).await;
    let state = state.during("reading a proposal's state")?;
    let total = world.total_power_at(deadlines.pending);
    let rules: Configuration = world.scenario.governance;
    let result = tabulate(&rules, total, tally);
    let rejected = rejection(result, tally);
    if let Some(live) = &mut world.dockets[docket].live {
        live.result = Some(result);
    }
    if state == ProposalState::Dropped {
        return Ok(());
    }
    let azip = world.dockets[docket].plan.azip.clone();
    let (from, until) = (deadlines.earliest_execution(), deadlines.executable);
    let event = Event::VoteClosed {
        azip,
        rejected,
        tally,
        total,
        quorum: rules.quorum,
        executable: rejected.is_none().then_some(Window { from, until }),
    };
    world.tell(Who::Time, event, None);
    match state {
        // The event above says it already.
        ProposalState::Rejected => world.decide(docket, End::Rejected),
        ProposalState::Queued => accepted(world, agenda, docket, from, until).await?,
        other => return Err(Error::Unexpected(format!("the proposal is {other} after its vote"))),
    }
    Ok(())
}

/// The appointments of an accepted proposal.
async fn accepted(
    world: &mut World<'_>,
    agenda: &mut Agenda,
    docket: usize,
    from: Timestamp,
    until: Timestamp,
) -> Result<()> {
    let plan = world.dockets[docket].plan.clone();
    agenda.add(from + world.scenario.keeper.execute_delay, Task::Execute { docket });
    agenda.add(until + Seconds::SECOND, Task::TooLate { docket });
    if world.cast.holders.iter().any(|holder| holder.late && holder.ballot == BallotPlan::No) {
        let last = world.live(docket)?.deadlines.objections_until;
        agenda.add(world.stage.last_block_until(last), Task::Objections { docket });
    }
    if plan.payload == PayloadKind::Gated {
        agenda.add(from + plan.gate_opens_after, Task::OpenGate { docket });
    }
    if plan.payload == PayloadKind::Shifting {
        shift(world, docket).await?;
    }
    if let Some(rollup) = world.dockets[docket].rollup {
        execution::announce_moves(world, rollup).await?;
    }
    Ok(())
}

/// A payload shows its other face.
async fn shift(world: &mut World<'_>, docket: usize) -> Result<()> {
    let payload = world.dockets[docket].payload;
    let call = canon_l1::Call::new(payload, &IShifting::shiftCall {});
    let confirmed = world.stage.send("shift a payload", &mut world.cast.authors, call).await?;
    let actions = payload::listed(world, payload).await?;
    let event = Event::PayloadShifted {
        azip: world.dockets[docket].plan.azip.clone(),
        actions: actions.iter().map(|action| describe(action, &world.set)).collect(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Authors, event, Some(spent));
    Ok(())
}
