//! Constructors.

use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, REGISTRY, ROLLUP, T,
    configuration, contract, named,
};
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{
    Amount, ApplyError, AssetRefusal, CommonRefusal, ConfigurationId, Constructor, Event,
    GovernanceEvent, GovernanceRefusal, Log, OwnershipRefusal, ProposalsEvent, ProposalsRefusal,
    RawConfiguration, RawRollupParameters, Refusal, Role, RollupEvent, RollupParameters,
    RollupRefusal, SetState,
};
use std::collections::BTreeSet;

const NEW: Address = Address::with_last_byte(0xd1);

fn refusal(chain: &Chain, constructor: Constructor) -> Option<Refusal> {
    chain.try_deploy(NEW, &constructor).err()
}

#[test]
fn the_set_is_deployed_in_its_order() {
    let chain = Chain::deployed();
    let roles = [
        (ASSET, Role::Asset),
        (REGISTRY, Role::Registry),
        (PROPOSALS, Role::Proposals),
        (GOVERNANCE, Role::Governance),
        (ISSUER, Role::Issuer),
        (DISTRIBUTOR, Role::Distributor),
        (ROLLUP, Role::Rollup),
    ];
    for (contract, role) in roles {
        assert_eq!(chain.set.role_of(contract), Some(role));
    }
    assert_eq!(chain.set.role_of(NEW), None);
    assert_eq!(chain.set.asset().names(), ("Canon", "CAN"));
    assert_eq!(chain.set.governance().governance_proposer(), PROPOSALS);
    assert_eq!(chain.set.canonical_rollup().unwrap().0, ROLLUP);
}

#[test]
fn the_state_follows_from_the_events() {
    let chain = Chain::voting(2000, 1000);
    let mut folded = SetState::new(*chain.set.addresses());
    for (block, log) in &chain.history {
        folded.evolve(log, *block).unwrap();
    }
    assert_eq!(folded, chain.set);
}

#[test]
fn events_that_do_not_fit_are_refused() {
    let chain = Chain::deployed();
    let (block, log) = chain.history.last().unwrap().clone();
    let mut set = chain.set;
    let mut earlier = block;
    earlier.timestamp = canon_protocol::Timestamp::ZERO;
    let backwards = ApplyError::EarlierBlock { found: earlier, newest: block };
    assert_eq!(set.evolve(&log, earlier), Err(backwards));
    let id = ConfigurationId::of(2);
    let configuration = Box::new(configuration());
    let gap = Log {
        emitter: GOVERNANCE,
        event: GovernanceEvent::ConfigurationSet { id, configuration }.into(),
    };
    let out_of_turn = ApplyError::WrongNumber { what: "configuration", expected: 1, found: 2 };
    assert_eq!(set.evolve(&gap, block), Err(out_of_turn));
}

#[test]
fn nobody_else_emits_the_events_of_a_contract() {
    let chain = Chain::voting(2000, 1000);
    let block = chain.block;
    let mut seen = BTreeSet::new();
    for (_, log) in &chain.history {
        let Log { emitter, event } = log.clone();
        // The emitter of a deployment is new. Its owner is announced before.
        let is_deployment = matches!(
            event,
            Event::Ownership(_)
                | Event::Proposals(ProposalsEvent::Deployed { .. })
                | Event::Rollup(RollupEvent::Deployed { .. })
        );
        seen.insert(emitter);
        for stranger in [NEW, EXPECT].into_iter().filter(|_| !is_deployment) {
            let log = Log { emitter: stranger, event: event.clone() };
            let outcome = chain.set.clone().evolve(&log, block);
            let event = event.name();
            let error = ApplyError::WrongEmitter { emitter: stranger, event };
            assert_eq!(outcome, Err(error), "{log:?}");
        }
    }
    let emitters = [ASSET, ISSUER, REGISTRY, DISTRIBUTOR, ROLLUP, PROPOSALS, GOVERNANCE];
    assert_eq!(seen, BTreeSet::from(emitters), "an event of each contract");
}

#[test]
fn births_of_another_set_do_not_fit() {
    let chain = Chain::deployed();
    let parameters = *chain.set.rollup(ROLLUP).unwrap().parameters();
    let proposals = |registry| ProposalsEvent::Deployed { registry, n: 3, m: 5 };
    let rollup = |asset| {
        let parameters = Box::new(RollupParameters { asset, ..parameters });
        Event::from(RollupEvent::Deployed { parameters })
    };
    for (emitter, event, fits) in [
        (NEW, proposals(REGISTRY).into(), true),
        (NEW, proposals(NEW).into(), false),
        (PROPOSALS, proposals(REGISTRY).into(), false),
        (NEW, rollup(ASSET), true),
        (NEW, rollup(NEW), false),
        (ROLLUP, rollup(ASSET), false),
    ] {
        let log = Log { emitter, event };
        let outcome = chain.set.clone().evolve(&log, chain.block);
        let error = ApplyError::UnexpectedDeployment { emitter, event: log.event.name() };
        assert_eq!(outcome, if fits { Ok(()) } else { Err(error) }, "{log:?}");
    }
}

