//! An endpoint in front of a devchain, which has its own limits and records its requests.

use crate::test_chain::client_by;
use alloy_json_rpc::{Id, RequestPacket, ResponsePacket, SerializedRequest};
use canon_chain::Client;
use canon_devchain::Devchain;
use canon_faults::{Answer, Fault, FaultPlan, Faults, failure, params};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The way in which an endpoint refuses batches that are too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchRefusal {
    /// An HTTP status.
    Http,
    /// One error for the whole batch.
    OneError,
    /// An error for the first request, and nothing for the others, as geth does.
    FirstOnly,
    /// An error for each request.
    EachError,
}

/// The behavior of an endpoint.
#[derive(Clone, Default)]
pub(crate) struct Conduct {
    /// The maximum number of requests in a batch, and the way in which larger ones are refused.
    pub(crate) batch: Option<(usize, BatchRefusal)>,
    /// Whether an `eth_call` without `to` is refused.
    pub(crate) refuses_creation: bool,
    /// The gas of an `eth_call` without `to`.
    pub(crate) creation_gas: Option<u64>,
    /// The number of the packet that fails, counted from 0.
    pub(crate) fails: Option<usize>,
    /// A function that runs before the packet with this number is answered.
    pub(crate) before: Option<(usize, Arc<dyn Fn() + Send + Sync>)>,
    /// The answer to all calls with this selector, in hexadecimal.
    pub(crate) answers: Option<(String, Value)>,
    /// The chain id to return instead of its own.
    pub(crate) chain_id: Option<u64>,
}

/// A received request: its method, its subject, its block, and whether it is an `eth_call` without `to`.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) subject: Value,
    pub(crate) block: Value,
    pub(crate) creates: bool,
}

/// An endpoint with limits, which records its requests.
pub(crate) struct LimitedEndpoint {
    chain: Devchain,
    faults: Faults,
    conduct: Arc<Mutex<Conduct>>,
    packets: Arc<Mutex<Vec<Vec<Asked>>>>,
}

impl LimitedEndpoint {
    pub(crate) fn new(chain: &Devchain, conduct: Conduct) -> Self {
        let faults = Faults::default();
        let conduct = Arc::new(Mutex::new(conduct));
        let packets = Arc::new(Mutex::new(Vec::new()));
        let (rules, record) = (Arc::clone(&conduct), Arc::clone(&packets));
        faults.set(FaultPlan::by(move |packet| {
            let number = record.lock().unwrap().len();
            record.lock().unwrap().push(packet.requests().iter().map(asked).collect());
            let conduct = rules.lock().unwrap().clone();
            conduct.fault(number, packet)
        }));
        let rules = Arc::clone(&conduct);
        faults.answer(move |request| rules.lock().unwrap().answer(request));
        Self { chain: chain.clone(), faults, conduct, packets }
    }

    /// A client of the endpoint. The packet of its connection isn't recorded.
    pub(crate) async fn client(&self) -> Client {
        let client = client_by(&self.faults, &self.chain).await;
        self.packets.lock().unwrap().clear();
        client
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Conduct)) {
        change(&mut self.conduct.lock().unwrap());
    }

    /// The packets since the last call. Each one is a round trip.
    pub(crate) fn take_packets(&self) -> Vec<Vec<Asked>> {
        core::mem::take(&mut *self.packets.lock().unwrap())
    }
}

impl Conduct {
    /// The fault of the packet with this number.
    fn fault(&self, number: usize, packet: &RequestPacket) -> Option<Fault> {
        if let Some((before, run)) = &self.before
            && *before == number
        {
            run();
        }
        if self.fails == Some(number) {
            return Some(Fault::Lost);
        }
        let (most, refusal) = self.batch?;
        (packet.len() > most).then(|| refuse_batch(packet.requests(), refusal))
    }

    fn answer(&self, request: &SerializedRequest) -> Answer {
        let Asked { method, creates, .. } = asked(request);
        if creates && self.refuses_creation {
            return Answer::Refusal(-32000, "contract creation is not allowed".to_owned());
        }
        if let Some(chain_id) = self.chain_id.filter(|_| method == "eth_chainId") {
            return Answer::Result(json!(format!("{chain_id:#x}")));
        }
        let mut params = params(request);
        if let Some((selector, answer)) = &self.answers
            && params[0]["input"].as_str().is_some_and(|input| input.starts_with(selector))
        {
            return Answer::Result(answer.clone());
        }
        if let Some(gas) = self.creation_gas.filter(|_| creates) {
            params[0]["gas"] = json!(format!("{gas:#x}"));
            return Answer::Asked(params);
        }
        Answer::Node
    }
}

fn asked(request: &SerializedRequest) -> Asked {
    let params = params(request);
    let method = request.method().to_owned();
    let creates = method == "eth_call" && params[0].get("to").is_none_or(Value::is_null);
    Asked { method, subject: params[0].clone(), block: params[1].clone(), creates }
}

fn refuse_batch(requests: &[SerializedRequest], refusal: BatchRefusal) -> Fault {
    let refuse = |id: &Id, words| failure(id.clone(), -32600, words);
    Fault::Answered(match refusal {
        BatchRefusal::Http => return Fault::HttpStatus(413, "payload too large"),
        BatchRefusal::OneError => ResponsePacket::Single(refuse(&Id::None, "too many")),
        BatchRefusal::FirstOnly => {
            ResponsePacket::Batch(vec![refuse(requests[0].id(), "batch too large")])
        }
        BatchRefusal::EachError => ResponsePacket::Batch(
            requests.iter().map(|request| refuse(request.id(), "batch limit exceeded")).collect(),
        ),
    })
}
