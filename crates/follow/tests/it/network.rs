//! An endpoint behind which several nodes answer in turns: they lag, or are on other forks.

use alloy_json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest};
use alloy_primitives::B256;
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use canon_devchain::DevchainTransport;
use core::task::{Context, Poll};
use serde_json::value::to_raw_value;
use std::sync::{Arc, Mutex};

/// The nodes, and who answers the next request.
#[derive(Clone)]
pub(crate) struct Network {
    nodes: Arc<[DevchainTransport]>,
    rule: Arc<Mutex<Rule>>,
}

/// Who answers, and what goes wrong.
#[derive(Debug)]
struct Rule {
    /// Requests so far.
    requests: u64,
    choice: Choice,
    /// The number of the request that fails.
    failing: Option<u64>,
    habit: Habit,
}

/// What an endpoint does otherwise than the devchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Nothing.
    None,
    /// It refuses logs of more than this many blocks.
    RefusesRangesAbove(u64),
    /// It doesn't give the time of a log's block.
    HidesTimesOfLogs,
    /// It says that every log's block is of second 0.
    GivesWrongTimesOfLogs,
    /// It leaves out the logs with this first topic.
    LeavesOut(B256),
}

/// Who answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// Always the same node.
    Node(usize),
    /// Any node, by a generator in this state.
    Any(u64),
    /// The first node, and from the request with this number on the second.
    SecondFrom(u64),
}

impl Network {
    pub(crate) fn new(nodes: impl IntoIterator<Item = DevchainTransport>, choice: Choice) -> Self {
        let rule = Rule { requests: 0, choice, failing: None, habit: Habit::None };
        Self { nodes: nodes.into_iter().collect(), rule: Arc::new(Mutex::new(rule)) }
    }

    /// Lets the request with this number, counted from 0, fail.
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

/// The next number of a SplitMix64 generator.
const fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl tower::Service<RequestPacket> for Network {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        let mut rule = self.rule.lock().unwrap();
        let number = rule.requests;
        rule.requests += 1;
        if rule.failing == Some(number) {
            return Box::pin(async { Err(TransportErrorKind::custom_str("the node is down")) });
        }
        let node = match &mut rule.choice {
            Choice::Node(node) => *node,
            Choice::SecondFrom(switch) => usize::from(number >= *switch),
            Choice::Any(state) => (draw(state) % self.nodes.len() as u64) as usize,
        };
        let habit = rule.habit;
        if let Habit::RefusesRangesAbove(most) = habit
            && request.requests().iter().any(|request| blocks_of_logs(request) > most)
        {
            return Box::pin(async { Err(TransportErrorKind::http_error(400, "too long".into())) });
        }
        let answer = tower::Service::call(&mut self.nodes[node].clone(), request);
        Box::pin(async move {
            let mut answer = answer.await?;
            let change = |response: &mut Response| change_logs(response, habit);
            match &mut answer {
                ResponsePacket::Single(response) => change(response),
                ResponsePacket::Batch(responses) => responses.iter_mut().for_each(change),
            }
            Ok(answer)
        })
    }
}

/// The number of blocks whose logs a request asks for; 0 if it asks for none, or for one block by hash.
fn blocks_of_logs(request: &SerializedRequest) -> u64 {
    if request.method() != "eth_getLogs" {
        return 0;
    }
    let parameters = request.params().unwrap().get();
    let (filter,): (Filter,) = serde_json::from_str(parameters).unwrap();
    let (from, to) = filter.extract_block_range();
    from.zip(to).map_or(0, |(from, to)| to - from + 1)
}

/// Changes the logs of an answer that has some.
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
