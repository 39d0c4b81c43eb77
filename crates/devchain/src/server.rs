//! The JSON-RPC server over HTTP, for browsers, `cast` and other processes.
//!
//! Requests use the chain one after another, in the order of their arrival. A request that takes long
//! gives way to all that have arrived meanwhile, and ends when its client has gone.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::value::RawValue;
use tokio::{
    net::TcpListener,
    sync::{Mutex, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tower_http::cors::CorsLayer;

use crate::{
    Devchain,
    body::Bodies,
    chain::Chain,
    config::Mining,
    rpc::{
        self, Progress,
        envelope::{self, Call},
        error::{RpcResult, broken_chain},
    },
};

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
    let turns = Turns::new(chain);
    let miner = mine_at_intervals(turns.clone());
    let server = Server { turns, bodies: Bodies::new() };
    let app =
        Router::new().route("/", post(handle)).layer(CorsLayer::permissive()).with_state(server);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async move {
            // Nothing is ever sent: dropping the sender stops the server.
            let _ = stopped.await;
        };
        let serve = axum::serve(listener, app).with_graceful_shutdown(stopped);
        tokio::select! {
            biased;
            ended = serve.into_future() => ended,
            never = miner => match never {},
        }
    });
    Ok(ServerHandle { addr, stop, task })
}

#[derive(Clone)]
struct Server {
    turns: Turns,
    bodies: Bodies,
}

/// Answers a body. If the client goes, this future is dropped, and what is left isn't carried out.
async fn handle(State(server): State<Server>, body: Body) -> Response {
    let body = match server.bodies.read(body).await {
        Ok(body) => body,
        Err(error) => return (error.status(), error.to_string()).into_response(),
    };
    // Large bodies take a while to read. Their memory stays counted until they are answered.
    let read = tokio::task::spawn_blocking(move || (envelope::open(&body.bytes), body.share));
    let Ok(((entries, mut answers), _share)) = read.await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    for entry in entries {
        match entry {
            Err(refusal) => answers.add(Some(refusal)),
            Ok(Call { reply, .. }) if answers.are_full() => answers.refuse(reply),
            Ok(Call { reply, method, params }) => {
                answers.add(reply.with(server.turns.carry_out(method, params).await));
            }
        }
    }
    match answers.into_json() {
        Some(json) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        // Notifications have no answer.
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Mines as long as the chain is in the mode [`Mining::Interval`], whenever it is.
async fn mine_at_intervals(turns: Turns) -> Infallible {
    let mut mode = turns.chain.lock().mining.subscribe();
    loop {
        let mining = *mode.borrow_and_update();
        let wait = match mining {
            Mining::Interval(seconds) => Duration::from_secs(seconds.get()),
            Mining::Auto | Mining::Manual => Duration::MAX,
        };
        if timeout(wait, mode.changed()).await.is_err() {
            let mine = move |chain: &mut Chain| {
                // The mode may have changed while others had their turn.
                if *chain.mining.borrow() == mining {
                    chain.mine();
                }
            };
            // After an internal error, every request says so.
            let _ = turns.turn(mine).await;
        }
    }
}

/// The use of a chain in turns. Clones share the queue.
#[derive(Clone)]
struct Turns {
    chain: Devchain,
    /// The chain's own lock isn't fair: who releases it may get it again before those who wait. Waiting
    /// for this one also occupies no thread.
    queue: Arc<Mutex<()>>,
}

impl Turns {
    fn new(chain: Devchain) -> Self {
        Self { chain, queue: Arc::default() }
    }

    async fn carry_out(
        &self,
        method: String,
        params: Option<Box<RawValue>>,
    ) -> RpcResult<Box<RawValue>> {
        let mut progress =
            self.turn(move |chain| rpc::start(chain, &method, params.as_deref())).await?;
        loop {
            match progress {
                Progress::Answered(result) => return result,
                Progress::Mining(mine) => progress = self.turn(|chain| mine.some(chain)).await?,
            }
        }
    }

    /// Works on the chain for one turn.
    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Chain) -> T + Send + 'static,
    ) -> RpcResult<T> {
        let turn = Arc::clone(&self.queue).lock_owned().await;
        let chain = self.chain.clone();
        // Executing transactions takes time, and the chain's lock isn't async. The turn ends with the
        // work, even if the client has gone.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&mut chain.lock())
        });
        done.await.map_err(|_| broken_chain())
    }
}
