//! The actions voted on are executed, all of them or none.

use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, REGISTRY, ROLLUP, STAKE, T,
    action, contract, named, tokens,
};
use alloy_primitives::{Address, B256, Bytes, Selector, U256};
use canon_protocol::{
    Action, Amount, AssetCall, AttesterStatus, CommonRefusal, DistributorCall, Event, ExpectCall,
    ExpectRefusal, ExternalContracts, GovernanceCall, GovernanceEvent, GovernanceRefusal,
    IssuerCall, OwnershipCall, OwnershipRefusal, ProposalId, ProposalState, RawConfiguration,
    Reaction, Refusal, RegistryCall, RollupCall, RollupRefusal, Seconds, actions_hash,
};
use canon_testkit::histories::{Behavior, Conduct, Put};

const PAYLOAD: Address = Address::with_last_byte(0xf1);
const OTHER: Address = Address::with_last_byte(0xf2);

const fn execute(id: U256) -> GovernanceCall {
    GovernanceCall::Execute { id }
}

fn failed(index: u64, target: Address, reason: impl Into<Refusal>) -> GovernanceRefusal {
    let reason = reason.into().abi_encode();
    GovernanceRefusal::ActionFailed { index: U256::from(index), target, reason }
}

fn owner_is(target: Address, expected: Address) -> Action {
    action(EXPECT, ExpectCall::OwnerIs { target, expected })
}

#[test]
fn an_upgrade_makes_the_new_rollup_canonical() {
    let mut chain = Chain::voting(2000, 0);
    let (factory, salt, init_code_hash) = (contract(1), B256::ZERO, B256::repeat_byte(7));
    let next = factory.create2(salt, init_code_hash);
    chain.deploy_rollup(next);
    chain.foreign.deploy(next);
    let created_by = ExpectCall::CreatedBy { target: next, factory, salt, init_code_hash };
    // The actions that `UpgradePayload` lists.
    let upgrade = vec![
        action(EXPECT, ExpectCall::CanonicalIs { registry: REGISTRY, expected: ROLLUP }),
        action(EXPECT, created_by),
        owner_is(next, GOVERNANCE),
        action(REGISTRY, RegistryCall::Upgrade { rollup: next }),
    ];
    let id = chain.push(PAYLOAD, upgrade.clone());
    chain.pass(id, 2000);
    chain.ok("anyone", GOVERNANCE, execute(id));
    assert_eq!(chain.set.registry().rollup(), next);
    assert_eq!(chain.set.registry().number_of_versions(), 3);

    // The first of several accepted upgrades with the same expectation wins.
    chain.lock("alice", 2000);
    let refusal = chain.govern(OTHER, upgrade);
    let canonical = ExpectRefusal::Canonical { expected: ROLLUP, found: next };
    assert_eq!(refusal, Err(failed(0, EXPECT, canonical).into()));
}

#[test]
fn everything_an_owner_can_do_governance_can() {
    let mut chain = Chain::voting(50_000, 0);
    let treasury = named("treasury");
    let next = contract(3);
    chain.foreign.deploy(next);
    let actions = vec![
        action(ISSUER, IssuerCall::Mint { to: treasury, amount: tokens(1) }),
        action(
            ROLLUP,
            RollupCall::Slash { attester: named("attester 0"), amount: U256::from(STAKE) },
        ),
        action(DISTRIBUTOR, DistributorCall::UpdateRegistry { new_registry: next }),
        action(REGISTRY, OwnershipCall::TransferOwnership { new_owner: next }),
        action(GOVERNANCE, GovernanceCall::InvalidateBallots { id: U256::ZERO }),
    ];
    chain.govern(PAYLOAD, actions).unwrap();
    let set = &chain.set;
    let member = set.rollup(ROLLUP).unwrap().member(named("attester 0")).unwrap();
    assert_eq!((member.stake(), member.status()), (Amount::ZERO, AttesterStatus::Living));
    assert_eq!(set.distributor().registry(), next);
    assert_eq!(set.ownership(REGISTRY).pending_owner(), next);
    assert_eq!(set.governance().ballot_nonce(U256::ZERO, GOVERNANCE).get(), 1 << 32);
}

