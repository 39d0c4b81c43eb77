//! Chains with the history of a set, and their followers.

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

/// The number of calls in the history that most tests follow.
pub(crate) const CALLS: u64 = 700;

/// The maximum number of steps in a history.
const STEPS: u64 = 4 * CALLS;

/// Runs a future that waits only for the chain in this process.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

/// The identity of a history's set.
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

/// A pause that takes no time.
pub(crate) fn no_pause(_: Duration) -> future::Ready<()> {
    future::ready(())
}

/// The state that a new follower reaches.
pub(crate) async fn fresh(chain: &Devchain, identity: &SetIdentity) -> SetState {
    let mut follower = Follower::new(source(chain).await, identity.clone());
    follower.catch_up().await.unwrap();
    assert_eq!(follower.block().unwrap().hash, chain.block_hash());
    follower.state().clone()
}

/// Advances to the newest block, and retries after every failure of the source.
pub(crate) async fn insist(follower: &mut Follower<impl SetSource>) -> Advance {
    for _ in 0..1_000 {
        match follower.catch_up().await {
            Ok(advance) => return advance,
            Err(error) => assert_eq!(error.severity(), Severity::Retry, "{error}"),
        }
    }
    panic!("it never arrives");
}

/// Advances one step, with the same checks of errors.
pub(crate) async fn step(follower: &mut Follower<impl SetSource>) -> Result<Advance, FollowError> {
    let outcome = follower.step().await;
    if let Err(error) = &outcome {
        assert_eq!(error.severity(), Severity::Retry, "{error}");
    }
    outcome
}

/// The content of a checkpoint file.
pub(crate) fn file_content(path: &Path) -> Value {
    serde_json::from_str(fs::read_to_string(path).unwrap().lines().next().unwrap()).unwrap()
}

/// Writes a checkpoint file with this content and a matching hash.
pub(crate) fn forge_file(path: &Path, content: &Value) {
    let content = content.to_string();
    fs::write(path, format!("{content}\n{:#x}", keccak256(&content))).unwrap();
}

/// The block time that the tests' views expect.
pub(crate) const BLOCK_TIME: Seconds = Seconds::of(12);

/// A question about everything in the follower's state.
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
    /// The chain of a history without reorganizations, at every `every` steps.
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

    /// The recording that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static RECORDING: OnceLock<Recording> = OnceLock::new();
        RECORDING.get_or_init(|| Self::of(4, 50))
    }

    pub(crate) fn chain(&self, height: usize) -> Devchain {
        Devchain::from_bytes(&self.heights[height]).unwrap()
    }

    /// A fork of the chain from `height` on, with `blocks` blocks, each with an allowance that depends on
    /// the fork.
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
            assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
        }
        chain
    }

    /// The chain at its last height.
    pub(crate) fn newest(&self) -> Devchain {
        self.chain(self.heights.len() - 1)
    }
}
