//! IPC sockets. alloy's own connections read answers of any size.

use super::{failure::EndpointFailure, http::MAX_ANSWER, socket::serve};
use alloy_json_rpc::PubSubItem;
use alloy_pubsub::{ConnectionHandle, PubSubConnect};
use alloy_transport::TransportResult;
use alloy_transport_ipc::ReadJsonStream;
use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::value::RawValue;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::UnixStream,
    sync::mpsc::UnboundedReceiver,
};

/// A connector to an IPC socket, which can also reconnect.
#[derive(Clone)]
pub(super) struct IpcSocket {
    pub(super) path: PathBuf,
}

/// A reader that limits the bytes between two answers.
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
        let (reader, writer) = socket.into_split();
        tokio::spawn(serve(interface, |requests| write(writer, requests), answers(reader)));
        Ok(handle)
    }
}

/// Writes requests in order, until writing fails.
async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut requests: UnboundedReceiver<Box<RawValue>>,
) -> EndpointFailure {
    while let Some(request) = requests.recv().await {
        if let Err(error) = writer.write_all(request.get().as_bytes()).await {
            return EndpointFailure::lost(error);
        }
    }
    EndpointFailure::closed()
}

/// The answers, and at last the reason why there are no more.
fn answers(
    reader: impl AsyncRead + Unpin,
) -> impl Stream<Item = Result<PubSubItem, EndpointFailure>> {
    let read = Arc::new(AtomicUsize::new(0));
    let reader = LimitedReader { inner: reader, read: Arc::clone(&read) };
    let at_answer = Arc::clone(&read);
    let answers = ReadJsonStream::from(reader).map(move |answer| {
        at_answer.store(0, Ordering::Relaxed);
        Ok(answer)
    });
    let end = async move {
        Err(match read.load(Ordering::Relaxed) > MAX_ANSWER {
            true => EndpointFailure::too_large(MAX_ANSWER),
            false => EndpointFailure::closed(),
        })
    };
    answers.chain(stream::once(end))
}
