//! Signals and pushing.

use crate::chain::{
    Chain, GOVERNANCE, M, N, PROPOSALS, REGISTRY, ROLLUP, SLOT, action, contract, harmless, named,
    word,
};
use alloy_primitives::{Address, B256, U256, keccak256};
use canon_protocol::{
    Code, CodeKind, CommonRefusal, Event, GovernanceCall, GovernanceRefusal, Leader, ProposalId,
    ProposalsCall, ProposalsEvent, ProposalsRefusal, PushWindow, Pushed, Refusal, RegistryCall,
    Round, RoundRules, SENTINEL, Slot,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);
const OTHER: Address = Address::with_last_byte(0xf2);

const fn vote(payload: Address) -> ProposalsCall {
    ProposalsCall::Vote { payload }
}

fn push(round: u64) -> ProposalsCall {
    ProposalsCall::PushProposal { round: U256::from(round) }
}

/// A set with three stakers at the first slot of a round, and two payloads.
fn signaling() -> Chain {
    let mut chain = Chain::staked(3);
    chain.foreign.list(PAYLOAD, harmless());
    chain.foreign.list(OTHER, harmless());
    chain.next_round();
    chain
}

fn round(chain: &Chain) -> Round {
    chain.set.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot())
}

fn leader(chain: &Chain, round: Round) -> Option<Leader> {
    chain.set.proposals(PROPOSALS).unwrap().round(ROLLUP, round)?.leader
}

#[test]
fn a_round_is_won_by_n_signals() {
    let mut chain = signaling();
    let round = round(&chain);
    let hash = chain.foreign.code[&PAYLOAD].hash;
    let voters: Vec<Event> = (1..=N + 1)
        .flat_map(|count| {
            let (voter, slot) = (chain.proposer(), chain.slot());
            let events = chain.signal(PAYLOAD);
            let used = ProposalsEvent::SlotUsed { slot };
            let cast = ProposalsEvent::VoteCast { payload: PAYLOAD, round, voter };
            let seen = ProposalsEvent::PayloadSeen { payload: PAYLOAD, code_hash: hash };
            let reached = ProposalsEvent::QuorumReached { payload: PAYLOAD, round };
            let expected: Vec<Event> = match count {
                1 => vec![seen.into(), used.into(), cast.into()],
                N => vec![used.into(), cast.into(), reached.into()],
                _ => vec![used.into(), cast.into()],
            };
            assert_eq!(events, expected, "signal {count}");
            events
        })
        .collect();
    assert_eq!(voters.len(), 10);
    assert_eq!(leader(&chain, round), Some(Leader { payload: PAYLOAD, count: N + 1 }));
}

#[test]
fn the_leader_changes_only_on_more_signals() {
    let mut chain = signaling();
    let round = round(&chain);
    for (signal, payload, count) in
        [(PAYLOAD, PAYLOAD, 1), (OTHER, PAYLOAD, 1), (OTHER, OTHER, 2), (PAYLOAD, OTHER, 2)]
    {
        chain.signal(signal);
        assert_eq!(leader(&chain, round), Some(Leader { payload, count }));
    }
    chain.signal(PAYLOAD);
    assert_eq!(leader(&chain, round), Some(Leader { payload: PAYLOAD, count: 3 }));
    let proposals = chain.set.proposals(PROPOSALS).unwrap();
    assert_eq!(proposals.yea_count(ROLLUP, round, OTHER), 2);
}

