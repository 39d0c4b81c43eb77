//! Further rollups and payloads.

use crate::world::deployed;
use alloy::primitives::{Address, address};
use canon_bindings::{Registry, UpgradePayload};
use canon_l1::{
    Error, NoWait,
    deploy::{DeployError, SetParameters, deploy_rollup, deploy_upgrade_payload},
};
use canon_protocol::{Refusal, RollupRefusal, Seconds, Timestamp};

const NOBODY: Address = address!("0x00000000000000000000000000000000000000aa");

#[tokio::test]
async fn a_rollup_and_the_payload_that_makes_it_canonical() {
    let (world, set) = deployed().await;
    let mut sender = world.sender(1);
    let parameters = SetParameters::tests().rollup;
    let (deployment, distributor) = (set.deployment, set.reward_distributor);
    let rollup = deploy_rollup(&mut sender, &deployment, distributor, &parameters, &mut NoWait)
        .await
        .unwrap()
        .address;
    let uri = "https://azip.example/7";
    let payload = deploy_upgrade_payload(
        &mut sender,
        &deployment,
        set.expect,
        rollup,
        deployment.rollup,
        uri,
        &mut NoWait,
    )
    .await
    .unwrap()
    .address;
    let at = world.client.head().await.unwrap().id();
    let actions = world.client.payload_actions(at, payload).await.unwrap();
    assert_eq!(actions.len(), 4);
    assert_eq!(actions[3].target, deployment.registry);
    let found = world.client.read(at, payload, UpgradePayload::getURICall {}).await.unwrap();
    assert_eq!(found, uri);
    let owner = world.client.read(at, rollup, Registry::ownerCall {}).await.unwrap();
    assert_eq!(owner, deployment.governance);
}

#[tokio::test]
async fn parameters_that_the_constructor_refuses_are_not_sent() {
    let (world, set) = deployed().await;
    let mut sender = world.sender(1);
    let good = SetParameters::tests().rollup;
    let now = Timestamp::of(world.chain.timestamp());
    let mut refusal = async |parameters| {
        let distributor = set.reward_distributor;
        deploy_rollup(&mut sender, &set.deployment, distributor, &parameters, &mut NoWait)
            .await
            .unwrap_err()
    };
    let mut parameters = good;
    parameters.exit_delay = Seconds::of(2 * 16 * 24 - 1);
    let error = refusal(parameters).await;
    assert!(
        matches!(
            error,
            DeployError::Rollup(Refusal::Rollup(RollupRefusal::ExitDelayTooShort { .. }))
        ),
        "{error}"
    );
    assert!(error.to_string().ends_with("choose an exit delay of at least two epochs"), "{error}");
    let mut parameters = good;
    parameters.epoch_slots = 0;
    assert!(matches!(refusal(parameters).await, DeployError::Rollup(_)));
    // Only the chain knows its time.
    let mut parameters = good;
    parameters.genesis = Some(now + Seconds::DAY);
    let error = refusal(parameters).await;
    let DeployError::Chain(Error::Refused { what: "Rollup", revert }) = error else {
        panic!("{error}")
    };
    assert_eq!(revert.name(), Some("Rollup__GenesisInFuture"));
    assert_eq!(world.chain.nonce(world.accounts[1].address()), 0);
}

#[tokio::test]
async fn a_payload_for_no_rollup_is_refused() {
    let (world, set) = deployed().await;
    let error = deploy_upgrade_payload(
        &mut world.sender(1),
        &set.deployment,
        set.expect,
        NOBODY,
        set.deployment.rollup,
        "",
        &mut NoWait,
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "UpgradePayload was refused: NoCode(account: {NOBODY}); nothing is deployed there \
             (a delegated account doesn't count): check the address and the chain id"
        )
    );
    assert_eq!(world.chain.nonce(world.accounts[1].address()), 0);
}
