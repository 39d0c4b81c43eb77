//! Issuer, Registry and RewardDistributor, and their owners.

use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, REGISTRY, ROLLUP, T,
    configuration, contract, harmless, named, tokens, word,
};
use alloy_primitives::{Address, B256, Selector, U256, address, keccak256};
use canon_protocol::{
    Amount, AssetCall, AssetEvent, AssetRefusal, Call, Code, CodeKind, CommonRefusal,
    DistributorCall, DistributorRefusal, Event, ExpectCall, ExpectRefusal, GovernanceCall, Issuer,
    IssuerCall, IssuerEvent, IssuerRefusal, OwnershipCall, OwnershipEvent, OwnershipRefusal,
    ProposalsCall, RawConfiguration, Refusal, RegistryCall, RegistryRefusal, RollupCall, SENTINEL,
    Seconds, Slot, Snapshot, Version,
};
use canon_testkit::histories::{Behavior, Conduct, Put};

fn selector(signature: &str) -> Selector {
    Selector::from_slice(&keccak256(signature)[..4])
}

#[test]
fn the_issuer_mints_at_its_rate_and_forgets_the_rest() {
    let mut chain = Chain::deployed();
    let start = chain.set.issuer().time_of_last_mint();
    let to = named("x");
    let mint = |amount| IssuerCall::Mint { to, amount };
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: named("anyone") };
    chain.refused("anyone", ISSUER, mint(tokens(1)), unauthorized);
    let by_owner = |chain: &mut Chain, amount| chain.send(GOVERNANCE, ISSUER, mint(amount));
    let nothing = Refusal::from(IssuerRefusal::ZeroAmount);
    assert_eq!(by_owner(&mut chain, U256::ZERO), Err(nothing));

    chain.jump(start + Seconds::of(10));
    let (available, amount) = (tokens(10), tokens(10) + U256::from(1));
    let too_much = IssuerRefusal::InsufficientMintAvailable { available, amount };
    assert_eq!(by_owner(&mut chain, amount), Err(too_much.into()));
    let events = by_owner(&mut chain, tokens(4)).unwrap();
    let amount = Amount::of(4 * T);
    let transfer = AssetEvent::Transfer { from: Address::ZERO, to, amount };
    assert_eq!(events, [Event::from(IssuerEvent::Minted { to, amount }), transfer.into()]);
    assert_eq!(chain.set.issuer().mint_available(chain.now()), U256::ZERO);

    chain.wait(3);
    // The whole allowance can be minted, to the last unit.
    assert_eq!(by_owner(&mut chain.clone(), tokens(3)).unwrap().len(), 2);
    let nobody = IssuerCall::Mint { to: Address::ZERO, amount: tokens(1) };
    let invalid = AssetRefusal::InvalidReceiver { receiver: Address::ZERO };
    assert_eq!(chain.send(GOVERNANCE, ISSUER, nobody), Err(invalid.into()));
    // After a year without a mint the allowance doesn't grow any more.
    let minted = chain.set.issuer().time_of_last_mint();
    let year: u64 = 365 * 86_400;
    assert_eq!(Issuer::ACCRUAL_LIMIT, Seconds::of(year));
    for (later, limit) in [(year - 1, year - 1), (year, year), (year + 1, year), (9 * year, year)] {
        let available = chain.set.issuer().mint_available(minted + Seconds::of(later));
        assert_eq!(available, tokens(u128::from(limit)), "{later} s later");
    }
    chain.wait(10 * year);
    by_owner(&mut chain, tokens(u128::from(year))).unwrap();
    let mut chain = Chain::deployed_with(Amount::of(Amount::MAX.get() - 5 * T));
    chain.wait(year);
    let total_supply = chain.set.asset().total_supply().to_word();
    let max = Amount::MAX.to_word();
    let amount = max - total_supply + U256::from(1);
    let exceeded = AssetRefusal::SupplyExceeded { total_supply, amount, max };
    assert_eq!(by_owner(&mut chain, amount), Err(exceeded.into()));
    by_owner(&mut chain, amount - U256::from(1)).unwrap();
    assert_eq!(chain.set.asset().total_supply(), Amount::MAX);
}

