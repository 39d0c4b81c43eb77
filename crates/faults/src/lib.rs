//! A layer between a client and the transport of an in-process chain, for tests with endpoints that fail,
//! lag, refuse requests or change answers.
//!
//! [`Faults`] counts requests, lets packets fail according to a [`FaultPlan`], and replaces the node's
//! answers by an [`Answer`]. A packet is a single request, or a batch of requests. Nothing reads a clock:
//! delays are measured in packets.
//!
//! ```
//! # use canon_devchain::{Devchain, DevchainConfig};
//! # use alloy_provider::{Provider, ProviderBuilder, RootProvider};
//! # use alloy_rpc_client::RpcClient;
//! use canon_faults::{Fault, Faults, FaultPlan};
//! use tower::Layer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # let chain = Devchain::new(DevchainConfig::default());
//! let faults = Faults::default();
//! let client = RpcClient::new(faults.layer(chain.transport()), true);
//! let provider: RootProvider = ProviderBuilder::default().connect_client(client);
//!
//! // The second packet from here on reaches the node, and its answer is lost.
//! faults.set(FaultPlan::At(1, Fault::AnswerLost));
//! provider.get_block_number().await.unwrap();
//! provider.get_block_number().await.unwrap_err();
//! provider.get_block_number().await.unwrap();
//! assert_eq!(faults.packets(), 3);
//! assert_eq!(faults.take_requests()["eth_blockNumber"], 3);
//! # }
//! ```

mod answer;
mod faults;
mod plan;
mod transport;

pub use answer::{Answer, failure, params, success};
pub use faults::Faults;
pub use plan::{Fault, FaultPlan, Rule};
pub use transport::FaultyTransport;
