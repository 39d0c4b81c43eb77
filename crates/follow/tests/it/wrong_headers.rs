//! One wrong header, while all other answers are correct.

use crate::{
    opening::client_by,
    support::{Recording, run},
};
use alloy_json_rpc::SerializedRequest;
use alloy_primitives::B256;
use canon_chain::Severity;
use canon_faults::{Answer, Faults, params};
use canon_follow::{Advance, ChainSource, ComparisonScope, Follower};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Follows `blocks` new blocks. The first header that `is_wrong` selects has `value` in the field `field`.
/// Returns the errors until the follower arrives.
async fn follow_past(
    is_wrong: fn(&SerializedRequest) -> bool,
    (field, value): (&'static str, Value),
    blocks: u64,
) -> Vec<Severity> {
    let recording = Recording::shared();
    let chain = recording.newest();
    let faults = Faults::default();
    let client = client_by(&faults, &chain).await;
    let mut follower = Follower::new(
        ChainSource::new(client, ComparisonScope::Everything),
        recording.identity.clone(),
    );
    follower.catch_up().await.unwrap();
    (0..blocks).for_each(|_| drop(chain.mine().unwrap()));
    let was_wrong = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&was_wrong);
    faults.answer(move |request| {
        if !is_wrong(request) || once.swap(true, Ordering::Relaxed) {
            return Answer::Node;
        }
        let value = value.clone();
        Answer::Changed(Box::new(move |mut header| {
            header[field] = value;
            header
        }))
    });
    let mut errors = Vec::new();
    for _ in 0..5 {
        match follower.catch_up().await {
            Ok(advance) => {
                assert_eq!(advance, Advance::Extended);
                assert_eq!(follower.block().unwrap().hash, chain.block_hash());
                assert!(was_wrong.load(Ordering::Relaxed), "no header was wrong");
                return errors;
            }
            Err(error) => errors.push(error.severity()),
        }
    }
    panic!("it never arrives: {errors:?}");
}

fn is_by_number(request: &SerializedRequest) -> bool {
    request.method() == "eth_getBlockByNumber" && params(request)[0] != "latest"
}

fn is_by_hash(request: &SerializedRequest) -> bool {
    request.method() == "eth_getBlockByHash"
}

#[test]
fn one_header_with_a_wrong_parent_is_asked_for_again() {
    run(async {
        let parent = json!(B256::repeat_byte(0xff));
        let errors = follow_past(is_by_number, ("parentHash", parent), 5).await;
        assert_eq!(errors, [Severity::Retry]);
    });
}

#[test]
fn one_header_with_a_wrong_number_is_asked_for_again() {
    run(async {
        let errors = follow_past(is_by_hash, ("number", json!("0x1")), 2).await;
        assert_eq!(errors, [Severity::Retry]);
    });
}

#[test]
fn one_header_with_another_hash_is_asked_for_again() {
    run(async {
        let hash = json!(B256::repeat_byte(0xff));
        let errors = follow_past(is_by_hash, ("hash", hash), 2).await;
        assert_eq!(errors, [Severity::Retry]);
    });
}
