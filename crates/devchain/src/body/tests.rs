//! Tests of the limits on bodies.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Bytes;
use hyper::body::Frame;

use super::*;

/// The parts of a body: those that have come, and perhaps no end.
struct Parts {
    come: VecDeque<usize>,
    is_whole: bool,
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.come.pop_front() {
            Some(length) => Poll::Ready(Some(Ok(Frame::data(vec![0_u8; length].into())))),
            None if self.is_whole => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

fn body(parts: &[usize], is_whole: bool) -> Body {
    Body::new(Parts { come: parts.iter().copied().collect(), is_whole })
}

#[tokio::test]
async fn large_bodies_leave_the_memory_of_small_ones() {
    let bodies = Bodies::new();
    // Four bodies of 64 MiB, of which only the last byte is missing.
    let mut slow = Vec::new();
    for _ in 0..4 {
        let (bodies, body) = (bodies.clone(), body(&[MAX_BODY - 1], false));
        slow.push(tokio::spawn(async move { bodies.read(body).await }));
    }
    tokio::task::yield_now().await;
    assert_eq!(bodies.large.available_permits(), 4);
    let read = bodies.read(body(&[MAX_SMALL], true)).await.unwrap();
    assert_eq!(read.bytes.len(), MAX_SMALL);
    assert_eq!(bodies.read(body(&[MAX_SMALL + 1], true)).await.unwrap_err(), BodyError::Busy);
    assert!(slow.iter().all(|slow| !slow.is_finished()));
}

#[tokio::test(start_paused = true)]
async fn large_bodies_can_not_stand_still() {
    let bodies = Bodies::new();
    let start = Instant::now();
    let refused = bodies.read(body(&[MAX_BODY - 1], false)).await.unwrap_err();
    assert_eq!(refused, BodyError::Slow);
    assert_eq!(start.elapsed().as_secs(), MAX_PIECE_WAIT.as_secs());
    assert_eq!(bodies.large.available_permits(), MAX_BODIES);
    // Small ones may: they take nothing from others.
    let start = Instant::now();
    let refused = bodies.read(body(&[MAX_SMALL], false)).await.unwrap_err();
    assert_eq!(refused, BodyError::Slow);
    assert_eq!(start.elapsed().as_secs(), MAX_WAIT.as_secs());
}

#[tokio::test]
async fn all_bodies_have_a_share_until_they_are_answered() {
    let bodies = Bodies::new();
    let small = bodies.read(body(&[10, 20], true)).await.unwrap();
    assert_eq!(bodies.small.available_permits(), MAX_BODIES - 30);
    let large = bodies.read(body(&[MAX_SMALL, 1, 2], true)).await.unwrap();
    assert_eq!(bodies.large.available_permits(), MAX_BODIES - MAX_SMALL - 3);
    drop((small, large));
    assert_eq!(bodies.small.available_permits(), MAX_BODIES);
    assert_eq!(bodies.large.available_permits(), MAX_BODIES);
    let refused = bodies.read(body(&[MAX_BODY, 1], true)).await.unwrap_err();
    assert_eq!(refused, BodyError::TooLarge);
}