#[test]
fn checks_come_in_their_order() {
    let mut chain = Chain::empty();
    chain.foreign.deploy(PAYLOAD);
    chain.deploy(REGISTRY, canon_protocol::Constructor::Registry { owner: named("deployer") });
    chain.deploy_proposals(PROPOSALS);
    let no_code = |account| CommonRefusal::NoCode { account };
    let account = named("an account");
    chain.refused("anyone", PROPOSALS, vote(account), no_code(account));
    chain.refused("anyone", PROPOSALS, vote(PAYLOAD), no_code(SENTINEL));
    chain.refused("anyone", PROPOSALS, push(0), no_code(SENTINEL));

    let mut chain = signaling();
    let kind = CodeKind::Delegation;
    chain.foreign.code.insert(account, Code { kind, hash: B256::ZERO });
    chain.refused("anyone", PROPOSALS, vote(account), no_code(account));
    let (caller, proposer) = (named("anyone"), chain.proposer());
    let not_proposer = ProposalsRefusal::NotProposer { caller, proposer };
    chain.refused("anyone", PROPOSALS, vote(PAYLOAD), not_proposer);
    chain.send(proposer, PROPOSALS, vote(PAYLOAD)).unwrap();
    // The slot is used, which is checked before its proposer is.
    let slot = chain.slot().to_word();
    let used = ProposalsRefusal::SlotAlreadyUsed { slot, newest_slot: slot };
    chain.refused("anyone", PROPOSALS, vote(OTHER), used.clone());
    assert_eq!(chain.send(proposer, PROPOSALS, vote(OTHER)), Err(used.into()));
    chain.wait(SLOT);
    chain.signal(OTHER);
}

#[test]
fn nobody_signals_for_an_empty_set() {
    let mut chain = Chain::deployed();
    chain.foreign.deploy(PAYLOAD);
    let slot = chain.slot().to_word();
    let nobody = ProposalsRefusal::NoProposer { slot };
    chain.refused("anyone", PROPOSALS, vote(PAYLOAD), nobody);
}

/// A set whose canonical rollup is a foreign contract that reports this slot and proposer.
fn foreign_rollup(slot: u64, proposer: Address) -> Chain {
    let mut chain = Chain::empty();
    chain.foreign.deploy(PAYLOAD);
    let rollup = contract(1);
    chain.foreign.deploy(rollup);
    chain.deploy(REGISTRY, canon_protocol::Constructor::Registry { owner: named("deployer") });
    chain.deploy_proposals(PROPOSALS);
    says(&mut chain, slot, proposer);
    chain.ok("deployer", REGISTRY, RegistryCall::Upgrade { rollup });
    chain
}

fn says(chain: &mut Chain, slot: u64, proposer: Address) {
    chain.foreign.answer(contract(1), "getCurrentSlot()", U256::from(slot));
    chain.foreign.answer(contract(1), "getCurrentProposer()", word(proposer));
}

/// Signals while the rollup reports `slot`.
fn signal_at(chain: &mut Chain, slot: u64) -> Result<Vec<Event>, Refusal> {
    let alice = named("alice");
    says(chain, slot, alice);
    chain.send(alice, PROPOSALS, vote(PAYLOAD))
}

#[test]
fn slot_zero_is_as_good_as_any_other() {
    let mut chain = foreign_rollup(0, named("alice"));
    signal_at(&mut chain, 0).unwrap();
    let used = |slot, newest: u64| {
        let (slot, newest_slot) = (U256::from(slot), U256::from(newest));
        Err(Refusal::from(ProposalsRefusal::SlotAlreadyUsed { slot, newest_slot }))
    };
    assert_eq!(signal_at(&mut chain, 0), used(0, 0));
    signal_at(&mut chain, 1).unwrap();
    assert_eq!(leader(&chain, Round::ZERO), None, "that is the other rollup");
    let proposals = chain.set.proposals(PROPOSALS).unwrap();
    assert_eq!(proposals.yea_count(contract(1), Round::ZERO, PAYLOAD), 2);

    // A rollup that reports slots going backwards.
    signal_at(&mut chain, 9).unwrap();
    assert_eq!(signal_at(&mut chain, 8), used(8, 9));
    assert_eq!(signal_at(&mut chain, 0), used(0, 9));
    let now = chain.now();
    let status = chain.set.signaling(PROPOSALS, now, &chain.foreign).unwrap();
    assert_eq!((status.slot, status.first_free_slot), (Slot::of(9), Slot::of(10)));
}

