//! An endpoint with limits of its own in front of a devchain, which counts what it is asked.

use alloy_json_rpc::{
    ErrorPayload, Id, Request, RequestPacket, Response, ResponsePacket, ResponsePayload,
    SerializedRequest,
};
use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use canon_chain::Client;
use canon_devchain::{Devchain, DevchainTransport};
use core::task::{Context, Poll};
use serde_json::{Value, json, value::RawValue};
use std::sync::{Arc, Mutex};
use tower::Service;

/// How an endpoint refuses a batch that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchRefusal {
    /// With a status of HTTP.
    Http,
    /// With one error for the whole batch.
    OneError,
    /// With an error for the first request, and nothing for the others, as geth does.
    FirstOnly,
    /// With an error for each request.
    EachError,
}

/// What an endpoint does.
#[derive(Clone, Default)]
pub(crate) struct Conduct {
    /// Requests that it takes in a batch, and how it refuses more.
    pub(crate) batch: Option<(usize, BatchRefusal)>,
    /// It refuses `eth_call` without `to`.
    pub(crate) refuses_creation: bool,
    /// The gas of an `eth_call` without `to`.
    pub(crate) creation_gas: Option<u64>,
    /// It fails the packet of this number, counted from 0.
    pub(crate) fails: Option<usize>,
    /// Runs before the packet of this number is answered.
    pub(crate) before: Option<(usize, Arc<dyn Fn() + Send + Sync>)>,
    /// The answer to all calls with this selector, in hexadecimal.
    pub(crate) answers: Option<(String, Value)>,
    /// The chain id that it reports, instead of its own.
    pub(crate) chain_id: Option<u64>,
}

/// A request as it arrived: its method, what it is about, at which block, and whether it is an
/// `eth_call` without `to`.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) subject: Value,
    pub(crate) block: Value,
    pub(crate) creates: bool,
}

/// An endpoint. Clones share everything.
#[derive(Clone)]
pub(crate) struct LimitedEndpoint {
    inner: DevchainTransport,
    conduct: Arc<Mutex<Conduct>>,
    packets: Arc<Mutex<Vec<Vec<Asked>>>>,
}

impl LimitedEndpoint {
    pub(crate) fn new(chain: &Devchain, conduct: Conduct) -> Self {
        let conduct = Arc::new(Mutex::new(conduct));
        Self { inner: chain.transport(), conduct, packets: Arc::default() }
    }

    /// A client of it, when the packet that asks for the chain id has been forgotten.
    pub(crate) async fn client(&self) -> Client {
        let rpc = RpcClient::new(self.clone(), true);
        let client = Client::connect(ProviderBuilder::default().connect_client(rpc)).await;
        self.packets.lock().unwrap().clear();
        client.unwrap()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.conduct.lock().unwrap());
    }

    /// The packets since the last time this was asked: each a round trip.
    pub(crate) fn take_packets(&self) -> Vec<Vec<Asked>> {
        core::mem::take(&mut *self.packets.lock().unwrap())
    }

    async fn answer(mut self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let requests = packet.requests();
        let asked = requests.iter().map(asked).collect();
        let number = {
            let mut packets = self.packets.lock().unwrap();
            packets.push(asked);
            packets.len() - 1
        };
        let conduct = self.conduct.lock().unwrap().clone();
        if let Some((before, run)) = &conduct.before
            && *before == number
        {
            run();
        }
        if conduct.fails == Some(number) {
            return Err(TransportErrorKind::custom_str("connection reset"));
        }
        if let Some((most, refusal)) = conduct.batch
            && requests.len() > most
        {
            return refuse_batch(requests, refusal);
        }
        let mut responses = Vec::with_capacity(requests.len());
        for request in requests {
            responses.push(self.answer_one(&conduct, request).await?);
        }
        Ok(match packet {
            RequestPacket::Single(_) => ResponsePacket::Single(responses.remove(0)),
            RequestPacket::Batch(_) => ResponsePacket::Batch(responses),
        })
    }

    async fn answer_one(
        &mut self,
        conduct: &Conduct,
        request: &SerializedRequest,
    ) -> Result<Response, TransportError> {
        let Asked { method, creates, .. } = asked(request);
        let id = request.id().clone();
        if creates && conduct.refuses_creation {
            return Ok(failure(id, -32000, "contract creation is not allowed"));
        }
        if let Some(chain_id) = conduct.chain_id.filter(|_| method == "eth_chainId") {
            return Ok(success(id, &json!(format!("{chain_id:#x}"))));
        }
        let mut params = params(request);
        if let Some((selector, answer)) = &conduct.answers
            && params[0]["input"].as_str().is_some_and(|input| input.starts_with(selector))
        {
            return Ok(success(id, answer));
        }
        let mut request = request.clone();
        if let Some(gas) = conduct.creation_gas.filter(|_| creates) {
            params[0]["gas"] = json!(format!("{gas:#x}"));
            request = Request::new(method, id, params).serialize().unwrap();
        }
        match self.inner.call(RequestPacket::Single(request)).await? {
            ResponsePacket::Single(response) => Ok(response),
            ResponsePacket::Batch(_) => unreachable!("one request has one response"),
        }
    }
}

fn params(request: &SerializedRequest) -> Value {
    serde_json::from_str(request.params().map_or("[]", RawValue::get)).unwrap()
}

fn asked(request: &SerializedRequest) -> Asked {
    let params = params(request);
    let method = request.method().to_owned();
    let creates = method == "eth_call" && params[0].get("to").is_none_or(Value::is_null);
    Asked { method, subject: params[0].clone(), block: params[1].clone(), creates }
}

fn refuse_batch(
    requests: &[SerializedRequest],
    refusal: BatchRefusal,
) -> Result<ResponsePacket, TransportError> {
    let first = requests[0].id().clone();
    Ok(match refusal {
        BatchRefusal::Http => {
            return Err(TransportErrorKind::http_error(413, "payload too large".to_owned()));
        }
        BatchRefusal::OneError => ResponsePacket::Single(failure(Id::None, -32600, "too many")),
        BatchRefusal::FirstOnly => {
            ResponsePacket::Batch(vec![failure(first, -32600, "batch too large")])
        }
        BatchRefusal::EachError => ResponsePacket::Batch(
            requests
                .iter()
                .map(|request| failure(request.id().clone(), -32600, "batch limit exceeded"))
                .collect(),
        ),
    })
}

fn success(id: Id, result: &Value) -> Response {
    let result = serde_json::value::to_raw_value(result).unwrap();
    Response { id, payload: ResponsePayload::Success(result) }
}

fn failure(id: Id, code: i64, message: &'static str) -> Response {
    let payload = ErrorPayload { code, message: message.into(), data: None };
    Response { id, payload: ResponsePayload::Failure(payload) }
}

impl Service<RequestPacket> for LimitedEndpoint {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().answer(packet))
    }
}
