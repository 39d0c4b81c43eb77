use std::ops::ControlFlow;

use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use canon_chain::{
    NoWait, RelatedFamily, Sender,
    deploy::{DeployRecord, SetParameters, deploy},
};
use canon_devchain::{Devchain, DevchainConfig};
use canon_faults::Faults;
use canon_views::Question;
use tower::Layer as _;

use super::{super::settings::Origin, *};
use crate::exit::Exit;

#[test]
fn work_on_other_threads_does_not_keep_a_server_from_ending() {
    let (end, work) = std::sync::mpsc::channel::<()>();
    let done = run_and_leave(async {
        let (started, is_started) = tokio::sync::oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let _ = started.send(());
            work.recv()
        });
        is_started.await.unwrap();
        Ok(())
    });
    done.unwrap();
    // Only now the work can end.
    drop(end);
}

#[test]
fn wrong_answers_of_contracts_are_blamed_on_the_registry_and_failures_on_the_endpoint() {
    let registry = Setting { value: Address::ZERO, origin: Origin::Environment("CANON_REGISTRY") };
    let (what, address, found) = ("Governance", Address::ZERO, Address::ZERO);
    for (error, exit, named) in [
        (Error::NoCode { what, address }, Exit::BadInput, "CANON_REGISTRY"),
        (Error::NoAnswer { what, address }, Exit::BadInput, "CANON_REGISTRY"),
        (Error::BadAnswer { what, address }, Exit::BadInput, "CANON_REGISTRY"),
        (Error::Inconsistent { what, expected: address, found }, Exit::BadInput, "CANON_REGISTRY"),
        (
            Error::OtherFamily { registry: address, family: RelatedFamily::Aztec067 },
            Exit::BadInput,
            "CANON_REGISTRY",
        ),
        (Error::OtherChain { expected: 1, found: 2 }, Exit::Internal, "the chain"),
    ] {
        let said = error.to_string();
        let failure = unread(&registry, error);
        assert_eq!(failure.exit, exit, "{said}");
        let title = failure.report.to_string();
        assert!(title.contains(named), "{title}: {said}");
    }
}

/// Reads the same as `canon status` after it has connected. On other chains than those of Ethereum, the newest two blocks
/// are read before.
#[tokio::test]
async fn reading_a_set_takes_two_round_trips() {
    let devchain = Devchain::new(DevchainConfig { chain_id: 1, ..DevchainConfig::default() });
    let faults = Faults::default();
    let rpc = RpcClient::new(faults.layer(devchain.transport()), true);
    let client = Client::connect(ProviderBuilder::default().connect_client(rpc)).await.unwrap();
    let mut sender = Sender::new(client.clone(), devchain.dev_accounts().remove(0));
    let mut parameters = SetParameters::tests();
    parameters.rollup.genesis = Some(Timestamp::of(devchain.timestamp()));
    let checked = parameters.clone().check().unwrap();
    let mut record = DeployRecord::new(client.chain_id(), sender.address(), parameters);
    let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
    let set = deploy(&mut sender, &checked, &mut record, &mut NoWait, go_on).await.unwrap();
    let registry = set.deployment.registry;
    let registry = Setting { value: registry, origin: Origin::Environment("CANON_REGISTRY") };
    let chain = Chain { client, registry, notes: Notes::default(), history: RefCell::default() };
    // The block is later than the expected block time.
    devchain.set_next_timestamp(devchain.timestamp() + 300).unwrap();
    let before = faults.packets();
    let present = chain.present(Question::default()).await.unwrap();
    assert_eq!(faults.packets() - before, 2);
    assert_eq!(present.next.get(), devchain.timestamp() + 300);
    // A poll takes one round trip if there is no new block.
    let before = faults.packets();
    let shown = Some(present.block.hash);
    assert!(chain.present_after(shown, Question::default()).await.unwrap().is_none());
    assert_eq!(faults.packets() - before, 1);
}
