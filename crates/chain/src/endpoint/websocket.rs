//! WebSocket connections. alloy's own take their certificates from a fixed list.

use super::{http::MAX_ANSWER, secrets::authorization};
use alloy_pubsub::{ConnectionHandle, PubSubConnect};
use alloy_transport::{TransportErrorKind, TransportResult, utils::guess_local_url};
use alloy_transport_ws::WsBackend;
use core::time::Duration;
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};
use url::Url;

/// The time between two pings. A connection that doesn't answer one before the next is lost.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// A connector to a WebSocket, also after the connection was lost.
#[derive(Clone)]
pub(super) struct WebSocket {
    pub(super) url: Url,
    pub(super) connector: Connector,
}

impl WebSocket {
    /// The opening request. User and password go to a header, as HTTP clients do it.
    fn request(&self) -> tungstenite::Result<Request> {
        let mut url = self.url.clone();
        // These fail only for URLs that have no host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut request = url.as_str().into_client_request()?;
        if let Some(authorization) = authorization(&self.url) {
            let mut value = HeaderValue::from_str(&authorization.to_string())?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }
}

impl PubSubConnect for WebSocket {
    fn is_local(&self) -> bool {
        guess_local_url(&self.url)
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        let request = self.request().map_err(TransportErrorKind::custom)?;
        let connector = Some(self.connector.clone());
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_ANSWER))
            .max_frame_size(Some(MAX_ANSWER));
        let opened = connect_async_tls_with_config(request, Some(limits), false, connector).await;
        let (socket, _) = opened.map_err(TransportErrorKind::custom)?;
        let (handle, interface) = ConnectionHandle::new();
        WsBackend::from_socket(socket, interface, KEEPALIVE).spawn();
        Ok(handle)
    }
}