#[test]
fn the_registry_refuses_what_is_no_rollup() {
    let mut chain = Chain::deployed();
    let next = contract(1);
    let upgrade = |rollup| RegistryCall::Upgrade { rollup };
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: named("deployer") };
    chain.refused("deployer", REGISTRY, upgrade(next), unauthorized);
    let by_owner = |chain: &mut Chain, rollup| chain.send(GOVERNANCE, REGISTRY, upgrade(rollup));
    for (rollup, version) in [(ROLLUP, 1), (SENTINEL, 0)] {
        let version = U256::from(version);
        let listed = RegistryRefusal::AlreadyRegistered { rollup, version };
        assert_eq!(by_owner(&mut chain, rollup), Err(listed.into()));
    }
    let registry = chain.set.registry();
    let rollups: Vec<_> = registry.snapshots().iter().map(|snapshot| snapshot.rollup).collect();
    assert_eq!(rollups, [SENTINEL, ROLLUP]);
    assert_eq!(registry.snapshot(Version::of(1)), Some(registry.current_snapshot()));
    assert_eq!(registry.snapshot(Version::of(2)), None);
    let no_code = Refusal::from(CommonRefusal::NoCode { account: next });
    assert_eq!(by_owner(&mut chain, next), Err(no_code.clone()));
    let kind = CodeKind::Delegation;
    chain.foreign.code.insert(next, Code { kind, hash: B256::ZERO });
    assert_eq!(by_owner(&mut chain, next), Err(no_code));

    chain.foreign.deploy(next);
    let no_answer = |signature| {
        let selector = selector(signature);
        Err(Refusal::from(CommonRefusal::NoAnswer { target: next, selector }))
    };
    assert_eq!(by_owner(&mut chain, next), no_answer("getCurrentSlot()"));
    chain.foreign.answer(next, "getCurrentSlot()", U256::MAX);
    assert_eq!(by_owner(&mut chain, next), no_answer("getCurrentProposer()"));
    chain.foreign.answer(next, "getCurrentProposer()", U256::from(1) << 160);
    assert_eq!(by_owner(&mut chain, next), no_answer("getCurrentProposer()"));
    chain.foreign.answer(next, "getCurrentProposer()", U256::ZERO);
    chain.wait(5);
    by_owner(&mut chain, next).unwrap();

    let registry = chain.set.registry();
    let block_number = chain.block.number;
    assert_eq!(registry.current_snapshot(), Snapshot { rollup: next, block_number });
    assert_eq!(registry.version_for(next), Ok(Version::of(2)));
    assert_eq!(registry.version_for(SENTINEL), Ok(Version::ZERO));
    let unknown = RegistryRefusal::NotRegistered { rollup: contract(9) };
    assert_eq!(registry.version_for(contract(9)), Err(unknown));
    assert_eq!(registry.snapshot(Version::of(3)), None);
    assert_eq!(registry.number_of_versions(), 3);
    // Governance isn't a rollup.
    let target = GOVERNANCE;
    let no_answer = CommonRefusal::NoAnswer { target, selector: selector("getCurrentSlot()") };
    assert_eq!(by_owner(&mut chain, GOVERNANCE), Err(no_answer.into()));
}

/// Makes a foreign contract that reports `slot` the canonical rollup.
fn foreign_rollup(chain: &mut Chain, slot: u64) -> Address {
    let rollup = contract(1);
    chain.foreign.deploy(rollup);
    chain.foreign.answer(rollup, "getCurrentSlot()", U256::from(slot));
    chain.foreign.answer(rollup, "getCurrentProposer()", U256::ZERO);
    if chain.set.registry().version_for(rollup).is_err() {
        chain.send(GOVERNANCE, REGISTRY, RegistryCall::Upgrade { rollup }).unwrap();
    }
    rollup
}

