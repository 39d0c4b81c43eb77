//! Views of a followed set.

use crate::{
    network::{Choice, Habit, Network},
    support::{BLOCK_TIME, Recording, client, everything, run, source},
};
use canon_chain::Client;
use canon_follow::{ChainSource, ComparisonScope, FollowError, Follower};
use canon_views::{Present, Question};

/// The view `present` according to the contracts; `None` if they don't form a set.
async fn answered(client: &Client, present: &Present, question: &Question) -> Option<Present> {
    let at = present.block.hash.into();
    match client.view(present.addresses.registry, question, at, BLOCK_TIME).await {
        Ok(answered) => Some(answered),
        Err(error) if error.is_of_the_contracts() => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn they_are_the_views_that_the_contracts_answer() {
    let recording = Recording::shared();
    run(async {
        let mut compared = 0;
        for height in 0..recording.heights.len() {
            let source = source(&recording.chain(height)).await;
            let client = source.client().clone();
            let mut follower = Follower::new(source, recording.identity.clone());
            follower.catch_up().await.unwrap();
            let question = everything(&follower);
            let view = follower.view(&question, BLOCK_TIME).await.unwrap();
            assert_eq!(Some(view.present.block), follower.block());
            assert_eq!(view.history.as_deref(), Some(follower.state()));
            if let Some(answered) = answered(&client, &view.present, &question).await {
                assert_eq!(view.present, answered, "height {height}");
                compared += 1;
            }
        }
        assert!(compared > 2, "{compared} of {}", recording.heights.len());
    });
}

#[test]
fn there_is_none_before_the_first_block() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let follower = Follower::new(source(&chain).await, recording.identity.clone());
        let outcome = follower.view(&Question::default(), BLOCK_TIME).await;
        assert!(matches!(outcome, Err(FollowError::NotStarted)), "{outcome:?}");
    });
}

#[test]
fn reading_old_blocks_copies_no_state() {
    let recording = Recording::shared();
    run(async {
        let network = Network::new([recording.newest().transport()], Choice::Node(0));
        network.adopt(Habit::RefusesRangesAbove(100));
        let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
        let mut follower = Follower::new(source, recording.identity.clone());
        let place = std::ptr::from_ref(follower.state());
        let mut changes = 0;
        loop {
            let before = follower.state().clone();
            follower.step().await.unwrap();
            if follower.block() == follower.head() {
                break;
            }
            assert!(std::ptr::eq(follower.state(), place), "after {changes} ranges with logs");
            changes += u32::from(*follower.state() != before);
        }
        assert!(changes > 4, "{changes} ranges with logs");
    });
}
