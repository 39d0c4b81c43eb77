//! Several endpoints of one chain. Each request is sent to the first healthy one.
//!
//! An endpoint is trusted once it has passed its checks ([`EndpointChecks`]), and while its newest blocks
//! pass them. After a failure an endpoint rests for a while, which grows with its consecutive failures, or
//! for as long as it requests; then it is checked again. If all endpoints are resting, those that didn't
//! request it are retried at once, because a rest only means that another endpoint is preferred.
//!
//! An endpoint is skipped if its newest block is both lower and older than the newest ones seen before. The
//! number alone isn't enough. An endpoint can claim any number, and with a high one it would exclude all
//! others for good. The time of a block is limited by the clock: a block from the future is refused, and
//! counts at most as a present one. So a forged block can exclude endpoints that lag, but none that is in
//! sync.
//!
//! No request is sent to two endpoints at the same time. A second endpoint may get a request if the first
//! one received it but its answer was lost. A transaction sent twice has the same bytes, and counts once.

use super::{
    Endpoint,
    endpoints::EndpointChecks,
    patience::noting_delay,
    problem::{EndpointNote, EndpointProblem, NoEndpoint},
};
use crate::client::L1_SLOT;
use alloy_json_rpc::{RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest};
use alloy_primitives::{Bytes, ChainId, U64};
use alloy_rpc_client::RpcClient;
use alloy_transport::{
    BoxTransport, TransportError, TransportErrorKind, TransportFut, TransportResult,
};
use canon_protocol::CodeKind;
use core::{
    future::poll_fn,
    mem::discriminant,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::time::Instant;
use tower::Service;

/// The chain ids of development nodes, which can set the time of their chains and take blocks back at will.
pub const DEVELOPMENT_CHAINS: [ChainId; 2] = [31337, 1337];

/// The maximum age of the newest block: 25 consecutive slots of L1 without a block.
const MAX_HEAD_AGE: Duration = Duration::from_secs(25 * L1_SLOT.get());

/// The maximum number of blocks by which a newest block may be below one seen before. It allows for the
/// differences of nodes behind one load balancer, and for the depth of usual reorganizations.
const MAX_BLOCKS_BEHIND: u64 = 5;

/// The maximum time by which a newest block may be older than one seen before: [`MAX_BLOCKS_BEHIND`] slots
/// of L1.
const MAX_TIME_BEHIND: Duration = Duration::from_secs(L1_SLOT.get() * MAX_BLOCKS_BEHIND);

/// The maximum time by which a newest block may be ahead of the clock, which may be slow.
const MAX_TIME_AHEAD: Duration = Duration::from_secs(60);

/// The rest after a first failure. It doubles with each further consecutive one.
const FIRST_REST: Duration = Duration::from_secs(1);

/// The maximum rest, even if an endpoint requests more.
const MAX_REST: Duration = Duration::from_secs(300);

/// The transport that uses the first healthy endpoint.
#[derive(Clone)]
pub(super) struct Failover(Arc<Shared>);

struct Shared {
    nodes: Vec<Node>,
    checks: EndpointChecks,
    note: Box<dyn Fn(EndpointNote) + Send + Sync>,
    /// Called when a request takes long.
    slow: Box<dyn Fn() + Send + Sync>,
    /// The chain id of all used endpoints.
    chain_id: OnceLock<ChainId>,
    /// The newest block seen at trusted endpoints.
    newest: Mutex<Newest>,
}

/// The highest number and the latest time of newest blocks. They can be of two different blocks if an
/// endpoint forged one.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    number: u64,
    time: u64,
}

/// An endpoint and its state.
pub(super) struct Node {
    endpoint: Endpoint,
    dial: Box<dyn Fn() -> Dialing + Send + Sync>,
    state: Mutex<EndpointState>,
    /// Locked while the endpoint is checked.
    checking: tokio::sync::Mutex<()>,
}

