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
    assert_eq!(all.states.len(), 8, "every state of a proposal: {:?}", all.states);
    // But for those of constructors.
    assert_eq!(all.events.len(), 37, "every event: {:#?}", all.events);
    assert!(all.refusals.len() >= 60, "most refusals: {:#?}", all.refusals);
    for scene in SCENES {
        assert!(all.scenes.contains_key(scene), "{scene}: {:#?}", all.scenes);
    }
    assert!(all.executed >= 48, "payloads are executed: {}", all.executed);
}
