//! The deployer.

use crate::world::world;
use canon_l1::{
    Deployment, NoWait,
    deploy::{DeployRecord, SetParameters, Step, deploy},
};
use core::ops::ControlFlow;

#[tokio::test]
async fn deploys_and_finds_the_set_again() {
    let world = world().await;
    let mut sender = world.sender(0);
    let parameters = SetParameters::tests().check().unwrap();
    let mut record =
        DeployRecord::new(world.client.chain_id(), sender.address(), parameters.raw().clone());
    let set = deploy(&mut sender, &parameters, &mut record, &mut NoWait, |_, progress| {
        println!("{progress:?}");
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(record.done.len(), Step::ALL.len());
    assert!(record.gas_used() > 5_000_000);
    let found = Deployment::from_registry(&world.client, set.deployment.registry).await.unwrap();
    assert_eq!(found, set.deployment);
}
