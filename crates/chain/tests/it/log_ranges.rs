//! The ranges of blocks in which the events of a set are read.

use crate::test_chain::{TestChain, chain, client_by, deploy_rollup, newest_view};
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::SolEvent;
use canon_abi::{Asset, Issuer, Registry, RewardDistributor, Rollup};
use canon_chain::{
    Error,
    deploy::{
        Create2Origin, DeployRecord, ExamineError, FormerRollup, GenuineSet, SetExaminer,
        SetParameters, Step,
    },
};
use canon_faults::{Fault, FaultPlan, Faults, failure};
use canon_protocol::BlockNumber;
use canon_views::Question;
use core::ops::{ControlFlow, RangeInclusive};
use std::sync::{Arc, Mutex};

/// The longest range that most providers accept.
const USUAL: u64 = 10_000;

/// A request for logs.
#[derive(Clone, Debug)]
struct Asked {
    contracts: Vec<Address>,
    blocks: RangeInclusive<u64>,
    events: Vec<B256>,
}

/// An endpoint's limit for requests of logs.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// It refuses ranges with more blocks.
    Blocks(u64),
    /// It refuses the first `refused` requests for events of this kind, and answers later ones.
    First { refused: usize, event: B256 },
    /// It refuses every request with this JSON-RPC code.
    Code(i64),
    /// It refuses every request with this HTTP status.
    HttpStatus(u16),
}

/// The fault for a request for logs, according to a limit. Records the request.
fn refuse(limit: Limit, asked: &mut Vec<Asked>, packet: &RequestPacket) -> Option<Fault> {
    let request = packet.as_single().filter(|request| request.method() == "eth_getLogs")?;
    let [filter] = serde_json::from_str::<[Filter; 1]>(request.params().unwrap().get()).unwrap();
    let blocks = filter.get_from_block().unwrap()..=filter.get_to_block().unwrap();
    let length = blocks.end() - blocks.start() + 1;
    let events: Vec<B256> = filter.topics[0].iter().copied().collect();
    let contracts = filter.address.iter().copied().collect();
    asked.push(Asked { contracts, blocks, events });
    let refusal = |code, words: &str| {
        Fault::Answered(ResponsePacket::Single(failure(request.id().clone(), code, words)))
    };
    match limit {
        Limit::Blocks(most) => (length > most)
            .then(|| refusal(-32005, &format!("eth_getLogs is limited to a {most} range"))),
        Limit::First { refused, event } => {
            let requests = asked.iter().filter(|asked| asked.events == [event]).count();
            let is_early = asked.last().unwrap().events == [event] && requests <= refused;
            is_early.then(|| refusal(-32603, "internal error"))
        }
        Limit::Code(code) => Some(refusal(code, "too many requests")),
        Limit::HttpStatus(status) => Some(Fault::HttpStatus(status, "too many requests")),
    }
}

fn mine(chain: &TestChain, blocks: u64) {
    for _ in 0..blocks {
        chain.devchain.mine().unwrap();
    }
}

/// A set that is deployed after `before` blocks, and followed by `after` blocks.
async fn old_set(before: u64, after: u64) -> (TestChain, DeployRecord) {
    let chain = chain().await;
    mine(&chain, before);
    let mut record = chain.record();
    chain.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    mine(&chain, after);
    (chain, record)
}

fn block_of(record: &DeployRecord, step: Step) -> u64 {
    let done = record.done.iter().find(|done| done.step == step).unwrap();
    done.receipt.unwrap().block.get()
}

/// Examines the set of a record from its first block, through an endpoint with a limit. Returns the outcome
/// and the requests for logs.
async fn examined(
    chain: &TestChain,
    record: &DeployRecord,
    limit: Limit,
) -> (Result<GenuineSet, ExamineError>, Vec<Asked>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&asked);
    let faults = Faults::default();
    faults.set(FaultPlan::by(move |packet| refuse(limit, &mut recorded.lock().unwrap(), packet)));
    let client = client_by(&faults, &chain.devchain).await;
    let head = client.head().await.unwrap();
    let first_block = record.first_block().unwrap();
    let examiner = SetExaminer::new(&client, Create2Origin::default(), first_block, head);
    let outcome = examiner.set(record.address(Step::Registry).unwrap()).await;
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