#[test]
fn a_slot_cannot_lie_in_the_future() {
    let mut chain = foreign_rollup(0, named("alice"));
    let now = chain.now().get();
    let (slot, timestamp) = (U256::from(now + 1), U256::from(now));
    let future = ProposalsRefusal::SlotInFuture { slot, timestamp };
    assert_eq!(signal_at(&mut chain, now + 1), Err(future.into()));
    signal_at(&mut chain, now).unwrap();
}

#[test]
fn a_rollup_may_claim_any_round() {
    let mut chain = foreign_rollup(0, named("alice"));
    chain.foreign.answer(contract(1), "getCurrentSlot()", U256::MAX);
    let current_round = U256::MAX / U256::from(M);
    let round = U256::ZERO;
    let expired = ProposalsRefusal::RoundExpired { round, current_round };
    chain.refused("anyone", PROPOSALS, push(0), expired);
    let round = current_round - U256::from(6);
    let expired = ProposalsRefusal::RoundExpired { round, current_round };
    chain.refused("anyone", PROPOSALS, ProposalsCall::PushProposal { round }, expired);
    let round = current_round - U256::from(5);
    let call = ProposalsCall::PushProposal { round };
    chain.refused("anyone", PROPOSALS, call, ProposalsRefusal::NoLeader { round });
    let not_over = ProposalsRefusal::RoundNotOver { round: current_round, current_round };
    let call = ProposalsCall::PushProposal { round: current_round };
    chain.refused("anyone", PROPOSALS, call, not_over);
}

#[test]
fn answers_that_are_not_clean_are_refused() {
    let mut chain = foreign_rollup(0, named("alice"));
    let target = contract(1);
    let dirty = word(named("alice")) | (U256::from(1) << 160);
    chain.foreign.answer(target, "getCurrentProposer()", dirty);
    let no_answer = |signature: &str| {
        let selector = alloy_primitives::Selector::from_slice(&keccak256(signature)[..4]);
        CommonRefusal::NoAnswer { target, selector }
    };
    chain.refused("alice", PROPOSALS, vote(PAYLOAD), no_answer("getCurrentProposer()"));
    chain.foreign.words.clear();
    chain.refused("alice", PROPOSALS, vote(PAYLOAD), no_answer("getCurrentSlot()"));
    chain.refused("alice", PROPOSALS, push(0), no_answer("getCurrentSlot()"));
    chain.foreign.answer(target, "getCurrentSlot()", U256::ZERO);
    chain.foreign.answer(target, "getCurrentProposer()", U256::ZERO);
    let nobody = ProposalsRefusal::NoProposer { slot: U256::ZERO };
    chain.refused("alice", PROPOSALS, vote(PAYLOAD), nobody);
}

/// A set at the first slot after a round that `PAYLOAD` won, and the round.
fn won() -> (Chain, u64) {
    let mut chain = signaling();
    let number = round(&chain).get();
    for _ in 0..N {
        chain.signal(PAYLOAD);
    }
    chain.next_round();
    (chain, number)
}

#[test]
fn a_winner_becomes_a_proposal() {
    let (mut chain, number) = won();
    let until = {
        let now = chain.now();
        let pushable = chain.set.pushable_rounds(PROPOSALS, now, &chain.foreign).unwrap();
        assert_eq!(pushable.len(), 1);
        assert_eq!(pushable[0].winner, Leader { payload: PAYLOAD, count: N });
        pushable[0].until.unwrap()
    };
    let events = chain.ok("anyone", PROPOSALS, push(number));
    let pushed = ProposalsEvent::ProposalPushed { payload: PAYLOAD, round: Round::of(number) };
    assert_eq!(events[0], Event::from(pushed));
    assert_eq!(events.len(), 3);
    let proposals = chain.set.proposals(PROPOSALS).unwrap();
    let tally = proposals.round(ROLLUP, Round::of(number)).unwrap();
    assert_eq!(tally.pushed, Some(Pushed::Proposal(ProposalId::ZERO)));
    assert_eq!(proposals.latest_proposal_of(PAYLOAD), Some(ProposalId::ZERO));
    let proposal = &chain.set.governance().proposals()[0];
    let origin = canon_protocol::Origin::Pushed { by: PROPOSALS, term: 1 };
    assert_eq!(proposal.origin(), origin);

    let round = U256::from(number);
    let again = ProposalsRefusal::AlreadyPushed { round, proposal_id: U256::ZERO };
    chain.refused("anyone", PROPOSALS, push(number), again.clone());
    chain.jump(until);
    chain.refused("anyone", PROPOSALS, push(number), again);
    chain.wait(1);
    let current_round = U256::from(number + 6);
    let expired = ProposalsRefusal::RoundExpired { round, current_round };
    chain.refused("anyone", PROPOSALS, push(number), expired);
}

