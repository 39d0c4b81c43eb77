//! The bodies of requests, read with limits on time and memory.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};

use crate::memory::{Memory, Share};

/// The largest body, in bytes. A dump is sent in one body.
pub(crate) const MAX_BODY: usize = 64 << 20;

/// The number of bytes that all bodies together may have until their requests are answered.
const MAX_BODIES: usize = 4 * MAX_BODY;

/// The time in which a body must be there, and the one in which a client must take a further byte
/// of an answer.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

/// The memory for bodies. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Bodies(Memory);

/// A body, and its share of the memory.
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Vec<u8>,
    pub(crate) share: Share,
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
        Self(Memory::new(MAX_BODIES))
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
        let mut read = ReadBody { bytes: Vec::new(), share: Share::default() };
        while let Some(frame) =
            std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
        {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if read.bytes.len() + data.len() > MAX_BODY {
                return Err(BodyError::TooLarge);
            }
            if !self.0.give(&mut read.share, data.len()) {
                return Err(BodyError::Busy);
            }
            read.bytes.extend_from_slice(&data);
        }
        Ok(read)
    }
}