type Dialing = Pin<Box<dyn Future<Output = TransportResult<BoxTransport>> + Send>>;

#[derive(Default)]
struct EndpointState {
    /// The connection, if the endpoint is trusted.
    trusted: Option<BoxTransport>,
    /// The end of the rest, and its reason.
    rest: Option<(Instant, EndpointProblem)>,
    /// The failures since the last answer.
    failures: u32,
}

/// The fields of a block that the checks read.
#[derive(Debug, Deserialize)]
struct BlockHead {
    number: U64,
    timestamp: U64,
}

impl Node {
    pub(super) fn new(
        endpoint: Endpoint,
        dial: impl Fn() -> Dialing + Send + Sync + 'static,
    ) -> Self {
        Self {
            endpoint,
            dial: Box::new(dial),
            state: Mutex::default(),
            checking: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, EndpointState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of the rest, if it is in the future.
    fn rest_end(&self, now: Instant) -> Option<Instant> {
        self.state().rest.as_ref().map(|(end, _)| *end).filter(|end| *end > now)
    }
}

impl Failover {
    pub(super) fn new(
        nodes: Vec<Node>,
        checks: EndpointChecks,
        note: impl Fn(EndpointNote) + Send + Sync + 'static,
        slow: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let chain_id = checks.chain_id.map(OnceLock::from).unwrap_or_default();
        let (note, slow, newest) = (Box::new(note), Box::new(slow), Mutex::default());
        Self(Arc::new(Shared { nodes, checks, note, slow, chain_id, newest }))
    }

    /// The number of the newest block seen at trusted endpoints; 0 before one was.
    pub(super) fn newest_number(&self) -> u64 {
        self.0.newest().number
    }
}

impl Shared {
    async fn send(&self, packet: RequestPacket) -> TransportResult<ResponsePacket> {
        let mut skipped = Vec::new();
        for (place, node) in self.in_order() {
            let answer = match self.trusted(node).await {
                Err(problem) => Err(problem),
                Ok(transport) => match self.chain_id_answer(&packet)? {
                    Some(answer) => return Ok(answer),
                    None => self.ask(node, transport, &packet).await?,
                },
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(problem) => {
                    skipped
                        .push((place, EndpointNote { endpoint: node.endpoint.clone(), problem }));
                }
            }
        }
        skipped.sort_by_key(|(place, _)| *place);
        let skipped = skipped.into_iter().map(|(_, note)| note).collect();
        Err(TransportErrorKind::custom(NoEndpoint(skipped)))
    }

    /// The endpoints in the order in which they are tried, with their positions in the list. Those at rest
    /// are last, sorted by the ends of their rests.
    fn in_order(&self) -> Vec<(usize, &Node)> {
        let now = Instant::now();
        let mut nodes: Vec<_> = self.nodes.iter().enumerate().collect();
        nodes.sort_by_cached_key(|(_, node)| node.rest_end(now));
        nodes
    }

    /// Sends a request to an endpoint. The outer error is about the request, or is that of the only
    /// endpoint.
    async fn ask(
        &self,
        node: &Node,
        mut transport: BoxTransport,
        packet: &RequestPacket,
    ) -> TransportResult<Result<ResponsePacket, EndpointProblem>> {
        // The answer is compared with the newest block before the request, because answers can overtake
        // each other.
        let newest = *self.newest();
        let answer = call(&mut transport, packet.clone()).await;
        let problem = match &answer {
            Ok(answer) => {
                for head in heads(packet, answer) {
                    if let Err(problem) = self.judge(self.chain_id.get(), &head, newest) {
                        // This answer is useless even if there is no other endpoint.
                        return Ok(Err(self.distrust(node, problem)));
                    }
                    self.note_head(&head);
                }
                EndpointProblem::of_answer(answer)
            }
            Err(error) => EndpointProblem::of_error(error),
        };
        let Some(problem) = problem else {
            node.state().answered();
            return answer.map(Ok);
        };
        let problem = self.distrust(node, problem);
        if self.nodes.len() == 1 { answer.map(Ok) } else { Ok(Err(problem)) }
    }

    /// The connection of an endpoint that passes its checks now or passed them earlier.
    async fn trusted(&self, node: &Node) -> Result<BoxTransport, EndpointProblem> {
        let failures = node.state().failures;
        let _checking = node.checking.lock().await;
        {
            let state = node.state();
            if let Some(transport) = &state.trusted {
                return Ok(transport.clone());
            }
            if let Some((_, problem)) = &state.rest
                && (state.is_barred() || state.failures != failures)
            {
                // In the second case, another request has just tried it.
                return Err(problem.clone());
            }
        }
        match self.check(node).await {
            Ok(transport) => {
                node.state().trusted = Some(transport.clone());
                Ok(transport)
            }
            Err(problem) => Err(self.rest(node, problem)),
        }
    }

    /// Connects to an endpoint, and checks it.
    async fn check(&self, node: &Node) -> Result<BoxTransport, EndpointProblem> {
        let failed = |error: TransportError| {
            EndpointProblem::of_error(&error).unwrap_or_else(|| EndpointProblem::failed(&error))
        };
        let newest = *self.newest();
        let transport = (node.dial)().await.map_err(failed)?;
        let rpc = RpcClient::new(transport.clone(), true);
        let code = async {
            let Some(registry) = self.checks.registry else { return Ok(None) };
            let code = rpc.request::<_, Bytes>("eth_getCode", (registry, "latest")).await?;
            let is_contract = CodeKind::of(&code) == CodeKind::Contract;
            Ok((!is_contract).then_some(EndpointProblem::NoRegistry(registry)))
        };
        let (found, missing, head) = tokio::join!(
            rpc.request_noparams::<U64>("eth_chainId"),
            code,
            rpc.request::<_, BlockHead>("eth_getBlockByNumber", ("latest", false)),
        );
        let found = found.map_err(failed)?.to();
        let other = |expected| EndpointProblem::OtherChain { expected, found };
        let known = self.chain_id.get().copied();
        if let Some(expected) = known.filter(|expected| *expected != found) {
            return Err(other(expected));
        }
        if let Some(problem) = missing.map_err(failed)? {
            return Err(problem);
        }
        let head = head.map_err(failed)?;
        self.judge(Some(&found), &head, newest)?;
        // Another endpoint may have become the first one meanwhile.
        let expected = *self.chain_id.get_or_init(|| found);
        if expected != found {
            return Err(other(expected));
        }
        self.note_head(&head);
        Ok(transport)
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the newest block of a trusted endpoint.
    fn note_head(&self, head: &BlockHead) {
        let time = head.timestamp.to::<u64>().min((self.checks.clock)().get());
        let mut newest = self.newest();
        *newest =
            Newest { number: newest.number.max(head.number.to()), time: newest.time.max(time) };
    }

    /// Checks an endpoint's newest block against the clock, and against the newest block known before.
    fn judge(
        &self,
        chain_id: Option<&ChainId>,
        head: &BlockHead,
        newest: Newest,
    ) -> Result<(), EndpointProblem> {
        let (number, time) = (head.number.to(), head.timestamp.to());
        // The clock of a development chain is its own, but contracts can't have every time.
        let is_possible = canon_protocol::Timestamp::new(time).is_some();
        if is_possible && chain_id.is_some_and(|id| DEVELOPMENT_CHAINS.contains(id)) {
            return Ok(());
        }
        let now = (self.checks.clock)().get();
        let later = |one: u64, other| Duration::from_secs(one.saturating_sub(other));
        let (age, ahead) = (later(now, time), later(time, now));
        if age > MAX_HEAD_AGE {
            return Err(EndpointProblem::OldHead { number, age, most: MAX_HEAD_AGE });
        }
        if ahead > MAX_TIME_AHEAD {
            return Err(EndpointProblem::FutureHead { number, time, ahead, most: MAX_TIME_AHEAD });
        }
        let is_lower = number.saturating_add(MAX_BLOCKS_BEHIND) < newest.number;
        if is_lower && later(newest.time, time) > MAX_TIME_BEHIND {
            return Err(EndpointProblem::HeadBehind { number, newest: newest.number });
        }
        Ok(())
    }

    /// Starts the rest of a trusted endpoint that failed. Requests that fail together count once.
    fn distrust(&self, node: &Node, problem: EndpointProblem) -> EndpointProblem {
        let trusted = node.state().trusted.take();
        match trusted {
            Some(_) => self.rest(node, problem),
            None => problem,
        }
    }

    /// Starts the rest of an endpoint because of a problem, and returns the problem.
    fn rest(&self, node: &Node, problem: EndpointProblem) -> EndpointProblem {
        let is_news = node.state().begin_rest(&problem);
        if is_news {
            (self.note)(EndpointNote { endpoint: node.endpoint.clone(), problem: problem.clone() });
        }
        problem
    }

    /// The answer to a single request for the chain id, which is already known.
    fn chain_id_answer(&self, packet: &RequestPacket) -> TransportResult<Option<ResponsePacket>> {
        let (Some(request), Some(id)) = (packet.as_single(), self.chain_id.get()) else {
            return Ok(None);
        };
        if request.method() != "eth_chainId" {
            return Ok(None);
        }
        let id = to_raw_value(&U64::from(*id)).map_err(TransportError::ser_err)?;
        let payload = ResponsePayload::Success(id);
        Ok(Some(ResponsePacket::Single(Response { id: request.id().clone(), payload })))
    }
}

impl EndpointState {
    /// Whether the endpoint must not even be checked now.
    fn is_barred(&self) -> bool {
        self.rest.as_ref().is_some_and(|(end, problem)| match problem {
            EndpointProblem::OtherChain { .. } => true,
            EndpointProblem::Busy { retry_after: Some(_) } => *end > Instant::now(),
            _ => false,
        })
    }

    /// Clears earlier failures, unless another request failed meanwhile.
    fn answered(&mut self) {
        if self.trusted.is_some() {
            (self.rest, self.failures) = (None, 0);
        }
    }

    /// Starts a rest. Returns whether the problem differs from that of the previous rest.
    fn begin_rest(&mut self, problem: &EndpointProblem) -> bool {
        let growing = FIRST_REST.saturating_mul(2_u32.saturating_pow(self.failures));
        let rest = match problem {
            EndpointProblem::Busy { retry_after: Some(asked) } => *asked,
            _ => growing,
        };
        self.failures = self.failures.saturating_add(1);
        let end = Instant::now() + rest.min(MAX_REST);
        let before = self.rest.replace((end, problem.clone()));
        before.is_none_or(|(_, before)| discriminant(&before) != discriminant(problem))
    }
}

async fn call(
    transport: &mut BoxTransport,
    packet: RequestPacket,
) -> TransportResult<ResponsePacket> {
    poll_fn(|context| transport.poll_ready(context)).await?;
    transport.call(packet).await
}

/// The blocks in an answer that were requested as the newest.
fn heads<'a>(
    packet: &'a RequestPacket,
    answer: &'a ResponsePacket,
) -> impl Iterator<Item = BlockHead> + 'a {
    let is_asked = |request: &&SerializedRequest| {
        let is_latest = |params: &RawValue| params.get().starts_with("[\"latest\"");
        request.method() == "eth_getBlockByNumber" && request.params().is_some_and(is_latest)
    };
    packet.requests().iter().filter(is_asked).filter_map(|request| {
        let response = answer.responses().iter().find(|response| response.id == *request.id())?;
        serde_json::from_str(response.payload.as_success()?.get()).ok()
    })
}

impl Service<RequestPacket> for Failover {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { noting_delay(shared.send(packet), &shared.slow).await })
    }
}

#[cfg(test)]
mod tests;