#[tokio::test]
async fn no_range_is_longer_than_usual_or_older_than_the_set() {
    let (chain, record) = old_set(5, USUAL + 10).await;
    let (set, asked) = examined(&chain, &record, Limit::Blocks(USUAL)).await;
    set.unwrap();
    let first_block = record.first_block().unwrap().get();
    assert_eq!(first_block, 6, "the block of the first creation");
    for Asked { blocks, events, .. } in &asked {
        assert!(*blocks.start() >= first_block, "{blocks:?} {events:?}");
        assert!(*blocks.end() <= chain.devchain.block_number(), "{blocks:?} {events:?}");
        assert!(blocks.end() - blocks.start() < USUAL, "{blocks:?} {events:?}");
    }
    // Only these events are read in the whole history, which takes two ranges. All others are found in the
    // first range.
    let later = asked.iter().filter(|asked| *asked.blocks.start() > first_block + USUAL - 1);
    let events: Vec<_> = later.map(|asked| asked.events.clone()).collect();
    let expected = [
        Registry::OwnershipTransferred::SIGNATURE_HASH,
        Registry::InstanceAdded::SIGNATURE_HASH,
        Issuer::Minted::SIGNATURE_HASH,
    ];
    assert_eq!(events, expected.map(|event| vec![event]));
}

#[tokio::test]
async fn refused_ranges_are_shortened() {
    let (chain, record) = old_set(0, 250).await;
    for limit in [100, 10] {
        let (set, asked) = examined(&chain, &record, Limit::Blocks(limit)).await;
        set.unwrap_or_else(|error| panic!("{limit}: {error}"));
        let asset = asked.iter().filter(|a| a.events == [Asset::AssetDeployed::SIGNATURE_HASH]);
        let shortest = asset.map(|asked| asked.blocks.end() - asked.blocks.start() + 1).min();
        assert_eq!(shortest, Some(limit), "the first length that is accepted");
    }
    // Requests aren't repeated endlessly at an endpoint that refuses everything.
    let (set, asked) = examined(&chain, &record, Limit::Blocks(0)).await;
    let Err(ExamineError::Chain(Error::Rpc { what: "eth_getLogs", source })) = set else {
        panic!("{set:?}")
    };
    assert!(source.to_string().contains("limited to a 0 range"), "{source}");
    assert_eq!(asked.len(), 4, "10,000, 1,000, 100 and 10 blocks");
}

#[tokio::test]
async fn a_rate_limit_is_no_limit_of_ranges() {
    let (chain, record) = old_set(0, 0).await;
    // A shorter range would take another request.
    let cases = [
        (Limit::Code(429), 1),
        (Limit::Code(-32005), 1),
        (Limit::HttpStatus(429), 1),
        (Limit::HttpStatus(503), 1),
        // The ranges have 10,000, 1,000, 100 and 10 blocks.
        (Limit::HttpStatus(413), 4),
    ];
    for (limit, requests) in cases {
        let (set, asked) = examined(&chain, &record, limit).await;
        let Err(ExamineError::Chain(Error::Rpc { what: "eth_getLogs", source })) = set else {
            panic!("{limit:?}: {set:?}")
        };
        assert!(source.to_string().contains("too many requests"), "{limit:?}: {source}");
        assert_eq!(asked.len(), requests, "{limit:?}");
    }
}

