//! Notes for the user while a chain is read.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::Future,
    pin::pin,
};

use alloy_primitives::ChainId;
use canon_chain::DEVELOPMENT_CHAINS;
use canon_protocol::{Seconds, text::Duration};

use crate::output;

/// The delay after which a note names the endpoints that a command waits for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// The age above which a development chain's newest block gets a note. On other chains, an endpoint with an older
/// block isn't used.
const MAX_UNNOTED_AGE: Seconds = Seconds::of(300);

/// The notes of a command. Each is shown once, however often the chain is read.
#[derive(Debug)]
pub(super) struct Notes {
    /// The endpoints, as they are shown to the user.
    endpoints: String,
    told: RefCell<BTreeSet<String>>,
    /// Whether the age of a block was checked.
    is_age_seen: Cell<bool>,
}

impl Notes {
    /// Creates the notes of a command that uses these endpoints.
    pub(super) fn new(endpoints: String) -> Self {
        Self { endpoints, told: RefCell::default(), is_age_seen: Cell::default() }
    }

    /// Shows a note, unless it was shown before.
    pub(super) fn once(&self, text: String) {
        if !self.told.borrow().contains(&text) {
            output::note(&text);
            self.told.borrow_mut().insert(text);
        }
    }

    /// Awaits requests. If they take long, a note names the endpoints.
    pub(super) async fn waited<T>(&self, work: impl Future<Output = T>) -> T {
        let note = || self.once(format!("waiting for an answer from {}", self.endpoints));
        noting_delay(work, tokio::time::sleep(PATIENCE), note).await
    }

    /// Shows a note if the newest block of a development chain is old: unlike on other chains, it is accepted. Only
    /// the first block that is read counts.
    pub(super) fn age(&self, chain_id: ChainId, age: Seconds) {
        let is_development = DEVELOPMENT_CHAINS.contains(&chain_id);
        if !self.is_age_seen.replace(true) && is_development && age > MAX_UNNOTED_AGE {
            self.once(format!(
                "the newest block is {} old: what is shown is of then; the node may be stopped or mine on demand",
                Duration(age).rounded()
            ));
        }
    }
}

/// Awaits `work`, and calls `note` if `patience` ends before it.
async fn noting_delay<T>(
    work: impl Future<Output = T>,
    patience: impl Future<Output = ()>,
    note: impl FnOnce(),
) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = patience => note(),
    }
    work.await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_is_noted_once_and_nothing_else() {
        let noted = Cell::new(0);
        let note = || noted.set(noted.get() + 1);
        assert_eq!(noting_delay(ready(1), ready(()), note).await, 1);
        noting_delay(yield_now(), pending(), note).await;
        assert_eq!(noted.get(), 0, "it was done in time");
        noting_delay(yield_now(), ready(()), note).await;
        assert_eq!(noted.get(), 1);
    }
}
