//! Requests over HTTP. alloy's own transport reads answers of any size.

use super::failure::EndpointFailure;
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut, TransportResult};
use core::{
    task::{Context, Poll},
    time::Duration,
};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use tower::Service;
use url::Url;

/// The maximum length of an answer, in bytes. The logs of many blocks are far shorter, because nodes limit
/// them.
pub(super) const MAX_ANSWER: usize = 256 << 20;

/// An HTTP endpoint whose answers are limited.
#[derive(Clone)]
pub(super) struct LimitedHttp {
    pub(super) client: reqwest::Client,
    pub(super) url: Url,
}

impl LimitedHttp {
    async fn request(self, packet: RequestPacket) -> TransportResult<ResponsePacket> {
        let body = serde_json::to_vec(&packet).map_err(TransportError::ser_err)?;
        let request = self.client.post(self.url).headers(packet.headers());
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(TransportErrorKind::custom)?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = read(response).await?;
        let answer = serde_json::from_slice(&body);
        match answer {
            Ok(answer) if status.is_success() || is_error(&answer) => Ok(answer),
            Err(error) if status.is_success() => {
                Err(TransportError::deser_err(error, String::from_utf8_lossy(&body)))
            }
            _ => {
                let body = String::from_utf8_lossy(&body).into_owned();
                let status = status.as_u16();
                Err(TransportErrorKind::http_error_with_retry_after(status, body, retry_after))
            }
        }
    }
}

/// The body of an answer, up to the limit.
async fn read(mut response: Response) -> TransportResult<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(TransportErrorKind::custom)? {
        if body.len() + part.len() > MAX_ANSWER {
            return Err(EndpointFailure::too_large(MAX_ANSWER).into());
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The time that the endpoint requests to wait, if any.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// Whether an answer contains a JSON-RPC error. Endpoints send these with any HTTP status.
fn is_error(answer: &ResponsePacket) -> bool {
    answer.responses().iter().any(alloy_json_rpc::Response::is_error)
}

impl Service<RequestPacket> for LimitedHttp {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        Box::pin(self.clone().request(packet))
    }
}
