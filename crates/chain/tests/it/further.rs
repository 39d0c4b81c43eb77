//! Further rollups and payloads.

use crate::{
    genuine::rollup_without_create2,
    test_chain::{deploy_rollup, deploy_upgrade_payload, deployed},
};
use alloy_eips::BlockId;
use alloy_primitives::B256;
use canon_abi::{Contract, Registry, UpgradePayload};
use canon_chain::{
    audit::ExaminedSet,
    deploy::{
        Create2Origin, DeployError, ExamineError, NotGenuine, SetParameters, Upgrade,
        simulate_actions,
    },
};
use canon_protocol::{Refusal, RollupRefusal, Seconds, Timestamp};

#[tokio::test]
async fn a_rollup_and_the_payload_that_makes_it_canonical() {
    let (chain, set) = deployed().await;
    let mut sender = chain.sender(1);
    let parameters = SetParameters::tests().rollup;
    let (deployment, distributor) = (set.deployment, set.reward_distributor);
    let origin = Create2Origin::default();
    let rollup =
        deploy_rollup(&mut sender, origin, &deployment, distributor, &parameters).await.unwrap();
    let uri = "https://azip.example/7";
    let upgrade = Upgrade {
        expect: set.expect,
        new_rollup: rollup,
        expected_canonical: deployment.rollup,
        uri: uri.into(),
    };
    let payload = deploy_upgrade_payload(&mut sender, origin, &deployment, &upgrade).await.unwrap();
    let rollup = rollup.address();
    let at = BlockId::from(chain.client.head().await.unwrap().hash);
    let actions = chain.client.payload_actions(deployment.governance, at, payload).await;
    let actions = actions.unwrap();
    assert_eq!(actions.len(), 4);
    assert_eq!(actions, upgrade.actions(&deployment), "known before it is sent");
    simulate_actions(&chain.client, deployment.governance, &actions).await.unwrap();
    // Other callers can't execute the actions, and they can't be executed twice.
    let refused = async |caller| {
        let error = simulate_actions(&chain.client, caller, &actions).await.unwrap_err();
        let DeployError::Action { number, source } = error else { panic!("{error}") };
        assert!(source.as_revert().is_some(), "{source}");
        number
    };
    assert_eq!(refused(chain.accounts[1].address()).await, 4);
    let upgraded = Registry::upgradeCall { rollup };
    chain.send_as(deployment.governance, deployment.registry, &upgraded).await;
    assert_eq!(refused(deployment.governance).await, 1);
    let found = chain.client.read(at, payload, UpgradePayload::getURICall {}).await.unwrap();
    assert_eq!(found, uri);
    let owner = chain.client.read(at, rollup, Registry::ownerCall {}).await.unwrap();
    assert_eq!(owner, deployment.governance);
}

#[tokio::test]
async fn parameters_that_the_constructor_refuses_are_not_sent() {
    let (chain, set) = deployed().await;
    let mut sender = chain.sender(1);
    let good = SetParameters::tests().rollup;
    let now = Timestamp::of(chain.devchain.timestamp());
    let mut refusal = async |parameters| {
        let distributor = set.reward_distributor;
        let origin = Create2Origin::default();
        deploy_rollup(&mut sender, origin, &set.deployment, distributor, &parameters)
            .await
            .unwrap_err()
    };
    let mut parameters = good;
    parameters.exit_delay = Seconds::of(2 * 16 * 24 - 1);
    let error = refusal(parameters).await;
    assert!(
        matches!(
            error,
            DeployError::Constructor {
                refusal: Refusal::Rollup(RollupRefusal::ExitDelayOutOfBounds { .. }),
                ..
            }
        ),
        "{error}"
    );
    let bounds = "rollup.exit_delay: expected two epochs to 365 days, 12 min 48 s to 365 d, found 12 min 47 s";
    assert!(error.to_string().ends_with(bounds), "{error}");
    let mut parameters = good;
    parameters.epoch_slots = 0;
    assert!(matches!(refusal(parameters).await, DeployError::Constructor { .. }));
    let mut parameters = good;
    parameters.genesis = Some(now + Seconds::DAY);
    let error = refusal(parameters).await;
    assert!(error.to_string().contains("rollup.genesis: expected at most"), "{error}");
    assert_eq!(chain.devchain.nonce(chain.accounts[1].address()), 0);
}

#[tokio::test]
async fn a_payload_for_no_rollup_is_refused() {
    let (chain, set) = deployed().await;
    // Nothing was created at this address.
    let new_rollup = Create2Origin::default().create2(&[]);
    let upgrade = Upgrade {
        expect: set.expect,
        new_rollup,
        expected_canonical: set.deployment.rollup,
        uri: String::new(),
    };
    let (origin, sender) = (Create2Origin::default(), &mut chain.sender(1));
    let error = deploy_upgrade_payload(sender, origin, &set.deployment, &upgrade).await;
    let error = error.unwrap_err();
    let nobody = new_rollup.address();
    assert_eq!(
        error.to_string(),
        format!(
            "UpgradePayload was refused: NoCode(account: {nobody}); nothing is deployed there \
             (a delegated account doesn't count): check the address and the chain id"
        )
    );
    assert_eq!(chain.devchain.nonce(chain.accounts[1].address()), 0);
}

#[tokio::test]
async fn a_rollup_of_any_salt_is_examined_before_a_payload_names_it() {
    let (chain, set) = deployed().await;
    let examined = ExaminedSet::find(&chain.client, set.deployment.registry, |_| {}).await.unwrap();
    assert_eq!(examined.origin(), Create2Origin::default());
    let salt = B256::with_last_byte(9);
    let origin = Create2Origin { salt, ..Create2Origin::default() };
    let settings = SetParameters::tests().rollup;
    let (distributor, mut sender) = (set.reward_distributor, chain.sender(1));
    let rollup = deploy_rollup(&mut sender, origin, &set.deployment, distributor, &settings);
    let rollup = rollup.await.unwrap();
    let found = examined.rollup(&chain.client, rollup.address()).await.unwrap();
    assert_eq!(found.create2, rollup);
    assert_eq!(found.parameters.owner, set.deployment.governance);
    let plain = rollup_without_create2(&chain, &set).await;
    let error = examined.rollup(&chain.client, plain).await.unwrap_err();
    assert!(matches!(error, ExamineError::NotGenuine(NotGenuine::OtherAddress { .. })), "{error}");

    // The rollup still belongs to the Governance that was found before, but that one isn't in office any more.
    let (registry, next) = (set.deployment.registry, chain.accounts[1].address());
    let offer = Registry::transferOwnershipCall { newOwner: next };
    chain.send_as(set.deployment.governance, registry, &offer).await;
    chain.send_as(next, registry, &Registry::acceptOwnershipCall {}).await;
    let error = examined.rollup(&chain.client, rollup.address()).await.unwrap_err();
    let ExamineError::NotGenuine(NotGenuine::Changed { contract, expected, found, .. }) = error
    else {
        panic!("{error}")
    };
    assert_eq!(contract, Contract::Registry);
    assert_eq!((expected, found), (set.deployment.governance, next));
}
