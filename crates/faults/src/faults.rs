//! The layer, and its control by tests.

use crate::{Answer, Fault, FaultPlan, FaultyTransport, plan::PlannedFault};
use alloy_json_rpc::{RequestPacket, ResponsePayload, SerializedRequest};
use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tower::Layer;

/// The faults between a client and the transport under this layer. Clones share their state, so that a test
/// can keep one. By default no packet has a fault.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
}

/// The function that answers requests in place of the node.
type Answers = Arc<Mutex<dyn FnMut(&SerializedRequest) -> Answer + Send>>;

#[derive(Default)]
struct State {
    plan: FaultPlan,
    answers: Option<Answers>,
    /// The number of packets since the plan was set.
    packets: u64,
    /// The number of requests by method.
    requests: BTreeMap<String, u64>,
    /// Delayed packets, each with the number of the packet before which it reaches the node.
    delayed: Vec<(u64, RequestPacket)>,
    /// The newest results, by method and parameters.
    results: BTreeMap<Question, ResponsePayload>,
}

/// The method and the parameters of a request.
type Question = (String, String);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("plan", &self.plan)
            .field("packets", &self.packets)
            .field("requests", &self.requests)
            .field("delayed", &self.delayed)
            .finish_non_exhaustive()
    }
}

impl Faults {
    /// Sets the plan, counts packets from 0 again, and drops delayed packets.
    pub fn set(&self, plan: FaultPlan) {
        let mut state = self.lock();
        state.plan = plan;
        state.packets = 0;
        state.delayed.clear();
        state.results.clear();
    }

    /// Ends all faults. Delayed packets reach the node before the next packet.
    pub fn end(&self) {
        let mut state = self.lock();
        state.plan = FaultPlan::Never;
        state.delayed.iter_mut().for_each(|(due, _)| *due = 0);
    }

    /// Sets a function that answers the requests that reach the endpoint. It may change the chain and this
    /// `Faults`. The requests of a batch then reach the node one by one.
    pub fn answer(&self, answers: impl FnMut(&SerializedRequest) -> Answer + Send + 'static) {
        self.lock().answers = Some(Arc::new(Mutex::new(answers)));
    }

    /// The number of packets since the plan was set.
    pub fn packets(&self) -> u64 {
        self.lock().packets
    }

    /// Returns the number of requests by method since the last call. Requests with a fault are counted too,
    /// and those of a batch one by one.
    pub fn take_requests(&self) -> BTreeMap<String, u64> {
        core::mem::take(&mut self.lock().requests)
    }

    /// Waits until a packet has ended the process that made it. That packet is never answered.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Ends the process that made the present packet. Never returns.
    pub(crate) async fn kill<T>(&self) -> T {
        self.killed.notify_one();
        core::future::pending().await
    }

    /// Counts a packet. Returns its fault, and the delayed packets that are due before it, in order.
    pub(crate) fn next(&self, packet: &RequestPacket) -> (Option<Fault>, Vec<RequestPacket>) {
        let mut state = self.lock();
        let number = state.packets;
        state.packets += 1;
        for method in packet.method_names() {
            *state.requests.entry(method.to_owned()).or_default() += 1;
        }
        let mut due: Vec<_> = state.delayed.extract_if(.., |(due, _)| *due <= number).collect();
        due.sort_by_key(|(due, _)| *due);
        let due = due.into_iter().map(|(_, packet)| packet).collect();
        let planned = state.plan.fault(number, packet);
        // A rule may use these faults.
        drop(state);
        let fault = match planned {
            PlannedFault::Fault(fault) => fault,
            PlannedFault::By(rule) => rule.fault(packet),
        };
        (fault, due)
    }

    /// Delays a packet until just before the one that is `packets` packets later.
    pub(crate) fn delay(&self, packets: u64, packet: RequestPacket) {
        let mut state = self.lock();
        // The present packet has been counted already.
        let due = state.packets.saturating_add(packets).saturating_sub(1);
        state.delayed.push((due, packet));
    }

    /// The answers to requests that reach the endpoint; `None` if no function was set.
    pub(crate) fn answers(&self, packet: &RequestPacket) -> Option<Vec<Answer>> {
        let answers = self.lock().answers.clone()?;
        let mut answers = lock(&answers);
        Some(packet.requests().iter().map(&mut *answers).collect())
    }

    /// The result of the last identical request; `None` for transactions.
    pub(crate) fn last_result(&self, request: &SerializedRequest) -> Option<ResponsePayload> {
        self.lock().results.get(&question(request)).cloned()
    }

    /// Stores a result, if the plan may use it later.
    pub(crate) fn remember(&self, request: &SerializedRequest, result: &ResponsePayload) {
        let mut state = self.lock();
        let is_sent = request.method().starts_with("eth_send");
        if state.plan.may_be_stale() && !is_sent && result.is_success() {
            state.results.insert(question(request), result.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Locks a mutex. If another thread panicked, its test has failed already.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Layer<S> for Faults {
    type Service = FaultyTransport<S>;

    fn layer(&self, inner: S) -> FaultyTransport<S> {
        FaultyTransport::new(inner, self.clone())
    }
}

fn question(request: &SerializedRequest) -> Question {
    let params = request.params().map(|params| params.get().to_owned());
    (request.method().to_owned(), params.unwrap_or_default())
}
