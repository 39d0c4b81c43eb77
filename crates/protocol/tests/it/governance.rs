//! Proposals from creation to their end, and the ballots on them.

use crate::chain::{
    ASSET, Chain, Field, GOVERNANCE, LOCK_AMOUNT, PROPOSALS, START, T, action, at, bounds,
    configuration, contract, named, tokens,
};
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{
    Action, Amount, AssetCall, CommonRefusal, Configuration, ConfigurationId, Event, ExpectCall,
    Fraction, GovernanceCall, GovernanceEvent, GovernanceRefusal, Origin, ProposalId,
    ProposalState, RawConfiguration, Refusal, Seconds, Support, Tally, Timestamp,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);

fn harmless() -> Vec<Action> {
    let governance = GOVERNANCE;
    let expected = PROPOSALS;
    vec![action(crate::chain::EXPECT, ExpectCall::ProposalsIs { governance, expected })]
}

fn vote(id: U256, amount: u128, support: Support) -> GovernanceCall {
    GovernanceCall::Vote { id, amount: tokens(amount), support }
}

fn state(chain: &Chain, id: U256) -> ProposalState {
    let governance = chain.set.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    governance.state(proposal, chain.now())
}

/// A chain with proposal 0, created at the returned time.
fn proposed() -> (Chain, Timestamp) {
    let mut chain = Chain::voting(2000, 1000);
    let id = chain.push(PAYLOAD, harmless());
    assert_eq!(id, U256::ZERO);
    let created = chain.now();
    (chain, created)
}

#[test]
fn a_proposal_goes_through_its_states_second_by_second() {
    use ProposalState::{Active, Executable, Expired, Pending, Queued};

    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    for (later, expected) in [
        (0, Pending),
        (100, Pending),
        (101, Active),
        (300, Active),
        (301, Queued),
        (600, Queued),
        (601, Executable),
        (1000, Executable),
        (1001, Expired),
    ] {
        chain.jump(created + Seconds::of(later));
        if later == 101 {
            chain.ok("alice", GOVERNANCE, vote(id, 2000, Support::Yea));
        }
        assert_eq!(state(&chain, id), expected, "{later} s later");

        let governance = chain.set.governance();
        let state = governance.state_of(ProposalId::ZERO, chain.now());
        let not_executable = GovernanceRefusal::NotExecutable { id, state: state.unwrap() };
        if expected != Executable {
            chain.refused("anyone", GOVERNANCE, GovernanceCall::Execute { id }, not_executable);
        }
        if expected != Active {
            let not_active = GovernanceRefusal::NotActive { id, state: expected };
            chain.refused("bob", GOVERNANCE, vote(id, 1, Support::Yea), not_active);
        }
        let not_dropped = GovernanceRefusal::NotDropped { id, state: expected };
        chain.refused("anyone", GOVERNANCE, GovernanceCall::DropProposal { id }, not_dropped);
    }
}

#[test]
fn a_proposal_can_be_executed_from_the_first_to_the_last_second() {
    for later in [601, 1000] {
        let (mut chain, created) = proposed();
        let id = U256::ZERO;
        chain.jump(created + Seconds::of(300));
        chain.ok("alice", GOVERNANCE, vote(id, 2000, Support::Yea));
        chain.jump(created + Seconds::of(later));
        let events = chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id });
        let proposal_id = ProposalId::ZERO;
        assert_eq!(events, [Event::from(GovernanceEvent::ProposalExecuted { proposal_id })]);
        assert_eq!(state(&chain, id), ProposalState::Executed);
        chain.refused(
            "anyone",
            GOVERNANCE,
            GovernanceCall::Execute { id },
            GovernanceRefusal::NotExecutable { id, state: ProposalState::Executed },
        );
    }
}

