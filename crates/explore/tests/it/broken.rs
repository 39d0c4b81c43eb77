//! Rules that are wrong on purpose: each fault is found, by the shortest sequence of steps.

use alloy_primitives::Address;
use canon_explore::{Check, Decide, Exploration, Property, Scope, State, Step, Views};
use canon_protocol::{
    Amount, AssetEvent, Call, Context, Ending, Event, GovernanceCall, GovernanceEvent,
    GovernanceRefusal, Log, OwnershipEvent, ProposalState, ProposalsCall, ProposalsEvent,
    ProposalsRefusal, Refusal, RollupCall, RollupEvent, Round, Seconds, SetState, Support,
    Timestamp, withdrawal_delay,
};
use snapbox::{IntoData, assert_data_eq, data::Inline, str};
use std::{collections::BTreeSet, thread};

/// Rules with a fault, and the violation that a search for one property finds.
struct Fault {
    /// The claim of the property.
    violates: &'static str,
    /// The quick scope in which the fault shows.
    scope: &'static str,
    decide: Decide,
    views: Views,
    /// The shortest sequence of steps to the violation.
    trace: Inline,
}

impl Fault {
    fn new(violates: &'static str, scope: &'static str, decide: Decide, trace: Inline) -> Self {
        Self { violates, scope, decide, views: Views::RULES, trace }
    }

    /// A fault of the views. Decisions are those of the real rules.
    fn of_views(violates: &'static str, scope: &'static str, views: Views, trace: Inline) -> Self {
        Self { violates, scope, decide: SetState::decide, views, trace }
    }

    fn assert_found(self) {
        // Otherwise this check may run without end under faulty rules.
        let scope = Scope { holders_can_act: false, ..quick(self.scope).clone() };
        let mut exploration = Exploration::new(&scope);
        exploration.decide = self.decide;
        exploration.views = self.views;
        exploration.properties.retain(|property| property.claim == self.violates);
        let trace = exploration.run().expect_err("the fault is found");
        assert_data_eq!(trace.to_string(), self.trace.into_data().raw());
    }
}

fn quick(name: &str) -> &'static Scope {
    Scope::QUICK.iter().find(|scope| scope.name == name).unwrap()
}

#[test]
fn a_fault_is_found_by_every_property() {
    let faults = [faults_of_ballots(), faults_of_holdings(), faults_of_signals()];
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    let violated: BTreeSet<_> = faults.iter().map(|fault| fault.violates).collect();
    assert_eq!(violated, Property::ALL.iter().map(|property| property.claim).collect());
    thread::scope(|scope| {
        for fault in faults {
            scope.spawn(|| fault.assert_found());
        }
    });
}

/// Accepts every ballot of the side `support` while its proposal is in `state`, if the voter has
/// power left.
fn with_ballots_in(
    state: ProposalState,
    support: Support,
    set: &SetState,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    let Call::Governance(GovernanceCall::Vote { id, support: side, .. }) = call else {
        return set.decide(contract, call, context);
    };
    let (proposal_id, proposal) = set.governance().proposal(*id)?;
    if *side != support || set.governance().state(proposal, context.block.timestamp) != state {
        return set.decide(contract, call, context);
    }
    if set.governance().castable(proposal, context.caller).is_zero() {
        return Err(Refusal::Empty);
    }
    let (voter, amount) = (context.caller, Amount::of(1));
    let event = GovernanceEvent::VoteCast { proposal_id, voter, support, amount };
    Ok(vec![Log { emitter: contract, event: event.into() }])
}

fn objections_in_the_second_half(
    set: &SetState,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    with_ballots_in(ProposalState::Queued, Support::Nea, set, contract, call, context)
}

fn execution_a_second_early(
    set: &SetState,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    let mut context = *context;
    if matches!(call, Call::Governance(GovernanceCall::Execute { .. })) {
        context.block.timestamp = context.block.timestamp + Seconds::SECOND;
    }
    set.decide(contract, call, &context)
}

