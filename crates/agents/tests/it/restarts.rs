//! Processes that end and start again.

use crate::{
    process::Actor,
    run::{Participants, Run, Step},
    views::Maker,
};

/// Runs the whole upgrade. `after_block` is called after every block.
async fn run_upgrade(
    maker: Maker,
    participants: Participants,
    mut after_block: impl FnMut(&mut Run),
) -> Run {
    let mut run = Run::new(maker, participants, None).await;
    for step in Step::ALL {
        run.go_to(step).await;
        run.step(step, &mut after_block).await;
    }
    run.blocks(2).await;
    run
}

#[tokio::test]
async fn agents_started_anew_at_every_block_do_the_same() {
    for maker in Maker::ALL {
        let undisturbed = run_upgrade(maker, Participants::All, |_| {}).await;
        let restarted = run_upgrade(maker, Participants::All, |run| {
            for process in &mut run.processes {
                process.restart(&run.chain);
            }
        });
        let restarted = restarted.await;
        assert_eq!(restarted.chain.devchain.block_hash(), undisturbed.chain.devchain.block_hash());
    }
}

#[tokio::test]
async fn agents_whose_journal_is_lost_before_the_receipt_send_nothing_twice() {
    for maker in Maker::ALL {
        let mut undisturbed = run_upgrade(maker, Participants::HolderOnlyVotes, |_| {}).await;
        // The sent transactions are mined, and no agent has seen their receipts.
        let restarted = run_upgrade(maker, Participants::HolderOnlyVotes, |run| {
            for process in &mut run.processes {
                process.actors.iter_mut().for_each(Actor::restart_without_journal);
            }
        });
        let mut restarted = restarted.await;
        assert_eq!(restarted.state().await, undisturbed.state().await);
        let (sent, expected) = (restarted.transaction_counts(), undisturbed.transaction_counts());
        assert!(expected.iter().all(|count| *count > 0), "all of them act: {expected:?}");
        assert_eq!(sent, expected, "{}", restarted.log());
    }
}
