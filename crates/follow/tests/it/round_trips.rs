//! The number of round trips to the endpoint, each a request or a batch of requests.

use crate::{
    opening::{Deployed, client_by, folder, question},
    support::{Recording, client, fresh, insist, run},
};
use alloy_json_rpc::RequestPacket;
use alloy_primitives::Address;
use canon_chain::{Client, Severity};
use canon_devchain::Devchain;
use canon_faults::{Answer, Fault, FaultPlan, Faults, params};
use canon_follow::{
    ChainSource, ComparisonScope, FollowError, Follower, HistoryCache, HistoryError, SourceError,
    WINDOW,
};
use canon_views::Question;
use serde_json::json;
use std::{fs, path::Path};

/// Opens a set. Returns the round trips that it takes.
async fn round_trips(faults: &Faults, client: &Client, cache: &Path) -> u64 {
    faults.set(FaultPlan::Never);
    let opened = Deployed::shared().open(client, cache).await;
    assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
    faults.packets()
}

/// Each block has a log of the set.
#[test]
fn a_window_of_blocks_with_logs_costs_few_round_trips() {
    let chain = Deployed::shared().chain(2_000, 1);
    let cache = folder("round-trips");
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        let cold = round_trips(&faults, &client, &cache).await;
        let warm = round_trips(&faults, &client, &cache).await;
        assert!(warm <= 12 && cold <= 40, "{cold}, then {warm}");
    });
    fs::remove_dir_all(&cache).unwrap();
}

fn is_for_logs(packet: &RequestPacket) -> bool {
    packet.method_names().all(|method| method == "eth_getLogs")
}

/// A follower at the newest block of `before`, whose endpoint is then on `chain`.
async fn follower_of(faults: &Faults, chain: &Devchain) -> Follower<ChainSource> {
    let source = ChainSource::new(client_by(faults, chain).await, ComparisonScope::Everything);
    Follower::new(source, Recording::shared().identity.clone())
}

#[test]
fn an_endpoint_that_takes_too_long_for_many_logs_is_asked_for_fewer() {
    let recording = Recording::shared();
    let chain = recording.fork(recording.heights.len() / 2, WINDOW, 1);
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        faults.set(FaultPlan::by(|packet| {
            (is_for_logs(packet) && packet.len() > 10).then_some(Fault::Lost)
        }));
        insist(&mut follower).await;
        assert!(*follower.state() == fresh(&chain, &recording.identity).await);
    });
}

/// A refused request of a batch is the only one that is made again.
#[test]
fn logs_that_were_read_are_kept_when_those_of_another_block_are_refused() {
    let recording = Recording::shared();
    let chain = recording.fork(recording.heights.len() / 2, WINDOW, 1);
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        let mut blocks = 0;
        faults.answer(move |request| {
            let is_for_block = params(request)[0].get("blockHash").is_some();
            blocks += u64::from(is_for_block);
            match is_for_block && blocks == 10 {
                true => Answer::Refusal(-32005, "too many requests".to_owned()),
                false => Answer::Node,
            }
        });
        let error = follower.catch_up().await.unwrap_err();
        assert!(matches!(error, FollowError::Source(SourceError::Chain(_))), "{error}");
        faults.take_requests();
        follower.catch_up().await.unwrap();
        assert_eq!(faults.take_requests()["eth_getLogs"], 1);
        assert!(*follower.state() == fresh(&chain, &recording.identity).await);
    });
}

/// A refusal of a header says nothing about the chain.
#[test]
fn a_refused_header_is_not_taken_for_a_missing_block() {
    let recording = Recording::shared();
    let chain = recording.chain(recording.heights.len() / 2);
    run(async {
        let faults = Faults::default();
        let mut follower = follower_of(&faults, &chain).await;
        insist(&mut follower).await;
        (0..=WINDOW).for_each(|_| drop(chain.mine().unwrap()));
        faults.answer(|request| {
            let is_by_number = request.method() == "eth_getBlockByNumber";
            match is_by_number && params(request)[0] != "latest" {
                true => Answer::Refusal(-32005, "too many requests".to_owned()),
                false => Answer::Node,
            }
        });
        let error = follower.catch_up().await.unwrap_err();
        let FollowError::Source(SourceError::Chain(error)) = &error else { panic!("{error}") };
        assert!(error.is_rate_limit() && error.severity() == Severity::Retry, "{error}");
    });
}

/// The endpoint's newest block is older than the file's, which is on its chain.
#[test]
fn a_refused_header_does_not_discard_a_saved_state() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(200, 1);
    let old = format!("{:#x}", deployed.chain(50, 1).block_number());
    let cache = folder("refused-header");
    run(async {
        deployed.open(&client(chain.client()).await, &cache).await;
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        let mut refusals = 1;
        faults.answer(move |request| {
            let is_by_number = request.method() == "eth_getBlockByNumber";
            if is_by_number && params(request)[0] == "latest" {
                return Answer::Asked(json!([old, false]));
            }
            if is_by_number && refusals > 0 {
                refusals -= 1;
                return Answer::Refusal(-32005, "too many requests".to_owned());
            }
            Answer::Node
        });
        let opened = deployed.open(&client, &cache).await;
        let reason = opened.no_history.as_ref();
        assert!(matches!(reason, Some(HistoryError::Behind { .. })), "{opened:?}");
        assert!(opened.notes.is_empty(), "{:?}", opened.notes);
    });
    fs::remove_dir_all(&cache).unwrap();
}

/// A program that asks again, as before it sends a transaction.
#[test]
fn a_set_that_is_opened_again_is_followed_on() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(200, 1);
    let [folder, other] = ["again", "again-fresh"].map(folder);
    let mut cache = HistoryCache::new(&folder);
    let about = |holder| Question { holders: [(holder, Default::default())].into(), ..question() };
    let [one, two] = [1, 2].map(|byte| about(Address::with_last_byte(byte)));
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        deployed.open_again(&client, &one, &mut cache).await;
        // The same question, another one at the same block, and after further blocks.
        for (question, blocks, most) in [(&one, 0, 2), (&two, 0, 4), (&two, 1, 4), (&one, 10, 6)] {
            (0..blocks).for_each(|_| drop(chain.mine().unwrap()));
            faults.set(FaultPlan::Never);
            let opened = deployed.open_again(&client, question, &mut cache).await;
            let packets = faults.packets();
            assert!(packets <= most, "{packets} instead of {most} after {blocks} blocks");
            assert_eq!(opened.view.present.block.hash, chain.block_hash());
            let fresh = deployed.open_asking(&client, question, &other).await;
            assert!(opened.notes.is_empty() && opened.view == fresh.view, "{opened:?}");
        }
    });
    for folder in [folder, other] {
        fs::remove_dir_all(folder).unwrap();
    }
}
