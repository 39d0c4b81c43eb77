//! What a daemon serves over HTTP: whether it lives, whether it is in step, and its metrics.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use canon_agents::daemon::{Observed, metrics};
use canon_protocol::{Seconds, Timestamp, text::Duration};
use eyre::{Report, WrapErr as _};
use tokio::net::TcpListener;

use crate::{chain::now, exit::Failure};

/// The time without a turn after which a daemon doesn't count as alive. A turn can ask an endpoint several times that
/// doesn't answer.
pub(crate) const ALIVE: Seconds = Seconds::of(300);

/// What a daemon shows of itself. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Published(Arc<Mutex<Shown>>);

#[derive(Clone, Debug)]
struct Shown {
    observed: Observed,
    /// The time of the last progress.
    alive: Timestamp,
}

impl Published {
    /// A daemon that starts now.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Shown { observed: Observed::default(), alive: now() })))
    }

    /// Notes that the daemon makes progress.
    pub(crate) fn alive(&self, time: Timestamp) {
        self.shown().alive = time;
    }

    /// Shows the numbers after a turn.
    pub(crate) fn set(&self, observed: Observed) {
        *self.shown() = Shown { alive: observed.last_turn, observed };
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server of a daemon's state.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// If that isn't possible.
    pub(crate) async fn listen(address: SocketAddr) -> Result<Self, Failure> {
        let listen = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok::<_, std::io::Error>(Self { listener, address })
        };
        let listening = listen.await.map_err(Report::new);
        let listening = listening.wrap_err_with(|| format!("--listen: can't listen on {address}"));
        listening.map_err(|report| {
            Failure::internal(report, "name another address, such as --listen 127.0.0.1:0")
        })
    }

    /// The address, with the port that was chosen.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves in the background until the program ends.
    pub(crate) fn start(self, published: &Published) {
        let router = Router::new()
            .route("/health", get(health))
            .route("/ready", get(ready))
            .route("/metrics", get(served_metrics))
            .with_state(published.clone());
        let serve = axum::serve(self.listener, router);
        tokio::spawn(async move { serve.await });
    }
}

async fn health(State(published): State<Published>) -> Response {
    answer(judged_health(&published.shown(), now()))
}

async fn ready(State(published): State<Published>) -> Response {
    answer(judged_ready(&published.shown(), now()))
}

async fn served_metrics(State(published): State<Published>) -> Response {
    let text = metrics::render(&published.shown().observed);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

fn answer(judged: Result<&'static str, String>) -> Response {
    match judged {
        Ok(text) => (StatusCode::OK, format!("{text}\n")).into_response(),
        Err(text) => (StatusCode::SERVICE_UNAVAILABLE, format!("{text}\n")).into_response(),
    }
}

/// Whether the daemon lives, and made progress recently.
fn judged_health(shown: &Shown, now: Timestamp) -> Result<&'static str, String> {
    let age = now.since(shown.alive).unwrap_or_default();
    match age > ALIVE {
        false => Ok("alive"),
        true => Err(format!("no progress for {}", Duration(age).rounded())),
    }
}

/// Whether the daemon lives, has an endpoint that it trusts, and is in step with the chain.
fn judged_ready(shown: &Shown, now: Timestamp) -> Result<&'static str, String> {
    judged_health(shown, now)?;
    let Observed { is_reachable, is_in_step, .. } = shown.observed;
    match (is_reachable, is_in_step) {
        (true, true) => Ok("ready"),
        (true, false) => Err("no block was seen yet".to_owned()),
        (false, _) => Err("the chain can't be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_stands_still_is_not_healthy_and_one_without_a_chain_is_not_ready() {
        let alive = Timestamp::of(1_000);
        let judged = |is_reachable, is_in_step, age| {
            let observed = Observed { is_reachable, is_in_step, ..Observed::default() };
            let (shown, now) = (Shown { observed, alive }, alive + Seconds::of(age));
            (judged_health(&shown, now).is_ok(), judged_ready(&shown, now).is_ok())
        };
        assert_eq!(judged(true, true, 0), (true, true));
        assert_eq!(judged(true, true, 300), (true, true));
        assert_eq!(judged(true, true, 301), (false, false));
        assert_eq!(judged(false, false, 0), (true, false));
        assert_eq!(judged(true, false, 0), (true, false));
    }
}
