//! The ranges of blocks in which events of a set are read.

use crate::world::{World, world};
use alloy::{
    primitives::{Address, B256},
    providers::ProviderBuilder,
    rpc::{
        client::RpcClient,
        json_rpc::{ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload},
        types::Filter,
    },
    sol_types::SolEvent,
    transports::{TransportError, TransportFut},
};
use canon_bindings::{Asset, Registry, RewardDistributor, Rollup};
use canon_devchain::DevchainTransport;
use canon_l1::{
    Client, Deployment, Error, NoWait,
    deploy::{
        Create2Origin, DeployRecord, Examiner, GenuineSet, NotGenuine, SetParameters, Step,
        deploy_rollup,
    },
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
    contracts: Vec<Address>,
    blocks: RangeInclusive<u64>,
    events: Vec<B256>,
}

/// An endpoint that refuses logs of more than `limit` blocks, leaves out the events of one kind, and records
/// the ranges that it is asked for.
#[derive(Clone)]
struct Limited {
    inner: DevchainTransport,
    limit: u64,
    omitted: Option<B256>,
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
        let events: Vec<B256> = filter.topics[0].iter().copied().collect();
        let is_omitted = self.omitted.is_some_and(|omitted| events.contains(&omitted));
        let contracts = filter.address.iter().copied().collect();
        self.asked.lock().unwrap().push(Asked { contracts, blocks, events });
        let payload = if is_too_long {
            ResponsePayload::Failure(ErrorPayload {
                code: -32005,
                message: format!("eth_getLogs is limited to a {} range", self.limit).into(),
                data: None,
            })
        } else if is_omitted {
            ResponsePayload::Success(serde_json::value::to_raw_value(&[(); 0]).unwrap())
        } else {
            return tower::Service::call(&mut self.inner, request);
        };
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

fn block_of(record: &DeployRecord, step: Step) -> u64 {
    let done = record.done.iter().find(|done| done.step == step).unwrap();
    done.receipt.unwrap().block.get()
}

/// Examines the set of a record from its first block, through an endpoint with a limit. Returns the
/// outcome, and the requests for logs.
async fn examined(
    world: &World,
    record: &DeployRecord,
    limit: u64,
    omitted: Option<B256>,
) -> (Result<GenuineSet, NotGenuine>, Vec<Asked>) {
    let asked = Arc::default();
    let inner = world.chain.transport();
    let transport = Limited { inner, limit, omitted, asked: Arc::clone(&asked) };
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
    let (set, asked) = examined(&world, &record, USUAL, None).await;
    set.unwrap();
    let first_block = record.first_block().unwrap().get();
    assert_eq!(first_block, 6, "the block of the first creation");
    for Asked { blocks, events, .. } in &asked {
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
    let (set, asked) = examined(&world, &record, USUAL, None).await;
    set.unwrap();
    let transfers = asked.iter().filter(|asked| asked.events == [Asset::Transfer::SIGNATURE_HASH]);
    let ranges: Vec<_> = transfers.map(|asked| asked.blocks.clone()).collect();
    assert_eq!(ranges, [block_of(&record, Step::Asset)..=block_of(&record, Step::AcceptAsset)]);
}

#[tokio::test]
async fn refused_ranges_are_shortened() {
    let (world, record) = old_set(0, 250).await;
    for limit in [100, 10] {
        let (set, asked) = examined(&world, &record, limit, None).await;
        set.unwrap_or_else(|error| panic!("{limit}: {error}"));
        let asset = asked.iter().filter(|a| a.events == [Asset::AssetDeployed::SIGNATURE_HASH]);
        let shortest = asset.map(|asked| asked.blocks.end() - asked.blocks.start() + 1).min();
        assert_eq!(shortest, Some(limit), "the first length that is accepted");
    }
    // An endpoint that refuses everything isn't asked for ever.
    let (set, asked) = examined(&world, &record, 0, None).await;
    let Err(NotGenuine::Chain(Error::Rpc { what: "eth_getLogs", source })) = set else {
        panic!("{set:?}")
    };
    assert!(source.to_string().contains("limited to a 0 range"), "{source}");
    assert_eq!(asked.len(), 4, "10,000, 1,000, 100 and 10 blocks");
}

#[tokio::test]
async fn a_later_rollup_is_searched_from_its_listing() {
    const LIMIT: u64 = 100;
    let (world, record) = old_set(0, 1_000).await;
    let registry = record.address(Step::Registry).unwrap();
    let set = Deployment::from_registry(&world.client, registry).await.unwrap();
    let (sender, origin) = (&mut world.sender(1), Create2Origin::default());
    let distributor = set.reward_distributor.unwrap();
    let parameters = SetParameters::tests().rollup;
    let created =
        deploy_rollup(sender, origin, &set, distributor, &parameters, &mut NoWait).await.unwrap();
    mine(&world, 50);
    let upgrade = Registry::upgradeCall { rollup: created.address() };
    world.send_as(set.governance, registry, &upgrade).await;
    let listed = world.chain.block_number();
    mine(&world, 1_000);
    let (found, asked) = examined(&world, &record, LIMIT, None).await;
    assert_eq!(found.unwrap().rollups, [set.rollup, created.address()]);

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
    // Both rollups have the same one.
    let distributors = RewardDistributor::RewardDistributorDeployed::SIGNATURE_HASH;
    assert_eq!(answered(distributors, distributor).len(), 1);
}

#[tokio::test]
async fn a_log_that_the_endpoint_leaves_out_is_told_from_a_mint() {
    let (world, record) = old_set(0, 0).await;
    let omitted = Some(Asset::Transfer::SIGNATURE_HASH);
    let (set, _) = examined(&world, &record, USUAL, omitted).await;
    let asset = record.address(Step::Asset).unwrap();
    let block = record.first_block().unwrap();
    assert_eq!(
        set.unwrap_err().to_string(),
        format!(
            "expected the mint of the initial supply among the logs of the Asset at {asset}, from block \
             {block} on, found none; the endpoint leaves out logs: use another one"
        )
    );
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
