//! Chains with the history of a set, and followers of them.

use alloy_primitives::{Address, U256, keccak256};
use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use alloy_sol_types::SolCall;
use canon_chain::{Client, Severity, deploy::Create2Origin};
use canon_devchain::{Devchain, UnsignedCall};
use canon_differential::{History, Lockstep, salts};
use canon_follow::{
    Advance, ChainSource, ComparisonScope, FollowError, Follower, SetIdentity, SetSource,
};
use canon_protocol::{Addresses, BlockNumber, Seconds, SetState};
use canon_views::Question;
use core::{future, time::Duration};
use serde_json::Value;
use std::{fs, future::Future, path::Path, sync::OnceLock};

/// The calls of the history that most tests follow.
pub(crate) const CALLS: u64 = 700;

/// The most steps of a history.
const STEPS: u64 = 4 * CALLS;

/// Runs what never waits for anything but the chain in this process.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// A history's set.
pub(crate) fn identity(addresses: Addresses) -> SetIdentity {
    let origins = salts(STEPS).map(|salt| Create2Origin { salt, ..Create2Origin::default() });
    let origins = origins.collect();
    SetIdentity { addresses, first_block: BlockNumber::ZERO, origins }
}

pub(crate) async fn client(rpc: RpcClient) -> Client {
    Client::connect(ProviderBuilder::default().connect_client(rpc)).await.unwrap()
}

pub(crate) async fn source(chain: &Devchain) -> ChainSource {
    ChainSource::new(client(chain.client()).await, ComparisonScope::Everything)
}

/// Lets no time pass.
pub(crate) fn no_pause(_: Duration) -> future::Ready<()> {
    future::ready(())
}

/// The state that a follower reaches that hasn't seen anything before.
pub(crate) async fn fresh(chain: &Devchain, identity: &SetIdentity) -> SetState {
    let mut follower = Follower::new(source(chain).await, identity.clone());
    follower.catch_up().await.unwrap();
    assert_eq!(follower.block().unwrap().hash, chain.block_hash());
    follower.state().clone()
}

/// Goes all the way to the newest block, however often the source fails on it.
pub(crate) async fn insist(follower: &mut Follower<impl SetSource>) -> Advance {
    for _ in 0..1_000 {
        match follower.catch_up().await {
            Ok(advance) => return advance,
            Err(error) => assert_eq!(error.severity(), Severity::Retry, "{error}"),
        }
    }
    panic!("it never arrives");
}

/// The same for one step.
pub(crate) async fn step(follower: &mut Follower<impl SetSource>) -> Result<Advance, FollowError> {
    let outcome = follower.step().await;
    if let Err(error) = &outcome {
        assert_eq!(error.severity(), Severity::Retry, "{error}");
    }
    outcome
}

/// The content of a checkpoint's file.
pub(crate) fn file_content(path: &Path) -> Value {
    serde_json::from_str(fs::read_to_string(path).unwrap().lines().next().unwrap()).unwrap()
}

/// Writes a checkpoint's file of this content, whose hash fits.
pub(crate) fn forge_file(path: &Path, content: &Value) {
    let content = content.to_string();
    fs::write(path, format!("{content}\n{:#x}", keccak256(&content))).unwrap();
}

/// The time from one block to the next that views of the tests expect.
pub(crate) const BLOCK_TIME: Seconds = Seconds::of(12);

/// Everything that the follower's state knows.
pub(crate) fn everything(follower: &Follower<ChainSource>) -> Question {
    Question::everything(follower.state())
}

/// A chain at several heights, oldest first.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) identity: SetIdentity,
    pub(crate) heights: Vec<Vec<u8>>,
}

impl Recording {
    /// The chain of a history without reorganizations, every `every` steps.
    fn of(seed: u64, every: u64) -> Self {
        let mut identity = None;
        let mut heights: Vec<Vec<u8>> = Vec::new();
        let mut last = 0;
        let before_step = |lockstep: &Lockstep, index: u64| {
            let chain = lockstep.chain();
            if index.is_multiple_of(every) && chain.block_number() > last {
                last = chain.block_number();
                heights.push(chain.to_bytes());
                identity = Some(self::identity(*lockstep.set().addresses()));
            }
        };
        History { seed, calls: CALLS }.run_with(before_step).unwrap();
        Self { identity: identity.unwrap(), heights }
    }

    /// The one that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static RECORDING: OnceLock<Recording> = OnceLock::new();
        RECORDING.get_or_init(|| Self::of(4, 50))
    }

    pub(crate) fn chain(&self, height: usize) -> Devchain {
        Devchain::from_bytes(&self.heights[height]).unwrap()
    }

    /// Another chain from `height` on, of this many blocks: each has an allowance that names the fork.
    pub(crate) fn fork(&self, height: usize, blocks: u64, fork: u64) -> Devchain {
        let chain = self.chain(height);
        for block in 0..blocks {
            let call = canon_abi::Asset::approveCall {
                spender: Address::with_last_byte(1),
                amount: U256::from(fork * 1_000 + block),
            };
            let asset = self.identity.addresses.asset;
            let input = call.abi_encode().into();
            let from = Address::with_last_byte(2);
            let call = UnsignedCall { from, to: Some(asset), input };
            let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
            assert!(executed.iter().all(|call| call.success), "{executed:?}");
        }
        chain
    }

    /// The chain at its greatest height.
    pub(crate) fn newest(&self) -> Devchain {
        self.chain(self.heights.len() - 1)
    }
}