#[test]
fn nothing_is_born_without_an_owner() {
    let chain = Chain::deployed();
    let owner = Address::ZERO;
    let parameters = RawRollupParameters { owner, ..chain.rollup_parameters() };
    for constructor in [
        Constructor::Registry { owner },
        Constructor::Issuer { asset: ASSET, rate: U256::ZERO, owner },
        Constructor::Distributor {
            asset: ASSET,
            registry: REGISTRY,
            block_reward: U256::ZERO,
            owner,
        },
        Constructor::Asset {
            name: String::new(),
            symbol: String::new(),
            owner,
            initial_holder: named("x"),
            initial_supply: U256::ZERO,
        },
        Constructor::Rollup(parameters),
    ] {
        let invalid = OwnershipRefusal::InvalidOwner { owner };
        assert_eq!(refusal(&chain, constructor), Some(invalid.into()));
    }
}

#[test]
fn the_asset_starts_within_its_maximum() {
    let chain = Chain::empty();
    let deploy = |initial_holder, initial_supply| Constructor::Asset {
        name: String::new(),
        symbol: String::new(),
        owner: named("x"),
        initial_holder,
        initial_supply,
    };
    let max = Amount::MAX.to_word();
    let amount = max + U256::from(1);
    let exceeded = AssetRefusal::SupplyExceeded { total_supply: U256::ZERO, amount, max };
    assert_eq!(refusal(&chain, deploy(named("x"), amount)), Some(exceeded.into()));
    let invalid = AssetRefusal::InvalidReceiver { receiver: Address::ZERO };
    assert_eq!(refusal(&chain, deploy(Address::ZERO, U256::from(1))), Some(invalid.into()));
    assert_eq!(refusal(&chain, deploy(Address::ZERO, U256::ZERO)), None);
    assert_eq!(refusal(&chain, deploy(named("x"), max)), None);
}

#[test]
fn proposals_needs_a_majority() {
    let chain = Chain::deployed();
    let deploy = |registry, n: u64, m: u64| {
        refusal(&chain, Constructor::Proposals { registry, n: U256::from(n), m: U256::from(m) })
    };
    let no_code = CommonRefusal::NoCode { account: contract(1) };
    assert_eq!(deploy(contract(1), 6, 10), Some(no_code.into()));
    for (n, m, valid) in
        [(6, 10, true), (5, 10, false), (11, 10, false), (1, 1, false), (2, 2, true)]
    {
        let (words_n, words_m) = (U256::from(n), U256::from(m));
        let invalid = ProposalsRefusal::InvalidQuorum { n: words_n, m: words_m };
        let expected = (!valid).then(|| invalid.into());
        assert_eq!(deploy(REGISTRY, n, m), expected, "{n} of {m}");
    }
    let max: u64 = (1 << 24) - 1;
    assert_eq!(deploy(REGISTRY, max, max), None);
    let (value, max) = (U256::from(max + 1), U256::from(max));
    let too_large = CommonRefusal::ValueTooLarge { value, max };
    assert_eq!(deploy(REGISTRY, 1 << 24, 1 << 24), Some(too_large.into()));
}

#[test]
fn governance_needs_its_contracts_and_bounds() {
    let chain = Chain::deployed();
    let deploy = |asset, proposals, configuration| {
        refusal(&chain, Constructor::Governance { asset, proposals, configuration })
    };
    let right = RawConfiguration::from(configuration());
    let account = contract(1);
    let no_code = || Some(CommonRefusal::NoCode { account }.into());
    assert_eq!(deploy(account, PROPOSALS, right), no_code());
    assert_eq!(deploy(ASSET, account, right), no_code());
    let invalid =
        GovernanceRefusal::InvalidGovernanceProposer { governance_proposer: Address::ZERO };
    assert_eq!(deploy(ASSET, Address::ZERO, right), Some(invalid.into()));
    let wrong = RawConfiguration { quorum: U256::ZERO, ..right };
    let out_of_bounds = GovernanceRefusal::OutOfBounds {
        field: B256::right_padding_from(b"quorum"),
        value: U256::ZERO,
        min: U256::from(1),
        max: U256::from(9 * T / 10),
    };
    assert_eq!(deploy(ASSET, PROPOSALS, wrong), Some(out_of_bounds.into()));
}

