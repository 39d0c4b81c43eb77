//! The audit of any deployed set: its contracts, its wiring and its parameters.
//!
//! The audit doesn't trust the deployer of the set: a [`SetExaminer`] proves the contracts, and the
//! [rules](crate::deploy::rules) that apply before a deployment judge the parameters.

mod contracts;
mod examined;
mod parameters;
mod report;

pub use examined::{ExaminedRollup, ExaminedSet};
pub use parameters::{rollup_settings, set_parameters};
pub use report::{AuditReport, AuditedContract, Finding};

use crate::{
    Client, Error,
    deploy::{
        BrokenRule, Create2Origin, DeployManifest, ExamineError, FindingLevel, NotGenuine,
        SetExaminer, SetFacts, broken_rules,
    },
};
use alloy_primitives::Address;
use alloy_rpc_types_eth::Filter;
use canon_abi::Contract;
use canon_protocol::{BlockNumber, Seconds, text::count};
use canon_views::{BlockView, Present, Question, SetAddresses};
use contracts::Contracts;

/// The time to the next block that views require. Audits don't depend on it.
const NEXT_BLOCK: Seconds = Seconds::SECOND;

/// The reason why a set can't be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The chain can't be read, or there is no set at the address.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The endpoint's logs don't fit its state.
    #[error(transparent)]
    Examine(ExamineError),
    /// The endpoint has no logs of the contracts.
    #[error(
        "the endpoint has no logs of the Registry at {registry}; use one that has the logs of old blocks, \
         and check that this is a Registry"
    )]
    NoLogs {
        /// The Registry.
        registry: Address,
    },
}

impl From<ExamineError> for AuditError {
    fn from(error: ExamineError) -> Self {
        match error {
            ExamineError::Chain(error) => Self::Chain(error),
            error => Self::Examine(error),
        }
    }
}

/// Audits the set of a Registry at the newest block, and compares it with its manifest, if there is one.
/// `searched` gets the last block of each range without logs of the set.
///
/// # Errors
///
/// If the chain can't be read; an [`Error`] of the contracts if the Registry's address has neither a set
/// nor an unfinished one.
pub async fn audit(
    client: &Client,
    registry: Address,
    manifest: Option<&DeployManifest>,
    searched: impl FnMut(BlockNumber),
) -> Result<AuditReport, AuditError> {
    let head = client.head().await?;
    let present = client.view(registry, &Question::default(), head.hash.into(), NEXT_BLOCK).await;
    let present = match present {
        Ok(present) => present,
        // The Registry may not be handed over yet.
        Err(error) if error.is_of_the_contracts() => {
            let handed_over = unfinished(client, registry, head, searched).await?;
            return handed_over.ok_or(AuditError::Chain(error));
        }
        Err(error) => return Err(error.into()),
    };
    let set = &present.addresses;
    let alleged = manifest.and_then(DeployManifest::first_block);
    let first_block = match alleged.filter(|block| *block <= head.number) {
        Some(block) => block,
        None => first_block(client, set, head, searched).await?,
    };
    let origins = manifest.map(DeployManifest::origins).unwrap_or_default();
    let found = Contracts::examine(client, set, &origins, first_block, head).await?;
    let mut findings = found.findings;
    let examiner = examiner(client, &found.origins, first_block, head);
    let mut deployer = None;
    let mut problems = Vec::new();
    match examiner.set_with_problems(set.registry, &mut problems).await {
        Ok(examined) => {
            deployer = problems.is_empty().then_some(examined.deployer);
            for former in examined.former_rollups {
                if let Err(reason) = former.verdict {
                    findings.push(Finding::note("former-rollup", reason.to_string()));
                }
            }
        }
        Err(ExamineError::NotGenuine(problem)) => problems.push(problem),
        // A contract whose code isn't a genuine one's can also fail to answer.
        Err(ExamineError::Chain(error)) if error.is_of_the_contracts() => {
            findings.push(Finding::error("not-genuine", error.to_string()));
        }
        Err(error) => return Err(error.into()),
    }
    // Those of a single contract are already among the findings, as errors.
    problems.retain(|problem| !found.reported.contains(problem));
    let problems =
        problems.iter().map(|problem| Finding::error("not-genuine", problem.to_string()));
    findings.extend(problems);
    if let Some(manifest) = manifest {
        findings.extend(compare(client, manifest, &present).await?);
    }
    let parameters = parameters::of(client, &present, &found.constructors, head).await?;
    match &parameters {
        Some((parameters, initial_holder_has)) => {
            let facts = SetFacts { parameters, initial_holder_has: *initial_holder_has };
            let broken = broken_rules(&facts, client.chain_id());
            findings.extend(broken.into_iter().map(Finding::from));
        }
        None => findings.push(Finding::error(
            "no-answer",
            format!(
                "a contract doesn't answer, so that the parameters aren't known and perhaps nobody can \
                 signal: check the canonical rollup at {} and Proposals at {}",
                set.rollup, set.proposals
            ),
        )),
    }
    findings.sort_by_key(|finding| core::cmp::Reverse(finding.level));
    Ok(AuditReport {
        chain_id: client.chain_id(),
        block: head,
        registry,
        deployer,
        contracts: found.contracts,
        parameters: parameters.map(|(parameters, _)| parameters),
        findings,
    })
}

