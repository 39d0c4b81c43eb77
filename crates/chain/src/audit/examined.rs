//! A genuine set, and the examination of further rollups.

use super::{AuditError, NEXT_BLOCK, contracts::Contracts, examiner, first_block};
use crate::{
    Client,
    deploy::{Create2Origin, ExamineError, GenuineSet, NotGenuine, SetExaminer},
};
use alloy_primitives::Address;
use canon_abi::{Contract, Registry, RewardDistributor, Rollup};
use canon_protocol::{BlockNumber, Create2, RawRollupParameters};
use canon_views::{Present, Question};

type DistributorConstructor = RewardDistributor::constructorCall;

/// A set that was found genuine at one block.
#[derive(Clone, Debug)]
pub struct ExaminedSet {
    /// The set.
    pub set: GenuineSet,
    /// The answers of its contracts.
    pub present: Present,
    origins: Vec<Create2Origin>,
    first_block: BlockNumber,
}

/// A rollup that was found genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExaminedRollup {
    /// The creation of the rollup, from which its address follows.
    pub create2: Create2,
    /// The arguments of its constructor.
    pub parameters: RawRollupParameters,
}

impl ExaminedSet {
    /// Finds the set of a Registry at the newest block, and checks that it is genuine. `searched` gets the last
    /// block of each range without logs of the set.
    ///
    /// # Errors
    ///
    /// [`AuditError::Examine`] if it isn't; otherwise if the chain can't be read.
    pub async fn find(
        client: &Client,
        registry: Address,
        searched: impl FnMut(BlockNumber),
    ) -> Result<Self, AuditError> {
        let head = client.head().await?;
        let present =
            client.view(registry, &Question::default(), head.hash.into(), NEXT_BLOCK).await?;
        let addresses = &present.addresses;
        let first_block = first_block(client, addresses, head, searched).await?;
        let origins = Contracts::examine(client, addresses, &[], first_block, head).await?.origins;
        let set = examiner(client, &origins, first_block, head).set(registry).await?;
        Ok(Self { set, present, origins, first_block })
    }

    /// The origin of the Registry, which is the default for further contracts.
    pub fn origin(&self) -> Create2Origin {
        self.origins.first().copied().unwrap_or_default()
    }

    /// Checks that a RewardDistributor is genuine, belongs to the set's present Governance and uses its
    /// Registry, all at the newest block. Its creator and its salt make no difference.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if it fails a check, or the Registry has another owner than when the set was found;
    /// otherwise if the chain can't be read.
    pub async fn reward_distributor(
        &self,
        client: &Client,
        distributor: Address,
    ) -> Result<(), ExamineError> {
        let examiner = self.examiner(client).await?;
        let origin = examiner.proven_origin::<DistributorConstructor>(distributor).await?;
        examiner.with_origin(origin).reward_distributor(&self.set, distributor).await
    }

    /// Checks that a rollup is genuine, was constructed for the set's present Governance and belongs to it, all at
    /// the newest block. Its creator and its salt, and those of its RewardDistributor, make no difference.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if it fails a check, or the Registry has another owner than when the set was found;
    /// otherwise if the chain can't be read.
    pub async fn rollup(
        &self,
        client: &Client,
        rollup: Address,
    ) -> Result<ExaminedRollup, ExamineError> {
        type Constructor = Rollup::constructorCall;
        let examiner = self.examiner(client).await?;
        let origin = examiner.proven_origin::<Constructor>(rollup).await?;
        let examiner = examiner.with_origin(origin);
        let distributor =
            examiner.contract::<Constructor>(rollup).await?.parameters.rewardDistributor;
        let distributors = examiner.proven_origin::<DistributorConstructor>(distributor).await?;
        let examiner = examiner.with_origin(distributors);
        let parameters = examiner.rollup(&self.set, rollup).await?;
        let arguments = Constructor { parameters: parameters.into() };
        let create2 = origin.create2(&Contract::Rollup.init_code(&arguments));
        Ok(ExaminedRollup { create2, parameters })
    }

    /// An examiner of further contracts at the newest block, since they can be newer than the block at which the set
    /// was found. Of the set, a verdict needs only what never changes, and the present Governance. So it is about the
    /// newest block alone if the Registry still has the same owner there.
    async fn examiner<'a>(&self, client: &'a Client) -> Result<SetExaminer<'a>, ExamineError> {
        let head = client.head().await?;
        let (address, expected) = (self.set.registry, self.set.governance);
        let found = client.read(head.hash.into(), address, Registry::ownerCall {}).await?;
        if found != expected {
            let (contract, what) = (Contract::Registry, "owner");
            return Err(NotGenuine::Changed { contract, address, what, expected, found }.into());
        }
        Ok(examiner(client, &self.origins, self.first_block, head))
    }
}