#[test]
fn one_failing_action_undoes_all_and_can_be_retried() {
    let mut chain = Chain::voting(2000, 0);
    let attester = named("attester 9");
    let slash = RollupCall::Slash { attester, amount: tokens(1) };
    let mint = IssuerCall::Mint { to: attester, amount: tokens(1) };
    let id = chain.push(PAYLOAD, vec![action(ISSUER, mint), action(ROLLUP, slash)]);
    chain.pass(id, 2000);
    let reason = RollupRefusal::NotRegistered { attester };
    chain.refused("anyone", GOVERNANCE, execute(id), failed(1, ROLLUP, reason));
    assert_eq!(chain.set.asset().balance_of(attester), Amount::ZERO);

    chain.stake(ROLLUP, 9);
    chain.ok("anyone", GOVERNANCE, execute(id));
    assert_eq!(chain.set.asset().balance_of(attester), Amount::of(T));
}

#[test]
fn no_action_calls_the_asset_or_an_account_without_code() {
    let mut chain = Chain::voting(50_000, 0);
    let approve = AssetCall::Approve { spender: named("thief"), amount: U256::MAX };
    let fine = owner_is(ASSET, ISSUER);
    let refusal = chain.govern(PAYLOAD, vec![fine.clone(), action(ASSET, approve)]);
    let index = U256::from(1);
    assert_eq!(refusal, Err(GovernanceRefusal::ActionOnAsset { index }.into()));

    let target = named("an account");
    let call = Action { target, data: Bytes::from([1, 2, 3, 4]) };
    let refusal = chain.govern(OTHER, vec![fine, call]);
    assert_eq!(refusal, Err(GovernanceRefusal::ActionWithoutCode { index, target }.into()));
}

#[test]
fn functions_that_do_not_exist_revert_without_a_reason() {
    let mut chain = Chain::voting(50_000, 0);
    for (target, data) in [
        (REGISTRY, Bytes::from([1, 2, 3, 4])),
        (REGISTRY, Bytes::new()),
        (GOVERNANCE, OwnershipCall::AcceptOwnership.abi_encode()),
        (EXPECT, RegistryCall::Upgrade { rollup: ROLLUP }.abi_encode()),
        // Arguments that don't decode: an address with dirty upper bits.
        (
            REGISTRY,
            [&RegistryCall::Upgrade { rollup: ROLLUP }.abi_encode()[..4], &[0xff; 32]]
                .concat()
                .into(),
        ),
    ] {
        let refusal = chain.govern(PAYLOAD, vec![Action { target, data }]);
        assert_eq!(refusal, Err(failed(0, target, Refusal::Empty).into()));
    }
    // A call of a view as an action changes nothing.
    let data = Bytes::copy_from_slice(&alloy_primitives::keccak256("getRollup()")[..4]);
    chain.govern(OTHER, vec![Action { target: REGISTRY, data }]).unwrap();
}

#[test]
fn a_payload_cannot_change_its_mind() {
    let mut chain = Chain::voting(2000, 0);
    let promised = vec![owner_is(ASSET, ISSUER)];
    let other = vec![owner_is(ASSET, ISSUER), owner_is(REGISTRY, GOVERNANCE)];
    let id = chain.push(PAYLOAD, promised.clone());
    chain.pass(id, 2000);

    let with = |actions: &[Action]| GovernanceCall::ExecuteWith { id, actions: actions.to_vec() };
    let changed = |found: &[Action]| GovernanceRefusal::ActionsChanged {
        id,
        expected: actions_hash(&promised),
        found: actions_hash(found),
    };
    chain.foreign.list(PAYLOAD, other.clone());
    chain.refused("anyone", GOVERNANCE, execute(id), changed(&other));
    chain.refused("anyone", GOVERNANCE, with(&other), changed(&other));
    chain.refused("anyone", GOVERNANCE, with(&[]), changed(&[]));
    chain.foreign.actions.insert(PAYLOAD, None);
    let unreadable = GovernanceRefusal::UnreadableActions { payload: PAYLOAD };
    chain.refused("anyone", GOVERNANCE, execute(id), unreadable);

    // The proposal can be executed whatever the payload lists now.
    chain.foreign.code.remove(&PAYLOAD);
    chain.ok("anyone", GOVERNANCE, with(&promised));
    let (_, proposal) = chain.set.governance().proposal(id).unwrap();
    assert_eq!(chain.set.governance().state(proposal, chain.now()), ProposalState::Executed);
}

