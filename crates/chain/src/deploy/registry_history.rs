//! The history of a Registry: its owners and its rollups, according to its logs.

use super::{
    construction::Construction,
    genuine::SetExaminer,
    verdict::{ExamineError, NotGenuine},
};
use crate::{error::Result, logs::LogPosition};
use alloy_eips::BlockId;
use alloy_primitives::{Address, U256};
use canon_abi::{Contract, Registry};
use canon_protocol::{BlockNumber, SENTINEL};

/// The history of a Registry according to its logs.
pub(super) struct RegistryHistory {
    pub(super) deployer: Address,
    pub(super) governances: Governances,
    pub(super) canonical: Listing,
    /// Former rollups, oldest first.
    pub(super) former_rollups: Vec<Listing>,
}

/// A rollup that was added to the Registry.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    pub(super) position: LogPosition,
    pub(super) rollup: Address,
}

/// The Governances to which a Registry was handed over.
pub(super) struct Governances {
    pub(super) present: Handover,
    /// Former Governances, oldest first.
    pub(super) former: Vec<Handover>,
}

/// A change of a contract's owner.
pub(super) struct Handover {
    pub(super) position: LogPosition,
    pub(super) new_owner: Address,
}

impl SetExaminer<'_> {
    /// Checks a Registry, that its deployer listed one rollup before the handover, and that the logs of
    /// its owners and rollups fit its state.
    pub(super) async fn registry(
        &self,
        registry: Address,
    ) -> Result<RegistryHistory, ExamineError> {
        let Construction { arguments, block, .. } =
            self.construction::<Registry::constructorCall>(registry, self.head.number).await?;
        let deployer = arguments.initialOwner;
        let at = BlockId::from(self.head.hash);
        let expected = self.client.read(at, registry, Registry::ownerCall {}).await?;
        let mut former = self.handovers(registry, block).await?;
        let found = former.last().map_or(deployer, |handover| handover.new_owner);
        if found != expected {
            return Err(ExamineError::OwnerLogs { registry, expected, found });
        }
        let first = former.first().map(|handover| handover.position);
        let (Some(first), Some(present)) = (first, former.pop()) else {
            let (contract, address) = (Contract::Registry, registry);
            return Err(NotGenuine::NotHandedOver { contract, address, deployer }.into());
        };

        let mut rollups = self.listed_rollups(registry, block).await?;
        let by_deployer = rollups.iter().filter(|listing| listing.position < first).count();
        if by_deployer != 1 {
            return Err(NotGenuine::Rollups { rollups: by_deployer }.into());
        }
        let Some(canonical) = rollups.pop() else {
            return Err(NotGenuine::Rollups { rollups: 0 }.into());
        };
        let governances = Governances { present, former };
        Ok(RegistryHistory { deployer, governances, canonical, former_rollups: rollups })
    }

    /// The rollups in a genuine Registry that was created in a block, oldest first.
    async fn listed_rollups(
        &self,
        registry: Address,
        created: BlockNumber,
    ) -> Result<Vec<Listing>, ExamineError> {
        let blocks = created..=self.head.number;
        let added = self.client.events::<Registry::InstanceAdded>(registry, blocks).await?;
        let count = Registry::numberOfVersionsCall {};
        let expected = self.client.read(self.head.hash.into(), registry, count).await?;
        let found = added.len();
        if U256::from(found) != expected {
            return Err(ExamineError::VersionLogs { registry, expected, found });
        }
        let rollups = added.into_iter().filter(|(_, event)| event.instance != SENTINEL);
        Ok(rollups.map(|(position, event)| Listing { position, rollup: event.instance }).collect())
    }

    /// The changes of a contract's owner since its construction in `created`, oldest first.
    async fn handovers(&self, address: Address, created: BlockNumber) -> Result<Vec<Handover>> {
        let blocks = created..=self.head.number;
        let owners = self.client.events::<Registry::OwnershipTransferred>(address, blocks).await?;
        // The constructor emits the same event, without a previous owner.
        let owners = owners.into_iter();
        let handovers = owners.filter(|(_, event)| !event.previousOwner.is_zero());
        let handover = |(position, event): (_, Registry::OwnershipTransferred)| Handover {
            position,
            new_owner: event.newOwner,
        };
        Ok(handovers.map(handover).collect())
    }
}