/// Executes a proposal although the contract that pushed it was replaced.
fn execution_after_a_replacement(
    set: &SetState,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    let decision = set.decide(contract, call, context);
    let Call::Governance(GovernanceCall::Execute { id }) = call else { return decision };
    let (proposal_id, proposal) = set.governance().proposal(*id)?;
    let state = set.governance().state(proposal, context.block.timestamp);
    match decision {
        Err(_) if state == ProposalState::Dropped && proposal.ending() == Ending::Open => {
            let event = GovernanceEvent::ProposalExecuted { proposal_id };
            Ok(vec![Log { emitter: contract, event: event.into() }])
        }
        decision => decision,
    }
}

const STATES_AS_WRITTEN: &str =
    "a proposal's state follows from its creation, its configuration and its ballots";
const STATES_ADVANCE: &str = "a proposal's state leads only to those after it";
const BALLOTS_ADD_UP: &str = "no holder casts more than its power at the snapshot";
const BALLOTS_IN_TIME: &str =
    "ballots are taken while Active, and against also in the first half of Queued";
const RESULTS_LAST: &str = "after Active no refusal becomes an acceptance, and in the second half of the execution delay nothing changes any more";
const EXECUTIONS_ARE_DUE: &str =
    "a proposal is executed once, in time, as published, if it was accepted";
const PROPOSALS_ARE_DUE: &str = "a proposal comes from a winner of N signals or from a paid lock";

