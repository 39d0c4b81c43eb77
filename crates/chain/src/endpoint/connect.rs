//! Connecting to an endpoint.

use super::{
    Address, Endpoint, EndpointFailure,
    guard::{Guard, Guarded, LastAttempt},
    http::LimitedHttp,
    ipc::IpcSocket,
    secrets::Secrets,
    tls,
    websocket::WebSocket,
};
use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy_provider::ProviderBuilder;
use alloy_rpc_client::{ClientBuilder, RpcClient};
use alloy_transport::{TransportResult, utils::guess_local_url};
use core::time::Duration;
use std::sync::Arc;
use tokio_tungstenite::Connector;
use url::Url;

/// The time limits for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The time limit for opening a connection. 10 seconds by default.
    pub connect: Duration,
    /// The time limit for an answer, including the opening of a connection if there is none. 30 seconds by
    /// default, since the logs of many blocks take a while.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30) }
    }
}

impl Endpoint {
    /// Connects, and requests the chain id once. TLS connections trust the system's certificates
    /// (`SSL_CERT_FILE` and `SSL_CERT_DIR` replace them), or Mozilla's list if the system has none.
    ///
    /// Redirects aren't followed, because the key in a URL is only for its host.
    ///
    /// # Errors
    ///
    /// [`Error::Rpc`] if the endpoint can't be reached or doesn't answer in time.
    pub async fn connect(&self, timeouts: Timeouts) -> Result<Client> {
        let client = self.rpc_client(timeouts).await;
        let client = client.map_err(|source| Error::rpc("the request to connect", source))?;
        Client::connect(ProviderBuilder::default().connect_client(client)).await
    }

    pub(super) async fn rpc_client(&self, timeouts: Timeouts) -> TransportResult<RpcClient> {
        let secrets = Arc::new(Secrets::of(self));
        let last_attempt = LastAttempt::default();
        let guard = |limit| {
            let (secrets, last_attempt) = (Arc::clone(&secrets), last_attempt.clone());
            Guard { limit, secrets, last_attempt }
        };
        let (requests, connections) = (guard(timeouts.request), guard(timeouts.connect));
        let builder = ClientBuilder::default().layer(requests);
        match &self.0 {
            Address::Http(url) => {
                let http = LimitedHttp { client: http_client(url, timeouts)?, url: url.clone() };
                Ok(builder.transport(http, guess_local_url(url)))
            }
            Address::WebSocket(url) => {
                let connector = match url.scheme() {
                    "wss" => Connector::Rustls(Arc::new(tls::trusting_the_system()?)),
                    _ => Connector::Plain,
                };
                let inner = WebSocket { url: url.clone(), connector };
                builder.pubsub(Guarded { inner, guard: connections }).await
            }
            Address::Ipc(path) => {
                let inner = IpcSocket { path: path.clone() };
                builder.pubsub(Guarded { inner, guard: connections }).await
            }
        }
    }
}

fn http_client(url: &Url, timeouts: Timeouts) -> Result<reqwest::Client, EndpointFailure> {
    let tls = match url.scheme() {
        "https" => tls::trusting_the_system()?,
        _ => tls::trusting_nobody()?,
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeouts.connect)
        .build()
        .map_err(|error| EndpointFailure::unprepared(error.without_url()))
}
