//! An endpoint with several nodes behind it, which take turns in answering, even within one batch. They
//! lag, or are on other forks.

use alloy_json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest};
use alloy_primitives::B256;
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use canon_devchain::DevchainTransport;
use canon_faults::failure;
use canon_testkit::histories::Rng;
use core::task::{Context, Poll};
use serde_json::value::to_raw_value;
use std::sync::{Arc, Mutex};

/// The nodes, and the rule that selects the one for the next request.
#[derive(Clone)]
pub(crate) struct Network {
    nodes: Arc<[DevchainTransport]>,
    rule: Arc<Mutex<Rule>>,
}

/// The selection of nodes, and their faults.
#[derive(Debug)]
struct Rule {
    /// The number of requests so far.
    requests: u64,
    choice: Choice,
    /// The number of the request that fails.
    failing: Option<u64>,
    habit: Habit,
}

/// A behavior of an endpoint that differs from the devchain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// No difference.
    None,
    /// It refuses the logs of more than this number of blocks.
    RefusesRangesAbove(u64),
    /// It omits the block times of logs.
    HidesTimesOfLogs,
    /// It returns a block time of 0 for every log.
    GivesWrongTimesOfLogs,
    /// It omits logs with this first topic.
    LeavesOut(B256),
}

/// The node that answers.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// Always the same node.
    Node(usize),
    /// Any node.
    Any(Rng),
    /// The first node, except for one request in ten, which any node answers.
    MostlyFirst(Rng),
    /// The first node before the request with this number, and the second one from it on.
    SecondFrom(u64),
    /// The first node, except for requests of this method, which the second one answers.
    SecondFor(&'static str),
}

impl Network {
    pub(crate) fn new(nodes: impl IntoIterator<Item = DevchainTransport>, choice: Choice) -> Self {
        let rule = Rule { requests: 0, choice, failing: None, habit: Habit::None };
        Self { nodes: nodes.into_iter().collect(), rule: Arc::new(Mutex::new(rule)) }
    }

    /// Makes the request with this number fail, counted from 0.
    pub(crate) fn fail(&self, request: u64) {
        self.rule.lock().unwrap().failing = Some(request);
    }

    pub(crate) fn adopt(&self, habit: Habit) {
        self.rule.lock().unwrap().habit = habit;
    }

    pub(crate) fn choose(&self, choice: Choice) {
        self.rule.lock().unwrap().choice = choice;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.rule.lock().unwrap().requests
    }

    pub(crate) fn client(&self) -> RpcClient {
        RpcClient::new(self.clone(), true)
    }
}

impl Rule {
    /// The index of the node that answers a request; `nodes` is the number of nodes.
    fn node(&mut self, request: &SerializedRequest, nodes: usize) -> usize {
        let number = self.requests;
        self.requests += 1;
        let any = |rng: &mut Rng| rng.below(nodes as u64) as usize;
        match &mut self.choice {
            Choice::Node(node) => *node,
            Choice::Any(rng) => any(rng),
            Choice::MostlyFirst(rng) => {
                if rng.chance(1, 10) {
                    any(rng)
                } else {
                    0
                }
            }
            Choice::SecondFrom(switch) => usize::from(number >= *switch),
            Choice::SecondFor(method) => usize::from(request.method() == *method),
        }
    }
}

impl tower::Service<RequestPacket> for Network {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        let mut rule = self.rule.lock().unwrap();
        let first = rule.requests;
        let asked: Vec<_> = packet
            .requests()
            .iter()
            .map(|request| (rule.node(request, self.nodes.len()), request.clone()))
            .collect();
        if rule.failing.is_some_and(|failing| (first..rule.requests).contains(&failing)) {
            return Box::pin(async { Err(TransportErrorKind::custom_str("the node is down")) });
        }
        let (nodes, habit) = (Arc::clone(&self.nodes), rule.habit);
        Box::pin(async move {
            let mut responses = Vec::with_capacity(asked.len());
            for (node, request) in asked {
                responses.push(answer(nodes[node].clone(), request, habit).await?);
            }
            Ok(match packet {
                RequestPacket::Single(_) => ResponsePacket::Single(responses.remove(0)),
                RequestPacket::Batch(_) => ResponsePacket::Batch(responses),
            })
        })
    }
}

async fn answer(
    mut node: DevchainTransport,
    request: SerializedRequest,
    habit: Habit,
) -> Result<Response, TransportError> {
    if let Habit::RefusesRangesAbove(most) = habit
        && blocks_of_logs(&request) > most
    {
        return Ok(failure(request.id().clone(), -32000, "the range is too long"));
    }
    let single = RequestPacket::Single(request);
    let ResponsePacket::Single(mut response) = tower::Service::call(&mut node, single).await?
    else {
        panic!("a request has one response");
    };
    change_logs(&mut response, habit);
    Ok(response)
}

/// The number of blocks in the range of a request for logs; 0 for other requests, and for the logs of one
/// block by its hash.
fn blocks_of_logs(request: &SerializedRequest) -> u64 {
    if request.method() != "eth_getLogs" {
        return 0;
    }
    let parameters = request.params().unwrap().get();
    let (filter,): (Filter,) = serde_json::from_str(parameters).unwrap();
    let (from, to) = filter.extract_block_range();
    from.zip(to).map_or(0, |(from, to)| to - from + 1)
}

/// Changes the logs in an answer, if it contains any.
fn change_logs(response: &mut Response, habit: Habit) {
    let ResponsePayload::Success(payload) = &response.payload else { return };
    let Ok(mut logs) = serde_json::from_str::<Vec<Log>>(payload.get()) else { return };
    match habit {
        Habit::HidesTimesOfLogs => logs.iter_mut().for_each(|log| log.block_timestamp = None),
        Habit::GivesWrongTimesOfLogs => {
            logs.iter_mut().for_each(|log| log.block_timestamp = Some(0));
        }
        Habit::LeavesOut(topic) => logs.retain(|log| log.topic0() != Some(&topic)),
        Habit::None | Habit::RefusesRangesAbove(_) => return,
    }
    response.payload = ResponsePayload::Success(to_raw_value(&logs).unwrap());
}
