//! Processes that end and start again.

use crate::{
    company::Actor,
    run::{Cast, Run, Step},
    views::Maker,
};

/// Plays the whole upgrade. `disturb` is called after every block.
async fn play(maker: Maker, cast: Cast, mut disturb: impl FnMut(&mut Run)) -> Run {
    let mut run = Run::new(maker, cast, None).await;
    for step in Step::ALL {
        run.go_to(step).await;
        run.step(step, &mut disturb).await;
    }
    run.blocks(2).await;
    run
}

#[tokio::test]
async fn agents_started_anew_at_every_block_do_the_same() {
    for maker in Maker::ALL {
        let undisturbed = play(maker, Cast::All, |_| {}).await;
        let restarted = play(maker, Cast::All, |run| {
            for company in &mut run.companies {
                company.restart(&run.chain);
            }
        });
        let restarted = restarted.await;
        assert_eq!(restarted.chain.devchain.block_hash(), undisturbed.chain.devchain.block_hash());
    }
}

#[tokio::test]
async fn agents_without_a_journal_know_from_the_state_what_is_done() {
    for maker in Maker::ALL {
        let mut undisturbed = play(maker, Cast::HolderOnlyVotes, |_| {}).await;
        let restarted = play(maker, Cast::HolderOnlyVotes, |run| {
            for company in &mut run.companies {
                company.actors.iter_mut().for_each(Actor::restart_without_journal);
            }
        });
        let mut restarted = restarted.await;
        assert_eq!(restarted.state().await, undisturbed.state().await);
    }
}
