//! What has to hold of every state and of every step.
//!
//! Where a property repeats a rule, it is written with other formulas than the rules have, and from
//! `docs`, so that one mistake isn't made twice.

use crate::{
    accounts::{ASSET, GOVERNANCE, Holder, ISSUER, REGISTRY, ROLLUPS},
    small_world::M,
    state::State,
    steps::{Step, present_round},
};
use alloy::primitives::U256;
use canon_protocol::{
    Amount, Configuration, Ending, LIFETIME_IN_ROUNDS, Origin, Payment, Proposal, ProposalState,
    Pushed, Rollup, Slot, Support, Tally, Timestamp,
};

/// Something that must always hold.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The sentence that holds.
    pub claim: &'static str,
    /// How it is checked.
    pub check: Check,
}

/// How a property is checked: what is found wrong, if anything is.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// In every state.
    State(fn(&State) -> Result<(), String>),
    /// For every step from one state to another.
    Step(fn(&State, Step, &State) -> Result<(), String>),
}

/// A property that doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{claim}: {found}")]
pub struct Violation {
    /// The sentence that should hold.
    pub claim: &'static str,
    /// What was found instead.
    pub found: String,
}

impl Property {
    /// All that the explored worlds are checked for.
    pub const ALL: &[Self] = &[
        Self { claim: "every contract has the assets that it owes", check: Check::State(solvency) },
        Self {
            claim: "total power is the sum of the holders' power",
            check: Check::State(power_adds_up),
        },
        Self {
            claim: "no holder casts more than its power at the snapshot",
            check: Check::State(ballots_add_up),
        },
        Self {
            claim: "a proposal's state follows from its creation, its configuration and its ballots",
            check: Check::State(states_are_as_written),
        },
        Self {
            claim: "no holder has its tokens back before a proposal on which its ballot counts can be executed",
            check: Check::State(tokens_stay),
        },
        Self {
            claim: "a round has one signal per slot and one winner at most",
            check: Check::State(signals_add_up),
        },
        Self {
            claim: "only the slots of an epoch with a recorded seed have a proposer",
            check: Check::State(proposers_have_a_seed),
        },
        Self {
            claim: "a state leads only to the states after it",
            check: Check::Step(states_advance),
        },
        Self {
            claim: "ballots are taken while Active, and against also in the first half of Queued",
            check: Check::Step(ballots_in_time),
        },
        Self {
            claim: "after Active no ballot makes an acceptance of a refusal",
            check: Check::Step(refusals_last),
        },
        Self {
            claim: "a proposal is executed once, in time, as published, if it was accepted",
            check: Check::Step(executions_are_due),
        },
        Self {
            claim: "a proposal comes from a winner of N signals or from a paid lock",
            check: Check::Step(proposals_are_due),
        },
        Self {
            claim: "a withdrawal is paid once, from its time on",
            check: Check::Step(withdrawals_are_due),
        },
        Self {
            claim: "the Registry only grows, owners stay, and creation times don't decrease",
            check: Check::Step(histories_grow),
        },
        Self {
            claim: "no call changes the draw of the present epoch or one that is final",
            check: Check::Step(draws_stand),
        },
    ];

    /// What is wrong with `state`.
    pub(crate) fn check_state(&self, state: &State) -> Result<(), Violation> {
        match self.check {
            Check::State(check) => check(state).map_err(|found| self.violation(found)),
            Check::Step(_) => Ok(()),
        }
    }

    /// What is wrong with `step`.
    pub(crate) fn check_step(
        &self,
        before: &State,
        step: Step,
        after: &State,
    ) -> Result<(), Violation> {
        match self.check {
            Check::State(_) => Ok(()),
            Check::Step(check) => check(before, step, after).map_err(|found| self.violation(found)),
        }
    }

    const fn violation(&self, found: String) -> Violation {
        Violation { claim: self.claim, found }
    }
}

/// `found` unless `holds`.
fn require(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}

fn sum(amounts: impl Iterator<Item = Amount>) -> u128 {
    amounts.map(Amount::get).sum()
}