#[test]
fn a_round_can_be_pushed_in_the_five_after_it() {
    let (chain, number) = won();
    let round = U256::from(number);
    let slots = u64::from(M) * SLOT;
    // The last second of the round itself.
    let mut early = signaling();
    for _ in 0..N {
        early.signal(PAYLOAD);
    }
    early.next_round();
    early.block.timestamp = canon_protocol::Timestamp::of(early.now().get() - 1);
    let not_over = ProposalsRefusal::RoundNotOver { round, current_round: round };
    early.refused("anyone", PROPOSALS, push(number), not_over);

    for (later, window) in
        [(0, PushWindow::Open), (5 * slots - 1, PushWindow::Open), (5 * slots, PushWindow::Expired)]
    {
        let mut chain = chain.clone();
        chain.wait(later);
        let refusal = chain.send(named("anyone"), PROPOSALS, push(number)).err();
        let current_round = U256::from(number + 6);
        let expired = Refusal::from(ProposalsRefusal::RoundExpired { round, current_round });
        assert_eq!(refusal, (window == PushWindow::Expired).then_some(expired), "{later} s later");
    }
}

#[test]
fn only_winners_are_pushed() {
    let mut chain = signaling();
    let number = round(&chain).get();
    for _ in 0..N - 1 {
        chain.signal(PAYLOAD);
    }
    chain.next_round();
    let round = U256::from(number - 1);
    chain.refused("anyone", PROPOSALS, push(number - 1), ProposalsRefusal::NoLeader { round });
    let (leader, count, needed) = (PAYLOAD, U256::from(N - 1), U256::from(N));
    let missed = ProposalsRefusal::QuorumNotReached { leader, count, needed };
    chain.refused("anyone", PROPOSALS, push(number), missed);
    let current_round = U256::from(number + 1);
    let not_over = ProposalsRefusal::RoundNotOver { round: U256::MAX, current_round };
    let call = ProposalsCall::PushProposal { round: U256::MAX };
    chain.refused("anyone", PROPOSALS, call, not_over);
}

#[test]
fn code_is_pinned_to_232_bits() {
    let (chain, number) = won();
    let hash = chain.foreign.code[&PAYLOAD].hash;
    for (byte, is_noticed) in [(0, true), (28, true), (29, false), (31, false)] {
        let mut chain = chain.clone();
        let mut other = hash;
        other[byte] ^= 1;
        chain.foreign.code.get_mut(&PAYLOAD).unwrap().hash = other;
        let refusal = chain.send(named("anyone"), PROPOSALS, push(number)).err();
        // Both hashes with the bits that are compared.
        let [expected, found] = [hash, other].map(|mut hash| {
            hash[29..].fill(0);
            hash
        });
        let changed = ProposalsRefusal::CodeChanged { payload: PAYLOAD, expected, found };
        let changed = Refusal::from(changed);
        assert_eq!(refusal, is_noticed.then_some(changed), "byte {byte}");
    }
}

#[test]
fn a_payload_has_one_live_proposal_of_the_sequencers() {
    let (mut chain, number) = won();
    chain.lock("alice", 2000);
    chain.lock_propose(PAYLOAD, harmless());
    // A proposal through the lock doesn't prevent a push.
    chain.ok("anyone", PROPOSALS, push(number));
    let second = round(&chain).get();
    for _ in 0..N {
        chain.signal(PAYLOAD);
    }
    chain.next_round();
    let proposal_id = U256::from(1);
    let live = ProposalsRefusal::ProposalLive { payload: PAYLOAD, proposal_id };
    chain.refused("anyone", PROPOSALS, push(second), live.clone());
    // Created at the beginning of `second`; over 301 s later, rejected.
    let created = chain.set.governance().proposals()[1].creation();
    chain.jump(created + canon_protocol::Seconds::of(300));
    chain.refused("anyone", PROPOSALS, push(second), live);
    chain.wait(1);
    chain.ok("anyone", PROPOSALS, push(second));
}

