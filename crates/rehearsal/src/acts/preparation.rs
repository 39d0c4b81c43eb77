//! Documents are agreed on; what they need is deployed.

use alloy_primitives::{Address, U256, keccak256};
use canon_bindings::{Contract, Rollup};
use canon_l1::{
    Call,
    deploy::{
        self, ContractPlan, Create2Origin, DeployedContract, ExamineError, Examiner, NotGenuine,
    },
};
use canon_protocol::{
    Amount, BlockNumber, Constructor, Create2, Epoch, RawRollupParameters, RollupBlock, SlotClock,
};

use super::{payload, setting};
use crate::{
    describe::describe,
    error::{During, Error, Result},
    forgery::{self, ForgedStake},
    keys,
    scenario::{Does, ProposalPlan, RollupKind},
    timeline::{Event, Spent, Who},
    world::{Docket, RollupState, World, sum},
};

/// Prepares all proposals of the scenario, in order.
pub(super) async fn prepare(world: &mut World<'_>) -> Result<()> {
    let scenario = world.scenario;
    for (done, plan) in (0_u64..).zip(&scenario.proposals) {
        world.progress("prepare proposals", done, scenario.proposals.len() as u64);
        let height = agree(world, plan);
        let (rollup, proposals, subject) = match plan.does {
            Does::Upgrade => {
                let rollup = match plan.rollup {
                    RollupKind::Genuine => new_rollup(world).await?,
                    RollupKind::Forged => forged_rollup(world).await?,
                };
                let old = world.rollups[world.canonical()].address;
                let (new, create2) = (world.rollups[rollup].address, world.rollups[rollup].create2);
                (Some(rollup), None, payload::Subject { new, create2, old })
            }
            Does::ReplaceProposals => {
                let created = new_proposals(world, plan).await?;
                let (new, create2, old) = (created.address(), created.create2, world.set.proposals);
                (None, Some(new), payload::Subject { new, create2, old })
            }
        };
        let refusals = match plan.rollup {
            RollupKind::Genuine => Vec::new(),
            RollupKind::Forged => vec![payload::try_upgrade_payload(world, &subject).await?],
        };
        let deployed = payload::deploy(world, plan, &subject).await?;
        let actions = payload::listed(world, deployed.payload).await?;
        world.watcher.watch_payload(deployed.payload);
        let name = format!("payload of {}", plan.azip);
        world.set.names.insert(deployed.payload, name);
        let event = Event::PayloadDeployed {
            azip: plan.azip.clone(),
            address: deployed.payload,
            actions: actions.iter().map(|action| describe(action, &world.set)).collect(),
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
            tries: 0,
            executed_in: None,
            refusals,
            repeated: 0,
        });
    }
    // Those who believe in the new rollup stake there before it is canonical.
    if let Some(rollup) = world.dockets.iter().find_map(|docket| docket.rollup) {
        setting::stake(world, rollup, true).await?;
        setting::squat(world, rollup).await?;
    }
    Ok(())
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
    let (authors, origin) = (&mut world.cast.authors, Create2Origin::default());
    let created =
        deploy::deploy_rollup(authors, origin, &set, distributor, &parameters, &mut wait).await;
    let created = created.map_err(|source| Error::Deployment(Box::new(source)))?;
    let gas = created.receipt.map_or(0, |receipt| receipt.gas_used);
    let (address, create2) = (created.address(), created.create2);
    world.stage.gas.record("deploy a rollup", gas);
    let (client, head) = (world.stage.client().clone(), world.stage.head());
    let rules = client.rollup_rules(head, address).await.during("reading the rollup's rules")?;
    let label = add_rollup(world, address, create2, rules.clock);
    let event =
        Event::RollupDeployed { rollup: label, address, init_code_hash: create2.init_code_hash };
    world.tell(Who::Authors, event, Some(Spent { transactions: 1, gas }));
    Ok(world.rollups.len() - 1)
}

/// Adds a rollup that isn't canonical to the story, and returns what people call it.
fn add_rollup(world: &mut World<'_>, address: Address, create2: Create2, clock: SlotClock) -> u64 {
    let label = world.rollups.len() as u64 + 1;
    world.rollups.push(RollupState {
        label,
        address,
        create2,
        forged: false,
        clock,
        seeded: Epoch::ZERO,
        canonical: false,
        stakers: 0,
        blocks: 0,
        earned: Amount::ZERO,
    });
    world.set.names.insert(address, format!("rollup {label}"));
    world.watcher.watch_rollup(address);
    label
}

