//! The identity of a set, determined from its Registry's address.

use crate::{
    identity::SetIdentity,
    retries::{Failure, Pause, Retries},
};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use alloy_rpc_types_eth::Filter;
use canon_abi::{Asset, Governance, Issuer, Proposals, Registry, RewardDistributor, Rollup};
use canon_chain::{
    Client, Error, Severity,
    deploy::{ConstructorEvents, Create2Origin, ExamineError, SetExaminer},
};
use canon_protocol::{BlockNumber, Seconds};
use canon_views::{BlockView, Question, SetAddresses};
use core::time::Duration;

/// The reason why the identity of a set can't be determined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The set can't be read from the chain.
    #[error(transparent)]
    Chain(#[from] Error),
    /// The canonical rollup doesn't return its RewardDistributor.
    #[error(
        "the canonical rollup at {rollup} names no RewardDistributor, so the set's history can't be \
         folded; use the set's present, or check the rollup"
    )]
    NoDistributor {
        /// The rollup.
        rollup: Address,
    },
    /// The endpoint has no logs of the set's contracts.
    #[error(
        "the endpoint has no logs of the contracts of the Registry at {registry} up to block {head}; use one \
         that has the logs of old blocks"
    )]
    NoLogs {
        /// The Registry.
        registry: Address,
        /// The newest block.
        head: BlockNumber,
    },
    /// A contract's address doesn't follow from its constructor's arguments, so its code and its initial
    /// storage aren't known.
    #[error(
        "the set's history can't be folded, since the origin of its contracts isn't known ({0}); use the \
         set's present, or check the Registry's address"
    )]
    UnknownOrigin(#[source] ExamineError),
}

impl FindError {
    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Chain(error) => error.severity(),
            // The contracts exist, so their logs do too. The node lags.
            Self::NoLogs { .. } => Severity::Retry,
            Self::NoDistributor { .. } | Self::UnknownOrigin(_) => Severity::Stop,
        }
    }
}

impl Failure for FindError {
    fn severity(&self) -> Severity {
        self.severity()
    }

    fn retry_after(&self) -> Option<Duration> {
        let Self::Chain(error) = self else { return None };
        error.retry_after()
    }
}

impl From<ExamineError> for FindError {
    fn from(error: ExamineError) -> Self {
        match error {
            ExamineError::Chain(error) => Self::Chain(error),
            error => Self::UnknownOrigin(error),
        }
    }
}

impl SetIdentity {
    /// Determines the identity of the set whose Registry is at `registry`, at the newest block.
    ///
    /// The first block is that of the first log of the set's contracts; the states of old blocks aren't
    /// needed. Each contract's origin is the one that its address proves: the deployment proxy with salt 0,
    /// or the factory and the salt in the transaction that created it. `searched` gets the last block of
    /// each range without logs of the set, and the newest block. `pause` is called before each retry.
    ///
    /// # Errors
    ///
    /// [`FindError::UnknownOrigin`] if a contract's address proves no origin; [`FindError::NoLogs`];
    /// [`FindError::NoDistributor`]; otherwise if the endpoint fails several times in a row.
    pub async fn find(
        client: &Client,
        registry: Address,
        searched: impl FnMut(BlockNumber, BlockNumber),
        pause: &mut impl Pause,
    ) -> Result<Self, FindError> {
        let mut retries = Retries::QUESTION;
        let (nothing_else, latest) = (Question::default(), BlockId::latest());
        let view = loop {
            match client.view(registry, &nothing_else, latest, Seconds::ZERO).await {
                Ok(view) => break view,
                Err(error) if retries.allow(&error, pause).await => {}
                Err(error) => return Err(error.into()),
            }
        };
        Self::find_of(client, &view.addresses, view.block, searched, pause).await
    }

