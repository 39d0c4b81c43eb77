//! Connections over HTTP/1.1, with limits on the time that a client can keep one without using it,
//! and on their number.

use std::{
    future::Future as _,
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
    time::{Sleep, sleep, timeout},
};
use tower::Service as _;

use crate::body::MAX_WAIT;

/// The time after which a client that sends nothing more, or more than was asked for, is asked
/// whether it is still there, again and again.
const PATIENCE: Duration = Duration::from_secs(1);

/// An interim response. A client has to ignore it, even if it didn't ask for one (RFC 9110, 15.2).
const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Answers the requests of a connection, until it ends or the server stops.
pub(crate) async fn serve(stream: TcpStream, app: Router, mut stopped: watch::Receiver<bool>) {
    // Answers are written as a whole, so that there is nothing to wait for.
    let _ = stream.set_nodelay(true);
    let peer =
        Peer { stream: Arc::new(stream), is_writing: Arc::default(), is_broken: Arc::default() };
    let io = TokioIo::new(Socket { peer: peer.clone(), cut: None });
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        app.clone().call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(MAX_WAIT)
            // A client that has sent all its requests may close its side, and still gets its
            // answers.
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

/// The client of a connection. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    stream: Arc<TcpStream>,
    /// Whether the last bytes of an answer weren't all accepted by the socket.
    is_writing: Arc<AtomicBool>,
    /// Whether only a part of an interim response was, so that no answer can follow.
    is_broken: Arc<AtomicBool>,
}

impl Peer {
    /// Waits until the client has closed the connection, while its request is carried out.
    ///
    /// A client that closes its sending side looks like one that has gone, until something is sent
    /// to it: the latter's machine then resets the connection. An interim response can be sent at
    /// any time. One that has sent more than this request may have gone as well: what it sent last,
    /// and that it closed, is behind bytes that aren't read before the answer.
    pub(crate) async fn gone(&self, version: Version) {
        while timeout(PATIENCE, self.stream.ready(Interest::ERROR)).await.is_err() {
            // Without further bytes and without their end, the client is there.
            if self.stream.peek(&mut [0]).await.is_err() {
                return;
            }
            if version >= Version::HTTP_11 && !self.is_writing.load(Ordering::Relaxed) {
                // If it can't be sent now, the client has answers to read. If it takes none, it is
                // cut.
                let sent = self.stream.try_write(INTERIM);
                if sent.is_ok_and(|sent| sent < INTERIM.len()) {
                    self.is_broken.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    }
}

/// The bytes that come from a client and go to it.
#[derive(Debug)]
struct Socket {
    peer: Peer,
    /// The time at which the client is cut, if it takes no byte of an answer before.
    cut: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    fn poll_written(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let Peer { stream, is_writing, is_broken } = &self.peer;
        if is_broken.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        while stream.poll_write_ready(context)?.is_ready() {
            match write(stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    is_writing.store(true, Ordering::Relaxed);
                }
                written => {
                    let is_partial = written.as_ref().is_ok_and(|written| *written < length);
                    is_writing.store(is_partial, Ordering::Relaxed);
                    self.cut = None;
                    return Poll::Ready(written);
                }
            }
        }
        let cut = self.cut.get_or_insert_with(|| Box::pin(sleep(MAX_WAIT)));
        ready!(cut.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.peer.stream.poll_read_ready(context))?;
            match self.peer.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    buffer.advance(read?);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, bytes.len(), |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
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
