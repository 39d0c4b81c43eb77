//! The transport whose packets can have faults.

use crate::{
    Answer, Fault, Faults,
    answer::{failure, parse, success},
};
use alloy_json_rpc::{
    Request, RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest,
};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut};
use core::{
    future::poll_fn,
    mem,
    task::{Context, Poll},
};
use tower::Service;

/// A transport whose packets have the faults that [`Faults`] plans.
#[derive(Clone, Debug)]
pub struct FaultyTransport<S> {
    inner: S,
    faults: Faults,
}

impl<S> FaultyTransport<S> {
    pub(crate) const fn new(inner: S, faults: Faults) -> Self {
        Self { inner, faults }
    }
}

impl<S> FaultyTransport<S>
where
    S: Service<RequestPacket, Response = ResponsePacket, Error = TransportError>,
{
    async fn carry(&mut self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let (fault, late) = self.faults.next(&packet);
        for packet in late {
            // The client got an error when the packet was delayed.
            let _ = self.reach(packet).await;
        }
        let Some(fault) = fault else { return self.reach(packet).await };
        match fault {
            Fault::Lost => {}
            Fault::AnswerLost => {
                let _ = self.reach(packet).await;
            }
            Fault::Doubled => {
                let _ = self.reach(packet.clone()).await;
                return self.reach(packet).await;
            }
            Fault::Delayed(packets) => self.faults.delay(packets, packet),
            Fault::Stale => return self.stale(packet).await,
            Fault::KilledBefore => return self.faults.kill().await,
            Fault::KilledAfter => {
                let _ = self.reach(packet).await;
                return self.faults.kill().await;
            }
            Fault::HttpStatus(status, words) => {
                return Err(TransportErrorKind::http_error(status, words.to_owned()));
            }
            Fault::Answered(response) => return Ok(response),
        }
        Err(TransportErrorKind::custom_str("connection reset"))
    }

    /// Sends a packet to the node, and stores the results.
    async fn reach(&mut self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let requests = packet.requests().to_vec();
        let response = match self.faults.answers(&packet) {
            None => self.call_inner(packet).await?,
            Some(answers) => {
                let mut responses = Vec::with_capacity(answers.len());
                for (request, answer) in requests.iter().zip(answers) {
                    responses.push(self.answer(request, answer).await?);
                }
                respond(&packet, responses)
            }
        };
        for response in response.responses() {
            let asked = requests.iter().find(|request| *request.id() == response.id);
            if let Some(request) = asked {
                self.faults.remember(request, &response.payload);
            }
        }
        Ok(response)
    }

    async fn answer(
        &mut self,
        request: &SerializedRequest,
        answer: Answer,
    ) -> Result<Response, TransportError> {
        let (id, method) = (request.id().clone(), request.method().to_owned());
        match answer {
            Answer::Node => self.ask(request.clone()).await,
            Answer::Asked(params) => {
                let request = Request::new(method, id, params).serialize();
                self.ask(request.map_err(TransportError::ser_err)?).await
            }
            Answer::Changed(change) => {
                let response = self.ask(request.clone()).await?;
                Ok(match &response.payload {
                    ResponsePayload::Success(result) => success(id, &change(parse(result))),
                    ResponsePayload::Failure(_) => response,
                })
            }
            Answer::Result(result) => Ok(success(id, &result)),
            Answer::Refusal(code, words) => Ok(failure(id, code, words)),
        }
    }

    /// The node's answer to one request.
    async fn ask(&mut self, request: SerializedRequest) -> Result<Response, TransportError> {
        match self.call_inner(RequestPacket::Single(request)).await? {
            ResponsePacket::Single(response) => Ok(response),
            ResponsePacket::Batch(mut responses) if responses.len() == 1 => Ok(responses.remove(0)),
            ResponsePacket::Batch(responses) => Err(TransportErrorKind::custom_str(&format!(
                "one request has {} responses",
                responses.len()
            ))),
        }
    }

    /// Calls the service as soon as it is ready. One packet can need several calls.
    async fn call_inner(
        &mut self,
        packet: RequestPacket,
    ) -> Result<ResponsePacket, TransportError> {
        poll_fn(|context| self.inner.poll_ready(context)).await?;
        self.inner.call(packet).await
    }

    /// Answers each request with the last result of an identical request.
    async fn stale(&mut self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let mut responses = Vec::with_capacity(packet.len());
        for request in packet.requests() {
            responses.push(match self.faults.last_result(request) {
                Some(payload) => Response { id: request.id().clone(), payload },
                None => {
                    let single = RequestPacket::Single(request.clone());
                    match self.reach(single).await? {
                        ResponsePacket::Single(response) => response,
                        batch => return Ok(batch),
                    }
                }
            });
        }
        Ok(respond(&packet, responses))
    }
}

/// The response to a packet. `responses` has one for each request.
fn respond(packet: &RequestPacket, mut responses: Vec<Response>) -> ResponsePacket {
    match packet {
        RequestPacket::Single(_) if responses.len() == 1 => {
            ResponsePacket::Single(responses.remove(0))
        }
        _ => ResponsePacket::Batch(responses),
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

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        // The service that was polled is ready; its clone need not be.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let mut transport = Self { inner, faults: self.faults.clone() };
        Box::pin(async move { transport.carry(packet).await })
    }
}