#[test]
fn a_vote_is_lost_when_it_is_over() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(101));
    chain.ok("alice", GOVERNANCE, vote(id, 520, Support::Yea));
    chain.ok("bob", GOVERNANCE, vote(id, 480, Support::Nea));
    chain.jump(created + Seconds::of(300));
    assert_eq!(state(&chain, id), ProposalState::Active);
    chain.jump(created + Seconds::of(301));
    assert_eq!(state(&chain, id), ProposalState::Rejected);
    chain.wait(100_000);
    assert_eq!(state(&chain, id), ProposalState::Rejected);
}

#[test]
fn power_counts_at_the_end_of_the_last_second_of_pending() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(100));
    chain.lock("carol", 7);
    let call = GovernanceCall::InitiateWithdraw { to: named("bob"), amount: tokens(400) };
    chain.ok("bob", GOVERNANCE, call);
    chain.jump(created + Seconds::of(101));
    chain.lock("dave", 9);
    let call = GovernanceCall::InitiateWithdraw { to: named("carol"), amount: tokens(7) };
    chain.ok("carol", GOVERNANCE, call);

    let too_much = |holder: &str, available: u128| GovernanceRefusal::InsufficientPower {
        holder: named(holder),
        available: tokens(available),
        needed: tokens(available) + U256::from(1),
    };
    for (holder, available) in [("alice", 2000), ("bob", 600), ("carol", 7), ("dave", 0)] {
        let amount = tokens(available) + U256::from(1);
        let call = GovernanceCall::Vote { id, amount, support: Support::Yea };
        chain.refused(holder, GOVERNANCE, call, too_much(holder, available));
    }
    // Power withdrawn after the snapshot still counts.
    chain.ok("carol", GOVERNANCE, vote(id, 7, Support::Nea));
}

#[test]
fn ballots_add_up_and_go_both_ways() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(101));
    let events = chain.ok("alice", GOVERNANCE, vote(id, 500, Support::Yea));
    assert_eq!(
        events,
        [Event::from(GovernanceEvent::VoteCast {
            proposal_id: ProposalId::ZERO,
            voter: named("alice"),
            support: Support::Yea,
            amount: Amount::of(500 * T),
        })]
    );
    chain.ok("alice", GOVERNANCE, vote(id, 300, Support::Nea));
    chain.ok("alice", GOVERNANCE, vote(id, 200, Support::Yea));
    chain.ok("bob", GOVERNANCE, vote(id, 1000, Support::Nea));
    chain.refused("bob", GOVERNANCE, vote(id, 0, Support::Yea), GovernanceRefusal::ZeroAmount);

    let governance = chain.set.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    let tally = |yea, nea| Tally { yea: Amount::of(yea * T), nea: Amount::of(nea * T) };
    assert_eq!(proposal.ballot(named("alice")), tally(700, 300));
    assert_eq!(proposal.ballot(named("carol")), Tally::default());
    assert_eq!(proposal.tally(), tally(700, 1300));
    assert_eq!(governance.castable(proposal, named("alice")), Amount::of(1000 * T));
    assert_eq!(governance.castable(proposal, named("bob")), Amount::ZERO);
}

#[test]
fn unknown_ids_are_refused() {
    let (mut chain, _) = proposed();
    let (id, count) = (U256::MAX, U256::from(1));
    let unknown = GovernanceRefusal::UnknownProposal { id, count };
    for call in [
        GovernanceCall::Vote { id, amount: U256::ZERO, support: Support::Yea },
        GovernanceCall::Execute { id },
        GovernanceCall::ExecuteWith { id, actions: Vec::new() },
        GovernanceCall::DropProposal { id },
    ] {
        chain.refused("alice", GOVERNANCE, call, unknown.clone());
    }
    let count = U256::ZERO;
    let unknown = GovernanceRefusal::UnknownWithdrawal { id, count };
    chain.refused("alice", GOVERNANCE, GovernanceCall::FinaliseWithdraw { id }, unknown);
    assert_eq!(
        chain.set.governance().configuration_at(U256::from(1)),
        Err(GovernanceRefusal::UnknownConfiguration { id: U256::from(1), count: U256::from(1) })
    );
}

