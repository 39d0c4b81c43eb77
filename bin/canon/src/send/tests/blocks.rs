//! Tests with blocks that are replaced, final or wrong.

use super::*;

/// `--confirmations 5`: the lock fails in a block that is replaced at once, and succeeds in the other one.
#[tokio::test]
async fn a_failure_in_a_block_that_is_replaced_ends_no_command_that_waits_for_confirmations() {
    let world = World::new("failed-reorg").await;
    let governance = world.set.governance;
    let plan = async |planned| world.plan(planned, FIVE).await;
    let chain = world.chain.clone();
    let replaced = std::sync::Mutex::new(None);
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        // 1: the approval, 2..5: its confirmations, 6: the lock.
        if blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 5 {
            assert!(chain.pool_size() > 0);
            *replaced.lock().unwrap() = Some(chain.snapshot());
            chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        }
        chain.mine().unwrap();
        std::future::ready(Waited::Again)
    };
    let sending = Sending { confirmations: 5, consent: Consent::Given, ..world.asking(&yes) };
    let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    let begun = world.begun_files();
    // The block is replaced.
    chain.revert(replaced.lock().unwrap().take().unwrap()).unwrap();
    chain.mine().unwrap();
    assert_eq!(world.power().await, FIVE, "the lock that `failed` succeeded");
    // The script tries again.
    let again = world.run(COMMAND, FIVE, &Shown::default()).await;
    assert_eq!(
        world.power().await,
        FIVE,
        "locked twice after {:#}; the command was remembered: {}; {again:?}",
        failure.report,
        !begun.is_empty()
    );
}
