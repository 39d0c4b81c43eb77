//! The set as its events show it, with the names of its contracts.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use canon_chain::{
    Client,
    deploy::{Create2Origin, DEPLOYMENT_PROXY, DeployedSet},
};
use canon_follow::{ChainSource, ComparisonScope, Follower, SetIdentity};
use canon_protocol::{
    Addresses, BlockNumber, Create2, Seconds, SetState, Slot, SlotClock, Timestamp,
};
use canon_views::{BlockView, Question, SetView};

use crate::{
    error::{Error, Result},
    scenario::RollupKind,
};

/// The name of the Proposals contract in force.
pub(crate) const PROPOSALS: &str = "Proposals";

/// The state folded from the set's events up to the chain's newest block, and the names of contracts and
/// accounts.
#[derive(Debug)]
pub(crate) struct FollowedSet {
    follower: Follower<ChainSource>,
    /// The names of the contracts and accounts that the timeline mentions.
    pub(crate) names: BTreeMap<Address, String>,
    /// The rollups in the order of deployment. The first one is canonical from the beginning.
    pub(crate) rollups: Vec<DeployedRollup>,
}

/// A deployed rollup, or a contract that is claimed to be one.
#[derive(Clone, Debug)]
pub(crate) struct DeployedRollup {
    /// Its number: its position in the order of deployment, from 1.
    pub(crate) label: u64,
    pub(crate) address: Address,
    /// The creation that it is claimed to have.
    pub(crate) create2: Create2,
    pub(crate) clock: SlotClock,
    /// Its real origin. A forged rollup doesn't belong to the set.
    pub(crate) kind: RollupKind,
}

impl FollowedSet {
    /// Follows a set from its first event on. `create2` is the creation of its rollup, and `salts` are those
    /// of further Proposals contracts that will be deployed.
    pub(crate) async fn follow(
        client: Client,
        deployed: &DeployedSet,
        create2: Create2,
        salts: impl Iterator<Item = B256>,
    ) -> Result<Self> {
        let found = &deployed.deployment;
        let origin = Create2Origin::default();
        let identity = SetIdentity::of(client.chain_id(), found, origin, BlockNumber::ZERO);
        let mut identity = identity.ok_or_else(|| {
            Error::Unexpected("the first rollup names no RewardDistributor".to_owned())
        })?;
        let further = salts.map(|salt| Create2Origin { salt, ..Create2Origin::default() });
        identity.origins.extend(further);
        let names = [
            (found.asset, "Asset"),
            (found.registry, "Registry"),
            (found.governance, "Governance"),
            (found.proposals, PROPOSALS),
            (found.issuer, "Issuer"),
            (deployed.reward_distributor, "RewardDistributor"),
            (deployed.expect, "Expect"),
            (DEPLOYMENT_PROXY, "deployment proxy"),
        ];
        let mut set = Self {
            follower: Follower::new(
                ChainSource::new(client, ComparisonScope::Asked(Question::default())),
                identity,
            ),
            names: names.map(|(address, name)| (address, name.to_owned())).into(),
            rollups: Vec::new(),
        };
        set.update().await?;
        set.add_genuine(found.rollup, create2)?;
        Ok(set)
    }

    /// The addresses of the contracts that exist once in a set.
    pub(crate) const fn addresses(&self) -> &Addresses {
        &self.follower.identity().addresses
    }

    /// The state as of the last [update](Self::update).
    pub(crate) fn state(&self) -> &SetState {
        self.follower.state()
    }

    /// Updates the state to the chain's newest block.
    pub(crate) async fn update(&mut self) -> Result<()> {
        let reached = self.follower.catch_up().await;
        reached.map(drop).map_err(|error| Error::Following(Box::new(error)))
    }

    /// The set as of the last [update](Self::update), with its history. The next block is expected
    /// `block_time` later.
    pub(crate) async fn view(&self, question: &Question, block_time: Seconds) -> Result<SetView> {
        let view = self.follower.view(question, block_time).await;
        view.map_err(|error| Error::Following(Box::new(error)))
    }

    /// The block of the state.
    pub(crate) const fn block(&self) -> Option<BlockView> {
        self.follower.block()
    }

    /// Adds a rollup of the set, and returns its index.
    pub(crate) fn add_genuine(&mut self, address: Address, create2: Create2) -> Result<usize> {
        let clock = self.state().rollup(address).map(|rollup| *rollup.clock());
        let clock =
            clock.ok_or_else(|| Error::Unexpected("a rollup isn't of the set".to_owned()))?;
        Ok(self.add_rollup(address, create2, clock, RollupKind::Genuine))
    }

    /// Adds a rollup, and returns its index.
    pub(crate) fn add_rollup(
        &mut self,
        address: Address,
        create2: Create2,
        clock: SlotClock,
        kind: RollupKind,
    ) -> usize {
        let index = self.rollups.len();
        let label = index as u64 + 1;
        self.rollups.push(DeployedRollup { label, address, create2, clock, kind });
        self.names.insert(address, format!("rollup {label}"));
        index
    }

    /// The index of the canonical rollup.
    pub(crate) fn canonical(&self) -> Result<usize> {
        let canonical = self.state().registry().rollup();
        let found = self.rollups.iter().position(|rollup| rollup.address == canonical);
        found.ok_or_else(|| {
            Error::Unexpected(format!("nobody deployed the canonical rollup {canonical}"))
        })
    }

    /// The name of a contract or an account, or its address if it has none.
    pub(crate) fn name(&self, address: Address) -> String {
        self.names.get(&address).cloned().unwrap_or_else(|| address.to_checksum(None))
    }
}

impl DeployedRollup {
    /// The first slot that stakes deposited at `time` can draw: two epochs later, in the first epoch whose
    /// closed set has them.
    pub(crate) fn first_slot_after(&self, time: Timestamp) -> Slot {
        let epoch = self.clock.epoch_at(time).unwrap_or_default();
        self.clock.first_slot(epoch.next().next()).unwrap_or(Slot::MAX)
    }
}