#[test]
fn power_is_known_up_to_now() {
    let mut chain = Chain::deployed();
    let start = chain.now();
    chain.wait(10);
    chain.lock("alice", 5);
    chain.lock("alice", 2);
    let now = chain.now();
    chain.wait(10);
    let governance = chain.set.governance();
    let power = |time| governance.power_at(named("alice"), time, chain.now());
    assert_eq!(power(start), Ok(Amount::ZERO));
    assert_eq!(power(now), Ok(Amount::of(7 * T)));
    assert_eq!(power(chain.now()), Ok(Amount::of(7 * T)));
    assert_eq!(power(at(0)), Ok(Amount::ZERO));
    let timestamp = chain.now() + Seconds::SECOND;
    let (timestamp, present) = (timestamp.to_word(), chain.now().to_word());
    let in_future = GovernanceRefusal::InFuture { timestamp, present };
    assert_eq!(power(chain.now() + Seconds::SECOND), Err(in_future));
    assert_eq!(governance.total_power_at(now, chain.now()), Ok(Amount::of(7 * T)));
}

#[test]
fn what_a_replaced_proposals_contract_pushed_is_dropped_for_good() {
    let (mut chain, _) = proposed();
    chain.lock("alice", 3000);
    let id = U256::ZERO;
    let other = contract(7);
    chain.deploy_proposals(other);
    let appoint = |new_governance_proposer| {
        let call = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
        vec![action(GOVERNANCE, call)]
    };
    let locked = chain.lock_propose(contract(8), harmless());
    chain.govern(contract(9), appoint(other)).unwrap();
    assert_eq!(state(&chain, id), ProposalState::Dropped);
    assert_ne!(state(&chain, locked), ProposalState::Dropped, "the lock's proposals are not");

    chain.govern(contract(10), appoint(PROPOSALS)).unwrap();
    assert_eq!(state(&chain, id), ProposalState::Dropped, "also when it is put back");

    let proposal_id = ProposalId::ZERO;
    let events = chain.ok("anyone", GOVERNANCE, GovernanceCall::DropProposal { id });
    assert_eq!(events, [Event::from(GovernanceEvent::ProposalDropped { proposal_id })]);
    let again = GovernanceRefusal::AlreadyDropped { id };
    chain.refused("anyone", GOVERNANCE, GovernanceCall::DropProposal { id }, again);
}

#[test]
fn only_governance_governs_itself() {
    let mut chain = Chain::voting(2000, 0);
    let caller = named("alice");
    let configuration = Box::new(RawConfiguration::from(configuration()));
    let not_self = GovernanceRefusal::NotSelf { caller };
    let update = GovernanceCall::UpdateConfiguration { configuration };
    chain.refused("alice", GOVERNANCE, update, not_self.clone());
    let new_governance_proposer = contract(1);
    let update = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
    chain.refused("alice", GOVERNANCE, update, not_self);
    chain.refused(
        "alice",
        GOVERNANCE,
        GovernanceCall::Propose { payload: PAYLOAD },
        GovernanceRefusal::NotGovernanceProposer { caller, governance_proposer: PROPOSALS },
    );
}

#[test]
fn who_may_become_the_proposals_contract() {
    let mut chain = Chain::voting(20_000, 0);
    let mut appoint = |new_governance_proposer| {
        let call = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
        let refusal = chain.govern(contract(9), vec![action(GOVERNANCE, call)]).unwrap_err();
        let Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. }) = refusal else {
            panic!("{refusal}");
        };
        Refusal::abi_decode(&reason)
    };
    for governance_proposer in [PROPOSALS, GOVERNANCE] {
        let invalid = GovernanceRefusal::InvalidGovernanceProposer { governance_proposer };
        assert_eq!(appoint(governance_proposer), invalid.into());
    }
    let account = named("an account");
    assert_eq!(appoint(account), CommonRefusal::NoCode { account }.into());
}

