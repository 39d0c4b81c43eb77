//! The use of a chain by many clients.
//!
//! Requests use the chain one after another, in the order of their arrival. One that takes long
//! gives way to all that have arrived meanwhile. One that only executes a call takes the state that
//! it needs, and the chain doesn't wait for it.

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

/// The number of calls in a lane that are executed at the same time. Each may keep a state of its
/// own.
const MAX_EXECUTIONS: usize = 4;

/// The time after which a call isn't a short one any more.
const SHORT: Duration = Duration::from_millis(50);

/// The time after which a call is stopped, as in geth.
pub(crate) const MAX_TIME: Duration = Duration::from_secs(5);

/// The calls that are executed at the same time, each for a while.
#[derive(Clone, Debug)]
struct Lane {
    permits: Arc<Semaphore>,
    time: Duration,
}

impl Lane {
    fn new(time: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_EXECUTIONS)), time }
    }
}

/// The end of a call in a lane.
enum Executed {
    /// In time.
    Ended(RpcResult<Box<RawValue>>),
    /// Stopped because its time was over.
    Stopped(RpcResult<Box<RawValue>>),
}

/// The use of a chain in turns. Clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    pub(crate) chain: Devchain,
    /// The chain's own lock isn't fair: who releases it may get it again before those who wait.
    /// Waiting for this one also occupies no thread.
    queue: Arc<Mutex<()>>,
    /// Calls begin here, so that a short one never waits for those that take long.
    short: Lane,
    /// Those that take longer begin anew here.
    long: Lane,
}

impl Turns {
    pub(crate) fn new(chain: Devchain) -> Self {
        let (short, long) = (Lane::new(SHORT), Lane::new(MAX_TIME));
        Self { chain, queue: Arc::default(), short, long }
    }

    /// Carries a request out. If the returned future is dropped, what is left of it isn't carried
    /// out.
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
        // Executing transactions takes time, and the chain's lock isn't async. The turn ends with
        // the work, even if the client has gone.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&mut chain.lock())
        });
        done.await.map_err(|_| broken_chain())
    }

    /// Executes a call, which may take long.
    async fn execute(
        &self,
        method: String,
        params: Option<Box<RawValue>>,
    ) -> RpcResult<Box<RawValue>> {
        let call = Arc::new((method, params));
        match self.execute_in(&self.short, Arc::clone(&call)).await? {
            Executed::Ended(result) => result,
            Executed::Stopped(_) => match self.execute_in(&self.long, call).await? {
                Executed::Ended(result) | Executed::Stopped(result) => result,
            },
        }
    }

    /// Executes a call on the state that it finds when it has its turn, which ends before the
    /// execution.
    async fn execute_in(
        &self,
        lane: &Lane,
        call: Arc<(String, Option<Box<RawValue>>)>,
    ) -> RpcResult<Executed> {
        let permits = Arc::clone(&lane.permits);
        let permit = permits.acquire_owned().await.map_err(|_| broken_chain())?;
        let turn = Arc::clone(&self.queue).lock_owned().await;
        let chain = self.chain.clone();
        let watch = Watch::new();
        let _stop = watch.stop_on_drop();
        let watched = watch.clone();
        let mut done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let (method, params) = &*call;
            let progress = {
                let _turn = turn;
                let mut chain = chain.lock();
                match rpc::start(&mut chain, method, params.as_deref()) {
                    Progress::Executing(execution) => Ok(execution.take_out(&chain)),
                    Progress::Answered(result) => Err(result),
                    Progress::Mining(_) => Err(Err(broken_chain())),
                }
            };
            progress.map_or_else(|answer| answer, |taken| taken.run(&watched))
        });
        let in_time = timeout(lane.time, &mut done).await;
        Ok(match in_time {
            Ok(ended) => Executed::Ended(ended.map_err(|_| broken_chain())?),
            Err(_) => {
                watch.stop();
                Executed::Stopped(done.await.map_err(|_| broken_chain())?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, bytes};
    use serde_json::{json, value::to_raw_value};
    use tokio::task::JoinSet;

    use super::*;
    use crate::DevchainConfig;

    const ENDLESS: Address = Address::repeat_byte(2);

    async fn call(turns: Turns, to: Address) -> RpcResult<Box<RawValue>> {
        let block = json!({ "gasLimit": u64::MAX });
        let params = to_raw_value(&json!([{ "to": to }, "latest", {}, block])).unwrap();
        turns.carry_out("eth_call".to_owned(), Some(params)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_call_waits_for_none_that_takes_long() {
        let turns = Turns::new(Devchain::new(DevchainConfig::default()));
        turns.chain.set_code(ENDLESS, bytes!("5b5f56")).unwrap();
        // Nothing that takes long can go on.
        let permits = u32::try_from(MAX_EXECUTIONS).unwrap();
        let all = turns.long.permits.acquire_many(permits).await.unwrap();
        let mut others = JoinSet::new();
        for _ in 0..MAX_EXECUTIONS {
            others.spawn(call(turns.clone(), ENDLESS));
        }
        let short = &turns.short.permits;
        while short.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        // Each is stopped after a while. The clock moves only here.
        while short.available_permits() < MAX_EXECUTIONS {
            tokio::time::advance(SHORT).await;
        }
        let short = timeout(MAX_TIME, call(turns.clone(), Address::ZERO)).await;
        let short = short.expect("it needn't wait").unwrap();
        assert_eq!(short.get(), "\"0x\"");
        assert!(others.try_join_next().is_none());
        others.shutdown().await;
        drop(all);
    }
}
