//! A transport that fails: at one request, or at random.

use alloy_json_rpc::{ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use canon_testkit::histories::Rng;
use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use tokio::sync::Notify;
use tower::Service;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It isn't carried out.
    Lost,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It is carried out twice; the second answer counts.
    Doubled,
    /// Its answer is lost, and it is carried out before a later request.
    Delayed,
    /// The process that made it ends before it is carried out.
    KilledBefore,
    /// The process that made it ends after it is carried out.
    KilledAfter,
    /// The node refuses it in these words.
    Refused(&'static str),
}

/// When something goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Never.
    Never,
    /// At one request, counted from 1.
    At(u64, Fault),
    /// At every request of a method.
    Method(&'static str, Fault),
    /// At random, in so many of 100 requests, one of these; what is delayed is carried out in random
    /// order.
    Random(Rng, u64, &'static [Fault]),
}

#[derive(Debug)]
struct State {
    plan: Plan,
    requests: u64,
    delayed: Vec<RequestPacket>,
}

/// What goes wrong with the requests of a [`FaultyTransport`]. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
}

/// A transport some of whose requests go wrong.
#[derive(Clone, Debug)]
pub(crate) struct FaultyTransport<S> {
    inner: S,
    faults: Faults,
}

impl Faults {
    pub(crate) fn new() -> Self {
        let state = State { plan: Plan::Never, requests: 0, delayed: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), killed: Arc::default() }
    }

    /// The transport `inner` with these faults.
    pub(crate) fn over<S>(&self, inner: S) -> FaultyTransport<S> {
        FaultyTransport { inner, faults: self.clone() }
    }

    /// Counts from here on, and fails by another plan. What is delayed is dropped.
    pub(crate) fn set(&self, plan: Plan) {
        *self.state.lock().unwrap() = State { plan, requests: 0, delayed: Vec::new() };
    }

    /// Nothing goes wrong any more; what is delayed is carried out before the next request.
    pub(crate) fn end(&self) {
        self.state.lock().unwrap().plan = Plan::Never;
    }

    /// Requests since the plan was set.
    pub(crate) fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    /// Returns when a request has ended the process that made it. That request is never answered.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// What goes wrong with the next request, and what is carried out before it.
    fn next(&self, packet: &RequestPacket) -> (Option<Fault>, Vec<RequestPacket>) {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        let request = state.requests;
        let State { plan, delayed, .. } = &mut *state;
        match plan {
            Plan::Never => (None, core::mem::take(delayed)),
            Plan::At(at, fault) => {
                let late = if request > *at + 2 { core::mem::take(delayed) } else { Vec::new() };
                ((request == *at).then_some(*fault), late)
            }
            Plan::Method(method, fault) => {
                let is_one = packet.method_names().any(|name| name == *method);
                (is_one.then_some(*fault), core::mem::take(delayed))
            }
            Plan::Random(rng, percent, faults) => {
                let mut late = Vec::new();
                while !delayed.is_empty() && rng.chance(1, 4) {
                    let index = usize::try_from(rng.below(delayed.len() as u64)).unwrap();
                    late.push(delayed.swap_remove(index));
                }
                let fault = rng.chance(*percent, 100).then(|| *rng.pick(faults).unwrap());
                (fault, late)
            }
        }
    }
}

impl<S> Service<RequestPacket> for FaultyTransport<S>
where
    S: Service<RequestPacket, Response = ResponsePacket, Error = TransportError>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let (mut inner, faults) = (self.inner.clone(), self.faults.clone());
        Box::pin(async move {
            let (fault, late) = faults.next(&packet);
            for request in late {
                let _ = inner.call(request).await;
            }
            let failed = || Err(TransportErrorKind::custom_str("connection reset"));
            match fault {
                None => inner.call(packet).await,
                Some(Fault::Lost) => failed(),
                Some(Fault::AnswerLost) => {
                    let _ = inner.call(packet).await;
                    failed()
                }
                Some(Fault::Doubled) => {
                    let _ = inner.call(packet.clone()).await;
                    inner.call(packet).await
                }
                Some(Fault::Delayed) => {
                    faults.state.lock().unwrap().delayed.push(packet);
                    failed()
                }
                Some(Fault::Refused(words)) => Ok(refusal(&packet, words)),
                Some(fault @ (Fault::KilledBefore | Fault::KilledAfter)) => {
                    if fault == Fault::KilledAfter {
                        let _ = inner.call(packet).await;
                    }
                    faults.killed.notify_one();
                    core::future::pending().await
                }
            }
        })
    }
}

/// A node's refusal of a request.
fn refusal(packet: &RequestPacket, words: &'static str) -> ResponsePacket {
    let RequestPacket::Single(request) = packet else { panic!("a batch is refused") };
    let error = ErrorPayload { code: -32000, message: words.into(), data: None };
    ResponsePacket::Single(Response {
        id: request.id().clone(),
        payload: ResponsePayload::Failure(error),
    })
}
