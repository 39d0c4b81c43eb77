//! The steps from a proposal to its result.

use canon_chain::calls;
use canon_protocol::{Amount, ProposalState, Seconds, Support, Tabulation, Tally, Timestamp};
use canon_views::{Order, OrderAmount};

use super::{execution, payload};
use crate::{
    acting::AgentRef,
    agenda::{Agenda, Task},
    bytecode::IShifting,
    describe::describe,
    error::{Error, Result, refusal_of},
    scenario::{BallotPlan, BallotTime, PayloadKind},
    timeline::{Side, Spent, TimelineEvent, Who, Window},
    upgrade_run::{UpgradeRun, rejection, sum},
};

/// Schedules the tasks of a proposal up to the end of its vote.
pub(super) fn schedule(run: &UpgradeRun<'_>, agenda: &mut Agenda, track: usize) -> Result<()> {
    let deadlines = run.proposal(track)?.1.deadlines();
    agenda.add(deadlines.voting_starts(), Task::Ballots { track });
    if votes_last(run, BallotPlan::For) {
        agenda.add(run.driver.last_block_until(deadlines.active), Task::LateBallots { track });
    }
    agenda.add(deadlines.active + Seconds::SECOND, Task::Close { track });
    Ok(())
}

/// Whether a holder casts such ballots in the last block that counts.
fn votes_last(run: &UpgradeRun<'_>, ballot: BallotPlan) -> bool {
    let mut holders = run.participants.holders.iter();
    holders.any(|holder| holder.ballot_time == BallotTime::LastBlock && holder.ballot == ballot)
}

/// Makes the holder with the most power lock some of it to make a proposal.
pub(super) async fn propose_with_lock(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    let holders = 0..run.participants.holders.len();
    // The first of several holders with equal power.
    let holder = holders.rev().max_by_key(|holder| run.power(*holder)).unwrap_or_default();
    let (governance, payload) = (run.set.addresses().governance, run.tracks[track].payload);
    let mut sender = run.participants.holders[holder].sender();
    let call = calls::propose_with_lock(governance, payload, sender.address());
    let confirmed = run.driver.send("propose with lock", &mut sender, call).await?;
    run.update().await?;
    let withdrawals = run.state().governance().withdrawals();
    let withdrawal = withdrawals.last().copied();
    let withdrawal = withdrawal.ok_or_else(|| Error::Unexpected("nothing is locked".to_owned()))?;
    let (id, proposal) = run.proposal(track)?;
    let event = TimelineEvent::ProposedWithLock {
        azip: run.tracks[track].plan.azip.clone(),
        proposal: id,
        amount: withdrawal.amount,
        unlocks_at: withdrawal.unlocks_at,
        actions: proposal.actions().len() as u64,
        voting_from: proposal.deadlines().voting_starts(),
    };
    let who = Who::Holder(run.participants.holders[holder].number);
    run.record_event(who, event, Some(Spent { transactions: 1, gas: confirmed.gas_used }));
    schedule(run, agenda, track)
}

/// Casts the ballots of holders, then starts the withdrawals of those who leave.
pub(super) async fn ballots(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    // The power at the snapshot can be read only after the snapshot.
    run.mine_all().await?;
    for (plan, side) in [
        (BallotPlan::For, Side::For),
        (BallotPlan::Against, Side::Against),
        (BallotPlan::Split, Side::Both),
    ] {
        cast(run, track, plan, side, BallotTime::FirstBlock).await?;
    }
    leave_after(run, agenda, track).await
}

/// Casts the ballots for a proposal of the holders that wait for the last block of its vote.
pub(super) async fn late_ballots(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    cast(run, track, BallotPlan::For, Side::For, BallotTime::LastBlock).await
}

