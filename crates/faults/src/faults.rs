//! The layer, and what tests ask of it.

use crate::{Answer, Fault, FaultPlan, FaultyTransport};
use alloy_json_rpc::{RequestPacket, ResponsePayload, SerializedRequest};
use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;
use tower::Layer;

/// The faults between a client and the transport that this layer is put on. Clones share everything,
/// so that a test keeps one. By default nothing goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
}

/// The function that answers requests.
type Answers = Box<dyn FnMut(&SerializedRequest) -> Answer + Send>;

#[derive(Default)]
struct State {
    plan: FaultPlan,
    answers: Option<Answers>,
    /// Packets since the plan was set.
    packets: u64,
    /// Requests by method.
    requests: BTreeMap<String, u64>,
    /// Packets that are late, and the number of the packet before which each is carried out.
    delayed: Vec<(u64, RequestPacket)>,
    /// The last results by method and parameters.
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
    /// Counts packets from here on, and lets them go wrong by another plan. What is late is dropped.
    pub fn set(&self, plan: FaultPlan) {
        let mut state = self.lock();
        state.plan = plan;
        state.packets = 0;
        state.delayed.clear();
        state.results.clear();
    }

    /// Lets nothing go wrong any more. What is late is carried out before the next packet.
    pub fn end(&self) {
        let mut state = self.lock();
        state.plan = FaultPlan::Never;
        state.delayed.iter_mut().for_each(|(due, _)| *due = 0);
    }

    /// Answers the requests that reach the endpoint as a function says, which may change the chain but must
    /// not use this. The requests of a batch then reach the node one by one.
    pub fn answer(&self, answers: impl FnMut(&SerializedRequest) -> Answer + Send + 'static) {
        self.lock().answers = Some(Box::new(answers));
    }

    /// The number of packets since the plan was set.
    pub fn packets(&self) -> u64 {
        self.lock().packets
    }

    /// The numbers of requests by method, since the last time that they were taken. Requests that go wrong
    /// count, and those of a batch count one by one.
    pub fn take_requests(&self) -> BTreeMap<String, u64> {
        core::mem::take(&mut self.lock().requests)
    }

    /// Returns when a packet has ended the process that made it. That packet is never answered.
    pub async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Ends the process that made the present packet. Never returns.
    pub(crate) async fn kill<T>(&self) -> T {
        self.killed.notify_one();
        core::future::pending().await
    }

    /// Counts a packet. Returns what goes wrong with it, and the late packets that are carried out before
    /// it, in order.
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
        (state.plan.fault(number, packet), due)
    }

    /// Carries a packet out before the one that is this number of packets later.
    pub(crate) fn delay(&self, packets: u64, packet: RequestPacket) {
        let mut state = self.lock();
        // The present packet is counted already.
        let due = state.packets.saturating_add(packets).saturating_sub(1);
        state.delayed.push((due, packet));
    }

    /// The answers to requests that reach the endpoint; `None` if no answer was ever to be changed.
    pub(crate) fn answers(&self, packet: &RequestPacket) -> Option<Vec<Answer>> {
        let mut state = self.lock();
        let answers = state.answers.as_mut()?;
        Some(packet.requests().iter().map(answers).collect())
    }

    /// The result of the last time that this was asked. Nothing for transactions.
    pub(crate) fn last_result(&self, request: &SerializedRequest) -> Option<ResponsePayload> {
        self.lock().results.get(&question(request)).cloned()
    }

    /// Remembers a result, if the plan can ask for it later.
    pub(crate) fn remember(&self, request: &SerializedRequest, result: &ResponsePayload) {
        let mut state = self.lock();
        let is_sent = request.method().starts_with("eth_send");
        if state.plan.may_be_stale() && !is_sent && result.is_success() {
            state.results.insert(question(request), result.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
