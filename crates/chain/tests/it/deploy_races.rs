//! Deployments by nodes that lag, and while blocks arrive between two requests.

use crate::{
    deploying::{go_on, saved},
    test_chain::{chain, client_by, manual, parameters},
};
use canon_chain::{
    Error, NoWait, Sender, Waited,
    deploy::{DeployError, DeployProgress, DeployRecord, Step, deploy},
};
use canon_faults::{Answer, Fault, FaultPlan, Faults};
use core::ops::ControlFlow;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The newest block is from now on the one that is read next.
fn lag(faults: &Faults) {
    faults.set(FaultPlan::Method("eth_getBlockByNumber", Fault::Stale));
}

#[tokio::test]
async fn nothing_is_judged_in_a_block_before_a_receipt() {
    let chain = chain().await;
    let faults = Faults::default();
    let client = client_by(&faults, &chain.devchain).await;
    let mut sender = Sender::new(client, chain.accounts[0].clone());
    let mut record = chain.record();
    lag(&faults);
    let stopped = deploy(&mut sender, &parameters(), &mut record, &mut NoWait, go_on).await;
    let Err(DeployError::Chain(error)) = stopped else { panic!("{stopped:?}") };
    assert!(matches!(error, Error::Head(_)) && error.is_temporary(), "{error}");
    assert!(record.begun.is_some() && record.done.is_empty());
    assert_eq!(chain.devchain.nonce(record.deployer), 1, "nothing is sent after it");
    faults.set(FaultPlan::Never);
    deploy(&mut sender, &parameters(), &mut record, &mut NoWait, go_on).await.unwrap();
    assert!(record.done.iter().all(|done| done.receipt.is_some()));
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

#[tokio::test]
async fn a_node_that_lags_behind_a_receipt_is_waited_for() {
    let chain = chain().await;
    let faults = Faults::default();
    let client = client_by(&faults, &chain.devchain).await;
    let mut sender = Sender::new(client, chain.accounts[0].clone());
    let mut record = chain.record();
    let mut waits = 0;
    let mut wait = |_: u32| {
        waits += 1;
        // The node has caught up, and lags again.
        lag(&faults);
        async { Waited::Again }
    };
    lag(&faults);
    deploy(&mut sender, &parameters(), &mut record, &mut wait, go_on).await.unwrap();
    assert!(waits >= Step::ALL.len(), "{waits}");
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

/// The block with a step's transaction arrives before any of the requests with which another process goes on.
#[tokio::test]
async fn a_step_whose_block_arrives_at_any_request_is_done_once_and_is_this_deployments_own() {
    for step in [Step::Asset, Step::Upgrade] {
        for at in 0.. {
            let chain = manual().await;
            let mut wait = |_: u32| {
                chain.devchain.mine().unwrap();
                async { Waited::Again }
            };
            let mut record = chain.record();
            let mut begun = None;
            let progress = |record: &DeployRecord, progress: DeployProgress| match progress
                == DeployProgress::Begun(step)
            {
                true => {
                    begun = Some(saved(record));
                    ControlFlow::Break(())
                }
                false => ControlFlow::Continue(()),
            };
            let mut sender = chain.sender(0);
            let stopped =
                deploy(&mut sender, &parameters(), &mut record, &mut wait, progress).await;
            assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
            let mut record = begun.unwrap();
            // It was sent before the process ended.
            chain.devchain.send_raw(&record.begun.as_ref().unwrap().raw).unwrap();

            let faults = Faults::default();
            let client = client_by(&faults, &chain.devchain).await;
            let has_arrived = Arc::new(AtomicBool::new(false));
            let (devchain, arrived) = (chain.devchain.clone(), Arc::clone(&has_arrived));
            let mut requests = 0;
            faults.answer(move |_| {
                if requests == at {
                    devchain.mine().unwrap();
                    arrived.store(true, Ordering::SeqCst);
                }
                requests += 1;
                Answer::Node
            });
            let mut is_first = true;
            let progress = |_: &DeployRecord, progress: DeployProgress| {
                assert!(!matches!(progress, DeployProgress::Outrun { .. }), "{step} {at}");
                match progress {
                    DeployProgress::Finished(done) if core::mem::take(&mut is_first) => {
                        assert_eq!(done.step, step);
                        assert!(done.receipt.is_some(), "{step} {at}");
                        ControlFlow::Break(())
                    }
                    _ => ControlFlow::Continue(()),
                }
            };
            let mut sender = Sender::new(client, chain.accounts[0].clone());
            let stopped =
                deploy(&mut sender, &parameters(), &mut record, &mut wait, progress).await;
            assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
            let steps = Step::ALL.into_iter().take_while(|other| *other <= step).count();
            assert_eq!(chain.devchain.nonce(record.deployer), steps as u64, "{step} {at}");
            assert_eq!(chain.devchain.pool_size(), 0, "{step} {at}");
            if !has_arrived.load(Ordering::SeqCst) {
                break;
            }
        }
    }
}
