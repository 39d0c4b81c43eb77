//! The JSON-RPC server over HTTP, for browsers, `cast` and other processes.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::{
    Devchain, access,
    body::{Bodies, ReadBody},
    calls::MAX_CALL_GAS,
    chain::Chain,
    config::Mining,
    connection::{self, Peer},
    connections::{Connection, MAX_CONNECTIONS, MIN_WAIT, Waiting},
    rpc::envelope::{self, Call},
    turns::Turns,
};

/// A running server. It stops when the handle is dropped.
#[derive(Debug)]
pub struct ServerHandle {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
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
        self.task.await.map_err(std::io::Error::other)
    }
}

/// Serves a chain as JSON-RPC 2.0 over HTTP: `POST /`, single requests and batches. Pages that this
/// machine serves may call it (CORS), those of the web can't.
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
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(|origin, _| access::is_local_page(origin)))
        .allow_methods([Method::POST])
        .allow_headers(Any);
    let app = Router::new().route("/", post(handle)).layer(cors).with_state(server);
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        tokio::select! {
            biased;
            () = accept(listener, app, stopped) => {}
            never = miner => match never {},
        }
    });
    Ok(ServerHandle { addr, stop, task })
}

/// Serves connections until the sender of `stopped` is dropped, and then those that still have answers to
/// get.
async fn accept(listener: TcpListener, app: Router, mut stopped: oneshot::Receiver<()>) {
    let (stop, stopping) = watch::channel(false);
    let (mut connections, waiting) = (JoinSet::new(), Waiting::default());
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if accepted.is_err() || connections.len() >= MAX_CONNECTIONS {
                    waiting.close_one();
                }
                let Ok((stream, _)) = accepted else {
                    // Most likely there are too many open files, until a connection ends.
                    if let Ok(None) = timeout(MIN_WAIT, connections.join_next()).await {
                        sleep(MIN_WAIT).await;
                    }
                    continue;
                };
                let connection = waiting.begin();
                let app = app.clone().layer(Extension(connection.clone()));
                let served = connection::serve(stream, app, stopping.clone());
                connections.spawn(async move {
                    tokio::select! {
                        biased;
                        () = connection.closed() => {}
                        () = served => {}
                    }
                    connection.end();
                });
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    while connections.join_next().await.is_some() {}
}

#[derive(Clone)]
struct Server {
    turns: Turns,
    bodies: Bodies,
}

/// Answers a request, unless its client goes before.
async fn handle(
    State(server): State<Server>,
    Extension(peer): Extension<Peer>,
    Extension(connection): Extension<Connection>,
    request: Request,
) -> Response {
    if let Err(error) = access::check(request.headers()) {
        return (error.status(), error.to_string()).into_response();
    }
    let version = request.version();
    let body = match server.bodies.read(request.into_body()).await {
        Ok(body) => body,
        Err(error) => return (error.status(), error.to_string()).into_response(),
    };
    let _working = connection.work();
    tokio::select! {
        biased;
        response = answer(&server, body) => response,
        // Nobody gets this. What is left of the requests isn't carried out.
        () = peer.gone(version) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Carries out the requests in a body.
async fn answer(server: &Server, body: ReadBody) -> Response {
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
                if *chain.mining.borrow() == mining && chain.check_room().is_ok() {
                    chain.mine(MAX_CALL_GAS);
                }
            };
            // After an internal error, every request says so.
            let _ = turns.turn(mine).await;
        }
    }
}