#[test]
fn a_payload_is_frozen_when_it_becomes_a_proposal() {
    let mut chain = Chain::voting(2000, 0);
    let propose = |chain: &mut Chain, payload| {
        let call = GovernanceCall::ProposeWithLock { payload, to: named("alice") };
        chain.send(named("alice"), GOVERNANCE, call)
    };
    let account = named("an account");
    let refused = |refusal: Refusal| Err(refusal);
    assert_eq!(propose(&mut chain, account), refused(CommonRefusal::NoCode { account }.into()));

    chain.foreign.deploy(PAYLOAD);
    let unreadable = GovernanceRefusal::UnreadableActions { payload: PAYLOAD };
    assert_eq!(propose(&mut chain, PAYLOAD), refused(unreadable.into()));
    chain.foreign.list(PAYLOAD, Vec::new());
    let nothing = GovernanceRefusal::NoActions { payload: PAYLOAD };
    assert_eq!(propose(&mut chain, PAYLOAD), refused(nothing.into()));

    chain.foreign.list(PAYLOAD, harmless());
    let events = propose(&mut chain, PAYLOAD).unwrap();
    let [_, _, proposed, Event::Governance(GovernanceEvent::ProposalFrozen { actions, .. })] =
        events.as_slice()
    else {
        panic!("{events:?}");
    };
    let proposal_id = ProposalId::ZERO;
    let payload = PAYLOAD;
    assert_eq!(*proposed, Event::from(GovernanceEvent::Proposed { proposal_id, payload }));
    assert_eq!(*actions, harmless());
    let (_, proposal) = chain.set.governance().proposal(U256::ZERO).unwrap();
    assert_eq!(proposal.origin(), Origin::Lock);
    assert_eq!(proposal.actions()[..], harmless());
}

#[test]
fn the_lock_takes_power_and_gives_it_back_late() {
    let mut chain = Chain::voting(LOCK_AMOUNT / T, 0);
    chain.foreign.list(PAYLOAD, harmless());
    let propose = |to| GovernanceCall::ProposeWithLock { payload: PAYLOAD, to };
    chain.refused("alice", GOVERNANCE, propose(Address::ZERO), CommonRefusal::ZeroAddress);
    chain.refused(
        "bob",
        GOVERNANCE,
        propose(named("bob")),
        GovernanceRefusal::InsufficientPower {
            holder: named("bob"),
            available: U256::ZERO,
            needed: U256::from(LOCK_AMOUNT),
        },
    );
    chain.ok("alice", GOVERNANCE, propose(named("bob")));
    let governance = chain.set.governance();
    let withdrawal = governance.withdrawals()[0];
    assert_eq!(withdrawal.holder, named("alice"));
    assert_eq!(withdrawal.recipient, named("bob"));
    assert_eq!(withdrawal.amount, Amount::of(LOCK_AMOUNT));
    assert_eq!(withdrawal.unlocks_at, chain.now() + Seconds::of(5000));
    assert_eq!(governance.power(named("alice")), Amount::ZERO);
}

fn is_bounded(
    bounds: [(&str, Field, u128, u128); 9],
    check: impl Fn(&RawConfiguration) -> Result<Configuration, GovernanceRefusal>,
) {
    let word = |value: u128| U256::from(value);
    for (name, field, min, max) in bounds {
        let check = |value: U256| {
            let mut raw = RawConfiguration::from(configuration());
            *field(&mut raw) = value;
            check(&raw)
        };
        for value in [word(min), word(max)] {
            assert!(check(value).is_ok(), "{name} {value}");
        }
        let below = min.checked_sub(1).map(word);
        for value in below.into_iter().chain([word(max) + word(1), U256::MAX]) {
            let field = B256::right_padding_from(name.as_bytes());
            let refusal =
                GovernanceRefusal::OutOfBounds { field, value, min: word(min), max: word(max) };
            assert_eq!(check(value), Err(refusal), "{name} {value}");
        }
    }
}