/// What is due to `holder`, or to everybody.
fn due(state: &State, holder: Option<Holder>) -> u128 {
    let withdrawals = state.governance().withdrawals().iter();
    let due = withdrawals.filter(|withdrawal| {
        withdrawal.payment == Payment::Due
            && holder.is_none_or(|holder| withdrawal.holder == holder.address())
    });
    sum(due.map(|withdrawal| withdrawal.amount))
}

fn solvency(state: &State) -> Result<(), String> {
    let asset = state.set.asset();
    let has = |contract| asset.balance_of(contract).get();
    let owed = state.governance().total_power().get() + due(state, None);
    require(has(GOVERNANCE) >= owed, || {
        format!("Governance has {} and owes {owed}", has(GOVERNANCE))
    })?;
    for (rollup, it) in state.set.rollups() {
        let owed = sum(it.registrations().iter().map(canon_protocol::Member::stake));
        require(has(rollup) >= owed, || format!("{rollup} has {} and owes {owed}", has(rollup)))?;
    }
    let balances = sum(asset.balances().map(|(_, balance)| balance));
    let supply = asset.total_supply().get();
    require(balances == supply, || format!("balances of {balances} of a supply of {supply}"))
}

fn power_adds_up(state: &State) -> Result<(), String> {
    let governance = state.governance();
    let snapshots = state.open_proposals().map(|proposal| proposal.deadlines().pending);
    for time in snapshots.filter(|time| *time <= state.now).chain([state.now]) {
        let power = |holder| governance.power_at(holder, time, state.now).unwrap_or_default();
        let powers = sum(governance.holders().map(|(holder, _)| power(holder)));
        let total = governance.total_power_at(time, state.now).unwrap_or_default().get();
        require(powers == total, || {
            format!("{total} in total, {powers} of all holders, at {time}")
        })?;
    }
    Ok(())
}

