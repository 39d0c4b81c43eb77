//! Documents are agreed on; what they need is deployed.

use alloy::primitives::{U256, keccak256};
use canon_l1::deploy::{self, Create2, Created, Creation};
use canon_protocol::{Amount, Deployment, Epoch, RollupBlock};

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
                let (new, origin) = (world.rollups[rollup].address, world.rollups[rollup].origin);
                (Some(rollup), None, payload::Subject { new, origin, old })
            }
            Does::ReplaceProposals => {
                let created = new_proposals(world, plan).await?;
                let (new, origin, old) = (created.address, created.origin, world.set.proposals);
                (None, Some(new), payload::Subject { new, origin, old })
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
    let (authors, create2) = (&mut world.cast.authors, Create2::default());
    let created =
        deploy::deploy_rollup(authors, create2, &set, distributor, &parameters, &mut wait).await;
    let created = created.map_err(|source| Error::Deployment(Box::new(source)))?;
    let gas = created.receipt.map_or(0, |receipt| receipt.gas_used);
    let Created { address, origin, .. } = created;
    world.stage.gas.record("deploy a rollup", gas);
    let (client, head) = (world.stage.client().clone(), world.stage.head());
    let rules = client.rollup_rules(head, address).await.during("reading the rollup's rules")?;
    let label = world.rollups.len() as u64 + 1;
    world.rollups.push(RollupState {
        label,
        address,
        origin,
        clock: rules.clock,
        seeded: Epoch::ZERO,
        canonical: false,
        stakers: 0,
        blocks: 0,
        earned: Amount::ZERO,
    });
    world.set.names.insert(address, format!("rollup {label}"));
    world.watcher.watch_rollup(address);
    let event =
        Event::RollupDeployed { rollup: label, address, init_code_hash: origin.init_code_hash };
    world.tell(Who::Authors, event, Some(Spent { transactions: 1, gas }));
    Ok(world.rollups.len() - 1)
}

/// Deploys a Proposals contract that isn't in force yet.
async fn new_proposals(world: &mut World<'_>, plan: &ProposalPlan) -> Result<Created> {
    let rules = world.scenario.signalling.rules;
    let constructor = Deployment::Proposals {
        registry: world.set.registry,
        n: U256::from(rules.n()),
        m: U256::from(rules.m()),
    };
    // With the same arguments and salt it would be the one that is there.
    let create2 = Create2 { salt: keccak256(&plan.azip), ..Create2::default() };
    let creation = Creation::new(create2, constructor);
    let mut wait = world.stage.miner();
    let created = deploy::create(&mut world.cast.authors, &creation, &mut wait).await;
    let created = created.map_err(|source| Error::Deployment(Box::new(source)))?;
    let (address, gas) = (created.address, created.receipt.map_or(0, |receipt| receipt.gas_used));
    world.stage.gas.record("deploy a Proposals contract", gas);
    world.set.names.insert(address, "new Proposals".to_owned());
    world.set.all_proposals.push(address);
    let spent = Spent { transactions: 1, gas };
    world.tell(Who::Authors, Event::ProposalsDeployed { address }, Some(spent));
    Ok(created)
}
