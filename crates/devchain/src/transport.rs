//! The chain as an alloy transport.

use std::task::{Context, Poll};

use alloy_json_rpc::{RequestPacket, Response, ResponsePacket, SerializedRequest};
use alloy_transport::{TransportError, TransportFut};
use tower::Service;

use crate::{
    Devchain,
    rpc::{self, Progress, envelope},
};

/// A transport of JSON-RPC packets to a [`Devchain`] in the same process. A request is answered in
/// the first poll of the returned future, because it needn't wait for anything; only those that mine
/// or search many blocks let others use the chain in between.
#[derive(Clone, Debug)]
pub struct DevchainTransport {
    chain: Devchain,
}

impl DevchainTransport {
    pub(crate) const fn new(chain: Devchain) -> Self {
        Self { chain }
    }
}

impl Service<RequestPacket> for DevchainTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let chain = self.chain.clone();
        // The request runs only when the future is polled, so that a dropped future has no effect.
        Box::pin(async move {
            Ok(match &packet {
                RequestPacket::Single(request) => {
                    ResponsePacket::Single(respond(&chain, request).await)
                }
                RequestPacket::Batch(requests) => {
                    let mut responses = Vec::with_capacity(requests.len());
                    for request in requests {
                        responses.push(respond(&chain, request).await);
                    }
                    ResponsePacket::Batch(responses)
                }
            })
        })
    }
}

async fn respond(chain: &Devchain, request: &SerializedRequest) -> Response {
    let mut progress = {
        let mut chain = chain.lock();
        rpc::start(&mut chain, request.method(), request.params()).without_leaving(&chain)
    };
    loop {
        match progress {
            Progress::Answered(result) => return envelope::respond(request, result),
            Progress::Mining(mine) => {
                tokio::task::yield_now().await;
                progress = mine.some(&mut chain.lock());
            }
            Progress::Searching(search) => {
                tokio::task::yield_now().await;
                progress = search.some(&chain.lock());
            }
            Progress::Executing(execution) => {
                progress = Progress::Executing(execution).without_leaving(&chain.lock());
            }
        }
    }
}
