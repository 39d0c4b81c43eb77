//! Deployments whose process is killed at any write and any request.

use crate::test_chain::{TestChain, chain, client_by};
use alloy_primitives::Bytes;
use canon_chain::{
    NoWait, Sender,
    deploy::{
        DEPLOYMENT_PROXY, DeployError, DeployManifest, DeployProgress, DeployRecord, RecordFile,
        RecordFileError, SetParameters, Step, deploy,
    },
};
use canon_devchain::DevchainConfig;
use canon_faults::{Fault, FaultPlan, Faults};
use canon_protocol::Timestamp;
use canon_testkit::TestFolder;
use core::ops::ControlFlow;
use std::{fs, path::Path};

/// The moment at which a process ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Never,
    /// Before or after a request.
    Request(u64, Side),
    /// Before or after the record is written.
    Write(u64, Side),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Before,
    After,
}

/// The requests and writes of a process until its end.
#[derive(Default)]
struct Counts {
    requests: u64,
    writes: u64,
    /// The requests before the first step is recorded.
    requests_before_steps: u64,
}

/// A process that deploys with the record in a file, and ends at the given moment. `None` if it ended
/// before the deployment was finished.
async fn process(chain: &TestChain, file: &Path, end: End) -> (Counts, Option<DeployManifest>) {
    let faults = Faults::default();
    let client = client_by(&faults, &chain.devchain).await;
    if let End::Request(number, side) = end {
        let fault = match side {
            Side::Before => Fault::KilledBefore,
            Side::After => Fault::KilledAfter,
        };
        faults.set(FaultPlan::At(number, fault));
    } else {
        faults.set(FaultPlan::Never);
    }
    let mut counts = Counts::default();
    let work = async {
        let mut sender = Sender::new(client.clone(), chain.accounts[0].clone());
        let (mut file, found) = RecordFile::open(file).unwrap();
        let mut parameters = SetParameters::tests();
        // The chain's time advances, but the results to compare must not depend on it.
        let genesis = DevchainConfig::default().genesis_timestamp;
        parameters.rollup.genesis = Some(Timestamp::of(genesis));
        let checked = parameters.clone().check().unwrap();
        let new = DeployRecord::new(client.chain_id(), sender.address(), parameters);
        let mut record = found.unwrap_or(new);
        let counts = &mut counts;
        let save = |record: &DeployRecord, progress: DeployProgress| {
            let number = counts.writes;
            if progress == DeployProgress::Begun(Step::Asset) {
                counts.requests_before_steps = faults.packets();
            }
            counts.writes += 1;
            if end == End::Write(number, Side::Before) {
                return ControlFlow::Break(());
            }
            file.save(record).unwrap();
            match end == End::Write(number, Side::After) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        match deploy(&mut sender, &checked, &mut record, &mut NoWait, save).await {
            Ok(_) => Some(DeployManifest::of(&client, &record).await.unwrap()),
            Err(DeployError::Stopped { .. }) => None,
            Err(error) => panic!("{end:?}: {error}"),
        }
    };
    let manifest = tokio::select! {
        manifest = work => manifest,
        () = faults.killed() => None,
    };
    counts.requests = faults.packets();
    (counts, manifest)
}

/// The parts of the result that don't depend on interruptions: everything except for the blocks and the
/// transaction hashes, which depend on the chain's time and its fees.
fn outcome(chain: &TestChain, manifest: &DeployManifest) -> (u64, serde_json::Value) {
    let mut document = serde_json::to_value(manifest).unwrap();
    for contract in document["contracts"].as_array_mut().unwrap() {
        let creation = contract["creation"].take();
        assert!(creation["transaction"].is_string(), "{contract}");
    }
    for step in document["steps"].as_array_mut().unwrap() {
        assert!(step["receipt"].take()["transaction"].is_string(), "{step}");
    }
    (chain.devchain.nonce(manifest.deployer), document)
}

/// A chain with or without the deployment proxy.
async fn chain_with(proxy: bool) -> TestChain {
    let chain = chain().await;
    if !proxy {
        chain.devchain.set_code(DEPLOYMENT_PROXY, Bytes::new()).unwrap();
    }
    chain
}

/// The moments that are tried.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moments {
    /// Every request and every write.
    All,
    /// Those up to the write of the first step: the payment for the deployment proxy is recorded before it.
    OfTheProxy,
}

