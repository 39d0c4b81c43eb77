//! The use of a chain by many clients.
//!
//! Requests use the chain one after another, in the order of their arrival. One that takes long gives way to
//! all that have arrived meanwhile. One that only executes a call takes the state that it needs, and the
//! chain doesn't wait for it.

use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use crate::{
    Devchain,
    chain::Chain,
    exec::Watch,
    rpc::{
        self, Progress,
        error::{RpcResult, broken_chain},
    },
};

/// The number of calls that are executed at the same time. Each may keep a state of its own.
const MAX_EXECUTIONS: usize = 4;

/// The time after which a call is stopped, as in geth.
const MAX_TIME: Duration = Duration::from_secs(5);

/// The use of a chain in turns. Clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) chain: Devchain,
    /// The chain's own lock isn't fair: who releases it may get it again before those who wait. Waiting
    /// for this one also occupies no thread.
    queue: Arc<Mutex<()>>,
    executions: Arc<Semaphore>,
}

impl Turns {
    pub(crate) fn new(chain: Devchain) -> Self {
        let executions = Arc::new(Semaphore::new(MAX_EXECUTIONS));
        Self { chain, queue: Arc::default(), executions }
    }

    /// Carries a request out. If the returned future is dropped, what is left of it isn't carried out.
    pub(crate) async fn carry_out(
        &self,
        method: String,
        params: Option<Box<RawValue>>,
    ) -> RpcResult<Box<RawValue>> {
        if rpc::executes(&method) {
            return self.execute(method, params).await;
        }
        let mut progress =
            self.turn(move |chain| rpc::start(chain, &method, params.as_deref())).await?;
        loop {
            progress = match progress {
                Progress::Answered(result) => return result,
                Progress::Mining(mine) => self.turn(|chain| mine.some(chain)).await?,
                Progress::Searching(search) => self.turn(|chain| search.some(chain)).await?,
                Progress::Executing(_) => {
                    self.turn(|chain| progress.without_leaving(chain)).await?
                }
            };
        }
    }

    /// Works on the chain for one turn.
    pub(crate) async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Chain) -> T + Send + 'static,
    ) -> RpcResult<T> {
        let turn = Arc::clone(&self.queue).lock_owned().await;
        let chain = self.chain.clone();
        // Executing transactions takes time, and the chain's lock isn't async. The turn ends with the
        // work, even if the client has gone.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&mut chain.lock())
        });
        done.await.map_err(|_| broken_chain())
    }

    /// Executes a call on the state that it finds when it has its turn, which ends before the execution.
    async fn execute(
        &self,
        method: String,
        params: Option<Box<RawValue>>,
    ) -> RpcResult<Box<RawValue>> {
        let executions = Arc::clone(&self.executions);
        let permit = executions.acquire_owned().await.map_err(|_| broken_chain())?;
        let turn = Arc::clone(&self.queue).lock_owned().await;
        let chain = self.chain.clone();
        let watch = Watch::new();
        let _stop = watch.stop_on_drop();
        let watched = watch.clone();
        let mut done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let progress = {
                let _turn = turn;
                let mut chain = chain.lock();
                match rpc::start(&mut chain, &method, params.as_deref()) {
                    Progress::Executing(execution) => Ok(execution.take_out(&chain)),
                    Progress::Answered(result) => Err(result),
                    Progress::Mining(_) | Progress::Searching(_) => Err(Err(broken_chain())),
                }
            };
            progress.map_or_else(|answer| answer, |taken| taken.run(&watched))
        });
        let in_time = timeout(MAX_TIME, &mut done).await;
        let ended = match in_time {
            Ok(ended) => ended,
            Err(_) => {
                watch.stop();
                done.await
            }
        };
        ended.map_err(|_| broken_chain())?
    }
}
