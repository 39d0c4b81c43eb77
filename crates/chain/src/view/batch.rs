//! JSON-RPC batches, as large as the endpoint accepts them.

use crate::{
    client::Client,
    error::{Error, Result},
    request_length::{ANSWERS_TO_LENGTHEN, RequestLength},
};
use alloy_provider::Provider;
use alloy_rpc_client::{BatchRequest, Waiter};
use alloy_transport::{RpcError, TransportError, TransportErrorKind};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// The observed limits of an endpoint. None of them is permanent, because a refusal may be temporary.
#[derive(Debug)]
pub(crate) struct EndpointLimits {
    batch: Mutex<RequestLength>,
    /// The number of further views to read without the lens.
    without_lens: AtomicU32,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self { batch: Mutex::new(RequestLength::BATCH), without_lens: AtomicU32::new(0) }
    }
}

impl EndpointLimits {
    /// Whether the next view uses the lens. After a refusal, ten views don't.
    pub(super) fn use_lens(&self) -> bool {
        self.without_lens.fetch_update(Relaxed, Relaxed, |views| views.checked_sub(1)).is_err()
    }

    /// Records that the endpoint doesn't execute the lens now.
    pub(super) fn refuse_lens(&self) {
        self.without_lens.store(ANSWERS_TO_LENGTHEN, Relaxed);
    }

    fn batch(&self) -> MutexGuard<'_, RequestLength> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of a [batch](Client::batch).
#[derive(Clone, Debug)]
pub struct BatchedRequest {
    method: &'static str,
    params: Box<RawValue>,
}

/// The result of a request, or the endpoint's error, but never a transport failure.
pub type Reply = Result<Box<RawValue>, TransportError>;

impl BatchedRequest {
    /// A request of `method` with its parameters.
    ///
    /// # Errors
    ///
    /// If the parameters can't be serialized.
    pub fn new(method: &'static str, params: impl Serialize) -> Result<Self> {
        let params = to_raw_value(&params).map_err(RpcError::ser_err);
        Ok(Self { method, params: params.map_err(|source| Error::from_rpc(method, source))? })
    }
}

impl Client {
    /// Sends `requests` in as few batches as the endpoint takes, and returns the replies in their order. A
    /// batch that the endpoint refuses is halved, down to single requests; after enough answers it grows again. Endpoints may pass each request of
    /// a batch to another node.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer one of the requests.
    pub async fn batch(&self, requests: &[BatchedRequest]) -> Result<Vec<Reply>> {
        let mut limit = self.limits().batch().get() as usize;
        let mut replies = Vec::with_capacity(requests.len());
        while let Some(rest) = requests.get(replies.len()..).filter(|rest| !rest.is_empty()) {
            let some = &rest[..limit.min(rest.len())];
            match self.send_batch(some).await {
                Ok(answered) => {
                    // A shorter batch at the end proves nothing about the limit.
                    if some.len() == limit {
                        let mut length = self.limits().batch();
                        length.note_answer(limit as u64);
                        limit = length.get() as usize;
                    }
                    replies.extend(answered);
                }
                Err(error) if some.len() > 1 && refuses_batch(&error) => limit = some.len() / 2,
                Err(source) => return Err(Error::from_rpc(some[0].method, source)),
            }
        }
        Ok(replies)
    }

    async fn send_batch(&self, requests: &[BatchedRequest]) -> Result<Vec<Reply>, TransportError> {
        let client = self.provider().client();
        if let [BatchedRequest { method, params }] = requests {
            let reply: Reply = client.request(*method, params.clone()).await;
            return Ok(vec![reply_of(reply)?]);
        }
        let mut batch = BatchRequest::new(client);
        let waiters: Vec<Waiter<Box<RawValue>>> = requests
            .iter()
            .map(|request| batch.add_call(request.method, &request.params))
            .collect::<Result<_, _>>()?;
        batch.send().await?;
        let mut replies = Vec::with_capacity(waiters.len());
        for waiter in waiters {
            let reply = reply_of(waiter.await)?;
            // Some endpoints answer each request with the reason why they refuse the batch.
            match reply {
                Err(RpcError::ErrorResp(payload)) if payload.message.contains("batch") => {
                    return Err(RpcError::ErrorResp(payload));
                }
                reply => replies.push(reply),
            }
        }
        Ok(replies)
    }
}

/// Decodes the result of a request of `what`.
///
/// # Errors
///
/// If the endpoint refused the request, or returned another type of result.
pub fn decode_reply<T: DeserializeOwned>(what: &'static str, reply: Reply) -> Result<T> {
    let decoded = reply.and_then(|result| {
        serde_json::from_str(result.get()).map_err(|error| RpcError::deser_err(error, result.get()))
    });
    decoded.map_err(|source| Error::from_rpc(what, source))
}

/// Returns the reply, unless the transport failed.
fn reply_of(reply: Reply) -> Result<Reply, TransportError> {
    match reply {
        Err(error) if !error.is_error_resp() => Err(error),
        reply => Ok(reply),
    }
}

/// Whether an endpoint that failed a batch with `error` may accept a smaller one.
fn refuses_batch(error: &TransportError) -> bool {
    match error {
        // One error for the whole batch answers none of its requests; geth answers only the first. Others
        // return something that isn't JSON-RPC.
        RpcError::Transport(TransportErrorKind::MissingBatchResponse(_))
        | RpcError::DeserError { .. } => true,
        // 401, 402 and 403 mean not allowed at all; 408 means slow; 429 means too many requests, not too
        // large ones.
        RpcError::Transport(TransportErrorKind::HttpError(error)) => {
            (400..500).contains(&error.status) && ![401, 402, 403, 408, 429].contains(&error.status)
        }
        RpcError::ErrorResp(payload) => payload.message.contains("batch"),
        _ => false,
    }
}
