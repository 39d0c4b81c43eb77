//! The way through the lock: open exactly when the holders of all of the asset can use it, and a
//! proposal that closes it is announced.

use crate::chain::{
    ASSET, Chain, GOVERNANCE, SUPPLY, T, action, configuration, contract, named, update,
};
use alloy::primitives::U256;
use canon_protocol::{
    Amount, AssetCall, Configuration, Fraction, GovernanceCall, ProposeConfiguration, Seconds,
    Support, Warning,
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
