//! Agreement on documents, and deployment of the contracts that they need.

use alloy_primitives::{B256, U256, keccak256};
use canon_abi::{Contract, Rollup};
use canon_chain::{
    ContractCall,
    deploy::{
        ContractPlan, Create2Origin, ExamineError, NotGenuine, SetExaminer, plan_rollup,
        verify_rollup,
    },
};
use canon_protocol::{
    BlockNumber, Constructor, RawRollupParameters, RollupBlock, RollupParameters,
};
use canon_views::SetAddresses;

use super::{
    payload,
    setting::{self, Stakers},
};
use crate::{
    describe::describe,
    error::{During, Error, Result},
    followed_set::DeployedRollup,
    forgery::{self, ForgedStake},
    keys,
    scenario::{Does, ProposalPlan, RollupKind},
    timeline::{Spent, TimelineEvent, Who},
    upgrade_run::{ProposalTrack, Replacement, UpgradeRun, sum},
};

/// Prepares all proposals of the scenario, in order.
pub(super) async fn prepare(run: &mut UpgradeRun<'_>) -> Result<()> {
    let scenario = run.scenario;
    for (done, plan) in (0_u64..).zip(&scenario.proposals) {
        run.progress("prepare proposals", done, scenario.proposals.len() as u64);
        let height = agree(run, plan);
        let (replacement, subject) = match plan.does {
            Does::Upgrade => {
                let rollup = match plan.rollup {
                    RollupKind::Genuine => new_rollup(run).await?,
                    RollupKind::Forged => forged_rollup(run).await?,
                };
                let old = run.set.rollups[run.set.canonical()?].address;
                let DeployedRollup { address: new, create2, .. } = run.set.rollups[rollup];
                (Replacement::Rollup(rollup), payload::Subject { new, create2, old })
            }
            Does::ReplaceProposals => {
                let created = new_proposals(run, plan).await?;
                let old = run.state().governance().governance_proposer();
                let (new, create2) = (created.address(), created.create2());
                (Replacement::Proposals(new), payload::Subject { new, create2, old })
            }
        };
        let refusals = match plan.rollup {
            RollupKind::Genuine => Vec::new(),
            RollupKind::Forged => vec![payload::try_upgrade_payload(run, &subject).await?],
        };
        let deployed = payload::deploy(run, plan, &subject).await?;
        let actions = payload::listed(run, deployed.payload).await?;
        let name = format!("payload of {}", plan.azip);
        run.set.names.insert(deployed.payload, name);
        let event = TimelineEvent::PayloadDeployed {
            azip: plan.azip.clone(),
            address: deployed.payload,
            actions: actions.iter().map(|action| describe(action, &run.set)).collect(),
        };
        run.record_event(Who::Authors, event, Some(Spent { transactions: 1, gas: deployed.gas }));
        run.tracks.push(ProposalTrack {
            plan: plan.clone(),
            payload: deployed.payload,
            replacement,
            gate: deployed.gate,
            height,
            rounds_tried: 0,
            tries: 0,
            executed_in: None,
            left: 0..0,
            refusals,
            repeated: 0,
        });
    }
    // Pioneers stake on the new rollup before it is canonical.
    if let Some(rollup) = run.tracks.iter().find_map(ProposalTrack::rollup) {
        setting::stake(run, rollup, Stakers::Pioneers).await?;
        setting::squat(run, rollup).await?;
    }
    Ok(())
}

fn agree(run: &mut UpgradeRun<'_>, plan: &ProposalPlan) -> RollupBlock {
    let head = run.state().canonical_rollup().and_then(|(_, rollup)| rollup.head());
    let height = RollupBlock::of(head.map_or(0, |head| head.number.get()) + plan.blocks_ahead);
    let (azip, does, by) = (plan.azip.clone(), plan.does, plan.by);
    run.record_event(Who::Authors, TimelineEvent::Agreed { azip, does, by, height }, None);
    height
}

/// Deploys a rollup that isn't canonical yet.
async fn new_rollup(run: &mut UpgradeRun<'_>) -> Result<usize> {
    let set = SetAddresses::of_state(run.state());
    let parameters = setting::rollup_parameters(run.scenario);
    let genesis = parameters.genesis.unwrap_or_else(|| run.driver.now());
    let distributor = run.set.addresses().reward_distributor;
    let plan = plan_rollup(Create2Origin::default(), &set, distributor, &parameters, genesis);
    let verify = async |run: &UpgradeRun<'_>| {
        verify_rollup(run.driver.client(), &plan, set.governance, run.driver.head()).await
    };
    let gas = run.create("deploy a rollup", &plan, verify).await?;
    let (address, create2) = (plan.address(), plan.create2());
    run.update().await?;
    let index = run.set.add_genuine(address, create2)?;
    run.participants.keeper.role.rollups.insert(address);
    let label = run.set.rollups[index].label;
    let event = TimelineEvent::RollupDeployed {
        rollup: label,
        address,
        init_code_hash: create2.init_code_hash,
    };
    run.record_event(Who::Authors, event, Some(Spent { transactions: 1, gas }));
    Ok(index)
}

