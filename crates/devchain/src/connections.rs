//! The connections that make the server wait: for a request, the rest of one, or until an answer is taken. If there
//! are too many, those that have waited for longest give way to new ones.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// The number of connections from which on those that wait give way.
pub(crate) const MAX_CONNECTIONS: usize = 256;

/// The time that a connection may wait in any case, so that what its client has sent already is read.
pub(crate) const MIN_WAIT: Duration = Duration::from_millis(500);

/// The connections that wait. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    /// Those that wait, by the order in which they began to, and since when.
    connections: BTreeMap<u64, (Arc<Notify>, Instant)>,
    begun: u64,
}

/// A connection of a server.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    waiting: Waiting,
    close: Arc<Notify>,
    /// The last number that it had among those that wait.
    number: Arc<Mutex<u64>>,
}

/// A complete request of a connection, until its answer is there.
#[derive(Debug)]
pub(crate) struct Working(Connection);

impl Waiting {
    /// A new connection, which waits for its first request.
    pub(crate) fn begin(&self) -> Connection {
        let close = Arc::new(Notify::new());
        let number = self.queue().add(&close);
        Connection { waiting: self.clone(), close, number: Arc::new(Mutex::new(number)) }
    }

    /// Closes the connection that has waited for longest, unless that is not for long.
    pub(crate) fn close_one(&self) {
        let mut queue = self.queue();
        if let Some(longest) = queue.connections.first_entry()
            && longest.get().1.elapsed() >= MIN_WAIT
        {
            longest.remove().0.notify_one();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.0)
    }
}

impl Queue {
    fn add(&mut self, close: &Arc<Notify>) -> u64 {
        self.begun += 1;
        self.connections.insert(self.begun, (Arc::clone(close), Instant::now()));
        self.begun
    }
}

impl Connection {
    /// Waits until the connection is to be closed.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// The connection doesn't wait until the result is dropped, and then it begins to anew.
    pub(crate) fn work(&self) -> Working {
        self.end();
        Working(self.clone())
    }

    /// The connection doesn't wait any more.
    pub(crate) fn end(&self) {
        self.waiting.queue().connections.remove(&*lock(&self.number));
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let Connection { waiting, close, number } = &self.0;
        let next = waiting.queue().add(close);
        *lock(number) = next;
    }
}

/// Locks a mutex under which nothing panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    async fn is_closed(connection: &Connection) -> bool {
        timeout(Duration::ZERO, connection.closed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_connection_that_has_waited_for_longest_is_closed() {
        let waiting = Waiting::default();
        let [first, second, third, fourth] = [(); 4].map(|()| waiting.begin());
        waiting.close_one();
        assert!(!is_closed(&first).await, "it may have sent something");
        advance(MIN_WAIT).await;
        // A request that is carried out doesn't wait, and after it the connection begins to anew.
        let (working, _other) = (first.work(), fourth.work());
        waiting.close_one();
        assert!(is_closed(&second).await && !is_closed(&first).await);
        drop(working);
        third.end();
        waiting.close_one();
        assert!(!is_closed(&first).await);
        advance(MIN_WAIT).await;
        waiting.close_one();
        assert!(is_closed(&first).await);
        waiting.close_one();
        assert!(!is_closed(&third).await && !is_closed(&fourth).await);
    }
}
