//! The time that a view of a set takes apart from the endpoint's, measured with recorded answers.
//!
//! `cargo bench -p canon-chain --bench view`
#![allow(clippy::unwrap_used, reason = "a benchmark, like a test")]

#[path = "../tests/it/many_proposals.rs"]
mod many_proposals;
#[path = "../tests/it/test_chain.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod test_chain;

use alloy_eips::BlockId;
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::Address;
use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use alloy_transport::{TransportError, TransportFut};
use canon_chain::Client;
use canon_devchain::DevchainTransport;
use canon_views::Question;
use core::task::{Context, Poll};
use divan::{Bencher, black_box};
use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex},
};
use test_chain::BLOCK_TIME;
use tokio::runtime::{Builder, Runtime};
use tower::Service;

const PROPOSALS: u64 = 1_000;

fn main() {
    divan::main();
}

/// The answers of an endpoint as JSON, in the order of the requests.
struct Recording {
    registry: Address,
    question: Question,
    responses: Vec<Arc<[u8]>>,
}

static WITH_LENS: LazyLock<Recording> = LazyLock::new(|| record(false));
static WITHOUT_LENS: LazyLock<Recording> = LazyLock::new(|| record(true));

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// An endpoint that either records the answers of a devchain, or repeats recorded ones.
#[derive(Clone)]
struct Tape {
    /// Whether an `eth_call` without `to` is refused.
    refuses_creation: bool,
    chain: Option<DevchainTransport>,
    responses: Arc<Mutex<VecDeque<Arc<[u8]>>>>,
}

impl Service<RequestPacket> for Tape {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        // This serialization is part of the HTTP transport.
        let body = serde_json::to_vec(&packet).unwrap();
        let Some(mut chain) = self.chain.clone() else {
            black_box(body);
            let response = self.responses.lock().unwrap().pop_front().unwrap();
            return Box::pin(async move { Ok(serde_json::from_slice(&response).unwrap()) });
        };
        let (responses, refuses) = (self.responses.clone(), self.refuses_creation);
        Box::pin(async move {
            let mut response = chain.call(packet.clone()).await?;
            if let (ResponsePacket::Batch(all), true) = (&mut response, refuses) {
                let refusal = r#"{"code":-32000,"message":"contract creation is not allowed"}"#;
                for (request, response) in packet.requests().iter().zip(all) {
                    let params = request.params().map_or("", |params| params.get());
                    if request.method() == "eth_call" && !params.contains(r#""to":"#) {
                        let error = serde_json::from_str(refusal).unwrap();
                        response.payload = alloy_json_rpc::ResponsePayload::Failure(error);
                    }
                }
            }
            let bytes = match &response {
                ResponsePacket::Single(response) => serde_json::to_vec(response),
                ResponsePacket::Batch(responses) => serde_json::to_vec(responses),
            };
            responses.lock().unwrap().push_back(bytes.unwrap().into());
            Ok(response)
        })
    }
}

async fn client(tape: Tape) -> Client {
    let rpc = RpcClient::new(tape, true);
    Client::connect(ProviderBuilder::default().connect_client(rpc)).await.unwrap()
}

fn record(refuses_creation: bool) -> Recording {
    runtime().block_on(async {
        let (chain, set) = many_proposals::many_proposals(PROPOSALS).await;
        let mut question = Question::default();
        question.payloads.insert(set.expect);
        let responses = Arc::default();
        let chain = Some(chain.devchain.transport());
        let tape = Tape { refuses_creation, chain, responses: Arc::clone(&responses) };
        let registry = set.deployment.registry;
        let view = client(tape)
            .await
            .view(registry, &question, BlockId::latest(), BLOCK_TIME)
            .await
            .unwrap();
        assert_eq!(view.governance.proposals.len() as u64, PROPOSALS);
        let responses: Vec<_> = responses.lock().unwrap().drain(..).collect();
        let bytes: usize = responses.iter().map(|response| response.len()).sum();
        println!(
            "{PROPOSALS} proposals, {} packets, {bytes} bytes of answers",
            responses.len() - 1
        );
        Recording { registry, question, responses }
    })
}

fn view(bencher: Bencher<'_, '_>, recording: &Recording) {
    let runtime = runtime();
    bencher
        .with_inputs(|| {
            // A new client numbers its requests from the start, as in the recording.
            let responses = recording.responses.iter().cloned().collect();
            let responses = Arc::new(Mutex::new(responses));
            let tape = Tape { refuses_creation: false, chain: None, responses };
            runtime.block_on(client(tape))
        })
        .bench_refs(|client| {
            let Recording { registry, question, .. } = recording;
            let view = client.view(*registry, question, BlockId::latest(), BLOCK_TIME);
            runtime.block_on(view).unwrap()
        });
}

/// A view with the lens: two round trips of one packet each.
#[divan::bench]
fn with_the_lens(bencher: Bencher<'_, '_>) {
    view(bencher, &WITH_LENS);
}

/// A view without the lens: four round trips with at most 1,000 requests per batch.
#[divan::bench]
fn without_the_lens(bencher: Bencher<'_, '_>) {
    view(bencher, &WITHOUT_LENS);
}