#[test]
fn every_bound_of_the_first_configuration() {
    // Fractions of the supply are rounded down.
    for supply in [100_000 * T, 100_000 * T + 9] {
        is_bounded(bounds(10_000 * T, 50_000 * T + supply % 10 / 2), |raw| {
            Configuration::check(raw, Amount::of(supply))
        });
    }
}

#[test]
fn every_bound_of_a_change() {
    // In force are a lockAmount of 500 and a minimumVotes of 1000.
    for (power, lock_amount, minimum_votes) in [
        (100_000 * T + 9, 10_000 * T, 50_000 * T + 4),
        (5001 * T, 500 * T + T / 10, 2500 * T + T / 2),
        (4999 * T, 500 * T, 2499 * T + T / 2),
        (1999 * T, 500 * T, 1000 * T),
        (0, 500 * T, 1000 * T),
    ] {
        is_bounded(bounds(lock_amount, minimum_votes), |raw| {
            Configuration::check_change(raw, &configuration(), Amount::of(power))
        });
    }
}

#[test]
fn a_change_is_bounded_by_the_power_when_it_is_made() {
    let mut chain = Chain::voting(6000, 4000);
    let change = |lock: u128, votes: u128| {
        let mut next = configuration();
        next.propose_config.lock_amount = Amount::of(lock);
        next.minimum_votes = Amount::of(votes);
        crate::chain::update(next)
    };
    // The lock takes 500, bob withdraws 500, and 9000 is left when it is executed.
    for (lock, votes, field) in [
        (900 * T, 4500 * T, None),
        (900 * T + 1, 4500 * T, Some("lockAmount")),
        (900 * T, 4500 * T + 1, Some("minimumVotes")),
    ] {
        let mut chain = chain.clone();
        let id = chain.lock_propose(PAYLOAD, change(lock, votes));
        chain.wait(101);
        chain.ok("alice", GOVERNANCE, vote(id, 5000, Support::Yea));
        let leave = GovernanceCall::InitiateWithdraw { to: named("bob"), amount: tokens(500) };
        chain.ok("bob", GOVERNANCE, leave);
        chain.wait(500);
        let outcome = chain.send(named("anyone"), GOVERNANCE, GovernanceCall::Execute { id });
        let refused = outcome.err().map(|refusal| match refusal {
            Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. }) => {
                Refusal::abi_decode(&reason)
            }
            other => other,
        });
        let expected = field.map(|name| {
            let (value, min, max) =
                if name == "lockAmount" { (lock, 2, 900 * T) } else { (votes, 1, 4500 * T) };
            let field = B256::right_padding_from(name.as_bytes());
            let [value, min, max] = [value, min, max].map(U256::from);
            Refusal::from(GovernanceRefusal::OutOfBounds { field, value, min, max })
        });
        assert_eq!(refused, expected, "lockAmount {lock}, minimumVotes {votes}");
    }
    // A value that isn't raised is accepted, whoever has left.
    let leave = GovernanceCall::InitiateWithdraw { to: named("bob"), amount: tokens(4000) };
    chain.ok("bob", GOVERNANCE, leave);
    let leave = GovernanceCall::InitiateWithdraw { to: named("alice"), amount: tokens(4500) };
    chain.ok("alice", GOVERNANCE, leave);
    chain.govern(PAYLOAD, change(500 * T, 1000 * T)).unwrap();
}

