//! Reaching the chain, and reading the set on it.

use std::future::Future;

use alloy_primitives::Address;
use canon_chain::{Client, Endpoint, Error, Timeouts};
use canon_protocol::{Seconds, Timestamp};
use canon_views::{Question, SetView};
use eyre::{Report, eyre};

use super::settings::ChainSettings;
use crate::exit::Failure;

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";

/// The time from one block of Ethereum to the next.
const BLOCK_TIME: Seconds = Seconds::of(12);

/// A chain that answers, and the set on it.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) client: Client,
    pub(crate) registry: Address,
    endpoint: Endpoint,
}

/// Runs what waits for a chain.
///
/// # Errors
///
/// Its own, or if this system doesn't let a program wait.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(error.into(), "please report this"))?;
    runtime.block_on(work)
}

impl ChainSettings {
    /// Connects to the first endpoint that answers.
    ///
    /// # Errors
    ///
    /// If no endpoint or Registry is named, none answers, or it is of another chain than expected.
    pub(crate) async fn connect(&self) -> Result<Chain, Failure> {
        let missing = |what: &str, expected: &str| {
            let report = eyre!("{what}: expected {expected}, found nothing");
            Failure::bad_input(report, "name it as a flag, in the environment, or in canon.toml")
        };
        let endpoints = self.rpc_url.as_ref().ok_or_else(|| {
            missing("--rpc-url (ETH_RPC_URL)", "an endpoint of the chain with the set")
        })?;
        let registry = self.registry.as_ref().ok_or_else(|| {
            missing("--registry (CANON_REGISTRY)", "the address of the set's Registry")
        })?;
        let mut failures = Vec::new();
        for endpoint in &endpoints.value {
            let client = match endpoint.connect(Timeouts::default()).await {
                Ok(client) => client,
                Err(error) => {
                    failures.push(unread(endpoint, registry.value, error));
                    continue;
                }
            };
            if let Some(expected) = self.chain_id.as_ref().filter(|id| id.value != client.chain_id()) {
                let (expected, found) = (expected.value, client.chain_id());
                let report = eyre!("--rpc-url {endpoint}: expected chain {expected}, found {found}");
                return Err(Failure::bad_input(report, OTHER_ENDPOINT));
            }
            return Ok(Chain { client, registry: registry.value, endpoint: endpoint.clone() });
        }
        Err(failures.into_iter().next().unwrap_or_else(|| {
            missing("--rpc-url (ETH_RPC_URL)", "an endpoint of the chain with the set")
        }))
    }
}

impl Chain {
    /// The set at the newest block. `question` is given the expected time of the next block.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn view(
        &self,
        question: impl FnOnce(Timestamp) -> Question,
    ) -> Result<SetView, Failure> {
        let unread = |error| unread(&self.endpoint, self.registry, error);
        let head = self.client.head().await.map_err(unread)?;
        let question = question(head.timestamp + BLOCK_TIME);
        let view = self.client.view_at(self.registry, &question, head.hash.into()).await;
        view.map_err(unread)
    }
}

/// The failure if the set can't be read.
fn unread(endpoint: &Endpoint, registry: Address, error: Error) -> Failure {
    match error {
        Error::NoCode { .. }
        | Error::NoAnswer { .. }
        | Error::BadAnswer { .. }
        | Error::OutOfRange { .. }
        | Error::Refused { .. }
        | Error::Inconsistent { .. } => {
            let title = format!("no set can be read from --registry {registry}");
            Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_REGISTRY)
        }
        Error::Rpc { what, source } => {
            // Transports wrap the reason several times without adding to it.
            let mut reason: &dyn std::error::Error = &source;
            while let Some(deeper) = reason.source() {
                reason = deeper;
            }
            let title = format!("--rpc-url {endpoint} doesn't answer {what}");
            Failure::internal(eyre!("{reason}").wrap_err(title), OTHER_ENDPOINT)
        }
        error => {
            let title = format!("--rpc-url {endpoint} can't be read from");
            Failure::internal(Report::new(error).wrap_err(title), OTHER_ENDPOINT)
        }
    }
}