#[test]
fn the_distributor_pays_once_per_slot_and_once_per_second() {
    let mut chain = Chain::deployed();
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(100) });
    let rollup = foreign_rollup(&mut chain, 0);
    let claim = DistributorCall::Claim { to: named("x") };
    let caller = named("anyone");
    let not_canonical = DistributorRefusal::NotCanonical { caller, canonical: rollup };
    chain.refused("anyone", DISTRIBUTOR, claim.clone(), not_canonical);
    let claim = |chain: &mut Chain, slot| {
        foreign_rollup(chain, slot);
        chain.send(rollup, DISTRIBUTOR, claim.clone()).map(|events| events.len())
    };
    let refused = |refusal: DistributorRefusal| Err(Refusal::from(refusal));

    assert_eq!(claim(&mut chain, 0), Ok(2), "slot 0 is paid");
    let paid = |slot, last: u64| {
        let (slot, last_slot) = (U256::from(slot), U256::from(last));
        refused(DistributorRefusal::SlotAlreadyPaid { slot, last_slot })
    };
    assert_eq!(claim(&mut chain, 0), paid(0, 0));
    let timestamp = chain.now().to_word();
    let now = refused(DistributorRefusal::AlreadyPaidNow { timestamp });
    assert_eq!(claim(&mut chain, 1), now);
    chain.wait(1);
    assert_eq!(claim(&mut chain, 7), Ok(2));
    chain.wait(1);
    assert_eq!(claim(&mut chain, 6), paid(6, 7));

    let now = chain.now().get();
    let (slot, timestamp) = (U256::from(now + 1), U256::from(now));
    let future = refused(DistributorRefusal::SlotInFuture { slot, timestamp });
    assert_eq!(claim(&mut chain, now + 1), future);
    assert_eq!(claim(&mut chain, now), Ok(2), "the rollup that lies most");
    chain.wait(1);
    assert_eq!(claim(&mut chain, now + 1), Ok(2));
    let distributor = chain.set.distributor();
    assert_eq!(distributor.last_paid_slot(rollup), Some(Slot::of(now + 1)));
    assert_eq!(distributor.last_payment_time(), chain.now());
    assert_eq!(chain.set.asset().balance_of(named("x")), Amount::of(20 * T));
    chain.foreign.words.clear();
    let target = rollup;
    let no_answer = CommonRefusal::NoAnswer { target, selector: selector("getCurrentSlot()") };
    let call = DistributorCall::Claim { to: named("x") };
    assert_eq!(chain.send(rollup, DISTRIBUTOR, call), Err(no_answer.into()));
}

#[test]
fn the_distributor_follows_the_registry_it_is_given() {
    let mut chain = Chain::deployed();
    let update = |new_registry| DistributorCall::UpdateRegistry { new_registry };
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: named("anyone") };
    let other = contract(5);
    chain.refused("anyone", DISTRIBUTOR, update(other), unauthorized);
    let no_code = CommonRefusal::NoCode { account: other };
    assert_eq!(chain.send(GOVERNANCE, DISTRIBUTOR, update(other)), Err(no_code.into()));
    chain.foreign.deploy(other);
    chain.send(GOVERNANCE, DISTRIBUTOR, update(other)).unwrap();
    let claim = DistributorCall::Claim { to: named("x") };
    // Its revert data isn't passed on.
    let no_answer = CommonRefusal::NoAnswer { target: other, selector: selector("getRollup()") };
    assert_eq!(chain.send(ROLLUP, DISTRIBUTOR, claim.clone()), Err(no_answer.clone().into()));
    chain.foreign.answer(other, "getRollup()", word(ROLLUP) | (U256::from(1) << 160));
    assert_eq!(chain.send(ROLLUP, DISTRIBUTOR, claim.clone()), Err(no_answer.into()));
    chain.foreign.answer(other, "getRollup()", word(ROLLUP));
    assert!(chain.send(ROLLUP, DISTRIBUTOR, claim).is_ok());
}