#[test]
fn objections_are_taken_in_the_first_half_of_the_execution_delay() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(300));
    chain.ok("alice", GOVERNANCE, vote(id, 1500, Support::Yea));
    let (proposal, nea, yea) = (ProposalId::ZERO, Support::Nea, Support::Yea);
    let not_active = |state| GovernanceRefusal::NotActive { id, state };
    let until = created + Seconds::of(450);
    for later in [301, 450] {
        chain.jump(created + Seconds::of(later));
        // No ballot for it is taken any more.
        let refusal = not_active(ProposalState::Queued);
        chain.refused("alice", GOVERNANCE, vote(id, 1, yea), refusal);
        let events = chain.ok("bob", GOVERNANCE, vote(id, 1, nea));
        assert_eq!(events.len(), 1, "{later} s later");
        assert_eq!(state(&chain, id), ProposalState::Queued);
    }
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    assert_eq!(deadlines.objections_until, until);
    for later in [451, 600] {
        chain.jump(created + Seconds::of(later));
        let (timestamp, objections_until) = (chain.now().to_word(), until.to_word());
        let over = GovernanceRefusal::ObjectionsOver { id, timestamp, objections_until };
        chain.refused("bob", GOVERNANCE, vote(id, 1, nea), over);
        chain.refused("alice", GOVERNANCE, vote(id, 1, yea), not_active(ProposalState::Queued));
    }
    chain.jump(created + Seconds::of(601));
    chain.refused("bob", GOVERNANCE, vote(id, 1, nea), not_active(ProposalState::Executable));
    assert_eq!(
        chain.set.governance().state_of(proposal, chain.now()),
        Some(ProposalState::Executable)
    );
}

#[test]
fn queued_becomes_rejected_at_the_very_ballot_and_stays_it() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(300));
    chain.ok("alice", GOVERNANCE, vote(id, 1000, Support::Yea));
    chain.jump(created + Seconds::of(301));
    // 1000 of 1923 is just above 52 %, and 1000 of 1924 isn't.
    for (amount, expected) in
        [(900, ProposalState::Queued), (23, ProposalState::Queued), (1, ProposalState::Rejected)]
    {
        chain.ok("bob", GOVERNANCE, vote(id, amount, Support::Nea));
        assert_eq!(state(&chain, id), expected, "after {amount} more");
    }
    // No ballot is taken on a rejected proposal, so its result can't change back.
    let refusal = GovernanceRefusal::NotActive { id, state: ProposalState::Rejected };
    for (caller, support) in [("bob", Support::Nea), ("alice", Support::Yea)] {
        chain.refused(caller, GOVERNANCE, vote(id, 1, support), refusal.clone());
    }
    chain.jump(created + Seconds::of(601));
    assert_eq!(state(&chain, id), ProposalState::Rejected);
}

#[test]
fn late_objections_bring_no_quorum() {
    let (mut chain, created) = proposed();
    let id = U256::ZERO;
    chain.jump(created + Seconds::of(300));
    // A tenth of 3000 is needed.
    chain.ok("alice", GOVERNANCE, vote(id, 299, Support::Yea));
    chain.jump(created + Seconds::of(301));
    let refusal = GovernanceRefusal::NotActive { id, state: ProposalState::Rejected };
    chain.refused("bob", GOVERNANCE, vote(id, 1, Support::Nea), refusal);
}

#[test]
fn a_proposal_keeps_the_configuration_it_was_created_under() {
    let (mut chain, created) = proposed();
    chain.lock("alice", 1000);
    let next = Configuration {
        voting_delay: Seconds::of(60),
        quorum: Fraction::percent(50),
        ..configuration()
    };
    let update = GovernanceCall::UpdateConfiguration { configuration: Box::new(next.into()) };
    let events = chain.govern(contract(9), vec![action(GOVERNANCE, update)]).unwrap();
    let updated = GovernanceEvent::ConfigurationUpdated { time: chain.now() };
    assert_eq!(events[1], Event::from(updated));
    let governance = chain.set.governance();
    assert_eq!(governance.configuration(), next);
    assert_eq!(governance.configurations().len(), 2);
    let (_, proposal) = governance.proposal(U256::ZERO).unwrap();
    assert_eq!(*proposal.configuration(), configuration());
    assert_eq!(proposal.deadlines().pending, created + Seconds::of(100));
}

