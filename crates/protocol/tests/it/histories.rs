//! Properties of random histories.

use crate::random_history::{RandomHistory, SCENES, Seen, run_history};
use canon_protocol::{Event, Refusal};
use canon_testkit::properties;
use proptest::{prelude::any, proptest};
use std::collections::BTreeSet;

proptest! {
    #![proptest_config(properties(48))]

    #[test]
    fn every_history_keeps_the_promises(seed in any::<u64>(), steps in 1..400usize) {
        run_history(seed, steps);
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut history = RandomHistory::new(seed);
        history.run(150);
        history.chain.history
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

/// The names that weren't seen.
fn missing(names: impl Iterator<Item = String>, seen: &BTreeSet<String>) -> Vec<String> {
    let missing: BTreeSet<_> = names.filter(|name| !seen.contains(name)).collect();
    missing.into_iter().collect()
}

/// Events of constructors, which aren't recorded.
const UNREACHED_EVENTS: &[&str] = &[
    "Asset.AssetDeployed",
    "Distributor.RewardDistributorDeployed",
    "Governance.GovernanceDeployed",
    "Issuer.IssuerDeployed",
    "Proposals.ProposalsDeployed",
    "Rollup.RollupDeployed",
];

/// The refusals that these histories needn't reach, with the reasons.
const UNREACHED_REFUSALS: &[(&str, &str)] = &[
    ("Asset.Asset__SupplyExceeded", "the supply is far from its limit"),
    ("Asset.ERC20InvalidApprover", "nobody calls from address 0"),
    ("Asset.ERC20InvalidSender", "nobody calls from address 0"),
    ("Expect.Expect__CodeHash", "needs a payload that asserts another code hash to be executed"),
    ("Governance.Governance__InFuture", "of views alone"),
    ("Governance.Governance__UnknownConfiguration", "of views alone"),
    ("Proposals.Proposals__ProposeFailed", "this Governance reverts or returns true"),
    ("Registry.Registry__NotRegistered", "of views alone"),
    ("Rollup.Rollup__BeforeGenesis", "no rollup begins after its construction"),
    ("Rollup.Rollup__EpochOutOfRange", "of views alone"),
    ("Rollup.Rollup__IndexOutOfRange", "of views alone"),
    ("Rollup.Rollup__NotEnoughGasForReward", "depends on gas, of which the rules know nothing"),
];

#[test]
fn histories_reach_every_state_event_and_refusal_but_those_listed() {
    let mut all = Seen::default();
    for seed in 0..40 {
        let seen = run_history(seed, 1500);
        all.events.extend(seen.events);
        all.refusals.extend(seen.refusals);
        all.states.extend(seen.states);
        all.executed += seen.executed;
        for (scene, count) in seen.scenes {
            *all.scenes.entry(scene).or_default() += count;
        }
    }
    assert_eq!(all.states.len(), 8, "every state of a proposal: {:?}", all.states);
    assert_eq!(missing(Event::names(), &all.events), UNREACHED_EVENTS);
    let excused: BTreeSet<_> = UNREACHED_REFUSALS.iter().map(|(name, _)| *name).collect();
    let refusals = Refusal::names().filter(|name| !excused.contains(name.as_str()));
    assert_eq!(missing(refusals, &all.refusals), [""; 0]);
    for scene in SCENES {
        assert!(all.scenes.contains_key(scene), "{scene}: {:#?}", all.scenes);
    }
    assert!(all.executed >= 80, "payloads are executed: {}", all.executed);
}