#[test]
fn only_governance_owns_the_set() {
    let mut chain = Chain::deployed();
    for contract in [ASSET, ISSUER, REGISTRY, DISTRIBUTOR, ROLLUP] {
        let owner = if contract == ASSET { ISSUER } else { GOVERNANCE };
        assert_eq!(chain.set.ownership(contract).owner(), owner);
        for caller in ["deployer", "anyone"] {
            let account = named(caller);
            let unauthorized = OwnershipRefusal::UnauthorizedAccount { account };
            let offer = OwnershipCall::TransferOwnership { new_owner: account };
            chain.refused(caller, contract, offer, unauthorized.clone());
            chain.refused(caller, contract, OwnershipCall::AcceptOwnership, unauthorized);
            let never = CommonRefusal::OwnershipCannotBeRenounced;
            chain.refused(caller, contract, OwnershipCall::RenounceOwnership, never);
        }
        let renounce = chain.send(owner, contract, OwnershipCall::RenounceOwnership);
        assert_eq!(renounce, Err(CommonRefusal::OwnershipCannotBeRenounced.into()));
    }
}

#[test]
fn ownership_is_offered_and_taken() {
    let mut chain = Chain::deployed();
    let new_owner = named("new owner");
    let offer = OwnershipCall::TransferOwnership { new_owner };
    let events = chain.send(GOVERNANCE, DISTRIBUTOR, offer.clone()).unwrap();
    let previous_owner = GOVERNANCE;
    let started = OwnershipEvent::TransferStarted { previous_owner, new_owner };
    assert_eq!(events, [Event::from(started)]);
    let back = OwnershipCall::TransferOwnership { new_owner: Address::ZERO };
    chain.send(GOVERNANCE, DISTRIBUTOR, back).unwrap();
    let unauthorized = OwnershipRefusal::UnauthorizedAccount { account: new_owner };
    let accept = OwnershipCall::AcceptOwnership;
    chain.refused("new owner", DISTRIBUTOR, accept.clone(), unauthorized);
    chain.send(GOVERNANCE, DISTRIBUTOR, offer).unwrap();
    chain.ok("new owner", DISTRIBUTOR, accept);
    assert_eq!(chain.set.ownership(DISTRIBUTOR).owner(), new_owner);
}

#[test]
fn calls_return_what_the_interfaces_say() {
    let mut chain = Chain::voting(2000, 0);
    let (alice, one) = (named("alice"), tokens(1));
    let logs = |chain: &Chain, caller: Address, contract, call: &Call| {
        chain.set.decide(contract, call, &chain.context(caller)).unwrap()
    };
    let truth = Some(U256::from(1));
    chain.fund("alice", 10);
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(60) });
    let next = contract(3);
    chain.deploy_rollup(next);
    chain.ok("alice", GOVERNANCE, GovernanceCall::InitiateWithdraw { to: alice, amount: one });
    chain.lock_propose(contract(4), harmless());
    let withdraw = GovernanceCall::InitiateWithdraw { to: alice, amount: one };
    for (caller, contract, call, returned) in [
        (alice, ASSET, Call::from(AssetCall::Transfer { to: alice, amount: one }), truth),
        (alice, ASSET, AssetCall::Approve { spender: alice, amount: one }.into(), truth),
        (ISSUER, ASSET, AssetCall::Mint { to: alice, amount: one }.into(), None),
        (GOVERNANCE, REGISTRY, RegistryCall::Upgrade { rollup: next }.into(), Some(U256::from(2))),
        (ROLLUP, DISTRIBUTOR, DistributorCall::Claim { to: alice }.into(), Some(tokens(5))),
        (alice, GOVERNANCE, withdraw.into(), Some(U256::from(2))),
        (alice, GOVERNANCE, GovernanceCall::InvalidateBallots { id: U256::ZERO }.into(), None),
        (alice, ROLLUP, RollupCall::SetupEpoch.into(), None),
    ] {
        assert_eq!(call.returns(&logs(&chain, caller, contract, &call)), returned, "{call:?}");
    }
    let (attester, recipient) = (named("attester 0"), alice);
    let leave = Call::from(RollupCall::InitiateWithdraw { attester, recipient });
    assert_eq!(leave.returns(&logs(&chain, named("withdrawer 0"), ROLLUP, &leave)), truth);
}

