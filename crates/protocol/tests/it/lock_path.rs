//! The way through the lock: open exactly when the holders of all of the asset can use it, and a
//! proposal that closes it is announced.

use crate::chain::{
    ASSET, Chain, GOVERNANCE, REGISTRY, ROLLUP, SUPPLY, T, action, configuration, contract, named,
    tokens,
};
use alloy::primitives::{Address, U256};
use canon_protocol::{
    Action, Amount, AssetCall, Configuration, Fraction, GovernanceCall, LockPath, OwnershipCall,
    ProposalId, ProposeConfiguration, RegistryCall, Seconds, Support, Warning,
};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
};

/// Alice has all of the asset, all of it locked.
fn whole() -> Chain {
    let mut chain = Chain::deployed();
    let amount = U256::from(SUPPLY);
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: named("alice"), amount });
    chain.ok("alice", ASSET, AssetCall::Approve { spender: GOVERNANCE, amount: U256::MAX });
    chain.ok("alice", GOVERNANCE, GovernanceCall::Deposit { on_behalf_of: named("alice"), amount });
    chain
}

/// Alice gets what she gave up last, and locks it again.
fn come_back(chain: &mut Chain) {
    let (id, last) = chain.world.governance().withdrawals().iter().enumerate().next_back().unwrap();
    let (id, unlocks_at, amount) = (U256::from(id), last.unlocks_at, last.amount.to_word());
    chain.jump(unlocks_at);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::FinaliseWithdraw { id });
    chain.ok("alice", GOVERNANCE, GovernanceCall::Deposit { on_behalf_of: named("alice"), amount });
}

fn update(configuration: Configuration) -> Vec<Action> {
    let configuration = Box::new(configuration.into());
    vec![action(GOVERNANCE, GovernanceCall::UpdateConfiguration { configuration })]
}

/// Whether Alice can pass a proposal through the lock now, with all that she can do for it.
fn passes(chain: &mut Chain) -> bool {
    let harmless = vec![action(GOVERNANCE, GovernanceCall::InvalidateNonce)];
    let id = chain.lock_propose(contract(2), harmless);
    let governance = chain.world.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    let deadlines = proposal.deadlines();
    if governance.withdrawals().last().unwrap().unlocks_at <= deadlines.pending {
        come_back(chain);
    }
    chain.jump(deadlines.voting_starts());
    let governance = chain.world.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    let amount = governance.castable(proposal, named("alice")).to_word();
    let vote = GovernanceCall::Vote { id, amount, support: Support::Yea };
    if chain.send(named("alice"), GOVERNANCE, vote).is_err() {
        return false;
    }
    chain.jump(deadlines.earliest_execution());
    chain.send(named("anyone"), GOVERNANCE, GovernanceCall::Execute { id }).is_ok()
}