#[test]
fn a_rollup_needs_a_past_and_a_length() {
    let chain = Chain::deployed();
    let right = chain.rollup_parameters();
    let deploy = |parameters| refusal(&chain, Constructor::Rollup(parameters));
    assert_eq!(deploy(right), None);
    let no_distributor = RawRollupParameters { reward_distributor: Address::ZERO, ..right };
    let without_code = |account| CommonRefusal::NoCode { account };
    let (nobody, somebody) = (Address::ZERO, named("an account"));
    for (parameters, refusal) in [
        (no_distributor, CommonRefusal::ZeroAddress),
        (RawRollupParameters { asset: nobody, ..no_distributor }, CommonRefusal::ZeroAddress),
        (RawRollupParameters { asset: nobody, ..right }, without_code(nobody)),
        (
            RawRollupParameters { asset: somebody, registry: nobody, ..right },
            without_code(somebody),
        ),
        (RawRollupParameters { registry: somebody, ..right }, without_code(somebody)),
    ] {
        assert_eq!(deploy(parameters), Some(refusal.into()), "{parameters:?}");
    }
    let timestamp = chain.now().to_word();
    let one = U256::from(1);
    let genesis_time = timestamp + one;
    let future = RollupRefusal::GenesisInFuture { genesis_time, timestamp };
    assert_eq!(deploy(RawRollupParameters { genesis_time, ..right }), Some(future.into()));
    let (slot_duration, epoch_duration) = (right.slot_duration, right.epoch_duration);
    let zero = U256::ZERO;
    let of_no_length = RollupRefusal::ZeroDuration { slot_duration: zero, epoch_duration };
    let parameters = RawRollupParameters { slot_duration: zero, ..right };
    assert_eq!(deploy(parameters), Some(of_no_length.into()));
    let of_no_length = RollupRefusal::ZeroDuration { slot_duration, epoch_duration: zero };
    let parameters = RawRollupParameters { epoch_duration: zero, ..right };
    assert_eq!(deploy(parameters), Some(of_no_length.into()));
    let parameters = RawRollupParameters { minimum_stake: zero, ..right };
    assert_eq!(deploy(parameters), Some(RollupRefusal::ZeroMinimumStake.into()));
    let two_epochs = slot_duration * epoch_duration * U256::from(2);
    let exit_delay = two_epochs - one;
    let (min, max) = (two_epochs, U256::from(365 * 86_400));
    for (exit_delay, valid) in [(exit_delay, false), (min, true), (max, true), (max + one, false)] {
        let refusal = RollupRefusal::ExitDelayOutOfBounds { exit_delay, min, max };
        let expected = (!valid).then(|| refusal.into());
        assert_eq!(deploy(RawRollupParameters { exit_delay, ..right }), expected, "{exit_delay} s");
    }
    let max = canon_protocol::Seconds::MAX.to_word();
    let value = max + one;
    let too_large = CommonRefusal::ValueTooLarge { value, max };
    let parameters = RawRollupParameters { exit_delay: value, ..right };
    assert_eq!(deploy(parameters), Some(too_large.into()));
}

#[test]
fn an_epoch_has_two_l1_blocks_after_its_first_slot() {
    let chain = Chain::deployed();
    let right = chain.rollup_parameters();
    for (slots, seconds, after) in
        [(1, 1000, 0), (2, 23, 23), (2, 24, 24), (24, 1, 23), (25, 1, 24), (3, 12, 24)]
    {
        let parameters = RawRollupParameters {
            epoch_duration: U256::from(slots),
            slot_duration: U256::from(seconds),
            exit_delay: U256::from(2000),
            ..right
        };
        let (seconds_after_first_slot, minimum) = (U256::from(after), U256::from(24));
        let too_short = RollupRefusal::EpochTooShort { seconds_after_first_slot, minimum };
        let expected = (after < 24).then(|| too_short.into());
        assert_eq!(
            refusal(&chain, Constructor::Rollup(parameters)),
            expected,
            "{slots} x {seconds}"
        );
    }
}

#[test]
fn a_constructor_records_no_seed() {
    let chain = Chain::deployed();
    let logs = chain.try_deploy(NEW, &Constructor::Rollup(chain.rollup_parameters())).unwrap();
    let mut events = logs.iter().map(|log| &log.event);
    assert!(!events.any(|event| matches!(event, Event::Rollup(RollupEvent::SeedRecorded { .. }))));
}

#[test]
fn governance_needs_some_supply() {
    let minimum = |lock: u64, votes: u64, supply: u64| {
        let mut chain = Chain::empty();
        let asset = Constructor::Asset {
            name: String::new(),
            symbol: String::new(),
            owner: named("x"),
            initial_holder: named("x"),
            initial_supply: U256::from(supply),
        };
        chain.deploy(ASSET, asset);
        chain.deploy(REGISTRY, Constructor::Registry { owner: named("x") });
        chain.deploy_proposals(PROPOSALS);
        let mut raw = RawConfiguration::from(configuration());
        raw.propose_config.lock_amount = U256::from(lock);
        raw.minimum_votes = U256::from(votes);
        let (asset, proposals) = (ASSET, PROPOSALS);
        refusal(&chain, Constructor::Governance { asset, proposals, configuration: raw })
    };
    let out_of_bounds = |name: &[u8], value: u64, min: u64, max: u64| {
        let field = B256::right_padding_from(name);
        let [value, min, max] = [value, min, max].map(U256::from);
        Some(GovernanceRefusal::OutOfBounds { field, value, min, max }.into())
    };
    assert_eq!(minimum(2, 1, 19), out_of_bounds(b"lockAmount", 2, 2, 1), "too little for any lock");
    assert_eq!(minimum(2, 10, 20), None);
    assert_eq!(minimum(3, 10, 20), out_of_bounds(b"lockAmount", 3, 2, 2));
    assert_eq!(minimum(2, 11, 21), out_of_bounds(b"minimumVotes", 11, 1, 10));
}
