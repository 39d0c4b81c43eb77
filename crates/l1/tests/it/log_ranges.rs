//! The ranges of blocks in which events of a set are read.

use crate::world::{World, world};
use alloy::{
    primitives::B256,
    providers::ProviderBuilder,
    rpc::{
        client::RpcClient,
        json_rpc::{ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload},
        types::Filter,
    },
    sol_types::SolEvent,
    transports::{TransportError, TransportFut},
};
use canon_bindings::{Asset, Rollup};
use canon_devchain::DevchainTransport;
use canon_l1::{
    Client, Error,
    deploy::{Create2Origin, DeployRecord, Examiner, GenuineSet, NotGenuine, Step},
};
use canon_protocol::BlockNumber;
use core::{
    ops::{ControlFlow, RangeInclusive},
    task::{Context, Poll},
};
use std::sync::{Arc, Mutex};

/// The range of most providers.
const USUAL: u64 = 10_000;

/// A request for logs.
#[derive(Clone, Debug)]
struct Asked {
    blocks: RangeInclusive<u64>,
    events: Vec<B256>,
}

/// An endpoint that refuses logs of more than `limit` blocks, and records the ranges that it is asked for.
#[derive(Clone)]
struct Limited {
    inner: DevchainTransport,
    limit: u64,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl tower::Service<RequestPacket> for Limited {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        tower::Service::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let logs = request.as_single().filter(|request| request.method() == "eth_getLogs");
        let Some(logs) = logs else { return tower::Service::call(&mut self.inner, request) };
        let [filter] = serde_json::from_str::<[Filter; 1]>(logs.params().unwrap().get()).unwrap();
        let blocks = filter.get_from_block().unwrap()..=filter.get_to_block().unwrap();
        let is_too_long = blocks.end() - blocks.start() >= self.limit;
        let events = filter.topics[0].iter().copied().collect();
        self.asked.lock().unwrap().push(Asked { blocks, events });
        if !is_too_long {
            return tower::Service::call(&mut self.inner, request);
        }
        let payload = ResponsePayload::Failure(ErrorPayload {
            code: -32005,
            message: format!("eth_getLogs is limited to a {} range", self.limit).into(),
            data: None,
        });
        let response = Response { id: logs.id().clone(), payload };
        Box::pin(core::future::ready(Ok(ResponsePacket::Single(response))))
    }
}

fn mine(world: &World, blocks: u64) {
    for _ in 0..blocks {
        world.chain.mine().unwrap();
    }
}

/// A set that is deployed after `before` blocks, with `after` blocks on top of it.
async fn old_set(before: u64, after: u64) -> (World, DeployRecord) {
    let world = world().await;
    mine(&world, before);
    let mut record = world.record();
    world.go_on(&mut record, |_, _| ControlFlow::Continue(())).await.unwrap();
    mine(&world, after);
    (world, record)
}

/// Examines the set of a record from its first block, through an endpoint with a limit. Returns the
/// outcome, and the requests for logs.
async fn examined(
    world: &World,
    record: &DeployRecord,
    limit: u64,
) -> (Result<GenuineSet, NotGenuine>, Vec<Asked>) {
    let asked = Arc::default();
    let transport = Limited { inner: world.chain.transport(), limit, asked: Arc::clone(&asked) };
    let provider = ProviderBuilder::default().connect_client(RpcClient::new(transport, true));
    let client = Client::connect(provider).await.unwrap();
    let head = client.head().await.unwrap();
    let first_block = record.first_block().unwrap();
    let examiner = Examiner::new(&client, Create2Origin::default(), first_block, head);
    let outcome = examiner.set(record.address(Step::Registry).unwrap()).await;
    let asked = asked.lock().unwrap().clone();
    (outcome, asked)
}

#[tokio::test]
async fn no_range_is_longer_than_usual_or_older_than_the_set() {
    let (world, record) = old_set(5, USUAL + 10).await;
    let (set, asked) = examined(&world, &record, USUAL).await;
    set.unwrap();
    let first_block = record.first_block().unwrap().get();
    assert_eq!(first_block, 6, "the block of the first creation");
    for Asked { blocks, events } in &asked {
        assert!(*blocks.start() >= first_block, "{blocks:?} {events:?}");
        assert!(*blocks.end() <= world.chain.block_number(), "{blocks:?} {events:?}");
        assert!(blocks.end() - blocks.start() < USUAL, "{blocks:?} {events:?}");
    }
    // Only the owners of the Registry are read to the end, in two ranges. All other events are found
    // in the first range.
    let later = asked.iter().filter(|asked| *asked.blocks.start() > first_block + USUAL - 1);
    assert_eq!(later.count(), 1, "{asked:#?}");
}

#[tokio::test]
async fn transfers_are_read_up_to_the_handover_of_the_asset_only() {
    let (world, record) = old_set(0, 20).await;
    let (set, asked) = examined(&world, &record, USUAL).await;
    set.unwrap();
    let of_step = |step| {
        let done = record.done.iter().find(|done| done.step == step).unwrap();
        done.receipt.unwrap().block.get()
    };
    let transfers = asked.iter().filter(|asked| asked.events == [Asset::Transfer::SIGNATURE_HASH]);
    let ranges: Vec<_> = transfers.map(|asked| asked.blocks.clone()).collect();
    assert_eq!(ranges, [of_step(Step::Asset)..=of_step(Step::AcceptAsset)]);
}

#[tokio::test]
async fn refused_ranges_are_shortened() {
    let (world, record) = old_set(0, 250).await;
    for limit in [100, 10] {
        let (set, asked) = examined(&world, &record, limit).await;
        set.unwrap_or_else(|error| panic!("{limit}: {error}"));
        let rollup = asked.iter().filter(|a| a.events == [Rollup::RollupDeployed::SIGNATURE_HASH]);
        let shortest = rollup.map(|asked| asked.blocks.end() - asked.blocks.start() + 1).min();
        assert_eq!(shortest, Some(limit), "the first length that is accepted");
    }
    // An endpoint that refuses everything isn't asked for ever.
    let (set, asked) = examined(&world, &record, 0).await;
    let Err(NotGenuine::Chain(Error::Rpc { what: "eth_getLogs", source })) = set else {
        panic!("{set:?}")
    };
    assert!(source.to_string().contains("limited to a 0 range"), "{source}");
    assert_eq!(asked.len(), 4, "10,000, 1,000, 100 and 10 blocks");
}

#[tokio::test]
async fn a_search_that_starts_too_late_says_so() {
    let (world, record) = old_set(3, 0).await;
    let head = world.client.head().await.unwrap();
    let registry = record.address(Step::Registry).unwrap();
    let from = |block| {
        let first_block = BlockNumber::of(block);
        let origin = Create2Origin::default();
        let examiner = Examiner::new(&world.client, origin, first_block, head);
        async move { examiner.set(registry).await }
    };
    let first_block = record.first_block().unwrap().get();
    from(first_block).await.unwrap();
    // Steps are one block apart. The Registry is looked for first, and has a later event of the kind that
    // its constructor emits: the handover.
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
