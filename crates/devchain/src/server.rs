//! The JSON-RPC server over HTTP, for browsers, `cast` and other processes.

use std::net::SocketAddr;

use alloy_json_rpc::{Id, Response, ResponsePayload};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::post,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_http::cors::CorsLayer;

use crate::{
    Devchain,
    rpc::{
        self,
        error::{RpcError, invalid_request},
    },
};

/// The largest request body, in bytes. A dump is sent in one body.
const MAX_BODY: usize = 256 << 20;

/// A running server. It stops when the handle is dropped.
#[derive(Debug)]
pub struct ServerHandle {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl ServerHandle {
    /// The address on which the server listens. The port is the real one, even if port 0 was given.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops the server and waits until it has answered all requests.
    ///
    /// # Errors
    ///
    /// If the server had failed.
    pub async fn shutdown(self) -> std::io::Result<()> {
        drop(self.stop);
        self.task.await.map_err(std::io::Error::other)?
    }
}

/// Serves a chain as JSON-RPC 2.0 over HTTP: `POST /`, single requests and batches. Pages of any
/// origin may call it (CORS).
///
/// Anyone who can reach the address controls the chain: there is no authentication. Use a loopback
/// address.
///
/// # Errors
///
/// If the address can't be bound.
pub async fn serve(chain: Devchain, addr: SocketAddr) -> std::io::Result<ServerHandle> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let app = Router::new()
        .route("/", post(handle))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CorsLayer::permissive())
        .with_state(chain);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async move {
            // Nothing is ever sent: dropping the sender stops the server.
            let _ = stopped.await;
        };
        axum::serve(listener, app).with_graceful_shutdown(stopped).await
    });
    Ok(ServerHandle { addr, stop, task })
}

async fn handle(State(chain): State<Devchain>, body: Bytes) -> impl IntoResponse {
    // Executing transactions takes time, and the chain's lock isn't async.
    match tokio::task::spawn_blocking(move || answer(&chain, &body)).await {
        Ok(Some(json)) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        // Notifications have no answer.
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    jsonrpc: std::borrow::Cow<'a, str>,
    id: Option<Id>,
    #[serde(borrow)]
    method: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Answers a request body with one request or a batch; `None` if no answer is expected.
fn answer(chain: &Devchain, body: &[u8]) -> Option<Vec<u8>> {
    let response = match serde_json::from_slice::<&RawValue>(body) {
        Err(_) => refuse(RpcError::parse_error()),
        Ok(raw) if !raw.get().starts_with('[') => answer_one(chain, raw)?,
        Ok(raw) => match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(requests) if !requests.is_empty() => {
                let responses: Vec<_> =
                    requests.into_iter().filter_map(|raw| answer_one(chain, raw)).collect();
                return if responses.is_empty() { None } else { to_json(&responses) };
            }
            _ => refuse(invalid_request("empty batch")),
        },
    };
    to_json(&response)
}

fn to_json(value: &impl serde::Serialize) -> Option<Vec<u8>> {
    Some(serde_json::to_vec(value).expect("responses consist of JSON"))
}

fn answer_one(chain: &Devchain, raw: &RawValue) -> Option<Response> {
    let request = match serde_json::from_str::<Request<'_>>(raw.get()) {
        Ok(request) if request.jsonrpc == "2.0" => request,
        Ok(_) => return Some(refuse(invalid_request("jsonrpc must be \"2.0\""))),
        Err(error) => return Some(refuse(invalid_request(format!("invalid request: {error}")))),
    };
    let id = request.id.clone().unwrap_or(Id::None);
    let response = rpc::respond(&mut chain.lock(), id, &request.method, request.params);
    request.id.map(|_| response)
}

const fn refuse(error: RpcError) -> Response {
    Response { id: Id::None, payload: ResponsePayload::Failure(error) }
}
