//! The bodies of requests, read with limits on time and memory.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body, in bytes. A dump is sent in one body.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// The number of bytes that all bodies together may have until their requests are answered.
const MAX_BODIES: usize = 4 * MAX_BODY;

/// The time in which a body must be there.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

/// The memory for bodies. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Bodies(Arc<Semaphore>);

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
    #[error("the body wasn't complete after {} s", MAX_WAIT.as_secs())]
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
        Self(Arc::new(Semaphore::new(MAX_BODIES)))
    }

    /// Reads a body. Waits for the client only, never for memory, so that slow clients can't block
    /// each other.
    pub(crate) async fn read(&self, body: Body) -> Result<ReadBody, BodyError> {
        // The length that a client announces is refused before any of it is read.
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(BodyError::TooLarge);
        }
        tokio::time::timeout(MAX_WAIT, self.read_all(body)).await.unwrap_or(Err(BodyError::Slow))
    }

    async fn read_all(&self, body: Body) -> Result<ReadBody, BodyError> {
        let mut body = std::pin::pin!(body);
        let mut read = ReadBody { bytes: Vec::new(), share: None };
        while let Some(frame) =
            std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
        {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if read.bytes.len() + data.len() > MAX_BODY {
                return Err(BodyError::TooLarge);
            }
            let permits = u32::try_from(data.len()).map_err(|_| BodyError::TooLarge)?;
            let share = Arc::clone(&self.0).try_acquire_many_owned(permits);
            let share = share.map_err(|_| BodyError::Busy)?;
            match &mut read.share {
                None => read.share = Some(share),
                Some(all) => all.merge(share),
            }
            read.bytes.extend_from_slice(&data);
        }
        Ok(read)
    }
}
