//! The memory that clients can use together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An amount of memory. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Semaphore>);

/// A share of the memory, which is free again when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Adds bytes to a share, if there are so many. Never waits for others, who may be slow.
    #[must_use]
    pub(crate) fn give(&self, share: &mut Share, bytes: usize) -> bool {
        let Ok(bytes) = u32::try_from(bytes) else { return false };
        let Ok(more) = Arc::clone(&self.0).try_acquire_many_owned(bytes) else { return false };
        match &mut share.0 {
            None => share.0 = Some(more),
            Some(all) => all.merge(more),
        }
        true
    }
}
