//! Proposals: their states, ballots and execution.

use super::{pairs, require, sum};
use crate::{state::State, steps::Step, views::Views};
use canon_protocol::{
    Amount, Configuration, Ending, Origin, Proposal, ProposalState, Support, Tally, Timestamp,
};

/// The age of a proposal, and the last age of each of its states, in seconds after its creation.
struct Times {
    age: u64,
    pending: u64,
    active: u64,
    objections: u64,
    queued: u64,
    executable: u64,
}

const fn times(proposal: &Proposal, now: Timestamp) -> Times {
    let configuration = proposal.configuration();
    let pending = configuration.voting_delay.get();
    let active = pending + configuration.voting_duration.get();
    let queued = active + configuration.execution_delay.get();
    Times {
        age: now.get() - proposal.creation().get(),
        pending,
        active,
        objections: active + configuration.execution_delay.get() / 2,
        queued,
        executable: queued + configuration.grace_period.get(),
    }
}

/// Whether a proposal passes with `tally` and a total power of `total`, computed in whole numbers
/// without the contract's roundings.
fn wins(configuration: &Configuration, total: Amount, tally: Tally) -> bool {
    let one = 1_000_000_000_000_000_000_u128;
    let [total, yea, nea] = [total, tally.yea, tally.nea].map(Amount::get);
    let cast = yea + nea;
    let enough = total >= configuration.minimum_votes.get()
        && cast * one >= total * u128::from(configuration.quorum.get());
    // yea > ceil(x) is equivalent to yea - 1 >= x.
    let half = (one + u128::from(configuration.vote_differential.get())).div_ceil(2);
    enough && (nea == 0 || (yea > 0 && (yea - 1) * one >= cast * half))
}

/// Whether `proposal` is accepted if there are no more ballots.
fn is_accepted(state: &State, proposal: &Proposal) -> bool {
    let snapshot = proposal.deadlines().pending;
    let total = state.governance().total_power_at(snapshot, state.now).unwrap_or_default();
    wins(proposal.configuration(), total, proposal.tally())
}

/// The state that follows from times and ballots. If a Proposals contract was replaced and put
/// back, its address doesn't show it: then the rules' answer is used, and another property checks
/// that no step undoes a drop.
fn expected_state(state: &State, proposal: &Proposal) -> ProposalState {
    let is_replaced = match proposal.origin() {
        Origin::Lock => false,
        Origin::Pushed { by, .. } => {
            by != state.governance().governance_proposer() || state.is_dropped(proposal)
        }
    };
    let times = times(proposal, state.now);
    match proposal.ending() {
        Ending::Executed => ProposalState::Executed,
        Ending::Dropped => ProposalState::Dropped,
        Ending::Open if is_replaced => ProposalState::Dropped,
        Ending::Open if times.age <= times.pending => ProposalState::Pending,
        Ending::Open if times.age <= times.active => ProposalState::Active,
        Ending::Open if !is_accepted(state, proposal) => ProposalState::Rejected,
        Ending::Open if times.age <= times.queued => ProposalState::Queued,
        Ending::Open if times.age <= times.executable => ProposalState::Executable,
        Ending::Open => ProposalState::Expired,
    }
}

pub(super) fn states_are_as_written(state: &State, views: &Views) -> Result<(), String> {
    let governance = state.governance();
    governance.proposals().iter().enumerate().try_for_each(|(id, proposal)| {
        let (found, expected) =
            ((views.state)(governance, proposal, state.now), expected_state(state, proposal));
        require(found == expected, || format!("proposal {id} is {found}, not {expected}"))
    })
}

pub(super) fn ballots_add_up(state: &State, _: &Views) -> Result<(), String> {
    let governance = state.governance();
    for (id, proposal) in governance.proposals().iter().enumerate() {
        let tally = proposal.tally();
        let yeas = sum(proposal.ballots().map(|(_, ballot)| ballot.yea));
        let neas = sum(proposal.ballots().map(|(_, ballot)| ballot.nea));
        require((yeas, neas) == (tally.yea.get(), tally.nea.get()), || {
            format!("ballots of {yeas} to {neas} on proposal {id}, counted as {tally:?}")
        })?;
        for (holder, ballot) in proposal.ballots() {
            let snapshot = proposal.deadlines().pending;
            let power = governance.power_at(holder, snapshot, state.now).unwrap_or_default().get();
            let cast = ballot.yea.get() + ballot.nea.get();
            require(cast <= power, || format!("{holder} cast {cast} of {power} on proposal {id}"))?;
        }
    }
    Ok(())
}