#[tokio::test]
async fn a_shortened_range_is_lengthened_again() {
    let (chain, record) = old_set(0, 2_000).await;
    let event = Registry::InstanceAdded::SIGNATURE_HASH;
    let (set, asked) = examined(&chain, &record, Limit::First { refused: 3, event }).await;
    set.unwrap();
    let (start, head) = (block_of(&record, Step::Registry), chain.devchain.block_number());
    let asked = asked.iter().filter(|asked| asked.events == [event]);
    let length = |blocks: &RangeInclusive<u64>| blocks.end() - blocks.start() + 1;
    let lengths: Vec<_> = asked.map(|asked| length(&asked.blocks)).collect();
    let all = length(&(start..=head));
    let mut expected = vec![all, 1_000, 100];
    expected.extend([[10; 10], [100; 10]].concat());
    expected.push(all - 1_100);
    assert_eq!(lengths, expected);
}

#[tokio::test]
async fn a_later_rollup_is_searched_from_its_listing() {
    const LIMIT: u64 = 100;
    let (chain, record) = old_set(0, 1_000).await;
    let registry = record.address(Step::Registry).unwrap();
    let view = newest_view(&chain.client, registry, &Question::default()).await.unwrap();
    let set = view.addresses;
    let (sender, origin) = (&mut chain.sender(1), Create2Origin::default());
    let distributor = set.reward_distributor.unwrap();
    let parameters = SetParameters::tests().rollup;
    let created = deploy_rollup(sender, origin, &set, distributor, &parameters).await.unwrap();
    mine(&chain, 50);
    let upgrade = Registry::upgradeCall { rollup: created.address() };
    chain.send_as(set.governance, registry, &upgrade).await;
    let listed = chain.devchain.block_number();
    mine(&chain, 1_000);
    let (found, asked) = examined(&chain, &record, Limit::Blocks(LIMIT)).await;
    let found = found.unwrap();
    assert_eq!(found.rollup, created.address());
    assert_eq!(found.former_rollups, [FormerRollup { address: set.rollup, verdict: Ok(()) }]);

    let answered = |event, contract| {
        let blocks = asked.iter().filter(move |asked| {
            let length = asked.blocks.end() - asked.blocks.start() + 1;
            asked.events == [event] && asked.contracts == [contract] && length <= LIMIT
        });
        blocks.map(|asked| asked.blocks.clone()).collect::<Vec<_>>()
    };
    let first_block = record.first_block().unwrap().get();
    let event = Rollup::RollupDeployed::SIGNATURE_HASH;
    assert_eq!(answered(event, set.rollup), [first_block..=block_of(&record, Step::Upgrade)]);
    assert_eq!(
        answered(event, created.address()),
        [first_block..=first_block + LIMIT - 1, listed - LIMIT + 1..=listed]
    );
    // Both rollups use the same RewardDistributor.
    let distributors = RewardDistributor::RewardDistributorDeployed::SIGNATURE_HASH;
    assert_eq!(answered(distributors, distributor).len(), 1);
}

#[tokio::test]
async fn a_search_that_starts_too_late_says_so() {
    let (chain, record) = old_set(3, 0).await;
    let head = chain.client.head().await.unwrap();
    let registry = record.address(Step::Registry).unwrap();
    let from = |block| {
        let first_block = BlockNumber::of(block);
        let origin = Create2Origin::default();
        let examiner = SetExaminer::new(&chain.client, origin, first_block, head);
        async move { examiner.set(registry).await }
    };
    let first_block = record.first_block().unwrap().get();
    from(first_block).await.unwrap();
    // The steps are one block apart. The Registry is searched first, and its handover is a later event of
    // the kind that its constructor emits.
    for (late, step) in [(1, Step::Asset), (2, Step::Registry)] {
        let error = from(first_block + late).await.unwrap_err();
        let (contract, address) = (step.creates().unwrap(), record.address(step).unwrap());
        assert_eq!(
            error.to_string(),
            format!(
                "expected the events of {contract}'s constructor from {address} since block {}, found \
                 none; search from an earlier block, or don't use it",
                first_block + late
            )
        );
    }
}
