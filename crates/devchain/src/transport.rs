//! The chain as an alloy transport.

use std::task::{Context, Poll};

use alloy_json_rpc::{RequestPacket, ResponsePacket, SerializedRequest};
use alloy_transport::{TransportError, TransportFut};
use tower::Service;

use crate::{Devchain, rpc};

/// A transport of JSON-RPC packets to a [`Devchain`] in the same process. A request is answered in
/// the first poll of the returned future, because it needn't wait for anything.
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
            let mut chain = chain.lock();
            let mut respond = |request: &SerializedRequest| {
                rpc::respond(&mut chain, request.id().clone(), request.method(), request.params())
            };
            Ok(match &packet {
                RequestPacket::Single(request) => ResponsePacket::Single(respond(request)),
                RequestPacket::Batch(requests) => {
                    ResponsePacket::Batch(requests.iter().map(respond).collect())
                }
            })
        })
    }
}