fn faults_of_ballots() -> Vec<Fault> {
    vec![
        Fault::of_views(
            STATES_AS_WRITTEN,
            "ballots",
            Views {
                state: |governance, proposal, now| {
                    governance.state(proposal, now + Seconds::SECOND)
                },
                ..Views::RULES
            },
            str![[r#"
a proposal's state follows from its creation, its configuration and its ballots: proposal 0 is Active, not Pending
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    65 s  time passes
"#]],
        ),
        Fault::new(
            STATES_ADVANCE,
            "ballots",
            objections_in_the_second_half,
            str![[r#"
a proposal's state leads only to those after it: proposal 0 was Queued and is Rejected
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   176 s  bob votes 1 against proposal 0
"#]],
        ),
        Fault::new(
            STATES_ADVANCE,
            "ballots",
            execution_a_second_early,
            str![[r#"
a proposal's state leads only to those after it: proposal 0 was Queued and is Executed
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   216 s  anyone executes proposal 0
"#]],
        ),
        Fault::new(
            STATES_ADVANCE,
            "replacement",
            execution_after_a_replacement,
            str![[r#"
a proposal's state leads only to those after it: proposal 0 was Dropped and is Executed
the shortest way there, in the scope `replacement`:
     0 s  anyone pushes round 1
     0 s  alice proposes the replacement of Proposals
    66 s  alice votes 1 for proposal 1
    66 s  bob votes 1 for proposal 1
   217 s  anyone executes proposal 1
   217 s  anyone executes proposal 0
"#]],
        ),
        // Power that was cast can be cast again.
        Fault::new(
            BALLOTS_ADD_UP,
            "ballots",
            |set, contract, call, context| match (call, set.decide(contract, call, context)) {
                (
                    Call::Governance(GovernanceCall::Vote { id, support, .. }),
                    Err(Refusal::Governance(GovernanceRefusal::InsufficientPower { .. })),
                ) => {
                    let (proposal_id, _) = set.governance().proposal(*id)?;
                    let (voter, support, amount) = (context.caller, *support, Amount::of(1));
                    let event = GovernanceEvent::VoteCast { proposal_id, voter, support, amount };
                    Ok(vec![Log { emitter: contract, event: event.into() }])
                }
                (_, decision) => decision,
            },
            str![[r#"
no holder casts more than its power at the snapshot: 0x00000000000000000000000000000000000000e1 cast 2 of 1 on proposal 0
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  alice votes 1 for proposal 0
"#]],
        ),
        Fault::new(
            BALLOTS_IN_TIME,
            "ballots",
            |set, contract, call, context| {
                with_ballots_in(ProposalState::Queued, Support::Yea, set, contract, call, context)
            },
            str![[r#"
ballots are taken while Active, and against also in the first half of Queued: Yea on proposal 0, which is Queued, 136 s after its creation
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   136 s  bob votes 1 for proposal 0
"#]],
        ),
        Fault::new(
            RESULTS_LAST,
            "ballots",
            objections_in_the_second_half,
            str![[r#"
after Active no refusal becomes an acceptance, and in the second half of the execution delay nothing changes any more: proposal 0 was accepted and is refused
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   176 s  bob votes 1 against proposal 0
"#]],
        ),
        Fault::new(
            RESULTS_LAST,
            "ballots",
            |set, contract, call, context| {
                with_ballots_in(ProposalState::Rejected, Support::Yea, set, contract, call, context)
            },
            str![[r#"
after Active no refusal becomes an acceptance, and in the second half of the execution delay nothing changes any more: proposal 0 was refused and is accepted
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
   136 s  bob votes 1 for proposal 0
"#]],
        ),
        Fault::new(
            EXECUTIONS_ARE_DUE,
            "ballots",
            execution_a_second_early,
            str![[r#"
a proposal is executed once, in time, as published, if it was accepted: proposal 0 is executed 216 s after its creation
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   216 s  anyone executes proposal 0
"#]],
        ),
        Fault::new(
            EXECUTIONS_ARE_DUE,
            "replacement",
            execution_after_a_replacement,
            str![[r#"
a proposal is executed once, in time, as published, if it was accepted: proposal 0 was dropped
the shortest way there, in the scope `replacement`:
     0 s  anyone pushes round 1
     0 s  alice proposes the replacement of Proposals
    66 s  alice votes 1 for proposal 1
    66 s  bob votes 1 for proposal 1
   217 s  anyone executes proposal 1
   217 s  anyone executes proposal 0
"#]],
        ),
        // The lock takes no power.
        Fault::new(
            PROPOSALS_ARE_DUE,
            "ballots",
            |set, contract, call, context| {
                let mut logs = set.decide(contract, call, context)?;
                if matches!(call, Call::Governance(GovernanceCall::ProposeWithLock { .. })) {
                    logs.retain(|log| {
                        matches!(
                            log.event,
                            Event::Governance(
                                GovernanceEvent::Proposed { .. }
                                    | GovernanceEvent::ProposalFrozen { .. }
                            )
                        )
                    });
                }
                Ok(logs)
            },
            str![[r#"
a proposal comes from a winner of N signals or from a paid lock: 0 were given up, 2 is the lock's amount
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
"#]],
        ),
    ]
}

/// Changes the delays of the withdrawals in these logs by `delay`.
fn with_delays(
    decision: Result<Vec<Log>, Refusal>,
    now: Timestamp,
    delay: impl Fn(Seconds) -> Seconds,
) -> Result<Vec<Log>, Refusal> {
    let mut logs = decision?;
    for log in &mut logs {
        if let Event::Governance(GovernanceEvent::WithdrawalQueued { unlocks_at, .. }) =
            &mut log.event
        {
            *unlocks_at = now + delay(unlocks_at.since(now).unwrap());
        }
    }
    Ok(logs)
}

const SOLVENCY: &str = "every contract has the assets that it owes";
const POWER_ADDS_UP: &str = "total power is the sum of the holders' power";
const TOKENS_STAY: &str =
    "no holder has its tokens back before a proposal on which its ballot counts can be executed";
const WITHDRAWALS_ARE_DUE: &str = "a withdrawal is paid once, from its time on";
const HISTORIES_GROW: &str =
    "the Registry only grows, owners stay, and creation times don't decrease";

fn faults_of_holdings() -> Vec<Fault> {
    vec![
        // A withdrawal is paid twice.
        Fault::new(
            SOLVENCY,
            "leaving",
            |set, contract, call, context| {
                let mut logs = set.decide(contract, call, context)?;
                let transfer = logs.iter().find(|log| {
                    matches!(log.event, Event::Asset(AssetEvent::Transfer { from, .. }) if from == contract)
                });
                logs.extend(transfer.cloned());
                Ok(logs)
            },
            str![[r#"
every contract has the assets that it owes: Governance has 4 and owes 5
the shortest way there, in the scope `leaving`:
     0 s  alice gives up 1
   164 s  withdrawal 0 is paid
"#]],
        ),
        // Past power is taken to be the present power.
        Fault::of_views(
            POWER_ADDS_UP,
            "leaving",
            Views {
                power_at: |governance, holder, _, _| Ok(governance.power(holder)),
                ..Views::RULES
            },
            str![[r#"
total power is the sum of the holders' power: 4 in total, 3 of all holders, at 1000065
the shortest way there, in the scope `leaving`:
     0 s  alice proposes the upgrade
    66 s  alice gives up 1
"#]],
        ),
        // Withdrawals ignore replaced configurations.
        Fault::new(
            TOKENS_STAY,
            "shortening",
            |set, contract, call, context| {
                let present = withdrawal_delay(&set.governance().configuration());
                let decision = set.decide(contract, call, context);
                with_delays(decision, context.block.timestamp, |delay| delay.min(present))
            },
            str![[r#"
no holder has its tokens back before a proposal on which its ballot counts can be executed: proposal 1 is Queued with 1 of alice, of whom Governance holds 0
the shortest way there, in the scope `shortening`:
     0 s  alice proposes the shorter configuration
     0 s  bob gives up 1
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   135 s  bob proposes the shorter configuration
   164 s  withdrawal 0 is paid
   201 s  alice votes 1 for proposal 1
   217 s  anyone executes proposal 0
   217 s  alice gives up 1
   349 s  withdrawal 3 is paid
"#]],
        ),
        // Locks ignore replaced configurations.
        Fault::new(
            TOKENS_STAY,
            "locks",
            |set, contract, call, context| {
                let configuration = set.governance().configuration();
                let decision = set.decide(contract, call, context);
                if !matches!(call, Call::Governance(GovernanceCall::ProposeWithLock { .. })) {
                    return decision;
                }
                let lock_delay = configuration.propose_config.lock_delay;
                let present = withdrawal_delay(&configuration).max(lock_delay);
                with_delays(decision, context.block.timestamp, |_| present)
            },
            str![[r#"
no holder has its tokens back before a proposal on which its ballot counts can be executed: proposal 1 is Queued with 2 of bob, of whom Governance holds 0
the shortest way there, in the scope `locks`:
     0 s  alice proposes the shorter configuration
    66 s  alice votes 1 for proposal 0
    66 s  alice votes 1 for proposal 0
   135 s  alice proposes the shorter configuration
   201 s  bob votes 1 for proposal 1
   217 s  anyone executes proposal 0
   217 s  bob proposes the shorter configuration
   349 s  withdrawal 2 is paid
"#]],
        ),
        // Withdrawals take one second less than voting and execution delay together.
        Fault::new(
            TOKENS_STAY,
            "leaving",
            |set, contract, call, context| {
                let configuration = set.governance().configuration();
                let delay = configuration.voting_duration + configuration.execution_delay;
                let short = Seconds::of(delay.get() - 1);
                let decision = set.decide(contract, call, context);
                with_delays(decision, context.block.timestamp, |_| short)
            },
            str![[r#"
no holder has its tokens back before a proposal on which its ballot counts can be executed: proposal 0 is Queued with 2 of bob, of whom Governance holds 1
the shortest way there, in the scope `leaving`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
    66 s  bob gives up 1
   216 s  withdrawal 1 is paid
"#]],
        ),
        // Withdrawals are paid before they are due.
        Fault::new(
            WITHDRAWALS_ARE_DUE,
            "leaving",
            |set, contract, call, context| {
                let mut context = *context;
                if matches!(call, Call::Governance(GovernanceCall::FinaliseWithdraw { .. })) {
                    context.block.timestamp = Timestamp::MAX;
                }
                set.decide(contract, call, &context)
            },
            str![[r#"
a withdrawal is paid once, from its time on: withdrawal 0 was Withdrawal { holder: 0x00000000000000000000000000000000000000e1, recipient: 0x00000000000000000000000000000000000000e1, amount: Amount(2), unlocks_at: Timestamp(1000164), payment: Due } and is Withdrawal { holder: 0x00000000000000000000000000000000000000e1, recipient: 0x00000000000000000000000000000000000000e1, amount: Amount(2), unlocks_at: Timestamp(1000164), payment: Claimed }
the shortest way there, in the scope `leaving`:
     0 s  alice proposes the upgrade
     0 s  withdrawal 0 is paid
"#]],
        ),
        // The caller of an execution becomes the owner of the Registry.
        Fault::new(
            HISTORIES_GROW,
            "ballots",
            |set, contract, call, context| {
                let mut logs = set.decide(contract, call, context)?;
                if matches!(call, Call::Governance(GovernanceCall::Execute { .. })) {
                    let new_owner = context.caller;
                    let event = OwnershipEvent::Transferred { previous_owner: contract, new_owner };
                    let emitter = set.addresses().registry;
                    logs.push(Log { emitter, event: event.into() });
                }
                Ok(logs)
            },
            str![[r#"
the Registry only grows, owners stay, and creation times don't decrease: 0x00000000000000000000000000000000000000A2 went from 0x00000000000000000000000000000000000000A3 to 0x00000000000000000000000000000000000000D3
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   217 s  anyone executes proposal 0
"#]],
        ),
    ]
}

/// Pushes a round although its leader lacks a quorum.
fn push_without_quorum(
    set: &SetState,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    match (call, set.decide(contract, call, context)) {
        (
            Call::Proposals(ProposalsCall::PushProposal { round }),
            Err(Refusal::Proposals(ProposalsRefusal::QuorumNotReached { leader, .. })),
        ) => {
            let (payload, round) = (leader, Round::try_from(*round)?);
            let event = ProposalsEvent::ProposalPushed { payload, round };
            let pushed = Log { emitter: contract, event: event.into() };
            let context = Context { caller: contract, ..*context };
            let propose = GovernanceCall::Propose { payload }.into();
            let proposed = set.decide(set.addresses().governance, &propose, &context)?;
            Ok([vec![pushed], proposed].concat())
        }
        (_, decision) => decision,
    }
}

const SIGNALS_ADD_UP: &str = "a round has one signal per slot and one winner at most";
const PROPOSERS_HAVE_A_SEED: &str =
    "only the slots of an epoch with a recorded seed have a proposer";
const DRAWS_STAND: &str =
    "no call changes a draw that is final, or records a seed in an epoch's first slot";

fn faults_of_signals() -> Vec<Fault> {
    vec![
        // The proposer of a slot can signal in it as often as it likes.
        Fault::new(
            SIGNALS_ADD_UP,
            "signals",
            |set, contract, call, context| match (call, set.decide(contract, call, context)) {
                (Call::Proposals(ProposalsCall::Vote { payload }), Err(refusal)) => {
                    let (instance, rollup) = set.canonical_rollup().unwrap();
                    let proposals = set.proposals(contract).unwrap();
                    let slot = rollup.slot_at(context.block.timestamp).unwrap();
                    let round = proposals.rules().round_of(slot);
                    let (payload, voter) = (*payload, context.caller);
                    if proposals.yea_count(instance, round, payload) == 0 {
                        return Err(refusal);
                    }
                    let slot = ProposalsEvent::SlotUsed { slot };
                    let cast = ProposalsEvent::VoteCast { payload, round, voter };
                    let events = [slot, cast];
                    Ok(events.map(|event| Log { emitter: contract, event: event.into() }).into())
                }
                (_, decision) => decision,
            },
            str![[r#"
a round has one signal per slot and one winner at most: 4 signals in round 1
the shortest way there, in the scope `signals`:
   180 s  anyone sets up the epoch of the first rollup
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
"#]],
        ),
        // The next epoch's proposers are taken to be the present ones.
        Fault::of_views(
            PROPOSERS_HAVE_A_SEED,
            "signals",
            Views {
                member_at: |rollup, time, now| {
                    let clock = rollup.clock();
                    let epoch = clock.slot_duration.get() * clock.epoch_duration.get();
                    rollup.member_at(time + Seconds::of(epoch), now)
                },
                ..Views::RULES
            },
            str![[r#"
only the slots of an epoch with a recorded seed have a proposer: 0x00000000000000000000000000000000000000C1 draws Some(0x00000000000000000000000000000000000000f2) of 0; its seed is recorded: false
the shortest way there, in the scope `signals`:
   180 s  anyone sets up the epoch of the first rollup
"#]],
        ),
        Fault::new(
            PROPOSALS_ARE_DUE,
            "signals",
            push_without_quorum,
            str![[r#"
a proposal comes from a winner of N signals or from a paid lock: round 1 was led by Some(Leader { payload: 0x0000000000000000000000000000000000000011, count: 1 })
the shortest way there, in the scope `signals`:
   180 s  anyone sets up the epoch of the first rollup
   240 s  staker 1 signals for the upgrade
   360 s  anyone pushes round 1
"#]],
        ),
        // A seed is recorded in any slot of the epoch before.
        Fault::new(
            DRAWS_STAND,
            "signals",
            |set, contract, call, context| {
                let (Call::Rollup(RollupCall::SetupEpoch), Some(rollup)) =
                    (call, set.rollup(contract))
                else {
                    return set.decide(contract, call, context);
                };
                let now = context.block.timestamp;
                let epoch = rollup.clock().epoch_at(now).unwrap().next();
                if rollup.seed(epoch, now) != Ok(None) {
                    return Ok(Vec::new());
                }
                let event = RollupEvent::SeedRecorded { epoch, seed: context.prevrandao };
                Ok(vec![Log { emitter: contract, event: event.into() }])
            },
            str![[r#"
no call changes a draw that is final, or records a seed in an epoch's first slot: 0x00000000000000000000000000000000000000C1 recorded a seed in slot 0, the first of epoch 0
the shortest way there, in the scope `signals`:
     0 s  anyone sets up the epoch of the first rollup
"#]],
        ),
    ]
}

/// No one can propose through the lock once the second rollup is canonical.
#[test]
fn a_lock_that_ends_with_the_first_rollup() {
    let mut exploration = Exploration::new(quick("ballots"));
    exploration.decide = |set, contract, call, context| match call {
        Call::Governance(GovernanceCall::ProposeWithLock { .. })
            if set.registry().number_of_versions() > 2 =>
        {
            Err(Refusal::Empty)
        }
        _ => set.decide(contract, call, context),
    };
    let trace = exploration.run().unwrap_err();
    assert_data_eq!(
        trace.to_string(),
        str![[r#"
the holders can make Governance act: alice can't propose
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   217 s  anyone executes proposal 0
"#]]
        .raw()
    );
}

#[test]
fn a_property_that_is_stated_wrongly() {
    let mut exploration = Exploration::new(quick("ballots"));
    exploration.properties = vec![Property {
        claim: "nothing that anybody votes against is executed",
        check: Check::Step(|_, step: Step, after: &State| {
            let executed = match step {
                Step::Execute(id) | Step::ExecuteWith(id, _) => {
                    after.set.governance().proposal(id.to_word())
                }
                _ => return Ok(()),
            };
            match executed {
                Ok((_, proposal)) if !proposal.tally().nea.is_zero() => {
                    Err(format!("{:?}", proposal.tally()))
                }
                _ => Ok(()),
            }
        }),
    }];
    let trace = exploration.run().unwrap_err();
    assert_data_eq!(
        trace.to_string(),
        str![[r#"
nothing that anybody votes against is executed: Tally { yea: Amount(3), nea: Amount(1) }
the shortest way there, in the scope `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
    66 s  bob votes 1 against proposal 0
   217 s  anyone executes proposal 0
"#]]
        .raw()
    );
}
