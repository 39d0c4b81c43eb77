//! Requests that take long.

use core::{future::Future, pin::pin, time::Duration};

/// The time after which a request takes long.
const PATIENCE: Duration = Duration::from_secs(2);

/// Awaits a request, and calls `slow` if it takes long.
pub(super) async fn noting_delay<T>(request: impl Future<Output = T>, slow: impl FnOnce()) -> T {
    let mut request = pin!(request);
    tokio::select! {
        biased;
        answer = &mut request => return answer,
        () = tokio::time::sleep(PATIENCE) => slow(),
    }
    request.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Client, EndpointChecks,
        endpoint::failover::{Failover, Node},
    };
    use alloy_json_rpc::{RequestPacket, ResponsePacket};
    use alloy_primitives::Address;
    use alloy_provider::ProviderBuilder;
    use alloy_rpc_client::RpcClient;
    use alloy_transport::{BoxTransport, TransportError, TransportFut};
    use canon_devchain::{Devchain, DevchainConfig};
    use canon_protocol::Timestamp;
    use core::{
        cell::Cell,
        task::{Context, Poll},
    };
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };
    use tokio::time::sleep;
    use tower::Service;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_long_is_noted_once_and_still_answered() {
        for (seconds, expected) in [(0, 0), (1, 0), (3, 1), (20, 1)] {
            let noted = Cell::new(0);
            let request = async {
                sleep(Duration::from_secs(seconds)).await;
                seconds
            };
            let answer = noting_delay(request, || noted.set(noted.get() + 1)).await;
            assert_eq!((answer, noted.get()), (seconds, expected));
        }
    }

    /// A transport whose answers take 3 seconds.
    #[derive(Clone)]
    struct Slow<T>(T);

    impl<T> Service<RequestPacket> for Slow<T>
    where
        T: Service<RequestPacket, Response = ResponsePacket, Error = TransportError>,
        T::Future: Send + 'static,
    {
        type Response = ResponsePacket;
        type Error = TransportError;
        type Future = TransportFut<'static>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
            self.0.poll_ready(context)
        }

        fn call(&mut self, packet: RequestPacket) -> Self::Future {
            let answer = self.0.call(packet);
            Box::pin(async move {
                sleep(Duration::from_secs(3)).await;
                answer.await
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_request_of_a_client_is_watched() {
        let chain = Devchain::new(DevchainConfig::default());
        let now = chain.timestamp();
        let transport = BoxTransport::new(Slow(chain.transport()));
        let node = Node::new("http://a".parse().unwrap(), move || {
            let transport = transport.clone();
            Box::pin(async move { Ok(transport) })
        });
        let clock = Arc::new(move || Timestamp::of(now));
        let checks = EndpointChecks { chain_id: None, registry: None, clock };
        let noted = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&noted);
        let slow = move || {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        let rpc = RpcClient::new(Failover::new(vec![node], checks, |_| {}, slow), true);
        let client = ProviderBuilder::default().connect_client(rpc);
        let client = Client::connect(client).await.unwrap();
        assert_eq!(noted.load(Ordering::Relaxed), 1);
        client.balance(Address::ZERO).await.unwrap();
        assert_eq!(noted.load(Ordering::Relaxed), 2);
    }
}