#[test]
fn deposits_that_would_be_lost_are_refused() {
    let mut chain = Chain::deployed();
    chain.fund("alice", 10);
    let deposit = |on_behalf_of, amount| GovernanceCall::Deposit { on_behalf_of, amount };
    let alice = named("alice");
    chain.refused(
        "alice",
        GOVERNANCE,
        deposit(GOVERNANCE, tokens(1)),
        GovernanceRefusal::SelfDeposit { depositor: alice, on_behalf_of: GOVERNANCE },
    );
    let zero = Address::ZERO;
    chain.refused("alice", GOVERNANCE, deposit(zero, tokens(1)), CommonRefusal::ZeroAddress);
    chain.refused("alice", GOVERNANCE, deposit(alice, U256::ZERO), GovernanceRefusal::ZeroAmount);
    chain.refused(
        "alice",
        GOVERNANCE,
        deposit(alice, tokens(1)),
        canon_protocol::AssetRefusal::InsufficientAllowance {
            spender: GOVERNANCE,
            allowance: U256::ZERO,
            needed: tokens(1),
        },
    );
    let call = canon_protocol::AssetCall::Approve { spender: GOVERNANCE, amount: U256::MAX };
    chain.ok("alice", ASSET, call);
    chain.refused(
        "alice",
        GOVERNANCE,
        deposit(alice, tokens(11)),
        canon_protocol::AssetRefusal::InsufficientBalance {
            sender: alice,
            balance: tokens(10),
            needed: tokens(11),
        },
    );
    chain.ok("alice", GOVERNANCE, deposit(named("bob"), tokens(10)));
    assert_eq!(chain.set.governance().power(named("bob")), Amount::of(10 * T));
    let infinite = chain.set.asset().allowance(alice, GOVERNANCE);
    assert_eq!(infinite, U256::MAX, "an infinite allowance is not lowered");
}

#[test]
fn times_are_stored_for_136_years() {
    let mut chain = Chain::voting(5000, 0);
    let withdraw = GovernanceCall::InitiateWithdraw { to: named("alice"), amount: tokens(1) };
    let last = START + Seconds::of(u32::MAX.into());
    chain.jump(last);
    chain.ok("alice", GOVERNANCE, withdraw.clone());
    chain.lock("bob", 1);
    chain.lock_propose(contract(1), harmless());

    chain.wait(1);
    let max = U256::from(u32::MAX);
    let refusal = CommonRefusal::ValueTooLarge { value: max + U256::from(1), max };
    chain.refused("alice", GOVERNANCE, withdraw, refusal.clone());
    let propose = GovernanceCall::ProposeWithLock { payload: contract(1), to: named("alice") };
    chain.refused("alice", GOVERNANCE, propose, refusal.clone());
    chain.fund("bob", 1);
    chain.ok("bob", ASSET, AssetCall::Approve { spender: GOVERNANCE, amount: tokens(1) });
    let on_behalf_of = named("bob");
    let deposit = GovernanceCall::Deposit { on_behalf_of, amount: tokens(1) };
    chain.refused("bob", GOVERNANCE, deposit, refusal);
}

#[test]
fn configurations_are_numbered_and_power_is_summed() {
    let mut chain = Chain::voting(3000, 200);
    assert_eq!(chain.set.governance().total_power(), Amount::of(3200 * T));
    assert_eq!(chain.set.governance().configuration_id(), ConfigurationId::ZERO);
    let next = Configuration { quorum: Fraction::percent(20), ..configuration() };
    let configuration = Box::new(next.into());
    let update = GovernanceCall::UpdateConfiguration { configuration };
    chain.govern(contract(1), vec![action(GOVERNANCE, update)]).unwrap();
    let governance = chain.set.governance();
    assert_eq!(governance.configuration_id(), ConfigurationId::of(1));
    assert_eq!(governance.configuration(), next);
    assert_eq!(governance.total_power(), Amount::of(2700 * T), "less what the lock took");
}
