//! Events that take effect together, and the decoding of logs into events of the set.

use crate::chain::{
    ASSET, Chain, EXPECT, GOVERNANCE, PROPOSALS, REGISTRY, ROLLUP, contract, harmless,
};
use alloy_primitives::{Address, B256, LogData};
use canon_protocol::{
    ApplyError, Constructor, Event, GovernanceEvent, Holding, Log, ProposalsEvent, RollupEvent,
    RollupParameters, SetState, Subject, Withdrawal,
};
use std::collections::BTreeSet;

/// A set with every kind of change that takes more than one event.
fn busy() -> Chain {
    let mut chain = Chain::voting(50_000, 1000);
    chain.push(contract(1), harmless());
    chain.lock_propose(contract(2), harmless());
    chain
}

/// Whether this event takes effect only with the next one.
const fn is_incomplete(event: &Event) -> bool {
    matches!(
        event,
        Event::Governance(
            GovernanceEvent::WithdrawInitiated { .. } | GovernanceEvent::Proposed { .. }
        ) | Event::Proposals(
            ProposalsEvent::PayloadSeen { .. }
                | ProposalsEvent::SlotUsed { .. }
                | ProposalsEvent::ProposalPushed { .. }
        )
    )
}

/// Each event with the state before it.
fn states(chain: &Chain) -> Vec<(SetState, Log)> {
    let mut set = SetState::new(*chain.set.addresses());
    let mut states = Vec::new();
    for (block, log) in &chain.history {
        states.push((set.clone(), log.clone()));
        set.evolve(log, *block).unwrap();
    }
    assert_eq!(set, chain.set);
    states
}

#[test]
fn no_state_has_half_of_an_entry() {
    let chain = busy();
    let mut set = SetState::new(*chain.set.addresses());
    let mut halves = BTreeSet::new();
    for (block, log) in &chain.history {
        let before = set.clone();
        set.evolve(log, *block).unwrap();
        assert_eq!(set.is_complete(), !is_incomplete(&log.event), "after {log:?}");
        if !set.is_complete() {
            halves.insert(log.event.name());
            assert_eq!(set.governance(), before.governance(), "nothing shows yet");
            assert_eq!(set.proposals(PROPOSALS), before.proposals(PROPOSALS), "nothing shows yet");
        }
        for proposal in set.governance().proposals() {
            assert_ne!(proposal.actions_hash(), B256::ZERO);
            assert!(!proposal.actions().is_empty());
        }
        for Withdrawal { holder, .. } in set.governance().withdrawals() {
            assert!(!holder.is_zero());
        }
    }
    assert_eq!(halves.len(), 5, "{halves:?}");
}

#[test]
fn nothing_comes_between_events_that_belong_together() {
    let chain = busy();
    let states = states(&chain);
    let others: Vec<_> = {
        let mut seen = BTreeSet::new();
        let logs = states.iter().map(|(_, log)| log.clone());
        logs.filter(|log| seen.insert(log.event.name())).collect()
    };
    let mut interrupted = BTreeSet::new();
    for (set, log) in states.iter().filter(|(set, _)| !set.is_complete()) {
        for other in others.iter().filter(|other| other.event.name() != log.event.name()) {
            let found = other.event.name();
            let error = set.clone().evolve(other, chain.block).unwrap_err();
            let ApplyError::WrongSuccessor { expected, found: named, emitter } = error else {
                panic!("{other:?} after half of {log:?}: {error}");
            };
            assert_eq!((expected, named, emitter), (&*log.event.name(), found, other.emitter));
            interrupted.insert(expected);
        }
        let stranger = Log { emitter: contract(77), ..log.clone() };
        let error = set.clone().evolve(&stranger, chain.block).unwrap_err();
        assert!(matches!(error, ApplyError::WrongSuccessor { .. }), "{error}");
    }
    assert_eq!(interrupted.len(), 5, "{interrupted:?}");
}

#[test]
fn the_second_of_a_pair_does_not_come_alone() {
    let chain = busy();
    let mut alone = BTreeSet::new();
    for (_, log) in states(&chain).into_iter().filter(|(set, _)| !set.is_complete()) {
        // These may also come first.
        if is_incomplete(&log.event) {
            continue;
        }
        let event = log.event.name();
        let error = ApplyError::MissingPredecessor { emitter: log.emitter, event };
        assert_eq!(chain.set.clone().evolve(&log, chain.block), Err(error));
        alone.insert(log.event.name());
    }
    assert_eq!(alone.len(), 3, "{alone:?}");
}

