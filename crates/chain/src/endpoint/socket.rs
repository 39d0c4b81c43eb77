//! Connections that stay open, with requests and answers in flight at the same time.
//!
//! alloy's own tasks read no answers while they send a request. If the endpoint does the same, both are
//! blocked. They also repeat requests in flight over the next connection, whatever ended the last one, so
//! an answer that is too large would be requested endlessly. Here the requests in flight fail with the
//! reason why the connection ended, and the next request uses a new connection.

use super::failure::EndpointFailure;
use alloy_json_rpc::{ErrorPayload, Id, PubSubItem, Response, ResponsePacket, ResponsePayload};
use alloy_pubsub::ConnectionInterface;
use core::pin::pin;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The error code of the replacements for answers of a connection that has ended. No endpoint uses it.
const CONNECTION_ENDED: i64 = i64::MIN;

/// The most requests that wait for an answer, including those that nobody waits for any more since their time was
/// over. An endpoint that leaves more without an answer loses the connection.
const MAX_IN_FLIGHT: usize = 4096;

/// The part of a request that its answer repeats.
#[derive(Deserialize)]
struct RequestId {
    id: Id,
}

/// Passes requests to a socket and answers back, until one side is gone. `write` sends requests in order,
/// and ends only if it fails. An error from `answers` ends the connection.
pub(super) async fn serve<W: Future<Output = EndpointFailure>>(
    mut interface: ConnectionInterface,
    write: impl FnOnce(UnboundedReceiver<Box<RawValue>>) -> W,
    answers: impl Stream<Item = Result<PubSubItem, EndpointFailure>>,
) {
    let (outgoing, unsent) = unbounded_channel();
    let (mut writing, mut answers) = (pin!(write(unsent)), pin!(answers));
    let mut in_flight = HashSet::new();
    let failure = loop {
        tokio::select! {
            request = interface.recv_from_frontend() => {
                let Some(request) = request else { return };
                in_flight.extend(serde_json::from_str(request.get()).map(|RequestId { id }| id));
                if in_flight.len() > MAX_IN_FLIGHT {
                    break EndpointFailure::unanswered(MAX_IN_FLIGHT);
                }
                // The channel is bounded too, because unsent requests are in flight. Sending fails only if
                // `writing` has ended, which is noticed next.
                let _ = outgoing.send(request);
            }
            answer = answers.next() => match answer {
                Some(Ok(item)) => {
                    if let PubSubItem::Response(response) = &item {
                        in_flight.remove(&response.id);
                    }
                    if interface.send_to_frontend(item).is_err() {
                        return;
                    }
                }
                Some(Err(failure)) => break failure,
                None => break EndpointFailure::closed(),
            },
            failure = &mut writing => break failure,
        }
    };
    for id in in_flight {
        let (code, message) = (CONNECTION_ENDED, failure.to_string().into());
        let payload = ResponsePayload::Failure(ErrorPayload { code, message, data: None });
        // If nobody receives the response, nobody is waiting for it.
        let _ = interface.send_to_frontend(PubSubItem::Response(Response { id, payload }));
    }
    interface.close_with_error();
}

/// The reason why the connection ended without an answer, if it did.
pub(super) fn connection_end(answer: &ResponsePacket) -> Option<&str> {
    let errors = answer.responses().iter().filter_map(|response| response.payload.as_error());
    let mut ends = errors.filter(|error| error.code == CONNECTION_ENDED);
    ends.next().map(|error| &*error.message)
}