/// Casts the ballots against a proposal of the holders that wait until its vote is over. They can
/// turn an accepted proposal into a rejected one, which is final.
pub(super) async fn object(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    cast(run, track, BallotPlan::Against, Side::Against, BallotTime::LastBlock).await?;
    let Standing { state, tally, total, result } = standing(run, track)?;
    match (state, rejection(result, tally)) {
        (ProposalState::Queued, None) => Ok(()),
        (ProposalState::Rejected, Some(rejected)) => {
            agenda.cancel(|task| execution::is_about(task, track));
            let azip = run.tracks[track].plan.azip.clone();
            let event = TimelineEvent::Overturned { azip, tally, total, rejected };
            run.record_event(Who::Time, event, None);
            expect_answer_refused(run, track).await?;
            // The end has been reported by the event above.
            run.end_campaign(track);
            Ok(())
        }
        (other, _) => {
            Err(Error::Unexpected(format!("the proposal is {other} after the objections")))
        }
    }
}

/// The state of a proposal, and the result of its vote with the ballots so far.
struct Standing {
    state: ProposalState,
    tally: Tally,
    /// The total power at the snapshot.
    total: Amount,
    result: Tabulation,
}

fn standing(run: &UpgradeRun<'_>, track: usize) -> Result<Standing> {
    let (_, proposal) = run.proposal(track)?;
    let (governance, now) = (run.state().governance(), run.driver.now());
    Ok(Standing {
        state: governance.state(proposal, now),
        tally: proposal.tally(),
        total: governance.total_power_on(proposal, now),
        result: governance.tabulation(proposal),
    })
}

/// Checks that a holder can't vote for a proposal after objections overturned it.
async fn expect_answer_refused(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let mut holders = run.participants.holders.iter();
    let Some(holder) = holders.find(|holder| holder.ballot == BallotPlan::For) else {
        return Ok(());
    };
    let (id, one) = (run.proposal(track)?.0, Amount::of(1));
    let call = calls::vote(run.set.addresses().governance, id, one, Support::Yea);
    let (who, next) = (Who::Holder(holder.number), run.driver.next());
    let sender = holder.sender();
    let Err(error) = sender.simulate(&call, next).await else {
        return Err(Error::Unexpected("a ballot for a rejected proposal was accepted".to_owned()));
    };
    let refusal = refusal_of(error, "checking that the ballot is refused")?;
    run.refused(track, who, "tries to vote for it".to_owned(), refusal);
    Ok(())
}