/// Any configuration within the bounds, often at what closes the way.
fn configurations() -> impl Strategy<Value = Configuration> {
    let locks = prop_oneof![Just(2), 2..=SUPPLY, Just(SUPPLY - 1), Just(SUPPLY)];
    let delays = (60..200_u64, 60..200_u64, 60..200_u64, 60..400_u64);
    let fractions =
        (prop_oneof![1..=Fraction::ONE.get(), Just(Fraction::ONE.get())], 0..=Fraction::ONE.get());
    (locks, delays, fractions, any::<u64>(), 0..4_u8).prop_map(
        |(lock, (delay, duration, execution, lock_delay), (quorum, differential), any, kind)| {
            let left = SUPPLY - lock;
            let minimum = match kind {
                0 => left,
                1 => left + 1,
                2 => SUPPLY,
                _ => u128::from(any) % SUPPLY + 1,
            };
            Configuration {
                propose_config: ProposeConfiguration {
                    lock_delay: Seconds::of(lock_delay),
                    lock_amount: Amount::of(lock),
                },
                voting_delay: Seconds::of(delay * 3),
                voting_duration: Seconds::of(duration),
                execution_delay: Seconds::of(execution),
                grace_period: Seconds::of(60),
                quorum: Fraction::of(quorum),
                vote_differential: Fraction::of(differential),
                minimum_votes: Amount::of(minimum.clamp(1, SUPPLY)),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_open_exactly_when_all_holders_together_can_use_it(next in configurations()) {
        let mut chain = whole();
        let preview = chain.world.preview(&update(next), chain.block, &chain.foreign);
        chain.govern(contract(1), update(next)).unwrap();
        // What the old configuration withholds is over when its lock is paid.
        come_back(&mut chain);
        let supply = chain.world.asset().total_supply();
        let path = chain.world.governance().lock_path(chain.now(), supply);
        assert_eq!(path, chain.world.governance().lasting_lock_path(supply));
        let warned = preview.warnings.contains(&Warning::LockPathCloses(path));
        assert_eq!(warned, !path.is_open(), "the preview says so");
        assert_eq!(passes(&mut chain), path.is_open(), "{path:?}");
    }
}

#[test]
fn what_is_withheld_longer_for_a_while_closes_it_for_a_while() {
    let mut chain = whole();
    // The lock's amount is back before the snapshot: that is the only way to have all power there.
    let everything = Configuration {
        propose_config: ProposeConfiguration {
            lock_delay: Seconds::of(60),
            lock_amount: Amount::of(500 * T),
        },
        voting_delay: Seconds::of(400),
        voting_duration: Seconds::of(60),
        execution_delay: Seconds::of(60),
        minimum_votes: Amount::of(SUPPLY),
        ..configuration()
    };
    chain.govern(contract(1), update(everything)).unwrap();
    let supply = Amount::of(SUPPLY);
    let governance = chain.world.governance();
    // 520 s are withheld as long as the old configuration matters.
    assert!(!governance.lock_path(chain.now(), supply).is_open());
    assert!(governance.lasting_lock_path(supply).is_open());
    come_back(&mut chain);
    assert!(chain.world.governance().lock_path(chain.now(), supply).is_open());
    assert!(passes(&mut chain));
}

#[test]
fn a_preview_says_what_reviewers_must_know() {
    let mut chain = Chain::voting(5000, 0);
    let pushed = chain.push(contract(9), vec![action(GOVERNANCE, GovernanceCall::InvalidateNonce)]);
    let stranger = named("stranger");
    let (foreign, twin, next) = (contract(5), contract(6), contract(7));
    chain.foreign.deploy(foreign);
    chain.foreign.answer(foreign, "getCurrentSlot()", U256::ZERO);
    chain.foreign.answer(foreign, "getCurrentProposer()", U256::ZERO);
    chain.deploy_proposals(twin);
    chain.deploy_rollup(next);

    let closing = Configuration { minimum_votes: Amount::of(SUPPLY), ..configuration() };
    let path = LockPath {
        given_up: Amount::of(500 * T),
        reachable: Amount::of(SUPPLY - 500 * T),
        needed: Amount::of(SUPPLY),
    };
    let all = Configuration { quorum: Fraction::ONE, ..configuration() };
    let appoint = |new_governance_proposer| {
        action(GOVERNANCE, GovernanceCall::UpdateGovernanceProposer { new_governance_proposer })
    };
    let offer =
        |contract, new_owner| action(contract, OwnershipCall::TransferOwnership { new_owner });
    let upgrade = |rollup| action(REGISTRY, RegistryCall::Upgrade { rollup });
    let id = ProposalId::try_from(pushed).unwrap();
    let offered = |contract, new_owner| Warning::OwnershipOffered { contract, new_owner };
    for (actions, warnings) in [
        (update(configuration()), vec![]),
        (update(closing), vec![Warning::LockPathCloses(path)]),
        (update(all), vec![Warning::QuorumOfAll]),
        (vec![appoint(twin)], vec![Warning::ProposalDropped { id }]),
        (
            vec![appoint(foreign)],
            vec![
                Warning::UnknownProposals { governance_proposer: foreign },
                Warning::ProposalDropped { id },
            ],
        ),
        (vec![offer(REGISTRY, stranger)], vec![offered(REGISTRY, stranger)]),
        (vec![offer(ROLLUP, stranger)], vec![offered(ROLLUP, stranger)]),
        (vec![offer(REGISTRY, GOVERNANCE)], vec![]),
        (vec![offer(REGISTRY, Address::ZERO)], vec![]),
        (vec![upgrade(next)], vec![]),
        (vec![upgrade(foreign)], vec![Warning::UnknownRollup { rollup: foreign }]),
        // What would be undone again is nothing to warn of.
        ([update(closing), update(configuration())].concat(), vec![]),
    ] {
        let preview = chain.world.preview(&actions, chain.block, &chain.foreign);
        assert_eq!(preview.warnings, warnings, "{actions:?}");
        assert!(preview.outcome.is_ok());
    }
}

#[test]
fn a_taker_that_waits_is_found() {
    let mut chain = Chain::voting(5000, 0);
    let taker = contract(5);
    chain.foreign.deploy(taker);
    let accept = action(REGISTRY, OwnershipCall::AcceptOwnership);
    chain.foreign.reactions.insert(taker, canon_protocol::Reaction::Calls(vec![accept]));
    let give = vec![
        action(REGISTRY, OwnershipCall::TransferOwnership { new_owner: taker }),
        Action { target: taker, data: Default::default() },
    ];
    let preview = chain.world.preview(&give, chain.block, &chain.foreign);
    let lost = Warning::OwnershipLost { contract: REGISTRY, new_owner: taker };
    assert_eq!(preview.warnings, [lost]);
}

#[test]
fn a_preview_that_reverts_says_why() {
    let chain = Chain::voting(5000, 0);
    let actions = vec![action(ASSET, AssetCall::Approve { spender: ROLLUP, amount: tokens(1) })];
    let preview = chain.world.preview(&actions, chain.block, &chain.foreign);
    let index = U256::ZERO;
    let refusal = canon_protocol::GovernanceRefusal::ActionOnAsset { index };
    assert_eq!(preview.outcome, Err(refusal.into()));
    assert_eq!(preview.warnings, []);
}
