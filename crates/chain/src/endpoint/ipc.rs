//! IPC sockets. alloy's own connections read answers of any size.

use super::{failure::EndpointFailure, http::MAX_ANSWER};
use alloy_pubsub::{ConnectionHandle, ConnectionInterface, PubSubConnect};
use alloy_transport::{TransportErrorKind, TransportResult};
use alloy_transport_ipc::ReadJsonStream;
use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use futures_util::StreamExt;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::UnixStream,
};

/// The reason why a connection was closed for good.
pub(super) type ClosedFor = Arc<OnceLock<EndpointFailure>>;

/// A connector to an IPC socket, also after the connection was lost.
#[derive(Clone)]
pub(super) struct IpcSocket {
    pub(super) path: PathBuf,
    pub(super) closed_for: ClosedFor,
}

/// Reads no more than the limit between two answers.
struct LimitedReader<R> {
    inner: R,
    /// The bytes read since the last answer.
    read: Arc<AtomicUsize>,
}

impl<R: AsyncRead + Unpin> AsyncRead for LimitedReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read.load(Ordering::Relaxed) > MAX_ANSWER {
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let more = buffer.filled().len().saturating_sub(before);
        self.read.fetch_add(more, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl PubSubConnect for IpcSocket {
    fn is_local(&self) -> bool {
        true
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        let socket = UnixStream::connect(&self.path).await;
        let socket = socket.map_err(|error| EndpointFailure::ipc(&error))?;
        let (handle, interface) = ConnectionHandle::new();
        tokio::spawn(serve(socket, interface, Arc::clone(&self.closed_for)));
        Ok(handle)
    }
}

/// Hands requests to the socket and answers back, until one side is gone.
async fn serve(mut socket: UnixStream, mut interface: ConnectionInterface, closed_for: ClosedFor) {
    let (reader, mut writer) = socket.split();
    let read = Arc::new(AtomicUsize::new(0));
    let reader = LimitedReader { inner: reader, read: Arc::clone(&read) };
    let mut answers = ReadJsonStream::from(reader);
    loop {
        tokio::select! {
            biased;
            request = interface.recv_from_frontend() => {
                let Some(request) = request else { return };
                if writer.write_all(request.get().as_bytes()).await.is_err() {
                    return interface.close_with_error();
                }
            }
            answer = answers.next() => {
                match answer {
                    Some(answer) => {
                        read.store(0, Ordering::Relaxed);
                        if interface.send_to_frontend(answer).is_err() {
                            return;
                        }
                    }
                    None if read.load(Ordering::Relaxed) > MAX_ANSWER => {
                        // The same request would get the same answer.
                        let failure = EndpointFailure::too_large(MAX_ANSWER);
                        let error = TransportErrorKind::non_retryable_str(&failure.to_string());
                        let _ = closed_for.set(failure);
                        return interface.close_with_transport_error(error);
                    }
                    None => return interface.close_with_error(),
                }
            }
        }
    }
}
