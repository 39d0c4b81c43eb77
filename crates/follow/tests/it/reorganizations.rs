//! Reorganizations at every depth that matters.

use crate::support::{Recording, fresh, insist, run, source};
use canon_devchain::Devchain;
use canon_follow::{Advance, ChainSource, Follower, WINDOW};

async fn followed(chain: &Devchain) -> Follower<ChainSource> {
    let mut follower = Follower::new(source(chain).await, Recording::shared().identity.clone());
    follower.catch_up().await.unwrap();
    follower
}

#[test]
fn any_depth_ends_in_the_state_of_a_fresh_follower() {
    let recording = Recording::shared();
    let blocks = recording.newest().block_number();
    // Two forks of a height, and the newest chain against a fork of the first height.
    let within = [1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW].map(|depth| {
        let height = recording.heights.len() / 2;
        (recording.fork(height, depth, 1), recording.fork(height, depth + 1, 2), depth)
    });
    let first = recording.chain(0).block_number();
    let whole = (recording.newest(), recording.fork(0, blocks - first + 1, 3), blocks - first);
    for (old, new, depth) in within.into_iter().chain([whole]) {
        run(async {
            let mut follower = followed(&old).await;
            let before = follower.state().clone();
            *follower.source_mut() = source(&new).await;
            assert_eq!(insist(&mut follower).await, Advance::Reorganized, "depth {depth}");
            let expected = fresh(&new, follower.identity()).await;
            assert_eq!(*follower.state(), expected, "depth {depth}");
            assert_ne!(expected, before, "depth {depth}");
        });
    }
}

#[test]
fn an_endpoint_that_is_behind_changes_nothing() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let mut follower = followed(&chain).await;
        for height in [recording.heights.len() - 2, recording.heights.len() / 2, 0] {
            let (state, block) = (follower.state().clone(), follower.block());
            *follower.source_mut() = source(&recording.chain(height)).await;
            assert_eq!(follower.step().await.unwrap(), Advance::Behind, "height {height}");
            assert_eq!((follower.state(), follower.block()), (&state, block), "height {height}");
        }
        *follower.source_mut() = source(&chain).await;
        assert_eq!(follower.step().await.unwrap(), Advance::UpToDate);
    });
}

#[test]
fn a_follower_that_slept_longer_than_a_window_goes_on() {
    let recording = Recording::shared();
    run(async {
        let early = recording.chain(recording.heights.len() / 3);
        let mut follower = followed(&early).await;
        let newest = recording.newest();
        assert!(newest.block_number() > early.block_number() + 2 * WINDOW);
        *follower.source_mut() = source(&newest).await;
        assert_eq!(insist(&mut follower).await, Advance::Extended);
        assert_eq!(*follower.state(), fresh(&newest, follower.identity()).await);
    });
}

#[test]
fn a_window_that_was_replaced_while_the_follower_slept_is_taken_back() {
    let recording = Recording::shared();
    run(async {
        // Another end of the early chain, which the newest one doesn't have.
        let early = recording.fork(recording.heights.len() / 3, 3, 1);
        let mut follower = followed(&early).await;
        let newest = recording.newest();
        *follower.source_mut() = source(&newest).await;
        assert_eq!(insist(&mut follower).await, Advance::Reorganized);
        assert_eq!(*follower.state(), fresh(&newest, follower.identity()).await);
    });
}
