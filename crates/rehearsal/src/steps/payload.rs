//! The action lists of a scenario's payloads, and their deployment.

use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall;
use canon_abi::{Contract, Expect, Governance, Registry, UpgradePayload};
use canon_chain::{
    ContractCall,
    deploy::{Create2Origin, Upgrade, plan_upgrade_payload, verify_upgrade_payload},
};
use canon_payload::constant_payload;
use canon_protocol::{Action, Create2};

use crate::{
    bytecode::{self, IGate},
    error::{During, Error, Result, refusal_of},
    scenario::{Does, PayloadKind, ProposalPlan, RollupKind},
    timeline::{TimelineEvent, Who},
    upgrade_run::UpgradeRun,
};

/// A deployed payload.
pub(super) struct Deployed {
    pub(super) payload: Address,
    pub(super) gate: Option<Address>,
    pub(super) gas: u64,
}

/// The contracts that a proposal replaces and puts in force.
pub(super) struct Subject {
    /// The contract that it puts in force: a rollup or a Proposals contract.
    pub(super) new: Address,
    /// The creation that the new contract is claimed to have.
    pub(super) create2: Create2,
    /// The contract of that kind that is in force now.
    pub(super) old: Address,
}

/// Deploys the payload of a proposal, with a gate if it depends on one.
pub(super) async fn deploy(
    run: &mut UpgradeRun<'_>,
    plan: &ProposalPlan,
    subject: &Subject,
) -> Result<Deployed> {
    let uri = format!("https://azips.example/{}", plan.azip.to_lowercase());
    let forged = plan.rollup == RollupKind::Forged;
    if plan.does == Does::Upgrade && plan.payload == PayloadKind::Constant && !forged {
        return upgrade_payload(run, subject, &uri).await;
    }
    let mut actions = match plan.does {
        Does::Upgrade => upgrade(run, subject),
        Does::ReplaceProposals => replace_proposals(run, subject),
    };
    let (code, gate, mut gas) = match plan.payload {
        PayloadKind::Constant => (constant_payload(&actions, &uri), None, 0),
        PayloadKind::Shifting => {
            let after = [usurpation(run)];
            (bytecode::shifting_payload(&actions, &after, &uri), None, 0)
        }
        PayloadKind::Gated => {
            let (gate, gas) = run.driver.create("deploy a gate", bytecode::gate()).await?;
            run.set.names.insert(gate, "gate".to_owned());
            actions.insert(0, action(gate, &IGate::passCall {}));
            (constant_payload(&actions, &uri), Some(gate), gas)
        }
    };
    let (payload, used) = run.driver.create("deploy a payload", code).await?;
    gas += used;
    Ok(Deployed { payload, gate, gas })
}

/// Deploys an [`UpgradePayload`].
async fn upgrade_payload(
    run: &mut UpgradeRun<'_>,
    subject: &Subject,
    uri: &str,
) -> Result<Deployed> {
    let upgrade = Upgrade {
        expect: run.set.addresses().expect,
        new_rollup: subject.create2,
        expected_canonical: subject.old,
        uri: uri.to_owned(),
    };
    let registry = run.set.addresses().registry;
    let plan = plan_upgrade_payload(Create2Origin::default(), registry, &upgrade);
    let verify = async |run: &UpgradeRun<'_>| {
        verify_upgrade_payload(run.driver.client(), &plan, registry, run.driver.head()).await
    };
    let gas = run.create("deploy a payload", &plan, verify).await?;
    Ok(Deployed { payload: plan.address(), gate: None, gas })
}

/// Checks that no [`UpgradePayload`] can be deployed for a rollup that isn't at the address of its
/// claimed creation. Returns the name of the refusal.
pub(super) async fn try_upgrade_payload(
    run: &mut UpgradeRun<'_>,
    subject: &Subject,
) -> Result<String> {
    let arguments = UpgradePayload::constructorCall {
        expect: run.set.addresses().expect,
        registry: run.set.addresses().registry,
        newRollup: subject.new,
        expectedCanonical: subject.old,
        factory: subject.create2.factory,
        salt: subject.create2.salt,
        initCodeHash: subject.create2.init_code_hash,
        uri: String::new(),
    };
    let call = ContractCall::create(Contract::UpgradePayload, &arguments);
    let Err(error) = run.participants.authors.simulate(&call, run.driver.next()).await else {
        return Err(Error::Unexpected(
            "a payload for a forged rollup could be deployed".to_owned(),
        ));
    };
    let refusal = refusal_of(error, "deploying an UpgradePayload in vain")?;
    let name = refusal.name.clone();
    let tried = "try to deploy an UpgradePayload for it".to_owned();
    run.record_attempt(Who::Authors, TimelineEvent::Refused { tried, refusal });
    Ok(name)
}

/// The actions that an `UpgradePayload` would list.
fn upgrade(run: &UpgradeRun<'_>, subject: &Subject) -> Vec<Governance::Action> {
    let (set, create2) = (run.set.addresses(), subject.create2);
    let canonical = Expect::canonicalIsCall { registry: set.registry, expected: subject.old };
    let creation = Expect::createdByCall {
        target: subject.new,
        factory: create2.factory,
        salt: create2.salt,
        initCodeHash: create2.init_code_hash,
    };
    let owner = Expect::ownerIsCall { target: subject.new, expected: set.governance };
    let upgrade = Registry::upgradeCall { rollup: subject.new };
    vec![
        action(set.expect, &canonical),
        action(set.expect, &creation),
        action(set.expect, &owner),
        action(set.registry, &upgrade),
    ]
}

fn replace_proposals(run: &UpgradeRun<'_>, subject: &Subject) -> Vec<Governance::Action> {
    let set = run.set.addresses();
    let found = Expect::proposalsIsCall { governance: set.governance, expected: subject.old };
    let update = Governance::updateGovernanceProposerCall { newGovernanceProposer: subject.new };
    vec![action(set.expect, &found), action(set.governance, &update)]
}

/// The action that a shifting payload lists after the vote: it gives the Registry to the payload's
/// authors.
fn usurpation(run: &UpgradeRun<'_>) -> Governance::Action {
    let new_owner = run.participants.authors.address();
    action(run.set.addresses().registry, &Registry::transferOwnershipCall { newOwner: new_owner })
}

fn action<C: SolCall>(target: Address, call: &C) -> Governance::Action {
    Governance::Action { target, data: Bytes::from(call.abi_encode()) }
}

/// The actions that a payload lists now when Governance asks.
pub(super) async fn listed(run: &UpgradeRun<'_>, payload: Address) -> Result<Vec<Action>> {
    let (client, governance) = (run.driver.client(), run.set.addresses().governance);
    client.payload_actions(governance, run.driver.head(), payload).await.during("reading actions")
}
