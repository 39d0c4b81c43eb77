//! Rules and properties that are wrong on purpose: each is found, by the shortest way.

use alloy::primitives::Address;
use canon_explore::{Check, Decide, Exploration, Property, SmallWorld, State, Step};
use canon_protocol::{
    Amount, Call, Context, Ending, Event, GovernanceCall, GovernanceEvent, Log, ProposalState,
    ProposalsCall, ProposalsEvent, Refusal, RollupCall, RollupEvent, Seconds, Support, Timestamp,
    World, withdrawal_delay,
};
use snapbox::{IntoData, assert_data_eq, data::Inline, str};

/// What the search says of the quick world `name` under the rules `decide`.
fn assert_found(name: &str, decide: Decide, expected: Inline) {
    let world = SmallWorld::QUICK.iter().find(|world| world.name == name).unwrap();
    let mut exploration = Exploration::new(world);
    exploration.decide = decide;
    let trace = exploration.run().expect_err("a broken rule is found");
    assert_data_eq!(trace.to_string(), expected.into_data().raw());
}

/// The proposal `id` of Governance is queued.
fn is_queued(set: &World, call: &GovernanceCall, now: Timestamp) -> bool {
    let GovernanceCall::Vote { id, .. } = call else { return false };
    set.governance()
        .proposal(*id)
        .is_ok_and(|(id, _)| set.governance().state_of(id, now) == Some(ProposalState::Queued))
}

/// Takes a ballot for or against while its proposal is Queued, all the time.
fn with_late_ballots(
    support: Support,
    set: &World,
    contract: Address,
    call: &Call,
    context: &Context<'_>,
) -> Result<Vec<Log>, Refusal> {
    match call {
        Call::Governance(vote @ GovernanceCall::Vote { id, support: side, .. })
            if *side == support && is_queued(set, vote, context.block.timestamp) =>
        {
            let (proposal_id, proposal) = set.governance().proposal(*id)?;
            if set.governance().castable(proposal, context.caller).is_zero() {
                return Err(Refusal::Empty);
            }
            let amount = Amount::of(1);
            let event =
                GovernanceEvent::VoteCast { proposal_id, voter: context.caller, support, amount };
            Ok(vec![Log { emitter: contract, event: event.into() }])
        }
        _ => set.decide(contract, call, context),
    }
}

#[test]
fn objections_in_the_second_half() {
    assert_found(
        "ballots",
        |set, contract, call, context| {
            with_late_ballots(Support::Nea, set, contract, call, context)
        },
        str![[r#"
a proposal's state leads only to those after it: proposal 0 was Queued and is Rejected
the shortest way there, in the world `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   176 s  bob votes 1 against proposal 0
"#]],
    );
}

#[test]
fn late_ballots_for() {
    assert_found(
        "ballots",
        |set, contract, call, context| {
            with_late_ballots(Support::Yea, set, contract, call, context)
        },
        str![[r#"
ballots are taken while Active, and against also in the first half of Queued: Yea on proposal 0, which is Queued, 136 s after its creation
the shortest way there, in the world `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   136 s  bob votes 1 for proposal 0
"#]],
    );
}

#[test]
fn execution_a_second_early() {
    assert_found(
        "ballots",
        |set, contract, call, context| {
            let mut context = *context;
            if matches!(call, Call::Governance(GovernanceCall::Execute { .. })) {
                context.block.timestamp = context.block.timestamp + Seconds::SECOND;
            }
            set.decide(contract, call, &context)
        },
        str![[r#"
a proposal's state leads only to those after it: proposal 0 was Queued and is Executed
the shortest way there, in the world `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   216 s  anyone executes proposal 0
"#]],
    );
}

/// The withdrawals of these logs are paid after what `delay` makes of their delays.
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

#[test]
fn withdrawals_that_ignore_replaced_configurations() {
    assert_found(
        "shortening",
        |set, contract, call, context| {
            let present = withdrawal_delay(&set.governance().configuration());
            let decision = set.decide(contract, call, context);
            with_delays(decision, context.block.timestamp, |delay| delay.min(present))
        },
        str![[r#"
no holder has its tokens back before a proposal on which its ballot counts can be executed: proposal 1 is Queued with 1 of alice, of whom Governance holds 0
the shortest way there, in the world `shortening`:
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
    );
}

#[test]
fn withdrawals_a_second_shorter_than_vote_and_execution_delay() {
    assert_found(
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
the shortest way there, in the world `leaving`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
    66 s  bob gives up 1
   216 s  withdrawal 1 is paid
"#]],
    );
}

/// A seed is recorded at any time in the epoch before.
#[test]
fn seeds_of_the_first_slot() {
    assert_found(
        "signals",
        |set, contract, call, context| {
            let (Call::Rollup(RollupCall::SetupEpoch), Some(rollup)) = (call, set.rollup(contract))
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
the shortest way there, in the world `signals`:
     0 s  anyone sets up the epoch of the first rollup
"#]],
    );
}

/// Whoever proposes signals as often as it likes.
#[test]
fn signals_without_slots() {
    assert_found(
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
                Ok([slot, cast].map(|event| Log { emitter: contract, event: event.into() }).into())
            }
            (_, decision) => decision,
        },
        str![[r#"
a round has one signal per slot and one winner at most: 4 signals in round 1
the shortest way there, in the world `signals`:
   180 s  anyone sets up the epoch of the first rollup
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
   240 s  staker 1 signals for the upgrade
"#]],
    );
}

/// A proposal that was pushed by a contract which was replaced lives on.
#[test]
fn executions_after_a_replacement() {
    assert_found(
        "replacement",
        |set, contract, call, context| {
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
        },
        str![[r#"
a proposal's state leads only to those after it: proposal 0 was Dropped and is Executed
the shortest way there, in the world `replacement`:
     0 s  anyone pushes round 1
     0 s  alice proposes the replacement of Proposals
    66 s  alice votes 1 for proposal 1
    66 s  bob votes 1 for proposal 1
   217 s  anyone executes proposal 1
   217 s  anyone executes proposal 0
"#]],
    );
}

/// Nobody can propose through the lock once the second rollup is canonical.
#[test]
fn a_lock_that_ends_with_the_first_rollup() {
    assert_found(
        "ballots",
        |set, contract, call, context| match call {
            Call::Governance(GovernanceCall::ProposeWithLock { .. })
                if set.registry().number_of_versions() > 2 =>
            {
                Err(Refusal::Empty)
            }
            _ => set.decide(contract, call, context),
        },
        str![[r#"
the holders can make Governance act: alice can't propose
the shortest way there, in the world `ballots`:
     0 s  alice proposes the upgrade
    66 s  alice votes 1 for proposal 0
    66 s  bob votes 1 for proposal 0
   217 s  anyone executes proposal 0
"#]],
    );
}

#[test]
fn a_property_that_is_stated_wrongly() {
    let world = SmallWorld::QUICK.iter().find(|world| world.name == "ballots").unwrap();
    let mut exploration = Exploration::new(world);
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
the shortest way there, in the world `ballots`:
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