/// Kills deployments on this side of each moment, and compares what they end as.
async fn ends_the_same(moments: Moments, side: Side) {
    let folder = TestFolder::new(&format!("killed-{moments:?}-{side:?}"));
    let proxy = moments == Moments::All;
    let whole = chain_with(proxy).await;
    let (counts, manifest) = process(&whole, &folder.file("record"), End::Never).await;
    let expected = outcome(&whole, &manifest.unwrap());
    let payments = usize::from(!proxy);
    assert!(counts.requests > 100 && counts.writes as usize == 2 * Step::ALL.len() + payments);
    let (requests, writes) = match moments {
        Moments::All => (counts.requests, counts.writes),
        Moments::OfTheProxy => (counts.requests_before_steps, 2),
    };
    let requests = (0..requests).map(|at| End::Request(at, side));
    let writes = (0..writes).map(|at| End::Write(at, side));
    for end in requests.chain(writes) {
        fs::remove_file(folder.file("record")).unwrap();
        let chain = chain_with(proxy).await;
        let (_, manifest) = process(&chain, &folder.file("record"), end).await;
        // The last write is after the last transaction, so there is nothing left to stop.
        let manifest = match manifest {
            Some(manifest) => manifest,
            None => process(&chain, &folder.file("record"), End::Never).await.1.unwrap(),
        };
        assert_eq!(outcome(&chain, &manifest), expected, "{end:?}");
    }
}

#[tokio::test]
async fn a_deployment_that_is_killed_before_any_request_or_write_ends_as_one_that_is_not() {
    ends_the_same(Moments::All, Side::Before).await;
}

#[tokio::test]
async fn a_deployment_that_is_killed_after_any_request_or_write_ends_as_one_that_is_not() {
    ends_the_same(Moments::All, Side::After).await;
}

#[tokio::test]
async fn the_proxy_is_paid_for_once_whenever_its_deployment_is_killed() {
    for side in [Side::Before, Side::After] {
        ends_the_same(Moments::OfTheProxy, side).await;
    }
}

#[tokio::test]
async fn a_record_cut_off_anywhere_has_its_last_whole_line() {
    let folder = TestFolder::new("cut-off-record");
    let chain = chain().await;
    let mut file = RecordFile::open(&folder.file("record")).unwrap().0;
    let mut record = chain.record();
    let mut saved = vec![None];
    for nonce in 1..=3 {
        record.genesis = Some(Timestamp::of(nonce));
        file.save(&record).unwrap();
        saved.push(Some(record.clone()));
    }
    drop(file);
    let text = fs::read(folder.file("record")).unwrap();
    for length in 0..=text.len() {
        fs::write(folder.file("record"), &text[..length]).unwrap();
        let lines = text[..length].iter().filter(|byte| **byte == b'\n').count();
        let (mut file, found) = RecordFile::open(&folder.file("record")).unwrap();
        assert_eq!(found, saved[lines], "cut off at {length}");
        file.save(&record).unwrap();
        drop(file);
        assert_eq!(RecordFile::open(&folder.file("record")).unwrap().1.as_ref(), Some(&record));
    }
}

#[tokio::test]
async fn two_processes_never_deploy_by_one_record() {
    let folder = TestFolder::new("record-in-use");
    let first = RecordFile::open(&folder.file("record")).unwrap();
    let second = RecordFile::open(&folder.file("record"));
    assert!(matches!(second, Err(RecordFileError::InUse { .. })), "{second:?}");
    drop(first);
    fs::write(folder.file("record"), "{}\n{\"chain_id\":1}\n").unwrap();
    let error = RecordFile::open(&folder.file("record")).unwrap_err();
    assert!(matches!(error, RecordFileError::BadLine { line: 2, .. }), "{error}");
}

/// Nothing of a changed record is sent.
#[tokio::test]
async fn a_recorded_transaction_that_is_not_the_steps_is_not_sent() {
    let chain = chain().await;
    let mut record = chain.record();
    for last in [Step::Asset, Step::Registry] {
        let _ = chain
            .go_on(&mut record, |_, progress| match progress {
                DeployProgress::Begun(step) if step == last => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
    }
    let mut other = record.clone();
    other.done.pop();
    other.begun.as_mut().unwrap().step = Step::Asset;
    let error = chain.go_on(&mut other, |_, _| ControlFlow::Continue(())).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherTransaction { step: Step::Asset }), "{error}");
    assert_eq!(chain.devchain.nonce(chain.accounts[0].address()), 1);
}