/// A contract outside the set that answers every call with `answer`.
fn answering(chain: &mut Chain, answer: &[u8]) -> Address {
    let contract = contract(8);
    let otherwise = Conduct::Answers(answer.to_vec().into());
    let program = Behavior { functions: Vec::new(), otherwise }.into();
    chain.foreign.written.put(contract, Put::Program(program), B256::repeat_byte(8));
    contract
}

#[test]
fn an_answer_is_one_clean_word() {
    for (length, clean) in [(0, false), (31, false), (32, true), (33, false), (64, false)] {
        let mut chain = Chain::deployed();
        let rollup = answering(&mut chain, &vec![0; length]);
        let upgraded = chain.send(GOVERNANCE, REGISTRY, RegistryCall::Upgrade { rollup });
        let (target, selector) = (rollup, selector("getCurrentSlot()"));
        let refusal = Refusal::from(CommonRefusal::NoAnswer { target, selector });
        assert_eq!(upgraded.err(), (!clean).then_some(refusal), "{length} bytes");
    }
}

#[test]
fn assertions_take_clean_answers_only() {
    let somebody = named("somebody");
    let word = somebody.into_word();
    let mut dirty = word;
    dirty[11] = 1;
    let no_answer = |target, signature| {
        let selector = selector(signature);
        Err(Refusal::from(CommonRefusal::NoAnswer { target, selector }))
    };
    for (answer, clean) in [
        (vec![], false),
        (word[..31].to_vec(), false),
        (word.to_vec(), true),
        ([word.as_slice(), &[0; 32]].concat(), false),
        (dirty.to_vec(), false),
    ] {
        let mut chain = Chain::deployed();
        let target = answering(&mut chain, &answer);
        let expected = somebody;
        for (call, signature) in [
            (ExpectCall::CanonicalIs { registry: target, expected }, "getRollup()"),
            (ExpectCall::OwnerIs { target, expected }, "owner()"),
            (ExpectCall::ProposalsIs { governance: target, expected }, "governanceProposer()"),
        ] {
            let outcome = if clean { Ok(vec![]) } else { no_answer(target, signature) };
            assert_eq!(chain.send(somebody, EXPECT, call), outcome, "{signature} {answer:?}");
        }
    }

    let raw = RawConfiguration::from(configuration());
    let words = encoded(&raw);
    for (answer, clean) in [
        (words[..287].to_vec(), false),
        (words.clone(), true),
        ([&words[..], &[0]].concat(), false),
        ([&words[..], &[0; 32]].concat(), false),
    ] {
        let mut chain = Chain::deployed();
        let governance = answering(&mut chain, &answer);
        let call = ExpectCall::ConfigurationIs { governance, expected: Box::new(raw) };
        let signature = "getConfiguration()";
        let outcome = if clean { Ok(vec![]) } else { no_answer(governance, signature) };
        assert_eq!(chain.send(somebody, EXPECT, call), outcome, "{} bytes", answer.len());
    }

    // Its revert data isn't passed on, and an account without code gives no answer.
    let mut chain = Chain::deployed();
    let reverting = contract(8);
    let otherwise = Conduct::Reverts(vec![1, 2, 3].into());
    let program = Behavior { functions: Vec::new(), otherwise }.into();
    chain.foreign.written.put(reverting, Put::Program(program), B256::repeat_byte(8));
    for target in [reverting, somebody, GOVERNANCE] {
        let call = ExpectCall::CanonicalIs { registry: target, expected: somebody };
        assert_eq!(chain.send(somebody, EXPECT, call), no_answer(target, "getRollup()"));
    }
    let call = ExpectCall::ConfigurationIs { governance: reverting, expected: Box::new(raw) };
    let refused = no_answer(reverting, "getConfiguration()");
    assert_eq!(chain.send(somebody, EXPECT, call), refused);
}