#[test]
fn an_error_says_what_was_expected_and_found() {
    let chain = busy();
    let governance = chain.set.governance();
    let (proposals, holder) = (governance.proposals().len() as u64, contract(5));
    let id = |id| canon_protocol::ProposalId::of(id);
    let amount = canon_protocol::Amount::of;
    let power = governance.power(holder);
    for (event, error, text) in [
        (
            GovernanceEvent::Proposed { proposal_id: id(9), payload: holder },
            ApplyError::WrongNumber { what: "proposal", expected: proposals, found: 9 },
            "expected proposal 2, found 9".to_owned(),
        ),
        (
            GovernanceEvent::ProposalExecuted { proposal_id: id(9) },
            ApplyError::Unknown(Subject::Proposal(id(9))),
            "there is no proposal 9".to_owned(),
        ),
        (
            GovernanceEvent::NonceUsed {
                proposal_id: id(1),
                holder,
                nonce: canon_protocol::Nonce::of(3),
            },
            ApplyError::WrongNonce {
                holder,
                expected: canon_protocol::Nonce::ZERO,
                found: canon_protocol::Nonce::of(3),
            },
            format!("expected nonce 0 of {holder}, found 3"),
        ),
        (
            GovernanceEvent::Deposit {
                depositor: holder,
                on_behalf_of: holder,
                amount: canon_protocol::Amount::MAX,
            },
            ApplyError::Overflow {
                holding: Holding::TotalPower,
                present: governance.total_power(),
                added: canon_protocol::Amount::MAX,
            },
            format!(
                "{} is added to the total power, which is {}: the sum exceeds 96 bits",
                canon_protocol::Amount::MAX,
                governance.total_power()
            ),
        ),
    ] {
        let log = Log { emitter: GOVERNANCE, event: event.into() };
        let found = chain.set.clone().evolve(&log, chain.block).unwrap_err();
        assert_eq!((found.to_string(), found), (text, error));
    }
    let mut set = chain.set.clone();
    for (event, outcome) in [
        (
            GovernanceEvent::WithdrawInitiated {
                withdrawal_id: canon_protocol::WithdrawalId::of(1),
                recipient: holder,
                amount: amount(7),
            },
            Ok(()),
        ),
        (
            GovernanceEvent::WithdrawalQueued {
                id: canon_protocol::WithdrawalId::of(1),
                holder,
                unlocks_at: chain.now(),
            },
            Err(ApplyError::Insufficient {
                holding: Holding::Power(holder),
                available: power,
                taken: amount(7),
            }),
        ),
    ] {
        let log = Log { emitter: GOVERNANCE, event: event.into() };
        assert_eq!(set.evolve(&log, chain.block), outcome);
    }
}

#[test]
fn actions_of_another_hash_are_no_proposal() {
    let chain = busy();
    let mut refused = 0;
    for (mut set, mut log) in states(&chain) {
        let Event::Governance(GovernanceEvent::ProposalFrozen {
            proposal_id,
            actions_hash,
            actions,
            ..
        }) = &mut log.event
        else {
            continue;
        };
        actions[0].target = contract(9);
        let (id, expected) = (*proposal_id, *actions_hash);
        let found = canon_protocol::actions_hash(actions);
        let before = set.governance().clone();
        let error = set.evolve(&log, chain.block).unwrap_err();
        assert_eq!(error, ApplyError::WrongActions { id, expected, found });
        assert_eq!(*set.governance(), before, "nothing is added");
        refused += 1;
    }
    assert_eq!(refused, 2);
}

/// The set folded from nothing but the chain's logs equals the chain's.
#[test]
fn a_set_is_known_from_the_logs_of_its_chain() {
    let chain = busy();
    let mut set = SetState::new(*chain.set.addresses());
    let mut skipped = Vec::new();
    for (block, log) in &chain.history {
        let data = log.event.to_log_data();
        match set.decode_log(log.emitter, &data, &|_, _| true) {
            Some(decoded) => {
                assert_eq!(decoded, *log);
                set.evolve(&decoded, *block).unwrap();
            }
            None => skipped.push((log.emitter, log.event.name())),
        }
    }
    assert_eq!(set, chain.set);
    // This event is of a contract that isn't known yet. Its next event contains the owner too.
    assert_eq!(skipped, [(ROLLUP, "Ownership.OwnershipTransferred".to_owned())]);
    assert_eq!(set.ownership(ROLLUP).owner(), GOVERNANCE);
}

#[test]
fn a_new_contract_is_of_the_set_if_it_says_so_and_is_genuine() {
    let new = contract(7);
    let chain = busy();
    let parameters = *chain.set.rollup(ROLLUP).unwrap().parameters();
    let rollup = |asset| {
        let parameters = RollupParameters { asset, ..parameters };
        let event = RollupEvent::Deployed { parameters: Box::new(parameters) };
        (Event::from(event), Constructor::Rollup(parameters.into()))
    };
    let proposals = |registry| {
        let (n, m) = (3, 5);
        let event = ProposalsEvent::Deployed { registry, n, m };
        let [n, m] = [n, m].map(alloy_primitives::U256::from);
        (Event::from(event), Constructor::Proposals { registry, n, m })
    };
    for ((event, constructor), is_of_the_set) in [
        (rollup(ASSET), true),
        (rollup(new), false),
        (proposals(REGISTRY), true),
        (proposals(new), false),
    ] {
        let data = event.to_log_data();
        let log = Log { emitter: new, event };
        let decode = |is_genuine: &dyn Fn(Address, &Constructor) -> bool| {
            chain.set.decode_log(new, &data, is_genuine)
        };
        let asked = |address: Address, with: &Constructor| {
            assert_eq!((address, with), (new, &constructor));
            true
        };
        assert_eq!(decode(&asked), is_of_the_set.then_some(log));
        assert_eq!(decode(&|_, _| false), None);
    }
    // Other logs of contracts outside the set, and logs that a contract of the set doesn't emit.
    let never = |_: Address, _: &Constructor| panic!("nothing is deployed");
    for (_, log) in &chain.history {
        if matches!(
            log.event,
            Event::Rollup(RollupEvent::Deployed { .. })
                | Event::Proposals(ProposalsEvent::Deployed { .. })
        ) {
            continue;
        }
        let data = log.event.to_log_data();
        assert_eq!(chain.set.decode_log(new, &data, &never), None);
        assert_eq!(chain.set.decode_log(EXPECT, &data, &never), None);
    }
    assert_eq!(chain.set.decode_log(ROLLUP, &LogData::default(), &never), None);
}