/// Casts the ballots of holders with the same plan.
async fn cast(
    run: &mut UpgradeRun<'_>,
    track: usize,
    plan: BallotPlan,
    side: Side,
    time: BallotTime,
) -> Result<()> {
    let (id, proposal) = run.proposal(track)?;
    let (snapshot, tally) = (proposal.deadlines().pending, proposal.tally());
    let actions_hash = proposal.actions_hash();
    let mut voters: Vec<_> = (0..run.participants.holders.len())
        .filter(|holder| {
            let holder = &run.participants.holders[*holder];
            holder.ballot == plan && holder.ballot_time == time
        })
        .map(|holder| (holder, run.power_at(holder, snapshot)))
        .filter(|(_, power)| !power.is_zero())
        .collect();
    if time == BallotTime::LastBlock && plan == BallotPlan::Against {
        // No objection is accepted after the one that overturns it.
        let (governance, mut so_far) = (run.state().governance(), tally);
        voters.retain(|(_, power)| {
            let wanted = governance.tabulation_of(proposal, so_far) == Tabulation::Accepted;
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
            BallotPlan::For => &[(Support::Yea, OrderAmount::All)],
            BallotPlan::Against => &[(Support::Nea, OrderAmount::All)],
            BallotPlan::Split => &[
                (Support::Yea, OrderAmount::Exactly(half)),
                (Support::Nea, OrderAmount::Exactly(half)),
            ],
            BallotPlan::None => &[],
        };
        for &(support, amount) in ballots {
            let order = Order::Vote { id, actions_hash, support, amount };
            run.participants.holders[holder].order(order);
        }
    }
    let members: Vec<_> = voters.iter().map(|(holder, _)| *holder).collect();
    let acted = run.act_all("vote", &holders(&members)).await?;
    let azip = run.tracks[track].plan.azip.clone();
    let power = sum(voters.iter().map(|(_, power)| *power));
    let who = run.participants.these_holders(&members);
    run.record_event(who, TimelineEvent::Balloted { azip, side, power }, Some(acted.spent));
    Ok(())
}

/// Starts the withdrawals of all power of the holders that leave.
async fn leave_after(run: &mut UpgradeRun<'_>, agenda: &mut Agenda, track: usize) -> Result<()> {
    let leavers: Vec<_> = (0..run.participants.holders.len())
        .filter(|holder| run.participants.holders[*holder].leaves && !run.power(*holder).is_zero())
        .collect();
    if leavers.is_empty() {
        return Ok(());
    }
    for holder in &leavers {
        let holder = &mut run.participants.holders[*holder];
        let to = holder.agent.address();
        holder.order(Order::Withdraw { amount: OrderAmount::All, to });
    }
    let before = run.state().governance().withdrawals().len();
    let acted = run.act_all("leave", &holders(&leavers)).await?;
    let withdrawals = &run.state().governance().withdrawals()[before..];
    let unlocks_at = withdrawals.iter().map(|one| one.unlocks_at).max().unwrap_or_default();
    let total = sum(withdrawals.iter().map(|one| one.amount));
    agenda.add(unlocks_at, Task::Withdraw);
    run.tracks[track].left = before..before + leavers.len();
    let who = run.participants.these_holders(&leavers);
    run.record_event(who, TimelineEvent::LeaveStarted { total, unlocks_at }, Some(acted.spent));
    Ok(())
}

/// The agents of holders.
pub(super) fn holders(indices: &[usize]) -> Vec<AgentRef> {
    indices.iter().copied().map(AgentRef::Holder).collect()
}

/// Records the result of a vote, and schedules the tasks that follow.
pub(super) async fn close(
    run: &mut UpgradeRun<'_>,
    agenda: &mut Agenda,
    track: usize,
) -> Result<()> {
    // This mines the first block after the vote.
    run.mine_all().await?;
    let Standing { state, tally, total, result } = standing(run, track)?;
    let (_, proposal) = run.proposal(track)?;
    let (deadlines, rules) = (proposal.deadlines(), *proposal.configuration());
    let rejected = rejection(result, tally);
    if state == ProposalState::Dropped {
        return Ok(());
    }
    let azip = run.tracks[track].plan.azip.clone();
    let (from, until) = (deadlines.earliest_execution(), deadlines.executable);
    let event = TimelineEvent::VoteClosed {
        azip,
        rejected,
        tally,
        total,
        quorum: rules.quorum,
        executable: rejected.is_none().then_some(Window { from, until }),
    };
    run.record_event(Who::Time, event, None);
    match state {
        // The end has been reported by the event above.
        ProposalState::Rejected => run.end_campaign(track),
        ProposalState::Queued => accepted(run, agenda, track, from, until).await?,
        other => return Err(Error::Unexpected(format!("the proposal is {other} after its vote"))),
    }
    Ok(())
}

/// Schedules the tasks of an accepted proposal.
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
    if votes_last(run, BallotPlan::Against) {
        let last = run.proposal(track)?.1.deadlines().objections_until;
        agenda.add(run.driver.last_block_until(last), Task::Objections { track });
    }
    if plan.payload == PayloadKind::Gated {
        agenda.add(from + plan.gate_opens_after, Task::OpenGate { track });
    }
    if plan.payload == PayloadKind::Shifting {
        shift(run, track).await?;
    }
    if let Some(rollup) = run.tracks[track].rollup() {
        execution::announce_moves(run, rollup).await?;
    }
    Ok(())
}

/// Makes a shifting payload list other actions than those that were voted on.
async fn shift(run: &mut UpgradeRun<'_>, track: usize) -> Result<()> {
    let payload = run.tracks[track].payload;
    let call = canon_chain::ContractCall::new(payload, &IShifting::shiftCall {});
    let confirmed =
        run.send("shift a payload", |participants| &mut participants.authors, call).await?;
    let actions = payload::listed(run, payload).await?;
    let event = TimelineEvent::PayloadShifted {
        azip: run.tracks[track].plan.azip.clone(),
        actions: actions.iter().map(|action| describe(action, &run.set)).collect(),
    };
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    run.record_event(Who::Authors, event, Some(spent));
    Ok(())
}
