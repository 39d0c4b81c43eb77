//! The constructors of the set. Each emits all of its arguments in events.

use crate::{
    asset::{self, AssetEvent},
    call_frame::{CallFrame, Context, Decision, ReentrancyGuard},
    distributor::DistributorEvent,
    governance::{self, Configuration, GovernanceEvent, RawConfiguration},
    issuer::IssuerEvent,
    messages::Log,
    ownership::Ownership,
    proposals::{ProposalsEvent, ProposalsRefusal, RoundRules},
    refusal::{CommonRefusal, Refusal},
    registry::{RegistryEvent, SENTINEL},
    rollup::{RawRollupParameters, RollupEvent, RollupParameters},
    set_state::SetState,
    units::{Amount, ConfigurationId, Version},
};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// The constructor of a contract of the set, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constructor {
    /// The Asset.
    Asset {
        /// ERC-20 name, and the name of the EIP-712 domain.
        name: String,
        /// ERC-20 symbol.
        symbol: String,
        /// The first owner.
        owner: Address,
        /// The receiver of the initial supply.
        initial_holder: Address,
        /// The initial supply, in base units; may be 0.
        initial_supply: U256,
    },
    /// The Registry.
    Registry {
        /// The first owner.
        owner: Address,
    },
    /// A Proposals contract.
    Proposals {
        /// The Registry, which lists the canonical rollup.
        registry: Address,
        /// The number of signals that win a round.
        n: U256,
        /// The number of slots in a round.
        m: U256,
    },
    /// Governance.
    Governance {
        /// The asset that is locked.
        asset: Address,
        /// The first Proposals contract.
        proposals: Address,
        /// The first configuration.
        configuration: RawConfiguration,
    },
    /// The Issuer.
    Issuer {
        /// The asset that is minted.
        asset: Address,
        /// The rate of minting, in base units per second.
        rate: U256,
        /// The first owner.
        owner: Address,
    },
    /// The RewardDistributor.
    Distributor {
        /// The asset that rewards are paid in.
        asset: Address,
        /// The Registry, which lists the canonical rollup.
        registry: Address,
        /// The reward for a block, in base units.
        block_reward: U256,
        /// The first owner.
        owner: Address,
    },
    /// A Rollup.
    Rollup(RawRollupParameters),
}

impl SetState {
    /// The events that a constructor emits when it creates a contract at `contract`.
    ///
    /// # Errors
    ///
    /// The refusal with which the constructor reverts.
    pub fn deploy(
        &self,
        contract: Address,
        constructor: &Constructor,
        context: &Context<'_>,
    ) -> Result<Vec<Log>, Refusal> {
        let guard = ReentrancyGuard::default();
        let frame = self.frame(contract, context, &guard);
        match constructor {
            Constructor::Asset { name, symbol, owner, initial_holder, initial_supply } => {
                deploy_asset(frame, name, symbol, *owner, *initial_holder, *initial_supply)
            }
            Constructor::Registry { owner } => Ok(vec![
                frame.log(Ownership::construct(*owner)?),
                frame.log(RegistryEvent::InstanceAdded {
                    instance: SENTINEL,
                    version: Version::ZERO,
                }),
            ]),
            Constructor::Proposals { registry, n, m } => deploy_proposals(frame, *registry, *n, *m),
            Constructor::Governance { asset, proposals, configuration } => {
                deploy_governance(frame, *asset, *proposals, configuration)
            }
            Constructor::Issuer { asset, rate, owner } => {
                let owned = frame.log(Ownership::construct(*owner)?);
                frame.require_code(*asset)?;
                let rate = Amount::try_from(*rate)?;
                Ok(vec![owned, frame.log(IssuerEvent::Deployed { asset: *asset, rate })])
            }
            Constructor::Distributor { asset, registry, block_reward, owner } => {
                let owned = frame.log(Ownership::construct(*owner)?);
                frame.require_code(*asset)?;
                let block_reward = Amount::try_from(*block_reward)?;
                frame.require_code(*registry)?;
                Ok(vec![
                    owned,
                    frame.log(DistributorEvent::Deployed { asset: *asset, block_reward }),
                    frame.log(DistributorEvent::RegistryUpdated { registry: *registry }),
                ])
            }
            Constructor::Rollup(parameters) => deploy_rollup(frame, parameters),
        }
    }
}

fn deploy_asset(
    frame: CallFrame<'_>,
    name: &str,
    symbol: &str,
    owner: Address,
    initial_holder: Address,
    initial_supply: U256,
) -> Decision {
    let mut logs = vec![frame.log(Ownership::construct(owner)?)];
    let minted = if initial_supply.is_zero() {
        Vec::new()
    } else {
        asset::mint(frame, initial_holder, initial_supply)?
    };
    logs.push(frame.log(AssetEvent::Deployed {
        name: name.to_owned(),
        symbol: symbol.to_owned(),
        initial_supply: Amount::try_from(initial_supply)?,
    }));
    logs.extend(minted);
    Ok(logs)
}

fn deploy_proposals(frame: CallFrame<'_>, registry: Address, n: U256, m: U256) -> Decision {
    frame.require_code(registry)?;
    if n <= m / U256::from(2) || n > m || n < U256::from(2) {
        return Err(ProposalsRefusal::InvalidQuorum { n, m }.into());
    }
    let max = U256::from(RoundRules::MAX_M);
    let too_large = Refusal::from(CommonRefusal::ValueTooLarge { value: m, max });
    let (n, m) = match (u32::try_from(n), u32::try_from(m)) {
        (Ok(n), Ok(m)) if m <= RoundRules::MAX_M => (n, m),
        _ => return Err(too_large),
    };
    Ok(vec![frame.log(ProposalsEvent::Deployed { registry, n, m })])
}

fn deploy_governance(
    frame: CallFrame<'_>,
    asset: Address,
    proposals: Address,
    configuration: &RawConfiguration,
) -> Decision {
    frame.require_code(asset)?;
    let appointed = governance::appoint(frame, Address::ZERO, proposals)?;
    let supply = frame.set.asset().total_supply();
    let configuration = Box::new(Configuration::check(configuration, supply)?);
    Ok(vec![
        frame.log(GovernanceEvent::Deployed { asset }),
        appointed,
        frame.log(GovernanceEvent::ConfigurationSet { id: ConfigurationId::ZERO, configuration }),
    ])
}

fn deploy_rollup(frame: CallFrame<'_>, parameters: &RawRollupParameters) -> Decision {
    let owned = frame.log(Ownership::construct(parameters.owner)?);
    RollupParameters::require_distributor(parameters)?;
    frame.require_code(parameters.asset)?;
    frame.require_code(parameters.registry)?;
    let parameters = Box::new(RollupParameters::check(parameters, frame.now())?);
    Ok(vec![owned, frame.log(RollupEvent::Deployed { parameters })])
}