/// An example of EIP-1014, and variants that each differ from it in one part.
#[test]
fn a_contract_is_known_by_its_creation() {
    let mut chain = Chain::deployed();
    let factory = address!("0xdeadbeef00000000000000000000000000000000");
    let (salt, init_code_hash) = (B256::ZERO, keccak256([0x00]));
    let target = address!("0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3");
    let right = (target, factory, salt, init_code_hash);
    let (other_hash, other_salt) = (keccak256([0x01]), B256::with_last_byte(1));
    for (target, factory, salt, init_code_hash) in [
        right,
        (ROLLUP, factory, salt, init_code_hash),
        (target, ROLLUP, salt, init_code_hash),
        (target, factory, other_salt, init_code_hash),
        (target, factory, salt, other_hash),
    ] {
        let arguments = (target, factory, salt, init_code_hash);
        let call = ExpectCall::CreatedBy { target, factory, salt, init_code_hash };
        let preimage = [&[0xff], factory.as_slice(), &salt[..], &init_code_hash[..]].concat();
        let expected = Address::from_word(keccak256(preimage));
        let refusal = ExpectRefusal::Creation { expected, found: target };
        let outcome = if arguments == right { Ok(vec![]) } else { Err(refusal.into()) };
        assert_eq!(chain.send(named("x"), EXPECT, call), outcome, "{arguments:?}");
    }
}

#[test]
fn a_contract_has_its_own_functions_only() {
    let chain = Chain::deployed();
    let x = named("x");
    let owners = [ASSET, ISSUER, REGISTRY, DISTRIBUTOR, ROLLUP];
    let calls: [(&[Address], Call); 9] = [
        (&[ASSET], AssetCall::Approve { spender: x, amount: U256::ZERO }.into()),
        (&[ISSUER], IssuerCall::Mint { to: x, amount: U256::ZERO }.into()),
        (&[REGISTRY], RegistryCall::Upgrade { rollup: x }.into()),
        (&[DISTRIBUTOR], DistributorCall::Claim { to: x }.into()),
        (&[ROLLUP], RollupCall::ProposeBlock { block_hash: B256::ZERO }.into()),
        (&[PROPOSALS], ProposalsCall::Vote { payload: x }.into()),
        (&[GOVERNANCE], GovernanceCall::InvalidateBallots { id: U256::ZERO }.into()),
        (&[EXPECT], ExpectCall::OwnerIs { target: REGISTRY, expected: GOVERNANCE }.into()),
        (&owners, OwnershipCall::TransferOwnership { new_owner: x }.into()),
    ];
    for (homes, call) in calls {
        let contracts = owners.into_iter().chain([PROPOSALS, GOVERNANCE, EXPECT, x]);
        for contract in contracts {
            let outcome = chain.set.decide(contract, &call, &chain.context(x));
            let unknown = outcome == Err(Refusal::Empty);
            assert_eq!(unknown, !homes.contains(&contract), "{contract}: {call:?}: {outcome:?}");
        }
    }
}

/// `abi.encode(configuration)`: nine words.
fn encoded(raw: &RawConfiguration) -> Vec<u8> {
    let update = GovernanceCall::UpdateConfiguration { configuration: Box::new(*raw) };
    Call::from(update).abi_encode()[4..].to_vec()
}
