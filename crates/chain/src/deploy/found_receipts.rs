//! The transactions of steps that somebody else sent, from the events of the set's contracts.

use super::{
    constructor::ConstructorEvents,
    plan::SetPlan,
    record::{DoneStep, StepReceipt},
    step::Step,
};
use crate::{Client, error::Result};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use canon_abi::{Asset, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup};
use canon_protocol::BlockNumber;
use canon_views::BlockView;
use std::collections::{BTreeMap, btree_map::Entry};

/// The number of blocks before the creation of the Registry in which the other contracts may have been created: a
/// multisig takes its time.
const EARLIER: u64 = 50_000;

/// The steps with the receipts of all transactions that events prove. The receipt of a step stays unknown if the step
/// emits no event, as the creation of Expect does, or if the endpoint doesn't have the events.
pub(super) async fn with_receipts(
    client: &Client,
    plan: &SetPlan,
    done: &[DoneStep],
    head: &BlockView,
) -> Vec<DoneStep> {
    let mut done = done.to_vec();
    if done.iter().all(|done| done.receipt.is_some() || done.step == Step::Expect) {
        return done;
    }
    // A finished set without known transactions is better than one without its manifest.
    let logs = logs(client, plan, head).await.unwrap_or_default();
    let mut receipts = BTreeMap::<B256, Option<StepReceipt>>::new();
    for one in done.iter_mut().filter(|one| one.receipt.is_none()) {
        let Some(filter) = plan.event(one.step) else { continue };
        let log = logs.iter().find(|log| filter.matches(&log.inner));
        let Some(transaction) = log.and_then(|log| log.transaction_hash) else { continue };
        one.receipt = match receipts.entry(transaction) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(unknown) => {
                let found = client.inclusion(transaction).await.ok().flatten();
                *unknown.insert(found.map(Into::into))
            }
        };
    }
    done
}

/// The logs of the set's contracts that its deployment emits, oldest first.
async fn logs(client: &Client, plan: &SetPlan, head: &BlockView) -> Result<Vec<Log>> {
    // The constructor of the Registry lists a first version, with the number of the block.
    let first = Registry::getSnapshotCall { version: alloy_primitives::U256::ZERO };
    let first = client.read(head.hash.into(), plan.registry.address(), first).await?;
    let first = u64::try_from(first.blockNumber).unwrap_or_default();
    let contracts = Step::ALL.into_iter().filter(|step| *step != Step::Expect);
    let contracts: Vec<_> = contracts.map(|step| plan.address(step)).collect();
    let events = vec![
        Asset::AssetDeployed::SIGNATURE_HASH,
        Proposals::ProposalsDeployed::SIGNATURE_HASH,
        Governance::GovernanceDeployed::SIGNATURE_HASH,
        Issuer::IssuerDeployed::SIGNATURE_HASH,
        RewardDistributor::RewardDistributorDeployed::SIGNATURE_HASH,
        Rollup::RollupDeployed::SIGNATURE_HASH,
        Registry::OwnershipTransferStarted::SIGNATURE_HASH,
        Registry::OwnershipTransferred::SIGNATURE_HASH,
        Registry::InstanceAdded::SIGNATURE_HASH,
    ];
    let filter = Filter::new().address(contracts).event_signature(events);
    client.logs(&filter, BlockNumber::of(first.saturating_sub(EARLIER))..=head.number).await
}

impl SetPlan {
    /// A filter for the event that proves a step; `None` if it emits none.
    pub(super) fn event(&self, step: Step) -> Option<Filter> {
        let (deployer, issuer) = (self.deployer, self.issuer.address());
        let governance = self.governance.address();
        let handed_over = |signature, new_owner: alloy_primitives::Address| {
            let filter = Filter::new().event_signature::<B256>(signature);
            filter.topic1(deployer.into_word()).topic2(new_owner.into_word())
        };
        let filter = match step {
            Step::Asset => Asset::constructorCall::filter(),
            Step::Registry => Registry::constructorCall::filter(),
            Step::Proposals => Proposals::constructorCall::filter(),
            Step::Governance => Governance::constructorCall::filter(),
            Step::Issuer => Issuer::constructorCall::filter(),
            Step::RewardDistributor => RewardDistributor::constructorCall::filter(),
            Step::Rollup => Rollup::constructorCall::filter(),
            Step::Expect => return None,
            Step::Upgrade => Filter::new()
                .event_signature(Registry::InstanceAdded::SIGNATURE_HASH)
                .topic1(self.rollup.address().into_word()),
            Step::OfferAsset => {
                handed_over(Registry::OwnershipTransferStarted::SIGNATURE_HASH, issuer)
            }
            Step::OfferRegistry => {
                handed_over(Registry::OwnershipTransferStarted::SIGNATURE_HASH, governance)
            }
            Step::AcceptAsset => {
                handed_over(Registry::OwnershipTransferred::SIGNATURE_HASH, issuer)
            }
            Step::AcceptRegistry => {
                handed_over(Registry::OwnershipTransferred::SIGNATURE_HASH, governance)
            }
        };
        let emitter = match step {
            Step::AcceptAsset => self.asset.address(),
            Step::AcceptRegistry => self.registry.address(),
            step => self.address(step),
        };
        Some(filter.address(emitter))
    }
}