pub(super) fn states_advance(before: &State, step: Step, after: &State) -> Result<(), String> {
    use ProposalState::{
        Active, Dropped, Executable, Executed, Expired, Pending, Queued, Rejected,
    };
    let replaced =
        before.governance().governance_proposer() != after.governance().governance_proposer();
    for (id, old, new) in pairs(before, after) {
        let [from, to] = [(before, old), (after, new)]
            .map(|(state, proposal)| state.governance().state(proposal, state.now));
        let is_due = match (from, to) {
            _ if from == to => true,
            (Pending, Active)
            | (Active, Queued | Rejected)
            | (Queued, Executable)
            | (Executable, Expired) => {
                matches!(step, Step::Wait(_))
            }
            (Queued, Rejected) => {
                let times = times(new, after.now);
                let against = matches!(step, Step::Vote(_, of, Support::Nea) if of.get() == id);
                against && times.age <= times.objections
            }
            (Executable, Executed) => {
                matches!(step, Step::Execute(of) | Step::ExecuteWith(of, _) if of.get() == id)
            }
            (Pending | Active | Queued | Executable | Rejected | Expired, Dropped) => {
                replaced && new.origin() != Origin::Lock
            }
            _ => false,
        };
        require(is_due, || format!("proposal {id} was {from} and is {to}"))?;
    }
    Ok(())
}

pub(super) fn ballots_in_time(before: &State, step: Step, after: &State) -> Result<(), String> {
    for (id, old, new) in pairs(before, after) {
        let (mut expected, times) = (old.tally(), times(old, before.now));
        if let Step::Vote(_, of, support) = step
            && of.get() == id
        {
            let is_active = times.pending < times.age && times.age <= times.active;
            let may_object = support == Support::Nea
                && times.active < times.age
                && times.age <= times.objections
                && is_accepted(before, old);
            let is_running = old.ending() == Ending::Open && !before.is_dropped(old);
            require(is_running && (is_active || may_object), || {
                let state = before.governance().state(old, before.now);
                format!(
                    "{support:?} on proposal {id}, which is {state}, {} s after its creation",
                    times.age
                )
            })?;
            expected = expected.checked_add(support, Amount::of(1)).unwrap_or_default();
        }
        let found = new.tally();
        require(found == expected, || format!("{found:?} on proposal {id}, not {expected:?}"))?;
    }
    Ok(())
}

pub(super) fn results_last(before: &State, _: Step, after: &State) -> Result<(), String> {
    for (id, old, new) in pairs(before, after) {
        let Times { age, active, objections, .. } = times(old, before.now);
        match (is_accepted(before, old), is_accepted(after, new)) {
            (false, true) if age > active => {
                return Err(format!("proposal {id} was refused and is accepted"));
            }
            (true, false) if age > objections => {
                return Err(format!("proposal {id} was accepted and is refused"));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn executions_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
    let registered = |state: &State| state.set.registry().number_of_versions();
    let (governance, acted) = (before.governance(), after.governance());
    let mut executed = 0;
    for (id, old, new) in pairs(before, after) {
        require(new.ending() == old.ending() || old.ending() == Ending::Open, || {
            format!("proposal {id} was {:?} and is {:?}", old.ending(), new.ending())
        })?;
        if new.ending() != Ending::Executed || old.ending() == Ending::Executed {
            continue;
        }
        executed += 1;
        let times = times(old, before.now);
        require(times.queued < times.age && times.age <= times.executable, || {
            format!("proposal {id} is executed {} s after its creation", times.age)
        })?;
        require(!before.is_dropped(old), || format!("proposal {id} was dropped"))?;
        require(is_accepted(before, old), || {
            format!("proposal {id} is executed with {:?}", old.tally())
        })?;
        let is_published = match step {
            Step::Execute(of) => of.get() == id,
            Step::ExecuteWith(of, list) => of.get() == id && list.actions() == old.actions()[..],
            _ => false,
        };
        require(is_published, || format!("proposal {id} is executed by another step: {step}"))?;
    }
    let has_acted = registered(before) != registered(after)
        || governance.configurations() != acted.configurations()
        || governance.governance_proposer() != acted.governance_proposer();
    require(executed <= 1 && (executed == 1 || !has_acted), || {
        format!("{executed} proposals are executed by one step")
    })
}
