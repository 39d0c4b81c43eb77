//! Tests of the fault layer over a devchain.

#![allow(clippy::unwrap_used, reason = "tests")]

use alloy_json_rpc::{Id, Request, RequestPacket, Response, ResponsePacket};
use alloy_primitives::{Address, B256, U256};
use alloy_provider::{Provider, ProviderBuilder, RootProvider};
use alloy_rpc_client::RpcClient;
use alloy_transport::TransportError;
use canon_devchain::{Devchain, DevchainConfig, DevchainTransport};
use canon_faults::{Answer, Fault, FaultPlan, Faults, FaultyTransport, failure, params, success};
use canon_testkit::histories::Rng;
use core::{
    future::{Future, Ready, poll_fn, ready},
    task::{Context, Poll},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tower::{Layer, Service};

/// A devchain behind the fault layer.
struct Endpoint {
    chain: Devchain,
    faults: Faults,
    transport: FaultyTransport<DevchainTransport>,
    provider: RootProvider,
}

impl Endpoint {
    fn new() -> Self {
        let chain = Devchain::new(DevchainConfig::default());
        let faults = Faults::default();
        let transport = faults.layer(chain.transport());
        let client = RpcClient::new(transport.clone(), true);
        let provider = ProviderBuilder::default().connect_client(client);
        Self { chain, faults, transport, provider }
    }

    /// Mines a block. Returns whether the endpoint confirmed it.
    async fn mine(&self) -> bool {
        self.provider.raw_request::<_, Value>("evm_mine".into(), ()).await.is_ok()
    }

    /// The number of the newest block, by the endpoint.
    async fn number(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    /// Sends a batch: the chain id, the number of the newest block, and an unknown method.
    async fn batch(&mut self) -> ResponsePacket {
        let methods = ["eth_chainId", "eth_blockNumber", "eth_nothing"];
        let requests = (0..).zip(methods).map(|(id, method)| request(id, method));
        self.transport.call(RequestPacket::Batch(requests.collect())).await.unwrap()
    }
}

fn request(id: u64, method: &'static str) -> alloy_json_rpc::SerializedRequest {
    Request::new(method, Id::Number(id), ()).serialize().unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// The ids of the responses, with their results or error codes.
fn shown(responses: &ResponsePacket) -> Vec<(Id, Value)> {
    let shown = |response: &Response| {
        let value = match (response.payload.as_success(), response.payload.as_error()) {
            (Some(result), _) => serde_json::from_str(result.get()).unwrap(),
            (_, Some(error)) => json!(error.code),
            _ => unreachable!(),
        };
        (response.id.clone(), value)
    };
    responses.responses().iter().map(shown).collect()
}

#[test]
fn a_packet_goes_wrong_at_its_number_only() {
    for (fault, is_confirmed, blocks) in [
        (Fault::Lost, false, 3),
        (Fault::AnswerLost, false, 4),
        (Fault::Doubled, true, 5),
        (Fault::Delayed(1), false, 4),
        (Fault::HttpStatus(503, "later"), false, 3),
    ] {
        run(async {
            let endpoint = Endpoint::new();
            endpoint.faults.set(FaultPlan::At(1, fault.clone()));
            for packet in 0..4 {
                let expected = packet != 1 || is_confirmed;
                assert_eq!(endpoint.mine().await, expected, "{fault:?}, packet {packet}");
            }
            assert_eq!(endpoint.chain.block_number(), blocks, "{fault:?}");
            assert_eq!(endpoint.faults.packets(), 4);
        });
    }
}

#[test]
fn what_is_late_arrives_before_the_packet_it_was_delayed_to() {
    run(async {
        let endpoint = Endpoint::new();
        endpoint.faults.set(FaultPlan::At(0, Fault::Delayed(3)));
        assert!(!endpoint.mine().await);
        for expected in [0, 0, 1, 1] {
            assert_eq!(endpoint.number().await, expected);
        }
        // When all faults end, the delayed packet reaches the node before the next packet.
        endpoint.faults.set(FaultPlan::Method("evm_mine", Fault::Delayed(100)));
        assert!(!endpoint.mine().await);
        assert_eq!(endpoint.number().await, 1);
        endpoint.faults.end();
        assert_eq!(endpoint.number().await, 2);
        // Another plan drops the delayed packet.
        endpoint.faults.set(FaultPlan::At(0, Fault::Delayed(1)));
        assert!(!endpoint.mine().await);
        endpoint.faults.set(FaultPlan::Never);
        assert_eq!(endpoint.number().await, 2);
    });
}

#[test]
fn late_packets_overtake_each_other() {
    run(async {
        let endpoint = Endpoint::new();
        let mut delays = [3, 1].into_iter();
        endpoint.faults.set(FaultPlan::by(move |packet| {
            let is_set = packet.method_names().any(|method| method == "evm_setNextBlockTimestamp");
            is_set.then(|| Fault::Delayed(delays.next().unwrap()))
        }));
        let (first, second) = (endpoint.chain.timestamp() + 50, endpoint.chain.timestamp() + 70);
        for time in [first, second] {
            let set = endpoint
                .provider
                .raw_request::<_, Value>("evm_setNextBlockTimestamp".into(), (time,));
            set.await.unwrap_err();
        }
        endpoint.number().await;
        endpoint.number().await;
        endpoint.chain.mine().unwrap();
        assert_eq!(endpoint.chain.timestamp(), first, "it was set last");
    });
}

#[test]
fn stale_answers_are_those_of_the_last_time() {
    run(async {
        let mut endpoint = Endpoint::new();
        endpoint.faults.set(FaultPlan::At(2, Fault::Stale));
        assert_eq!(endpoint.number().await, 0);
        endpoint.chain.mine().unwrap();
        assert!(endpoint.mine().await);
        assert_eq!(endpoint.number().await, 0);
        assert_eq!(endpoint.number().await, 2);
        // Each request of a batch is looked up. One without an earlier result reaches the node.
        endpoint.faults.set(FaultPlan::At(1, Fault::Stale));
        endpoint.number().await;
        endpoint.chain.mine().unwrap();
        let [(_, chain_id), number, unknown] = &shown(&endpoint.batch().await)[..] else {
            panic!()
        };
        assert_eq!(*chain_id, json!("0x7a69"));
        assert_eq!(*number, (Id::Number(1), json!("0x2")));
        assert_eq!(*unknown, (Id::Number(2), json!(-32601)));
        // Transactions always reach the node.
        let account = Address::repeat_byte(1);
        endpoint.chain.impersonate(account);
        endpoint.chain.set_balance(account, U256::from(10).pow(U256::from(18)));
        endpoint.faults.set(FaultPlan::Method("eth_sendTransaction", Fault::Stale));
        let mut hashes = BTreeSet::new();
        for _ in 0..3 {
            let transaction = (json!({ "from": account, "to": account, "gas": "0x5208" }),);
            let sent =
                endpoint.provider.raw_request::<_, B256>("eth_sendTransaction".into(), transaction);
            hashes.insert(sent.await.unwrap());
        }
        assert_eq!(hashes.len(), 3);
    });
}

#[test]
fn whoever_is_killed_gets_no_answer() {
    for (fault, blocks) in [(Fault::KilledBefore, 0), (Fault::KilledAfter, 1)] {
        run(async {
            let endpoint = Endpoint::new();
            endpoint.faults.set(FaultPlan::At(0, fault));
            tokio::select! {
                biased;
                () = endpoint.faults.killed() => {}
                _ = endpoint.mine() => panic!("it isn't killed"),
            }
            assert_eq!(endpoint.chain.block_number(), blocks);
        });
    }
}

#[test]
fn random_plans_are_the_same_for_the_same_seed() {
    let history = |seed| {
        run(async {
            let endpoint = Endpoint::new();
            let faults = vec![Fault::Lost, Fault::AnswerLost, Fault::Doubled, Fault::Delayed(2)];
            endpoint.faults.set(FaultPlan::Random { rng: Rng::new(seed), percent: 40, faults });
            let mut history = Vec::new();
            for _ in 0..100 {
                history.push((endpoint.mine().await, endpoint.chain.block_number()));
            }
            history
        })
    };
    let first = history(1);
    assert_eq!(first, history(1));
    assert_ne!(first, history(2));
    let failed = first.iter().filter(|(is_confirmed, _)| !is_confirmed).count();
    assert!((15..45).contains(&failed), "{failed} of 100 failed, three quarters of 40 percent");
}

#[test]
fn requests_are_counted_by_method() {
    run(async {
        let mut endpoint = Endpoint::new();
        endpoint.batch().await;
        endpoint.faults.set(FaultPlan::At(0, Fault::Lost));
        endpoint.provider.get_block_number().await.unwrap_err();
        assert_eq!(endpoint.faults.packets(), 1);
        let requests = endpoint.faults.take_requests();
        let expected = [("eth_blockNumber", 2), ("eth_chainId", 1), ("eth_nothing", 1)];
        assert!(requests.iter().map(|(method, count)| (&method[..], *count)).eq(expected));
        assert!(endpoint.faults.take_requests().is_empty());
    });
}

#[test]
fn endpoints_answer_as_they_like() {
    run(async {
        let mut endpoint = Endpoint::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        endpoint.faults.answer(move |request| {
            record.lock().unwrap().push((request.method().to_owned(), params(request)));
            match request.method() {
                "eth_chainId" => Answer::Result(json!("0x5")),
                "eth_blockNumber" => Answer::Changed(Box::new(|number| json!([number]))),
                "eth_getBlockByNumber" => Answer::Asked(json!(["0x0", false])),
                "eth_gasPrice" => Answer::Refusal(-32005, "slow down".to_owned()),
                _ => Answer::Node,
            }
        });
        endpoint.chain.mine().unwrap();
        let expected = [json!("0x5"), json!(["0x1"]), json!(-32601)];
        let shown = shown(&endpoint.batch().await);
        assert_eq!(shown, (0..).map(Id::Number).zip(expected).collect::<Vec<_>>());
        let block = endpoint.provider.get_block_by_number(1.into()).await.unwrap().unwrap();
        assert_eq!(block.header.number, 0);
        let refused = endpoint.provider.get_gas_price().await.unwrap_err();
        assert_eq!(refused.as_error_resp().unwrap().code, -32005);
        let asked = core::mem::take(&mut *asked.lock().unwrap());
        assert_eq!(asked.len(), 5);
        assert_eq!(asked[3], ("eth_getBlockByNumber".to_owned(), json!(["0x1", false])));
    });
}

#[test]
fn whole_packets_are_answered_as_a_rule_says() {
    run(async {
        let mut endpoint = Endpoint::new();
        endpoint.faults.set(FaultPlan::by(|packet| {
            let refusal = || ResponsePacket::Single(failure(Id::None, -32600, "too many"));
            (packet.len() > 2).then(|| Fault::Answered(refusal()))
        }));
        assert_eq!(shown(&endpoint.batch().await), [(Id::None, json!(-32600))]);
        assert_eq!(endpoint.number().await, 0);
    });
}

#[test]
fn rules_may_use_the_faults_that_call_them() {
    run(async {
        let endpoint = Endpoint::new();
        let faults = endpoint.faults.clone();
        endpoint.faults.set(FaultPlan::by(move |_| {
            let is_last = faults.packets() == 2;
            if is_last {
                faults.set(FaultPlan::Never);
            }
            Some(Fault::Lost)
        }));
        let faults = endpoint.faults.clone();
        endpoint.faults.answer(move |_| Answer::Result(json!(faults.packets())));
        for expected in [None, None, Some(json!(1))] {
            let found = endpoint.provider.raw_request::<_, Value>("eth_nothing".into(), ()).await;
            assert_eq!(found.ok(), expected);
        }
    });
}

/// A service that must be ready before each call. A clone isn't ready.
#[derive(Debug, Default)]
struct Strict {
    is_ready: bool,
    /// The number of times that it was cloned, one after the other.
    generation: u32,
    /// The generations of the services that were called.
    called: Arc<Mutex<Vec<u32>>>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        let called = Arc::clone(&self.called);
        Self { is_ready: false, generation: self.generation + 1, called }
    }
}

impl Service<RequestPacket> for Strict {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = Ready<Result<ResponsePacket, TransportError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        assert!(core::mem::take(&mut self.is_ready), "it was called before it was ready");
        self.called.lock().unwrap().push(self.generation);
        let request = packet.as_single().unwrap();
        ready(Ok(ResponsePacket::Single(success(request.id().clone(), &json!(null)))))
    }
}

#[test]
fn the_service_is_ready_before_each_call() {
    run(async {
        let faults = Faults::default();
        let service = Strict::default();
        let called = Arc::clone(&service.called);
        let mut transport = faults.layer(service);
        faults.set(FaultPlan::At(1, Fault::Doubled));
        for number in 0..3 {
            poll_fn(|context| transport.poll_ready(context)).await.unwrap();
            let packet = RequestPacket::Single(request(number, "eth_nothing"));
            transport.call(packet).await.unwrap();
        }
        // Each packet is carried by the service that was polled for it.
        assert_eq!(*called.lock().unwrap(), [0, 1, 1, 2]);
    });
}
