//! The bodies of requests, read with limits on time and memory.

use std::{future::poll_fn, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// The largest body, in bytes. A dump is sent in one body.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// The largest body that needs none of the memory for large ones, in bytes: larger than a request with any
/// transaction that the pool takes.
const MAX_SMALL: usize = 512 << 10;

/// The number of bytes that all small bodies together may have until their requests are answered, and all
/// large ones.
const MAX_BODIES: usize = 256 << 20;

/// The part of a large body that must come in the time [`MAX_PIECE_WAIT`], in bytes.
const PIECE: usize = 1 << 20;

const MAX_PIECE_WAIT: Duration = Duration::from_secs(2);

/// The time in which a body must be there.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

/// The memory for bodies. Large ones have their own, so that they can't take that of small ones. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A body, and its share of the memory.
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) share: Option<OwnedSemaphorePermit>,
}

/// The reason why a body isn't read further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {MAX_BODY} bytes")]
    TooLarge,
    #[error("requests in progress have {MAX_BODIES} bytes: try again")]
    Busy,
    #[error(
        "the body wasn't complete after {} s, or {PIECE} bytes of a large one took longer than {} s",
        MAX_WAIT.as_secs(), MAX_PIECE_WAIT.as_secs()
    )]
    Slow,
    #[error("the body can't be read")]
    Broken,
}

impl BodyError {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

impl Bodies {
    pub(crate) fn new() -> Self {
        let [small, large] = [(); 2].map(|()| Arc::new(Semaphore::new(MAX_BODIES)));
        Self { small, large }
    }

    /// Reads a body. Waits for the client only, never for memory, so that slow clients can't block
    /// each other.
    pub(crate) async fn read(&self, body: Body) -> Result<ReadBody, BodyError> {
        // The length that a client announces is refused before any of it is read.
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(BodyError::TooLarge);
        }
        let mut body = std::pin::pin!(body);
        let mut read = ReadBody { bytes: Vec::new(), share: None };
        let end = Instant::now() + MAX_WAIT;
        // A small body is one piece.
        let (mut piece_end, mut piece_time) = (MAX_SMALL, end);
        loop {
            let frame = poll_fn(|context| body.as_mut().poll_frame(context));
            let frame = timeout_at(piece_time, frame).await.map_err(|_| BodyError::Slow)?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            let length = read.bytes.len() + data.len();
            if length > MAX_BODY {
                return Err(BodyError::TooLarge);
            }
            if length > MAX_SMALL {
                read.take_share(&self.large, length)?;
            }
            if length > piece_end {
                piece_end = length + PIECE;
                piece_time = end.min(Instant::now() + MAX_PIECE_WAIT);
            }
            read.bytes.extend_from_slice(&data);
        }
        // Small bodies that aren't complete need no share: there are only so many connections that wait.
        if read.share.is_none() {
            read.take_share(&self.small, read.bytes.len())?;
        }
        Ok(read)
    }
}

impl ReadBody {
    /// Extends the share of the memory to this number of bytes.
    fn take_share(&mut self, memory: &Arc<Semaphore>, length: usize) -> Result<(), BodyError> {
        let had = self.share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(length - had).map_err(|_| BodyError::TooLarge)?;
        let more = Arc::clone(memory).try_acquire_many_owned(more);
        let more = more.map_err(|_| BodyError::Busy)?;
        match &mut self.share {
            None => self.share = Some(more),
            Some(share) => share.merge(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