#[test]
fn the_actions_hash_is_that_of_the_abi() {
    use alloy_sol_types::SolValue;

    let actions = [owner_is(ASSET, ISSUER), Action { target: ROLLUP, data: Bytes::new() }];
    let tuples: Vec<(Address, Bytes)> =
        actions.iter().map(|action| (action.target, action.data.clone())).collect();
    assert_eq!(actions_hash(&actions), alloy_primitives::keccak256(tuples.abi_encode()));
    // abi.encode of an empty list: its offset and its length.
    let empty = [U256::from(32), U256::ZERO].map(B256::from).concat();
    assert_eq!(actions_hash(&[]), alloy_primitives::keccak256(empty));
}

/// Makes `payload` answer `getActions()` with `answer`, padded with zeros to `length` bytes.
fn answers(chain: &mut Chain, payload: Address, answer: Vec<u8>, length: usize) {
    let selector = Selector::from_slice(&alloy_primitives::keccak256("getActions()")[..4]);
    let conduct = Conduct::Pads { answer: answer.into(), length };
    let program = Behavior::only(vec![(selector, conduct)]).into();
    chain.foreign.written.put(payload, Put::Program(program), B256::repeat_byte(1));
}

/// The encoding of a list of `count` actions whose offsets all lead to the same action, with `length` bytes
/// of data.
fn sharing(count: usize, length: usize) -> Vec<u8> {
    let word = |number: usize| U256::from(number).to_be_bytes::<32>();
    let mut answer = [word(32), word(count)].concat();
    answer.extend(word(count * 32).repeat(count));
    answer.extend([word(0x77), word(64), word(length)].concat());
    answer.extend(vec![0x5a; length.next_multiple_of(32)]);
    answer
}

/// Makes the target of the list's only action more than an address.
fn dirty_target(mut list: Vec<u8>) -> Vec<u8> {
    let count = usize::from(list[63]);
    list[64 + 32 * count + 11] = 1;
    list
}

#[test]
fn a_payload_answers_with_at_most_as_much_as_a_transaction_carries() {
    let mut chain = Chain::voting(50_000, 0);
    let propose = GovernanceCall::ProposeWithLock { payload: PAYLOAD, to: named("alice") };
    let too_long = |length: usize| GovernanceRefusal::ActionsTooLong {
        payload: PAYLOAD,
        length: U256::from(length),
        max: U256::from(100_000),
    };
    let unreadable = GovernanceRefusal::UnreadableActions { payload: PAYLOAD };
    let nothing = GovernanceRefusal::NoActions { payload: PAYLOAD };
    // 64 bytes of the list, and 128 of each action with its data.
    for (answer, length, refusal) in [
        // The answer.
        (sharing(1, 32), 100_000, None),
        (sharing(1, 32), 100_001, Some(too_long(100_001))),
        // An answer that is too long isn't decoded, so it may be anything.
        (vec![], 100_001, Some(too_long(100_001))),
        (vec![], 100_000, Some(nothing)),
        (vec![0xff; 32], 100_000, Some(unreadable.clone())),
        // The encoding of a small answer.
        (sharing(86, 1024), 0, None),
        (sharing(87, 1024), 0, Some(too_long(64 + 87 * 1152))),
        (sharing(1, 99_808), 0, None),
        (sharing(1, 99_807), 0, None),
        (sharing(2, 49_920), 0, Some(too_long(64 + 2 * (128 + 49_920)))),
        (sharing(2, 49_824), 0, None),
        (sharing(2, 49_825), 0, Some(too_long(64 + 2 * (128 + 49_856)))),
        // A list that doesn't decode is refused as such before its length is checked.
        (sharing(87, 1024)[..64].to_vec(), 0, Some(unreadable.clone())),
        (dirty_target(sharing(1, 32)), 0, Some(unreadable.clone())),
        (dirty_target(sharing(87, 1024)), 0, Some(unreadable)),
    ] {
        let length = length.max(answer.len());
        answers(&mut chain, PAYLOAD, answer, length);
        let outcome = chain.clone().send(named("alice"), GOVERNANCE, propose.clone());
        assert_eq!(outcome.err(), refusal.map(Refusal::from), "{length} bytes");
    }
}

