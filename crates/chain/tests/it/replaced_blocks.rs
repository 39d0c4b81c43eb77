//! Deployments whose blocks are replaced, and records of another fork.

use crate::{
    deploying::{go_on, saved, until},
    test_chain::{TestChain, chain, create, parameters},
};
use canon_chain::{
    NoWait, Waited,
    deploy::{DeployError, DeployManifest, DeployProgress, DeployRecord, SetPlan, Step, deploy},
};
use canon_devchain::{OldTransactions, ReorgOptions};
use canon_protocol::Timestamp;
use core::{future::ready, ops::ControlFlow};

/// Continues a deployment, with a new block at each poll.
async fn mine_and_go_on(chain: &TestChain, record: &mut DeployRecord) {
    let mut mine = |tries| {
        chain.devchain.mine().unwrap();
        ready(if tries < 10 { Waited::Again } else { Waited::GiveUp })
    };
    deploy(&mut chain.sender(0), &parameters(), record, &mut mine, go_on).await.unwrap();
}

fn replace(chain: &TestChain, depth: u64, old: OldTransactions) {
    chain.devchain.increase_time(1);
    chain.devchain.reorg(ReorgOptions { depth, old, blocks: Vec::new() }).unwrap();
}

/// Checks that a finished record and its manifest have a canonical receipt for each step.
async fn is_canonical(chain: &TestChain, record: &DeployRecord) {
    assert_eq!(record.receipts().count(), Step::ALL.len(), "{record:?}");
    assert_eq!(record.read_again(&chain.client).await.unwrap(), *record);
    let manifest = DeployManifest::of(&chain.client, record).await.unwrap();
    let steps: Vec<_> = record.done.iter().copied().map(Into::into).collect();
    assert_eq!(manifest.steps, steps);
    assert!(manifest.steps.iter().map(|done| done.step).eq(Step::ALL));
}

#[tokio::test]
async fn a_step_whose_block_was_replaced_is_mined_again_and_not_sent_twice() {
    for last in [Step::Asset, Step::Upgrade, Step::AcceptAsset] {
        for depth in 1..=3 {
            let chain = chain().await;
            let mut record = until(&chain, last).await;
            let before = record.clone();
            replace(
                &chain,
                depth.min(chain.devchain.block_number()),
                OldTransactions::ReturnToPool,
            );
            mine_and_go_on(&chain, &mut record).await;
            is_canonical(&chain, &record).await;
            assert_eq!(chain.devchain.nonce(record.deployer), 13, "{last} {depth}");
            let transactions = |record: &DeployRecord| {
                record.receipts().map(|receipt| receipt.transaction).collect::<Vec<_>>()
            };
            let (before, after) = (transactions(&before), transactions(&record));
            assert!(after.starts_with(&before), "{last} {depth}");
        }
    }
}

#[tokio::test]
async fn what_a_replaced_block_lost_is_sent_again() {
    for last in [Step::Asset, Step::Upgrade, Step::AcceptAsset] {
        for depth in 1..=3 {
            let chain = chain().await;
            let mut record = until(&chain, last).await;
            replace(&chain, depth.min(chain.devchain.block_number()), OldTransactions::Drop);
            mine_and_go_on(&chain, &mut record).await;
            is_canonical(&chain, &record).await;
            assert_eq!(chain.devchain.nonce(record.deployer), 13, "{last} {depth}");
        }
    }
}

#[tokio::test]
async fn blocks_that_are_replaced_between_the_steps_make_no_difference() {
    for at in Step::ALL {
        let chain = chain().await;
        let mut record = chain.record();
        let mut is_replaced = false;
        let progress = |_: &DeployRecord, progress: DeployProgress| {
            let is_finished = matches!(progress, DeployProgress::Finished(done) if done.step == at);
            if is_finished && !core::mem::replace(&mut is_replaced, true) {
                let depth = chain.devchain.block_number().min(2);
                replace(&chain, depth, OldTransactions::Drop);
            }
            ControlFlow::Continue(())
        };
        chain.go_on(&mut record, progress).await.unwrap();
        is_canonical(&chain, &record).await;
        assert_eq!(chain.devchain.nonce(record.deployer), 13, "{at}");
    }
}

/// The same process goes on, whose next nonce is too high.
#[tokio::test]
async fn a_finished_deployment_whose_blocks_were_replaced_goes_on() {
    let chain = chain().await;
    let (mut sender, mut record) = (chain.sender(0), chain.record());
    let checked = parameters();
    for replaced in [0, 3] {
        let mut reported = Vec::new();
        let progress = |_: &DeployRecord, progress| {
            if let DeployProgress::Replaced(done) = progress {
                reported.push(done.step);
            }
            ControlFlow::Continue(())
        };
        deploy(&mut sender, &checked, &mut record, &mut NoWait, progress).await.unwrap();
        assert_eq!(reported, Step::ALL[13 - replaced..]);
        is_canonical(&chain, &record).await;
        assert_eq!(chain.devchain.nonce(record.deployer), 13);
        replace(&chain, 3, OldTransactions::Drop);
    }
}

#[tokio::test]
async fn a_record_of_another_fork_does_not_count() {
    for begun in [Step::Registry, Step::OfferAsset] {
        let old = chain().await;
        // The new chain can't have a transaction with the nonces of the old one.
        old.devchain.set_nonce(old.accounts[0].address(), 20);
        let mut record = old.record();
        let stopped = old
            .go_on(&mut record, |_, progress| match progress {
                DeployProgress::Begun(step) if step == begun => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
        assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
        assert!(record.begun.is_some() && !record.done.is_empty());

        let new = chain().await;
        let mut record = saved(&record);
        new.go_on(&mut record, go_on).await.unwrap();
        is_canonical(&new, &record).await;
        assert_eq!(new.devchain.nonce(record.deployer), 13);
    }
}

#[tokio::test]
async fn what_somebody_else_created_and_a_replaced_block_lost_is_created() {
    let chain = chain().await;
    let mut record = chain.record();
    let genesis = Timestamp::of(chain.devchain.timestamp());
    record.genesis = Some(genesis);
    let plan = SetPlan::new(&record.parameters, record.deployer, genesis);
    create(&mut chain.sender(1), &plan.expect).await.unwrap();
    chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(record.receipts().count(), 12);
    let depth = chain.devchain.block_number();
    replace(&chain, depth, OldTransactions::Drop);
    mine_and_go_on(&chain, &mut record).await;
    is_canonical(&chain, &record).await;
}