/// Deploys a forged rollup, and checks that the examiner distinguishes it from a genuine one.
async fn forged_rollup(run: &mut UpgradeRun<'_>) -> Result<usize> {
    let (plan, set) = (run.scenario.rollup, *run.set.addresses());
    let parameters = RawRollupParameters {
        asset: set.asset,
        registry: set.registry,
        reward_distributor: set.reward_distributor,
        owner: set.governance,
        genesis_time: run.driver.now().to_word(),
        slot_duration: plan.slot.to_word(),
        epoch_duration: U256::from(plan.epoch),
        minimum_stake: plan.stake.to_word(),
        exit_delay: plan.exit_delay.to_word(),
    };
    let genuine = ContractPlan::new(Create2Origin::default(), Constructor::Rollup(parameters));
    // The code that the genuine constructor would return, immutables included.
    let arguments = Rollup::constructorCall { parameters: parameters.into() };
    let constructor = ContractCall::create(Contract::Rollup, &arguments);
    let runtime = run.participants.authors.simulate(&constructor, run.driver.next()).await;
    let runtime = runtime.during(FORGING)?;
    let (token, mut gas) = run.driver.create(FORGING, forgery::worthless_token()).await?;
    let stake_writer = forgery::stake_writer(&runtime, set.asset, token);
    let (stake_writer, used) = run.driver.create(FORGING, stake_writer).await?;
    gas += used;
    let stakes = run.scenario.sequencers.count;
    let stake = sum((0..stakes).map(|_| plan.stake));
    let authors = run.participants.authors.address();
    let forged_stake = ForgedStake {
        attester: keys::address(run.scenario.seed, "ghost", 0),
        proposer: authors,
        withdrawer: authors,
        stake: stake.to_word(),
    };
    let init_code = forgery::forged_rollup(&runtime, &parameters, stake_writer, forged_stake);
    let origin = Create2Origin::default();
    let call = ContractCall::create2(Contract::Rollup.name(), origin, &init_code);
    let confirmed = run.send(FORGING, |participants| &mut participants.authors, call).await?;
    gas += confirmed.gas_used;
    let address = origin.create2(&init_code).address();
    let checked = RollupParameters::check(&parameters, run.driver.now());
    let clock = checked.map_err(|error| Error::Unexpected(error.to_string()))?.clock;
    let index = run.set.add_rollup(address, genuine.create2(), clock, RollupKind::Forged);
    let label = run.set.rollups[index].label;
    let event = TimelineEvent::RollupForged { rollup: label, address, stake };
    run.record_event(Who::Authors, event, Some(Spent { transactions: 3, gas }));
    let client = run.driver.client().clone();
    let head = client.head().await.during(FORGING)?;
    let examiner = SetExaminer::new(&client, origin, BlockNumber::ZERO, head);
    match examiner.contract::<Rollup::constructorCall>(address).await {
        Err(ExamineError::NotGenuine(NotGenuine::OtherAddress { expected, .. })) => {
            run.record_attempt(
                Who::Anyone,
                TimelineEvent::ForgeryFound { rollup: label, expected },
            );
            Ok(index)
        }
        Err(error) => Err(Error::Unexpected(format!("a forged rollup is examined: {error}"))),
        Ok(_) => Err(Error::Unexpected("a forged rollup is taken for genuine".into())),
    }
}

const FORGING: &str = "forge a rollup";

/// The salt of the Proposals contract of a document.
pub(super) fn proposals_salt(azip: &str) -> B256 {
    keccak256(azip)
}

/// Deploys a Proposals contract that isn't in force yet.
async fn new_proposals(run: &mut UpgradeRun<'_>, plan: &ProposalPlan) -> Result<ContractPlan> {
    let rules = run.scenario.signaling.rules;
    let constructor = Constructor::Proposals {
        registry: run.set.addresses().registry,
        n: U256::from(rules.n()),
        m: U256::from(rules.m()),
    };
    // The document's salt gives a new address. With the salt of the contract in force and equal
    // arguments, CREATE2 would give its address again.
    let origin = Create2Origin { salt: proposals_salt(&plan.azip), ..Create2Origin::default() };
    let creation = ContractPlan::new(origin, constructor);
    let address = creation.address();
    // The address proves everything.
    let gas = run.create("deploy a Proposals contract", &creation, async |_| Ok(())).await?;
    run.set.names.insert(address, "new Proposals".to_owned());
    run.update().await?;
    let spent = Spent { transactions: 1, gas };
    run.record_event(Who::Authors, TimelineEvent::ProposalsDeployed { address }, Some(spent));
    Ok(creation)
}
