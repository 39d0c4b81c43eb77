//! WebSocket connections. alloy's own ones trust a fixed list of certificates.

use super::{failure::EndpointFailure, http::MAX_ANSWER, secrets::authorization, socket::serve};
use alloy_json_rpc::PubSubItem;
use alloy_pubsub::{ConnectionHandle, PubSubConnect};
use alloy_transport::{TransportErrorKind, TransportResult, utils::guess_local_url};
use core::time::Duration;
use futures_util::{Sink, SinkExt, Stream, StreamExt, stream};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, interval_at, timeout},
};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};
use url::Url;

/// The time between two pings.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The time without any message after which a connection counts as lost, because a ping wasn't answered.
const SILENCE: Duration = Duration::from_secs(20);

/// A connector to a WebSocket, which can also reconnect.
#[derive(Clone)]
pub(super) struct WebSocket {
    pub(super) url: Url,
    pub(super) connector: Connector,
}

impl WebSocket {
    /// The opening request. User and password are sent in a header, as by HTTP clients.
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
        let (writer, reader) = socket.split();
        tokio::spawn(serve(interface, |requests| write(writer, requests), answers(reader)));
        Ok(handle)
    }
}

/// Writes requests in order, and pings, until writing fails.
async fn write(
    mut writer: impl Sink<Message, Error = tungstenite::Error> + Unpin,
    mut requests: UnboundedReceiver<Box<RawValue>>,
) -> EndpointFailure {
    let mut pings = interval_at(Instant::now() + KEEPALIVE, KEEPALIVE);
    loop {
        let message = tokio::select! {
            request = requests.recv() => match request {
                Some(request) => Message::text(request.get()),
                None => return EndpointFailure::closed(),
            },
            _ = pings.tick() => Message::Ping(Default::default()),
        };
        if let Err(error) = writer.send(message).await {
            return EndpointFailure::lost(error);
        }
    }
}

/// The answers, and at last the reason why there are no more.
fn answers(
    reader: impl Stream<Item = tungstenite::Result<Message>> + Unpin,
) -> impl Stream<Item = Result<PubSubItem, EndpointFailure>> {
    stream::unfold(reader, async |mut reader| {
        loop {
            let received = match timeout(SILENCE, reader.next()).await {
                Ok(Some(Ok(message))) => answer(message),
                Ok(Some(Err(error))) => Some(Err(failure(error))),
                Ok(None) => Some(Err(EndpointFailure::closed())),
                Err(_) => Some(Err(EndpointFailure::timeout("sign of life", SILENCE))),
            };
            if let Some(received) = received {
                return Some((received, reader));
            }
        }
    })
}

/// The answer in a message; `None` if the message belongs to the WebSocket protocol.
fn answer(message: Message) -> Option<Result<PubSubItem, EndpointFailure>> {
    match message {
        Message::Text(_) | Message::Binary(_) => {
            let answer = serde_json::from_slice(&message.into_data());
            Some(answer.map_err(|error| EndpointFailure::not_as_expected(&error)))
        }
        Message::Close(_) => Some(Err(EndpointFailure::closed())),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
    }
}

fn failure(error: tungstenite::Error) -> EndpointFailure {
    match error {
        tungstenite::Error::Capacity(_) => EndpointFailure::too_large(MAX_ANSWER),
        error => EndpointFailure::lost(error),
    }
}