#[test]
fn a_payload_that_cannot_be_read_is_not_pushed() {
    let (mut chain, number) = won();
    chain.foreign.actions.insert(PAYLOAD, Some(Vec::new()));
    let nothing = GovernanceRefusal::NoActions { payload: PAYLOAD };
    chain.refused("anyone", PROPOSALS, push(number), nothing);
    chain.foreign.list(PAYLOAD, harmless());
    chain.ok("anyone", PROPOSALS, push(number));
}

#[test]
fn a_new_canonical_rollup_starts_from_zero() {
    let (mut chain, number) = won();
    chain.lock("alice", 50_000);
    let next = contract(1);
    chain.deploy_rollup(next);
    for staker in 0..3 {
        chain.stake(next, 10 + staker);
    }
    let upgrade = action(REGISTRY, RegistryCall::Upgrade { rollup: next });
    chain.govern(contract(9), vec![upgrade]).unwrap();
    // The unpushed rounds of the old rollup don't count any more.
    let now = chain.now();
    let pushable = chain.set.pushable_rounds(PROPOSALS, now, &chain.foreign).unwrap();
    assert_eq!(pushable, []);
    let status = chain.set.signaling(PROPOSALS, now, &chain.foreign).unwrap();
    assert_eq!((status.instance, status.leader), (next, None));
    // The new rollup's round of the same number, which is over, has no signals.
    let round = U256::from(number);
    chain.refused("anyone", PROPOSALS, push(number), ProposalsRefusal::NoLeader { round });
    chain.signal(PAYLOAD);
    let proposals = chain.set.proposals(PROPOSALS).unwrap();
    let round = proposals.rules().round_of(status.slot);
    assert_eq!(proposals.yea_count(next, round, PAYLOAD), 1);
    assert_eq!(proposals.yea_count(ROLLUP, Round::of(number), PAYLOAD), N);
}

#[test]
fn a_replaced_proposals_contract_can_push_no_more() {
    let (mut chain, number) = won();
    chain.lock("alice", 50_000);
    let other = contract(1);
    chain.deploy_proposals(other);
    let call = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: other };
    chain.govern(contract(9), vec![action(GOVERNANCE, call)]).unwrap();
    let round = chain.set.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot());
    // The old round is too old, and winning a new one changes nothing.
    assert!(round.get() > number + 5);
    chain.next_round();
    let number = self::round(&chain).get();
    for _ in 0..N {
        chain.signal(OTHER);
    }
    chain.next_round();
    let not_proposer =
        GovernanceRefusal::NotGovernanceProposer { caller: PROPOSALS, governance_proposer: other };
    chain.refused("anyone", PROPOSALS, push(number), not_proposer);
}

#[test]
fn status_tells_what_is_left_of_the_round() {
    let mut chain = signaling();
    let rules = RoundRules::new(N, M).unwrap();
    let status =
        |chain: &Chain| chain.set.signaling(PROPOSALS, chain.now(), &chain.foreign).unwrap();
    let first = chain.slot();
    assert_eq!(status(&chain).first_free_slot, first);
    chain.send(chain.proposer(), PROPOSALS, vote(PAYLOAD)).unwrap();
    assert_eq!(status(&chain).first_free_slot, first.next());
    assert!(status(&chain).can_win(&rules, 0));
    chain.wait(3 * SLOT);
    assert!(!status(&chain).can_win(&rules, 0));
    assert!(status(&chain).can_win(&rules, 1));
    assert_eq!(status(&chain).leader, Some(Leader { payload: PAYLOAD, count: 1 }));
}