    /// As [`Self::find`], for known contracts in office at the block `head`.
    pub(crate) async fn find_of(
        client: &Client,
        set: &SetAddresses,
        head: BlockView,
        searched: impl FnMut(BlockNumber, BlockNumber),
        pause: &mut impl Pause,
    ) -> Result<Self, FindError> {
        let first_block = first_block(client, set, head.number, searched, pause).await?;
        let origins = origins(client, set, first_block, head, pause).await?;
        let no_distributor = FindError::NoDistributor { rollup: set.rollup };
        let identity = Self::of(client.chain_id(), set, origins[0], first_block);
        Ok(Self { origins, ..identity.ok_or(no_distributor)? })
    }
}

/// The block of the first log of a set's contracts.
async fn first_block(
    client: &Client,
    set: &SetAddresses,
    head: BlockNumber,
    mut searched: impl FnMut(BlockNumber, BlockNumber),
    pause: &mut impl Pause,
) -> Result<BlockNumber, FindError> {
    let contracts = [set.asset, set.registry, set.governance, set.issuer].into_iter();
    let filter = Filter::new().address(contracts.chain(set.reward_distributor).collect::<Vec<_>>());
    let mut retries = Retries::PROGRESS;
    // An endpoint that keeps no logs won't have any later.
    let mut searches = Retries::QUESTION;
    let mut next = BlockNumber::ZERO;
    loop {
        let from = next;
        let note = |block: BlockNumber| {
            next = block.next();
            searched(block, head);
        };
        match client.first_log(&filter, from..=head, note).await {
            Ok(log) => {
                if let Some(number) = log.and_then(|log| log.block_number) {
                    return Ok(BlockNumber::of(number));
                }
                let error = FindError::NoLogs { registry: set.registry, head };
                if !searches.allow(&error, pause).await {
                    return Err(error);
                }
                next = BlockNumber::ZERO;
            }
            Err(error) => {
                if next > from {
                    retries = Retries::PROGRESS;
                }
                if !retries.allow(&error, pause).await {
                    return Err(error.into());
                }
            }
        }
    }
}

/// The distinct origins of a set's contracts, that of the Registry first.
///
/// Rollups and Proposals may not belong to the set, because Governance can put any contract into office.
/// Those with unknown origins are left out.
pub(crate) async fn origins(
    client: &Client,
    set: &SetAddresses,
    first_block: BlockNumber,
    head: BlockView,
    pause: &mut impl Pause,
) -> Result<Vec<Create2Origin>, FindError> {
    let usual = Create2Origin::default();
    let examiner = SetExaminer::new(client, usual, first_block, head);
    let first = proven_origin::<Registry::constructorCall>(&examiner, set.registry, pause).await?;
    let examiner = SetExaminer::new(client, first, first_block, head).with_origin(usual);
    let mut origins = vec![
        first,
        proven_origin::<Asset::constructorCall>(&examiner, set.asset, pause).await?,
        proven_origin::<Governance::constructorCall>(&examiner, set.governance, pause).await?,
        proven_origin::<Issuer::constructorCall>(&examiner, set.issuer, pause).await?,
    ];
    if let Some(distributor) = set.reward_distributor {
        type Constructor = RewardDistributor::constructorCall;
        origins.push(proven_origin::<Constructor>(&examiner, distributor, pause).await?);
    }
    for found in [
        proven_origin::<Rollup::constructorCall>(&examiner, set.rollup, pause).await,
        proven_origin::<Proposals::constructorCall>(&examiner, set.proposals, pause).await,
    ] {
        match found {
            Ok(origin) => origins.push(origin),
            Err(FindError::UnknownOrigin(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut distinct = Vec::new();
    for origin in origins {
        if !distinct.contains(&origin) {
            distinct.push(origin);
        }
    }
    Ok(distinct)
}

/// The origin that a contract's address proves. Failed requests are retried.
async fn proven_origin<C: ConstructorEvents>(
    examiner: &SetExaminer<'_>,
    contract: Address,
    pause: &mut impl Pause,
) -> Result<Create2Origin, FindError> {
    let mut retries = Retries::PROGRESS;
    loop {
        match examiner.proven_origin::<C>(contract).await.map_err(FindError::from) {
            Err(error) if retries.allow(&error, pause).await => {}
            outcome => return outcome,
        }
    }
}