#[test]
fn execution_reads_no_more_than_a_transaction_carries_either() {
    let mut chain = Chain::voting(2000, 0);
    let promised = vec![owner_is(ASSET, ISSUER)];
    let id = chain.push(PAYLOAD, promised.clone());
    chain.pass(id, 2000);
    let (payload, max) = (PAYLOAD, U256::from(100_000));
    for (answer, length, found) in
        [(sharing(87, 1024), 0, 64 + 87 * 1152), (sharing(1, 32), 100_001, 100_001)]
    {
        let length = length.max(answer.len());
        answers(&mut chain, PAYLOAD, answer, length);
        let length = U256::from(found);
        let too_long = GovernanceRefusal::ActionsTooLong { payload, length, max };
        chain.refused("anyone", GOVERNANCE, execute(id), too_long);
    }
    chain.ok("anyone", GOVERNANCE, GovernanceCall::ExecuteWith { id, actions: promised });
}

#[test]
fn nothing_is_executed_twice_by_calling_back() {
    let mut chain = Chain::voting(2000, 0);
    let again = execute(U256::ZERO);
    let id = chain.push(PAYLOAD, vec![action(GOVERNANCE, again.clone())]);
    chain.pass(id, 2000);
    let executed = GovernanceRefusal::NotExecutable { id, state: ProposalState::Executed };
    chain.refused("anyone", GOVERNANCE, again, failed(0, GOVERNANCE, executed));
}

#[test]
fn a_foreign_target_may_call_back_but_only_as_itself() {
    let mut chain = Chain::voting(50_000, 0);
    let target = contract(1);
    chain.foreign.deploy(target);
    let call = Action { target, data: Bytes::from([0xaa; 4]) };
    let react = |chain: &mut Chain, actions| {
        chain.foreign.reactions.insert(target, Reaction::Calls(actions));
    };

    let slash = RollupCall::Slash { attester: named("attester 0"), amount: tokens(1) };
    react(&mut chain, vec![action(ROLLUP, slash)]);
    let refusal = chain.govern(PAYLOAD, vec![call.clone()]);
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: target };
    assert_eq!(refusal, Err(failed(0, target, unauthorized).into()));

    react(&mut chain, vec![action(ROLLUP, RollupCall::SetupEpoch)]);
    chain.wait(crate::chain::EPOCH_SECONDS);
    let events = chain.govern(PAYLOAD, vec![call.clone()]).unwrap();
    assert_eq!(events.len(), 2, "executed, and a seed recorded");

    let reason = Bytes::from_static(b"no");
    chain.foreign.reactions.insert(target, Reaction::Reverts(reason.clone()));
    let refusal = chain.govern(PAYLOAD, vec![call]);
    assert_eq!(refusal, Err(failed(0, target, Refusal::Foreign(reason)).into()));
}

#[test]
fn one_proposal_may_execute_another() {
    let mut chain = Chain::voting(50_000, 0);
    let first = chain.lock_propose(PAYLOAD, vec![owner_is(ASSET, ISSUER)]);
    let second = chain.lock_propose(OTHER, vec![action(GOVERNANCE, execute(first))]);
    let (_, proposal) = chain.set.governance().proposal(first).unwrap();
    chain.jump(proposal.deadlines().voting_starts());
    for id in [first, second] {
        let support = canon_protocol::Support::Yea;
        chain.ok("alice", GOVERNANCE, GovernanceCall::Vote { id, amount: tokens(20_000), support });
    }
    chain.wait(500);
    let events = chain.ok("anyone", GOVERNANCE, execute(second));
    let executed = |id| {
        let proposal_id = ProposalId::of(id);
        Event::from(GovernanceEvent::ProposalExecuted { proposal_id })
    };
    assert_eq!(events, [executed(1), executed(0)]);
}

