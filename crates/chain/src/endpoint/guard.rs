//! A guard for each request and connection: a time limit, and the removal of secrets from errors.

use super::{failure::EndpointFailure, secrets::Secrets, socket::connection_end};
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_pubsub::{ConnectionHandle, PubSubConnect};
use alloy_transport::{TransportError, TransportFut, TransportResult};
use core::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::timeout;
use tower::{Layer, Service};

/// A time limit, and the secrets of its endpoint. As a layer it guards the requests of a transport; around
/// a [`PubSubConnect`] it guards its connections.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) limit: Duration,
    pub(super) secrets: Arc<Secrets>,
    pub(super) last_attempt: LastAttempt,
}

/// The failure of the last attempt to connect, if it failed. A connection that is lost is opened again while requests
/// wait, so their guard says why that fails.
#[derive(Clone, Default)]
pub(super) struct LastAttempt(Arc<Mutex<Option<String>>>);

impl LastAttempt {
    fn note<T>(&self, connected: &TransportResult<T>) {
        let failure = connected.as_ref().err().map(ToString::to_string);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn failure(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A service or connector with its guard.
#[derive(Clone)]
pub(super) struct Guarded<T> {
    pub(super) inner: T,
    pub(super) guard: Guard,
}

impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<T> Layer<T> for Guard {
    type Service = Guarded<T>;

    fn layer(&self, inner: T) -> Guarded<T> {
        Guarded { inner, guard: self.clone() }
    }
}

impl<T> Service<RequestPacket> for Guarded<T>
where
    T: Service<RequestPacket, Response = ResponsePacket, Error = TransportError>,
    T::Future: Send + 'static,
{
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        let guard = &self.guard;
        self.inner.poll_ready(context).map_err(|error| guard.secrets.hide_in_error(error))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let answer = self.inner.call(packet);
        let Guard { limit, secrets, last_attempt } = self.guard.clone();
        Box::pin(async move {
            match timeout(limit, answer).await {
                Ok(Ok(answer)) => match connection_end(&answer) {
                    Some(reason) => Err(EndpointFailure::of_connection(reason, &secrets).into()),
                    None => Ok(secrets.hide_in_answer(answer)),
                },
                Ok(Err(error)) => Err(secrets.hide_in_error(error)),
                Err(_) => Err(match last_attempt.failure() {
                    Some(reason) => EndpointFailure::unconnected(&reason, limit).into(),
                    None => EndpointFailure::timeout("answer", limit).into(),
                }),
            }
        })
    }
}

impl<T: PubSubConnect> PubSubConnect for Guarded<T> {
    fn is_local(&self) -> bool {
        self.inner.is_local()
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        let Guard { limit, secrets, last_attempt } = &self.guard;
        let connected = match timeout(*limit, self.inner.connect()).await {
            Ok(connected) => connected.map_err(|error| secrets.hide_in_error(error)),
            Err(_) => Err(EndpointFailure::timeout("connection", *limit).into()),
        };
        last_attempt.note(&connected);
        connected
    }
}
