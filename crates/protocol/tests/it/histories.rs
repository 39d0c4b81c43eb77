//! Properties of random histories.

use crate::play::{Play, SCENES, Seen, play};
use proptest::{
    prelude::{ProptestConfig, any},
    proptest,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_promises(seed in any::<u64>(), steps in 1..400usize) {
        play(seed, steps);
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut play = Play::new(seed);
        play.run(150);
        play.chain.history
    };
    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}

#[test]
fn histories_reach_every_state_event_and_most_refusals() {
    let mut all = Seen::default();
    for seed in 0..24 {
        let seen = play(seed, 1500);
        all.events.extend(seen.events);
        all.refusals.extend(seen.refusals);
        all.states.extend(seen.states);
        all.executed += seen.executed;
        for (scene, count) in seen.scenes {
            *all.scenes.entry(scene).or_default() += count;
        }
    }
    eprintln!("DBG {} {:#?} {:?}", all.executed, all.scenes, all.refusals);
    assert_eq!(all.states.len(), 8, "every state of a proposal: {:?}", all.states);
    // But for those of constructors.
    assert_eq!(all.events.len(), 37, "every event: {:#?}", all.events);
    assert!(all.refusals.len() >= 60, "most refusals: {:#?}", all.refusals);
    for scene in SCENES {
        assert!(all.scenes.contains_key(scene), "{scene}: {:#?}", all.scenes);
    }
    assert!(all.executed >= 48, "payloads are executed: {}", all.executed);
}

#[test]
fn dbg_counts() {
    use std::collections::BTreeMap;
    let mut c: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..12 {
        let mut p = Play::new(seed);
        p.run(1500);
        for (_, log) in &p.chain.history {
            let t = format!("{:?}", log.event);
            let e = t.find([' ', '{']).unwrap();
            *c.entry(t[..e].to_owned()).or_default() += 1;
        }
        for (k, n) in &p.counts {
            *c.entry(k.clone()).or_default() += n;
        }
        let g = p.chain.world.governance();
        for pr in g.proposals() {
            *c.entry(format!(
                "state {:?} {}",
                g.state(pr, p.chain.now()),
                matches!(pr.origin(), canon_protocol::Origin::Lock)
            ))
            .or_default() += 1;
        }
        *c.entry("span".into()).or_default() += (p.chain.now().get() - 1_000_000) as usize / 1000;
        eprintln!(
            "seed {seed}: {} proposals, span {} canon of set {} {:?}",
            g.proposals().len(),
            p.chain.now().get() - 1_000_000,
            p.chain.world.canonical_rollup().is_some(),
            g.configuration()
        );
    }
    eprintln!("{c:#?}");
}