fn ballots_add_up(state: &State) -> Result<(), String> {
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

/// When a proposal is in which state, in seconds after its creation.
struct Times {
    age: u64,
    pending: u64,
    active: u64,
    objections: u64,
    queued: u64,
    executable: u64,
}

fn times(proposal: &Proposal, now: Timestamp) -> Times {
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

/// Whether `tally` of a total power of `total` wins: in whole numbers, without the roundings of the
/// contract.
fn wins(configuration: &Configuration, total: Amount, tally: Tally) -> bool {
    let one = 1_000_000_000_000_000_000_u128;
    let [total, yea, nea] = [total, tally.yea, tally.nea].map(Amount::get);
    let cast = yea + nea;
    let enough = total >= configuration.minimum_votes.get()
        && cast * one >= total * u128::from(configuration.quorum.get());
    // yea > ceil(x) says the same as yea - 1 >= x.
    let half = (one + u128::from(configuration.vote_differential.get())).div_ceil(2);
    enough && (nea == 0 || (yea > 0 && (yea - 1) * one >= cast * half))
}

/// Whether `proposal` is accepted if there are no more ballots.
fn is_accepted(state: &State, proposal: &Proposal) -> bool {
    let snapshot = proposal.deadlines().pending;
    let total = state.governance().total_power_at(snapshot, state.now).unwrap_or_default();
    wins(proposal.configuration(), total, proposal.tally())
}

/// The state that the documents say.
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

fn states_are_as_written(state: &State) -> Result<(), String> {
    let governance = state.governance();
    governance.proposals().iter().enumerate().try_for_each(|(id, proposal)| {
        let (found, expected) =
            (governance.state(proposal, state.now), expected_state(state, proposal));
        require(found == expected, || format!("proposal {id} is {found}, not {expected}"))
    })
}

/// Power that counts on a proposal which may still pass is locked, or due and not paid.
fn tokens_stay(state: &State) -> Result<(), String> {
    let governance = state.governance();
    for (id, proposal) in governance.proposals().iter().enumerate() {
        let proposal_state = governance.state(proposal, state.now);
        if !matches!(proposal_state, ProposalState::Active | ProposalState::Queued) {
            continue;
        }
        let snapshot = proposal.deadlines().pending;
        for holder in Holder::ALL {
            let power = governance.power_at(holder.address(), snapshot, state.now);
            let counted = power.unwrap_or_default().get();
            let held = governance.power(holder.address()).get() + due(state, Some(holder));
            require(counted <= held, || {
                format!(
                    "proposal {id} is {proposal_state} with {counted} of {holder}, of whom Governance holds {held}"
                )
            })?;
        }
    }
    Ok(())
}

fn signals_add_up(state: &State) -> Result<(), String> {
    for (_, proposals) in state.set.all_proposals() {
        let needed = proposals.rules().n();
        for (round, tally) in proposals.instances().flat_map(|it| proposals.rounds(it)) {
            let counts = || tally.payloads.values().map(|pin| pin.count);
            let signals: u32 = counts().sum();
            require(u64::from(signals) <= M, || format!("{signals} signals in round {round}"))?;
            let winners = counts().filter(|count| *count >= needed).count();
            require(winners <= 1, || format!("{winners} winners of round {round}"))?;
            let most = counts().max();
            let leads = tally.leader.map(|leader| leader.count);
            require(leads == most, || format!("{leads:?} lead round {round}, not {most:?}"))?;
        }
    }
    Ok(())
}

fn proposers_have_a_seed(state: &State) -> Result<(), String> {
    for (address, rollup) in state.set.rollups() {
        let epoch = rollup.clock().epoch_at(state.now).unwrap_or_default();
        let drawn = rollup.member_at(state.now, state.now).ok().flatten();
        let (recorded, size) = (has_seed(rollup, state), rollup.set_size(epoch, state.now));
        let size = size.unwrap_or_default();
        let expected = recorded && size > 0;
        require(drawn.is_some() == expected, || {
            format!("{address} draws {drawn:?} of {size}; its seed is recorded: {recorded}")
        })?;
    }
    Ok(())
}

fn has_seed(rollup: &Rollup, state: &State) -> bool {
    let epoch = rollup.clock().epoch_at(state.now).unwrap_or_default();
    rollup.seed(epoch, state.now).is_ok_and(|seed| seed != U256::ZERO)
}

/// The proposals of both states with their numbers.
fn pairs<'a>(
    before: &'a State,
    after: &'a State,
) -> impl Iterator<Item = (u64, &'a Proposal, &'a Proposal)> {
    let both = before.governance().proposals().iter().zip(after.governance().proposals());
    (0..).zip(both).map(|(id, (old, new))| (id, old, new))
}

fn states_advance(before: &State, step: Step, after: &State) -> Result<(), String> {
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

fn ballots_in_time(before: &State, step: Step, after: &State) -> Result<(), String> {
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

fn refusals_last(before: &State, _: Step, after: &State) -> Result<(), String> {
    for (id, old, new) in pairs(before, after) {
        let is_over = times(old, before.now).age > times(old, before.now).active;
        let is_turned = is_over && is_accepted(after, new) && !is_accepted(before, old);
        require(!is_turned, || format!("proposal {id} was refused and is accepted"))?;
    }
    Ok(())
}

fn executions_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
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
            Step::ExecuteWith(of, list) => of.get() == id && list.actions() == old.actions(),
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

fn proposals_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.governance(), after.governance());
    let added = new.proposals().iter().skip(old.proposals().len());
    for proposal in added {
        match (proposal.origin(), step) {
            (Origin::Lock, Step::Propose(holder, payload)) => {
                let amount = old.configuration().propose_config.lock_amount.get();
                let holder = holder.address();
                let given_up = old.power(holder).get() - new.power(holder).get();
                require(given_up == amount && proposal.payload() == payload.address(), || {
                    format!("{given_up} were given up, {amount} is the lock's amount")
                })?;
            }
            (Origin::Pushed { by, .. }, Step::Push(round)) => {
                let proposals = before.set.proposals(by);
                let tally = proposals
                    .and_then(|proposals| proposals.round(before.set.registry().rollup(), round));
                let leader = tally.and_then(|tally| tally.leader);
                let needed = proposals.map_or(u32::MAX, |proposals| proposals.rules().n());
                require(
                    leader.is_some_and(|leader| {
                        leader.payload == proposal.payload() && leader.count >= needed
                    }),
                    || format!("the leader of round {round} was {leader:?}"),
                )?;
                let past = present_round(before).checked_sub(round.get());
                require(past.is_some_and(|past| (1..=LIFETIME_IN_ROUNDS).contains(&past)), || {
                    format!("round {round} is pushed in round {}", present_round(before))
                })?;
                require(tally.is_some_and(|tally| tally.pushed.is_none()), || {
                    format!("round {round} was pushed before")
                })?;
                let twin = old.proposals().iter().find(|twin| {
                    let is_live = old.state(twin, before.now).is_live();
                    is_live && twin.payload() == proposal.payload() && twin.origin() != Origin::Lock
                });
                require(twin.is_none(), || "its payload has a live proposal".to_owned())?;
                let id = canon_protocol::ProposalId::of(old.proposals().len() as u64);
                let marked = after.set.proposals(by).and_then(|proposals| {
                    proposals.round(before.set.registry().rollup(), round)?.pushed
                });
                require(marked == Some(Pushed::Proposal(id)), || {
                    format!("round {round} is marked as {marked:?}")
                })?;
            }
            (origin, _) => return Err(format!("{origin:?} by another step: {step}")),
        }
    }
    Ok(())
}

fn withdrawals_are_due(before: &State, step: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.governance().withdrawals(), after.governance().withdrawals());
    for (id, (old, new)) in (0..).zip(old.iter().zip(new)) {
        let unpaid = canon_protocol::Withdrawal { payment: old.payment, ..*new };
        require(unpaid == *old, || format!("withdrawal {id} was {old:?} and is {new:?}"))?;
        if new.payment == old.payment {
            continue;
        }
        let is_due = matches!(step, Step::Finalise(of) if of.get() == id)
            && old.payment == Payment::Due
            && before.now >= old.unlocks_at;
        require(is_due, || format!("withdrawal {id} was {old:?} and is {new:?}"))?;
        let balance = |state: &State| state.set.asset().balance_of(old.recipient).get();
        require(balance(after) == balance(before) + old.amount.get(), || {
            format!("withdrawal {id} paid {} of {}", balance(after) - balance(before), old.amount)
        })?;
    }
    Ok(())
}