/// The report on a genuine Registry that isn't handed over yet; `None` if the contract is something else.
async fn unfinished(
    client: &Client,
    registry: Address,
    head: BlockView,
    searched: impl FnMut(BlockNumber),
) -> Result<Option<AuditReport>, AuditError> {
    let filter = Filter::new().address(registry);
    let first = client.first_log(&filter, BlockNumber::ZERO..=head.number, searched).await?;
    let Some(number) = first.and_then(|log| log.block_number) else { return Ok(None) };
    let examiner =
        SetExaminer::new(client, Create2Origin::default(), BlockNumber::of(number), head);
    type Constructor = canon_abi::Registry::constructorCall;
    let origin = match examiner.proven_origin::<Constructor>(registry).await {
        Ok(origin) => origin,
        Err(ExamineError::NotGenuine(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let examiner = SetExaminer::new(client, origin, BlockNumber::of(number), head);
    match examiner.set(registry).await {
        Err(ExamineError::NotGenuine(reason @ NotGenuine::NotHandedOver { deployer, .. })) => {
            Ok(Some(AuditReport {
                chain_id: client.chain_id(),
                block: head,
                registry,
                deployer: Some(deployer),
                contracts: Vec::new(),
                parameters: None,
                findings: vec![Finding::error("not-handed-over", reason.to_string())],
            }))
        }
        Err(ExamineError::Chain(error)) => Err(error.into()),
        _ => Ok(None),
    }
}

/// The block of the first log of a set's contracts.
async fn first_block(
    client: &Client,
    set: &SetAddresses,
    head: BlockView,
    searched: impl FnMut(BlockNumber),
) -> Result<BlockNumber, AuditError> {
    let contracts = [set.asset, set.registry, set.governance, set.issuer].into_iter();
    let filter = Filter::new().address(contracts.chain(set.reward_distributor).collect::<Vec<_>>());
    let first = client.first_log(&filter, BlockNumber::ZERO..=head.number, searched).await?;
    let number = first.and_then(|log| log.block_number);
    number.map(BlockNumber::of).ok_or(AuditError::NoLogs { registry: set.registry })
}

/// An examiner of contracts with these origins.
fn examiner<'a>(
    client: &'a Client,
    origins: &[Create2Origin],
    first_block: BlockNumber,
    head: BlockView,
) -> SetExaminer<'a> {
    let first = origins.first().copied().unwrap_or_default();
    let examiner = SetExaminer::new(client, first, first_block, head);
    origins.iter().skip(1).fold(examiner, |examiner, origin| examiner.with_origin(*origin))
}

/// The differences between a manifest and the set.
async fn compare(
    client: &Client,
    manifest: &DeployManifest,
    present: &Present,
) -> Result<Vec<Finding>, Error> {
    let mismatches = manifest.mismatches(client).await?.into_iter();
    let mut findings: Vec<_> =
        mismatches.map(|mismatch| Finding::error("manifest", mismatch.to_string())).collect();
    let set = &present.addresses;
    let in_office = [
        (Contract::Registry, Some(set.registry), FindingLevel::Error),
        (Contract::Asset, Some(set.asset), FindingLevel::Error),
        // A vote can replace these.
        (Contract::Governance, Some(set.governance), FindingLevel::Note),
        (Contract::Issuer, Some(set.issuer), FindingLevel::Note),
        (Contract::Proposals, Some(set.proposals), FindingLevel::Note),
        (Contract::Rollup, Some(set.rollup), FindingLevel::Note),
        (Contract::RewardDistributor, set.reward_distributor, FindingLevel::Note),
    ];
    for (contract, found, level) in in_office {
        let Some((expected, found)) = manifest.contract(contract).zip(found) else { continue };
        if expected.address != found {
            let expected = expected.address;
            let text = format!("{contract} in office is {found}, the manifest's is {expected}");
            findings.push(Finding::new(level, "replaced", text));
        }
    }
    let configurations = present.governance.configuration_id.get();
    if configurations > 0 {
        let times = count(configurations, "time");
        let text = format!("the configuration was changed {times} since the deployment");
        findings.push(Finding::note("reconfigured", text));
    }
    Ok(findings)
}

impl From<BrokenRule> for Finding {
    fn from(broken: BrokenRule) -> Self {
        let BrokenRule { rule, level, found, why, source } = broken;
        Self { level, id: rule, text: format!("{found}; {why}"), source: Some(source) }
    }
}
