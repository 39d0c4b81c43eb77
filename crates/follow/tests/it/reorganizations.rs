//! Reorganizations at all relevant depths.

use crate::{
    network::{Choice, Network},
    support::{Recording, client, fresh, insist, run},
};
use canon_chain::FINALITY;
use canon_devchain::Devchain;
use canon_follow::{Advance, ChainSource, ComparisonScope, Follower};

/// A follower of the first chain, and a network with all chains.
async fn followed<const N: usize>(chains: [&Devchain; N]) -> (Network, Follower<ChainSource>) {
    let network = Network::new(chains.map(Devchain::transport), Choice::Node(0));
    let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
    let mut follower = Follower::new(source, Recording::shared().identity.clone());
    follower.catch_up().await.unwrap();
    (network, follower)
}

#[test]
fn any_depth_ends_in_the_state_of_a_fresh_follower() {
    let recording = Recording::shared();
    let blocks = recording.newest().block_number();
    // These are two forks from one height, and the newest chain with a fork from the first height.
    let within = [1, 2, FINALITY - 1, FINALITY, FINALITY + 1, 2 * FINALITY].map(|depth| {
        let height = recording.heights.len() / 2;
        (recording.fork(height, depth, 1), recording.fork(height, depth + 1, 2), depth)
    });
    let first = recording.chain(0).block_number();
    let whole = (recording.newest(), recording.fork(0, blocks - first + 1, 3), blocks - first);
    for (old, new, depth) in within.into_iter().chain([whole]) {
        run(async {
            let (network, mut follower) = followed([&old, &new]).await;
            let before = follower.state().clone();
            network.choose(Choice::Node(1));
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
        let heights = [recording.heights.len() - 2, recording.heights.len() / 2, 0];
        let [one, two, three] = heights.map(|height| recording.chain(height));
        let (network, mut follower) = followed([&chain, &one, &two, &three]).await;
        for (node, height) in (1..).zip(heights) {
            let (state, block) = (follower.state().clone(), follower.block());
            network.choose(Choice::Node(node));
            assert_eq!(follower.step().await.unwrap(), Advance::Behind, "height {height}");
            assert_eq!((follower.state(), follower.block()), (&state, block), "height {height}");
        }
        network.choose(Choice::Node(0));
        assert_eq!(follower.step().await.unwrap(), Advance::UpToDate);
    });
}

#[test]
fn a_follower_that_slept_longer_than_a_window_goes_on() {
    let recording = Recording::shared();
    run(async {
        let early = recording.chain(recording.heights.len() / 3);
        let newest = recording.newest();
        let (network, mut follower) = followed([&early, &newest]).await;
        assert!(newest.block_number() > early.block_number() + 2 * FINALITY);
        network.choose(Choice::Node(1));
        assert_eq!(insist(&mut follower).await, Advance::Extended);
        assert_eq!(*follower.state(), fresh(&newest, follower.identity()).await);
    });
}

#[test]
fn a_window_that_was_replaced_while_the_follower_slept_is_taken_back() {
    let recording = Recording::shared();
    run(async {
        // The early chain has another end than the newest one.
        let early = recording.fork(recording.heights.len() / 3, 3, 1);
        let newest = recording.newest();
        let (network, mut follower) = followed([&early, &newest]).await;
        network.choose(Choice::Node(1));
        assert_eq!(insist(&mut follower).await, Advance::Reorganized);
        assert_eq!(*follower.state(), fresh(&newest, follower.identity()).await);
    });
}
