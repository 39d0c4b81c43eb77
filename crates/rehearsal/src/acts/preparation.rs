//! Documents are agreed on; what they need is deployed.

use alloy::primitives::{Address, U256, keccak256};
use canon_bindings::{Contract, Proposals};
use canon_l1::{Call, deploy};
use canon_protocol::{Amount, RollupBlock};

use super::{payload, setting};
use crate::{
    describe::describe,
    error::{During, Error, Result},
    scenario::{Does, ProposalPlan},
    timeline::{Event, Spent, Who},
    world::{Docket, RollupState, World},
};

/// Prepares all proposals of the scenario, in order.
pub(super) async fn prepare(world: &mut World<'_>) -> Result<()> {
    let scenario = world.scenario;
    for (done, plan) in (0_u64..).zip(&scenario.proposals) {
        world.progress("prepare proposals", done, scenario.proposals.len() as u64);
        let height = agree(world, plan);
        let (rollup, proposals, subject) = match plan.does {
            Does::Upgrade => {
                let rollup = new_rollup(world).await?;
                let old = world.rollups[world.canonical()].address;
                let new = world.rollups[rollup].address;
                (Some(rollup), None, payload::Subject { new, old })
            }
            Does::ReplaceProposals => {
                let new = new_proposals(world).await?;
                let old = world.set.proposals;
                (None, Some(new), payload::Subject { new, old })
            }
        };
        let deployed = payload::deploy(world, plan, &subject).await?;
        let actions = payload::listed(world, deployed.payload).await?;
        world.watcher.watch_payload(deployed.payload);
        let name = format!("payload of {}", plan.azip);
        world.set.names.insert(deployed.payload, name);
        let event = Event::PayloadDeployed {
            azip: plan.azip.clone(),
            address: deployed.payload,
            actions: actions.iter().map(|action| describe(action, &world.set.names)).collect(),
        };
        world.tell(Who::Authors, event, Some(Spent { transactions: 1, gas: deployed.gas }));
        world.dockets.push(Docket {
            plan: plan.clone(),
            payload: deployed.payload,
            rollup,
            proposals,
            gate: deployed.gate,
            height,
            rounds_tried: 0,
            won: None,
            live: None,
            end: None,
            executed_in: None,
            refusals: Vec::new(),
            repeated: 0,
        });
    }
    // Those who believe in the new rollup stake there before it is canonical.
    match world.dockets.iter().find_map(|docket| docket.rollup) {
        Some(rollup) => setting::stake(world, rollup, true).await,
        None => Ok(()),
    }
}

fn agree(world: &mut World<'_>, plan: &ProposalPlan) -> RollupBlock {
    let here = world.rollups[world.canonical()].blocks;
    let height = RollupBlock::of(here + plan.blocks_ahead);
    let (azip, does, by) = (plan.azip.clone(), plan.does, plan.by);
    world.tell(Who::Authors, Event::Agreed { azip, does, by, height }, None);
    height
}

/// Deploys a rollup that isn't canonical yet.
async fn new_rollup(world: &mut World<'_>) -> Result<usize> {
    let set = world.deployment().await?;
    let mut wait = world.stage.miner();
    let parameters = setting::rollup_parameters(world.scenario);
    let distributor = world.set.distributor;
    let authors = &mut world.cast.authors;
    let created = deploy::deploy_rollup(authors, &set, distributor, &parameters, &mut wait)
        .await
        .map_err(|source| Error::Deployment(Box::new(source)))?;
    let (address, gas) = (created.address, created.receipt.gas_used);
    world.stage.gas.record("deploy a rollup", gas);
    let (client, head) = (world.stage.client().clone(), world.stage.head());
    let rules = client.rollup_rules(head, address).await.during("reading the rollup's rules")?;
    let code = client.expect_code(head, "the new rollup", address).await;
    let code_hash = keccak256(code.during("reading the new rollup's code")?);
    let label = world.rollups.len() as u64 + 1;
    world.rollups.push(RollupState {
        label,
        address,
        clock: rules.clock,
        canonical: false,
        stakers: 0,
        blocks: 0,
        earned: Amount::ZERO,
    });
    world.set.names.insert(address, format!("rollup {label}"));
    world.watcher.watch_rollup(address);
    let event = Event::RollupDeployed { rollup: label, address, code_hash };
    world.tell(Who::Authors, event, Some(Spent { transactions: 1, gas }));
    Ok(world.rollups.len() - 1)
}

/// Deploys a Proposals contract that isn't in force yet.
async fn new_proposals(world: &mut World<'_>) -> Result<Address> {
    let rules = world.scenario.signalling.rules;
    let arguments = Proposals::constructorCall {
        registry: world.set.registry,
        n: U256::from(rules.n()),
        m: U256::from(rules.m()),
    };
    let call = Call::create(Contract::Proposals, &arguments);
    let act = "deploy a Proposals contract";
    let confirmed = world.stage.send(act, &mut world.cast.authors, call).await?;
    let address = confirmed
        .created
        .ok_or_else(|| Error::Unexpected("a creation has no address".to_owned()))?;
    world.set.names.insert(address, "new Proposals".to_owned());
    world.set.all_proposals.push(address);
    let spent = Spent { transactions: 1, gas: confirmed.gas_used };
    world.tell(Who::Authors, Event::ProposalsDeployed { address }, Some(spent));
    Ok(address)
}
