//! Connections that stay open. Requests go out and answers come back at the same time.
//!
//! alloy's own tasks read no answer while they send a request, so an endpoint that does the same blocks both. They
//! also repeat what was in flight over the next connection, whatever ended the last one: an answer that is too large
//! would be asked for without end. Here the requests in flight fail with the reason why the connection ended, and
//! the next request finds a new connection.

use super::failure::EndpointFailure;
use alloy_json_rpc::{ErrorPayload, Id, PubSubItem, Response, ResponsePacket, ResponsePayload};
use alloy_pubsub::ConnectionInterface;
use core::pin::pin;
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The code of the errors that stand for the answers of a connection that has ended. No endpoint uses it.
const CONNECTION_ENDED: i64 = i64::MIN;

/// The most requests that wait for an answer, including those that nobody waits for any more since their time was
/// over. An endpoint that leaves more without an answer loses the connection.
const MAX_IN_FLIGHT: usize = 4096;

/// The part of a request that its answer repeats.
#[derive(Deserialize)]
struct RequestId {
    id: Id,
}

/// Hands requests to a socket and answers back, until one side is gone. `write` sends requests in their order, and
/// ends only if it can't; of `answers`, an error ends the connection.
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
                // What isn't written yet is in flight as well, so the channel is bounded. Nobody receives it only if `writing` has ended, which is found out next.
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
        // If nobody receives it, nobody waits for it.
        let _ = interface.send_to_frontend(PubSubItem::Response(Response { id, payload }));
    }
    interface.close_with_error();
}

/// The reason why the connection ended before it gave an answer, if it did.
pub(super) fn connection_end(answer: &ResponsePacket) -> Option<&str> {
    let errors = answer.responses().iter().filter_map(|response| response.payload.as_error());
    let mut ends = errors.filter(|error| error.code == CONNECTION_ENDED);
    ends.next().map(|error| &*error.message)
}