fn histories_grow(before: &State, _: Step, after: &State) -> Result<(), String> {
    let (old, new) = (before.set.registry().snapshots(), after.set.registry().snapshots());
    require(new.starts_with(old), || format!("{old:?} became {new:?}"))?;
    let creations = after.governance().proposals().iter().map(Proposal::creation);
    require(creations.is_sorted(), || {
        "a proposal was created before the one before it".to_owned()
    })?;
    for contract in [ASSET, REGISTRY, ISSUER].into_iter().chain(ROLLUPS) {
        let owner = |state: &State| state.set.ownership(contract).owner();
        require(owner(before) == owner(after), || {
            format!("{contract} went from {} to {}", owner(before), owner(after))
        })?;
    }
    Ok(())
}

fn draws_stand(before: &State, step: Step, after: &State) -> Result<(), String> {
    if matches!(step, Step::Wait(_)) {
        return Ok(());
    }
    let now = before.now;
    for (address, old) in before.set.rollups() {
        let Some(new) = after.set.rollup(address) else { continue };
        let clock = old.clock();
        let present = clock.epoch_at(now).unwrap_or_default();
        let is_final = old.finality(present.next(), now) == Ok(canon_protocol::Finality::Final);
        let first = clock.first_slot(present).unwrap_or_default().get();
        let epochs = if is_final { 2 } else { 1 };
        let slots = first..first + epochs * clock.epoch_duration.get();
        for slot in slots.filter_map(|slot| clock.slot_start(Slot::of(slot))) {
            let drawn = |rollup: &Rollup| {
                rollup.member_at(slot, now).ok().flatten().map(canon_protocol::Member::proposer)
            };
            require(drawn(old) == drawn(new), || {
                format!("{address} drew {:?} for {slot} and draws {:?}", drawn(old), drawn(new))
            })?;
        }
        let next_size = |rollup: &Rollup| rollup.set_size(present.next(), now);
        require(next_size(old) == next_size(new), || {
            format!(
                "the next set of {address} had {:?} and has {:?}",
                next_size(old),
                next_size(new)
            )
        })?;
    }
    Ok(())
}
