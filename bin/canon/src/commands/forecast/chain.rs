//! A deployed set at one block.

use alloy_primitives::Address;
use canon_chain::{Endpoint, Error, Timeouts};
use canon_forecast::deployed::{SetSnapshot, SnapshotError};
use canon_views::{Present, Question};
use eyre::{Report, eyre};

use crate::exit::Failure;

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";
const OTHER_PAYLOAD: &str = "check --payload, and that --rpc-url is its chain";

/// Reads the state at the head of the chain.
pub(super) fn snapshot(
    endpoint: &Endpoint,
    registry: Address,
    payload: Option<Address>,
) -> Result<SetSnapshot, Failure> {
    let internal = |error: std::io::Error| Failure::internal(error.into(), "please report this");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let present = runtime.map_err(internal)?.block_on(read(endpoint, registry, payload));
    let present = present.map_err(|error| unread(endpoint, registry, error))?;
    SetSnapshot::of(&present, payload).map_err(|error| match error {
        SnapshotError::NoPayload(address) => {
            let error = Error::NoCode { what: "the payload", address };
            let title = format!("no payload can be read from --payload {address}");
            Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_PAYLOAD)
        }
        error => unreadable_set(present.addresses.registry, error.into()),
    })
}

/// The set at the head of the chain. Its slots and sets are those of that block's own time.
async fn read(
    endpoint: &Endpoint,
    registry: Address,
    payload: Option<Address>,
) -> Result<Present, Error> {
    let client = endpoint.connect(Timeouts::default()).await?;
    let head = client.head().await?;
    let payloads = payload.into_iter().collect();
    let question = Question { payloads, ..Question::new(head.timestamp) };
    client.view_at(registry, &question, head.hash.into()).await
}

/// The failure if the set can't be read.
fn unread(endpoint: &Endpoint, registry: Address, error: Error) -> Failure {
    match error {
        error if error.is_of_the_contracts() => unreadable_set(registry, eyre!("{error}")),
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
            Failure::internal(eyre!("{error}").wrap_err(title), OTHER_ENDPOINT)
        }
    }
}

/// The failure for contracts that aren't a set that a forecast can be about.
fn unreadable_set(registry: Address, reason: Report) -> Failure {
    let title = format!("no set can be read from --registry {registry}");
    Failure::bad_input(reason.wrap_err(title), OTHER_REGISTRY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_a_contract_answers_is_blamed_on_the_registry_and_all_else_on_the_endpoint() {
        let endpoint: Endpoint = "http://localhost:1".parse().unwrap();
        let (what, address, found) = ("Governance", Address::ZERO, Address::ZERO);
        for (error, exit, flag) in [
            (Error::NoCode { what, address }, Exit::BadInput, "--registry"),
            (Error::NoAnswer { what, address }, Exit::BadInput, "--registry"),
            (Error::BadAnswer { what, address }, Exit::BadInput, "--registry"),
            (Error::Inconsistent { what, expected: address, found }, Exit::BadInput, "--registry"),
            (Error::OtherChain { expected: 1, found: 2 }, Exit::Internal, "--rpc-url"),
        ] {
            let said = error.to_string();
            let failure = unread(&endpoint, Address::ZERO, error);
            assert_eq!(failure.exit, exit, "{said}");
            let title = failure.report.to_string();
            assert!(title.contains(flag) && failure.next.contains(flag), "{title}: {said}");
        }
    }
}