/// Forges a rollup, and has somebody look at it who knows where a genuine one would be.
async fn forged_rollup(world: &mut World<'_>) -> Result<usize> {
    let plan = world.scenario.rollup;
    let parameters = RawRollupParameters {
        asset: world.set.asset,
        registry: world.set.registry,
        reward_distributor: world.set.distributor,
        owner: world.set.governance,
        genesis_time: world.stage.now().to_word(),
        slot_duration: plan.slot.to_word(),
        epoch_duration: U256::from(plan.epoch),
        minimum_stake: plan.stake.to_word(),
        exit_delay: plan.exit_delay.to_word(),
    };
    let genuine = ContractPlan::new(Create2Origin::default(), Constructor::Rollup(parameters));
    // The code that the genuine constructor would return, immutables included.
    let arguments = Rollup::constructorCall { parameters: parameters.into() };
    let constructor = Call::create(Contract::Rollup, &arguments);
    let runtime = world.cast.authors.simulate(&constructor, world.stage.next()).await;
    let runtime = runtime.during(FORGING)?;
    let (token, mut gas) = world.create(FORGING, forgery::worthless_token()).await?;
    let stake_writer = forgery::stake_writer(&runtime, world.set.asset, token);
    let (stake_writer, used) = world.create(FORGING, stake_writer).await?;
    gas += used;
    let stakes = world.scenario.sequencers.count;
    let stake = sum((0..stakes).map(|_| plan.stake));
    let authors = world.cast.authors.address();
    let forged_stake = ForgedStake {
        attester: keys::address(world.scenario.seed, "ghost", 0),
        proposer: authors,
        withdrawer: authors,
        stake: stake.to_word(),
    };
    let init_code = forgery::forged_rollup(&runtime, &parameters, stake_writer, forged_stake);
    let origin = Create2Origin::default();
    let call = Call::create2(Contract::Rollup, origin, &init_code);
    let confirmed = world.stage.send(FORGING, &mut world.cast.authors, call).await?;
    gas += confirmed.gas_used;
    let address = origin.create2(&init_code).address();
    let (client, head) = (world.stage.client().clone(), world.stage.head());
    let clock = client.rollup_rules(head, address).await.during(FORGING)?.clock;
    let label = add_rollup(world, address, genuine.create2(), clock);
    let index = world.rollups.len() - 1;
    world.rollups[index].forged = true;
    world.rollups[index].stakers = 1;
    let event = Event::RollupForged { rollup: label, address, stake };
    world.tell(Who::Authors, event, Some(Spent { transactions: 3, gas }));
    let head = client.head().await.during(FORGING)?;
    let examiner = Examiner::new(&client, origin, BlockNumber::ZERO, head);
    match examiner.contract::<Rollup::constructorCall>(address).await {
        Err(ExamineError::NotGenuine(NotGenuine::OtherAddress { expected, .. })) => {
            world.tell_off_chain(Who::Anyone, Event::ForgeryFound { rollup: label, expected });
            Ok(index)
        }
        Err(error) => Err(Error::Unexpected(format!("a forged rollup is examined: {error}"))),
        Ok(_) => Err(Error::Unexpected("a forged rollup is taken for genuine".into())),
    }
}

const FORGING: &str = "forge a rollup";

/// Deploys a Proposals contract that isn't in force yet.
async fn new_proposals(world: &mut World<'_>, plan: &ProposalPlan) -> Result<DeployedContract> {
    let rules = world.scenario.signaling.rules;
    let constructor = Constructor::Proposals {
        registry: world.set.registry,
        n: U256::from(rules.n()),
        m: U256::from(rules.m()),
    };
    // With the same arguments and salt it would be the one that is there.
    let origin = Create2Origin { salt: keccak256(&plan.azip), ..Create2Origin::default() };
    let creation = ContractPlan::new(origin, constructor);
    let mut wait = world.stage.miner();
    let created = deploy::create(&mut world.cast.authors, &creation, &mut wait).await;
    let created = created.map_err(|source| Error::Deployment(Box::new(source)))?;
    let (address, gas) = (created.address(), created.receipt.map_or(0, |receipt| receipt.gas_used));
    world.stage.gas.record("deploy a Proposals contract", gas);
    world.set.names.insert(address, "new Proposals".to_owned());
    world.set.all_proposals.push(address);
    let spent = Spent { transactions: 1, gas };
    world.tell(Who::Authors, Event::ProposalsDeployed { address }, Some(spent));
    Ok(created)
}
