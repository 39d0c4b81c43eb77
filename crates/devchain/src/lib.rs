//! An in-process Ethereum L1 behind alloy's transport.
//!
//! [`Devchain`] executes real signed transactions under the rules of mainnet (Osaka). An ordinary
//! alloy provider, with wallet, fillers and `sol!` contracts, works on [`Devchain::client`]
//! unchanged. Time, randomness and mining are inputs: equal inputs give equal blocks. A chain with a
//! [`Clock`] follows that between its blocks.
//!
//! ```
//! use alloy_provider::{Provider, ProviderBuilder};
//! use canon_devchain::{Devchain, DevchainConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let chain = Devchain::new(DevchainConfig::default());
//! let wallet = chain.dev_accounts().remove(0);
//! let provider = ProviderBuilder::new().wallet(wallet).connect_client(chain.client());
//!
//! let tomorrow = chain.timestamp() + 86_400;
//! chain.set_next_timestamp(tomorrow)?;
//! chain.mine()?;
//! assert_eq!(provider.get_block_number().await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! [`serve`] offers the same chain over HTTP, with the methods of a node and those of development
//! nodes. The crate's README lists the methods, those that aren't there on purpose, and the limits.
//!
//! # Differences from mainnet
//!
//! - Blocks have no state root (it is zero), and so there is no `eth_getProof`.
//! - There is no beacon chain: no withdrawals, no beacon roots (EIP-4788), no requests. Of the
//!   system contracts only the history of block hashes (EIP-2935) is there.
//! - The deterministic deployment proxy ([`DEPLOYMENT_PROXY`]) exists from genesis, as on anvil.
//! - Blob transactions (EIP-4844) are refused. Transactions from before EIP-155, without a chain
//!   id, are accepted.
//! - Transactions are executed in the order of their arrival, not of their fees.
//! - `safe` and `finalized` are 32 and 64 blocks behind the head, however deep reorgs go.
//! - There are no subscriptions.

mod access;
mod accounts;
mod block;
mod body;
mod calls;
mod chain;
mod clock;
mod config;
mod connection;
mod connections;
mod direct;
mod dump;
mod error;
mod exec;
mod fees;
mod filters;
mod handle;
mod image;
mod logs;
mod mining;
mod pool;
mod proxy;
mod rewind;
mod rpc;
mod server;
mod shared;
mod simulate;
mod state;
mod trace;
mod transactions;
mod transport;
mod turns;

pub use accounts::dev_accounts;
pub use clock::Clock;
pub use config::{DevchainConfig, Mining};
pub use direct::{Executed, UnsignedCall};
pub use error::{Error, Result};
pub use handle::Devchain;
pub use mining::MinedBlock;
pub use proxy::DEPLOYMENT_PROXY;
pub use rewind::{OldTransactions, Reorg, ReorgOptions, SnapshotId};
pub use server::{ServerHandle, serve};
pub use transport::DevchainTransport;
