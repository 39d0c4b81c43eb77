//! The configured endpoints of a chain, and the checks of each.

use super::{
    Address as EndpointAddress, Endpoint, Timeouts,
    failover::{Failover, Node},
    problem::EndpointNote,
};
use crate::{client::Client, error::Result};
use alloy_primitives::{Address, ChainId};
use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use alloy_transport::utils::guess_local_url;
use canon_protocol::Timestamp;
use core::fmt;
use std::sync::Arc;

/// The checks of an endpoint before it is trusted. In addition, its newest block may be neither older than
/// 5 minutes, nor more than a minute ahead of the clock, nor more than 5 blocks and their time behind one
/// seen at any endpoint. The chains of development nodes (ids 31337 and 1337) are exempt from these three
/// checks.
#[derive(Clone)]
pub struct EndpointChecks {
    /// The expected chain id. If `None`, that of the first endpoint that passes.
    pub chain_id: Option<ChainId>,
    /// The Registry's address, which must have code. `None` for a chain without a set so far.
    pub registry: Option<Address>,
    /// Returns the present time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for EndpointChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointChecks")
            .field("chain_id", &self.chain_id)
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

/// Endpoints of one chain in order of preference, at least one.
#[derive(Clone, Debug)]
pub struct Endpoints {
    first: Endpoint,
    others: Vec<Endpoint>,
}

impl Endpoints {
    /// Endpoints in order of preference.
    pub fn new(first: Endpoint, others: impl IntoIterator<Item = Endpoint>) -> Self {
        Self { first, others: others.into_iter().collect() }
    }

    /// Connects to the first endpoint that passes the checks. The client uses the others only when
    /// necessary, and connects to them only then. `note` is called whenever an endpoint begins to be
    /// skipped, and `slow` for each request that takes longer than 2 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::NoEndpoint`](crate::Error::NoEndpoint) if none passes. Later requests that no endpoint
    /// answers fail with the same error, or with the endpoint's own error if there is only one.
    pub async fn connect(
        &self,
        checks: EndpointChecks,
        timeouts: Timeouts,
        note: impl Fn(EndpointNote) + Send + Sync + 'static,
        slow: impl Fn() + Send + Sync + 'static,
    ) -> Result<Client> {
        let is_local = match &self.first.0 {
            EndpointAddress::Http(url) | EndpointAddress::WebSocket(url) => guess_local_url(url),
            EndpointAddress::Ipc(_) => true,
        };
        let nodes = core::iter::once(&self.first).chain(&self.others).map(|endpoint| {
            let dialed = endpoint.clone();
            Node::new(endpoint.clone(), move || {
                let endpoint = dialed.clone();
                Box::pin(
                    async move { Ok(endpoint.rpc_client(timeouts).await?.transport().clone()) },
                )
            })
        });
        let failover = Failover::new(nodes.collect(), checks, note, slow);
        let rpc = RpcClient::new(failover.clone(), is_local);
        // This requests the chain id, which is answered once an endpoint has passed the checks.
        let client = Client::connect(ProviderBuilder::default().connect_client(rpc)).await?;
        client.note_head(failover.newest_number());
        Ok(client)
    }
}
