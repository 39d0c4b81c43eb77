//! Random histories with hostile contracts and reorganizations, followed while they happen.

use crate::support::{fresh, identity, insist, run, source};
use canon_differential::{History, Lockstep};
use canon_follow::{Advance, ChainSource, Follower, check_every_view};

/// The number of steps between two comparisons of the state.
const STEPS_BETWEEN_COMPARISONS: u64 = 40;

/// Follows the history of `seed` every few steps. Returns the numbers of reorganizations and of
/// comparisons.
fn follow(seed: u64) -> (u64, u64) {
    let mut follower: Option<Follower<ChainSource>> = None;
    let (mut reorganizations, mut comparisons) = (0, 0);
    let before_step = |lockstep: &Lockstep, index: u64| {
        if !index.is_multiple_of(5) {
            return;
        }
        let chain = lockstep.chain();
        run(async {
            let identity = identity(*lockstep.set().addresses());
            let follower = match &mut follower {
                Some(follower) => follower,
                None => follower.insert(Follower::new(source(chain).await, identity.clone())),
            };
            match insist(follower).await {
                Advance::Reorganized => reorganizations += 1,
                Advance::Behind => return,
                _ => {}
            }
            assert_eq!(follower.block().unwrap().hash, chain.block_hash());
            if index.is_multiple_of(STEPS_BETWEEN_COMPARISONS) {
                assert_eq!(*follower.state(), fresh(chain, &identity).await, "seed {seed}");
                let client = source(chain).await.client().clone();
                let (block, state) = (follower.block().unwrap(), follower.state());
                let checked = check_every_view(&client, state, &block).await;
                let checked = checked.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                assert_eq!(checked.block, block.number);
                assert!(checked.answers > 100, "{}", checked.answers);
                comparisons += 1;
            }
        });
    };
    History { seed, calls: 400 }.run_with(before_step).unwrap();
    (reorganizations, comparisons)
}

#[test]
fn the_state_is_that_of_a_fresh_follower_and_of_the_chain() {
    for (seed, (reorganizations, comparisons)) in (0..4).map(|seed| (seed, follow(seed))) {
        assert!(reorganizations > 0, "the history of seed {seed} was never reorganized");
        assert!(comparisons > 3, "seed {seed}: {comparisons}");
    }
}