#[test]
fn an_action_can_drop_what_others_pushed_in_the_same_proposal() {
    let mut chain = Chain::voting(50_000, 0);
    let pushed = chain.push(OTHER, vec![owner_is(ASSET, ISSUER)]);
    let next = contract(1);
    chain.deploy_proposals(next);
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: next };
    let actions = vec![
        action(GOVERNANCE, replace),
        action(GOVERNANCE, GovernanceCall::DropProposal { id: pushed }),
        action(EXPECT, ExpectCall::ProposalsIs { governance: GOVERNANCE, expected: next }),
    ];
    chain.govern(PAYLOAD, actions).unwrap();
    let state = chain.set.governance().state_of(ProposalId::ZERO, chain.now());
    assert_eq!(state, Some(ProposalState::Dropped));
    assert_ne!(chain.set.governance().governance_proposer(), PROPOSALS);
}

#[test]
fn assertions_say_what_was_expected_and_found() {
    let mut chain = Chain::voting(2000, 0);
    let x = named("x");
    let found = chain.set.governance().configuration();
    let expected = canon_protocol::Configuration { grace_period: Seconds::of(1), ..found };
    let [raw_expected, raw_found] =
        [expected, found].map(|found| Box::new(RawConfiguration::from(found)));
    let hash = chain.foreign.code(x).hash;
    let no_answer = |target, signature: &str| {
        let selector = Selector::from_slice(&alloy_primitives::keccak256(signature)[..4]);
        Refusal::from(CommonRefusal::NoAnswer { target, selector })
    };
    for (call, refusal) in [
        (
            ExpectCall::CanonicalIs { registry: REGISTRY, expected: x },
            Refusal::from(ExpectRefusal::Canonical { expected: x, found: ROLLUP }),
        ),
        (
            ExpectCall::CodeHashIs { target: x, expected: B256::repeat_byte(1) },
            ExpectRefusal::CodeHash { target: x, expected: B256::repeat_byte(1), found: hash }
                .into(),
        ),
        (
            ExpectCall::OwnerIs { target: ROLLUP, expected: x },
            ExpectRefusal::Owner { target: ROLLUP, expected: x, found: GOVERNANCE }.into(),
        ),
        (
            ExpectCall::ConfigurationIs { governance: GOVERNANCE, expected: raw_expected.clone() },
            ExpectRefusal::Configuration { expected: raw_expected, found: raw_found }.into(),
        ),
        (
            ExpectCall::ProposalsIs { governance: GOVERNANCE, expected: x },
            ExpectRefusal::Proposals { expected: x, found: PROPOSALS }.into(),
        ),
        (ExpectCall::OwnerIs { target: x, expected: x }, no_answer(x, "owner()")),
        // A contract without an owner has no such view, so it isn't owned by address 0.
        (
            ExpectCall::OwnerIs { target: GOVERNANCE, expected: Address::ZERO },
            no_answer(GOVERNANCE, "owner()"),
        ),
        (
            ExpectCall::OwnerIs { target: PROPOSALS, expected: Address::ZERO },
            no_answer(PROPOSALS, "owner()"),
        ),
        (
            ExpectCall::CanonicalIs { registry: ROLLUP, expected: x },
            no_answer(ROLLUP, "getRollup()"),
        ),
    ] {
        chain.refused("anyone", EXPECT, call, refusal);
    }
    let found = Box::new(found.into());
    let holds = ExpectCall::ConfigurationIs { governance: GOVERNANCE, expected: found };
    assert_eq!(chain.ok("anyone", EXPECT, holds), []);
}
