//! Connections over HTTP/1.1, with limits on the time that a client can keep one without using it.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Router, http::Version};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    sync::watch,
};
use tower::Service as _;

use crate::body::MAX_WAIT;

/// The time after which a client that sends nothing more is asked whether it is still there.
const PATIENCE: Duration = Duration::from_secs(1);

/// An interim response. A client has to ignore it, even if it didn't ask for one (RFC 9110, 15.2).
const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Answers the requests of a connection, until it ends or the server stops.
pub(crate) async fn serve(stream: TcpStream, app: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are written as a whole, so that there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let peer = Peer { stream: Arc::new(stream), is_writing: Arc::default() };
    let io = TokioIo::new(peer.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        app.clone().call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(MAX_WAIT)
            // A client that has sent all its requests may close its side, and still gets its answers.
            .half_close(true)
            .serve_connection(io, service)
    );
    tokio::select! {
        biased;
        // A connection that fails concerns only its client.
        _ = connection.as_mut() => return,
        // The sender is gone only if the server has ended.
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// The socket of a client. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    stream: Arc<TcpStream>,
    /// Whether the last bytes of an answer weren't all accepted by the socket.
    is_writing: Arc<AtomicBool>,
}

impl Peer {
    /// Waits until the client has closed the connection, while its request is carried out.
    ///
    /// A client that closes its sending side looks like one that has gone, until something is sent to
    /// it: the latter's machine then resets the connection. An interim response can be sent at any time.
    pub(crate) async fn gone(&self, version: Version) {
        tokio::time::sleep(PATIENCE).await;
        let is_closed = match self.stream.peek(&mut [0]).await {
            Ok(bytes) => bytes == 0,
            Err(_) => return,
        };
        if is_closed && version >= Version::HTTP_11 && !self.is_writing.load(Ordering::Relaxed) {
            // If it can't be sent now, the client has answers to read, so that it is still there.
            let _ = self.stream.try_write(INTERIM);
        }
        let _ = self.stream.ready(Interest::ERROR).await;
    }

    fn poll_written(
        &self,
        context: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(context))?;
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_writing.store(true, Ordering::Relaxed);
                }
                written => {
                    let is_partial = written.as_ref().is_ok_and(|written| *written < length);
                    self.is_writing.store(is_partial, Ordering::Relaxed);
                    return Poll::Ready(written);
                }
            }
        }
    }
}

impl AsyncRead for Peer {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Peer {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, bytes.len(), |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = parts.iter().map(|part| part.len()).sum();
        self.poll_written(context, length, |stream| stream.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// The socket is closed when its last clone is dropped, which the end of the connection does.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
