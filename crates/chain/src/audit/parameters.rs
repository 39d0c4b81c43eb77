//! The parameters of a deployed set.

use super::{NEXT_BLOCK, contracts::Constructors};
use crate::{
    BlockId, Client, Error,
    deploy::{
        AssetParameters, Create2Origin, GovernanceParameters, RollupSettings, SetParameters,
        SignalingParameters,
    },
    error::InRange,
};
use alloy_primitives::{Address, U256};
use canon_abi::{Asset, Governance, Issuer, RewardDistributor};
use canon_protocol::{Amount, Seconds};
use canon_views::{BlockView, Present, Question, RollupView};

/// The settings of a rollup, with its genesis; `None` if its slots are longer than a genuine rollup's can be.
pub fn rollup_settings(rollup: &RollupView) -> Option<RollupSettings> {
    let clock = &rollup.clock;
    Some(RollupSettings {
        genesis: Some(clock.genesis),
        slot_duration: Seconds::new(clock.slot_duration.get())?,
        epoch_slots: clock.epoch_duration.get(),
        minimum_stake: rollup.minimum_stake,
        exit_delay: rollup.exit_delay,
    })
}

/// The parameters in force of the set of a Registry, with the present supply as the initial one and without
/// its receiver. `None` if a contract doesn't answer.
///
/// # Errors
///
/// If the chain can't be read, or there is no set at the address.
pub async fn set_parameters(
    client: &Client,
    registry: Address,
) -> Result<Option<SetParameters>, Error> {
    let present =
        client.view(registry, &Question::default(), BlockId::latest(), NEXT_BLOCK).await?;
    let found = of(client, &present, &Constructors::default(), present.block).await?;
    Ok(found.map(|(parameters, _)| parameters))
}

/// The parameters in force with the present supply, and the holdings of the receiver of the initial supply.
/// `None` if a contract doesn't answer.
pub(super) async fn of(
    client: &Client,
    present: &Present,
    constructors: &Constructors,
    head: BlockView,
) -> Result<Option<(SetParameters, Option<Amount>)>, Error> {
    match read(client, present, constructors, head).await {
        Err(error) if error.is_of_the_contracts() => Ok(None),
        outcome => outcome,
    }
}

async fn read(
    client: &Client,
    present: &Present,
    constructors: &Constructors,
    head: BlockView,
) -> Result<Option<(SetParameters, Option<Amount>)>, Error> {
    let rollup = present.canonical_rollup().and_then(rollup_settings);
    let (Some(rollup), Some(signaling)) = (rollup, &present.signaling) else {
        return Ok(None);
    };
    let Some(distributor) = present.addresses.reward_distributor else { return Ok(None) };
    let (at, set) = (head.hash.into(), &present.addresses);
    let supply = client.read(at, set.asset, Asset::totalSupplyCall {}).await?;
    let rate = client.read(at, set.issuer, Issuer::RATECall {}).await?;
    let reward = client.read(at, distributor, RewardDistributor::BLOCK_REWARDCall {}).await?;
    let initial_holder = constructors.asset.as_ref().map(|asset| asset.initialHolder);
    let mut initial_holder_has = None;
    if let Some(owner) = initial_holder {
        let balance = client.read(at, set.asset, Asset::balanceOfCall { owner }).await?;
        let timestamp = U256::from(head.timestamp.get());
        let power = Governance::powerAtCall { owner, timestamp };
        let power = client.read(at, set.governance, power).await?;
        initial_holder_has = Some(amount("balanceOf", balance.saturating_add(power))?);
    }
    let parameters = SetParameters {
        asset: AssetParameters {
            name: client.read(at, set.asset, Asset::nameCall {}).await?,
            symbol: client.read(at, set.asset, Asset::symbolCall {}).await?,
            initial_holder,
            initial_supply: amount("totalSupply", supply)?,
            issued_per_second: amount("RATE", rate)?,
            block_reward: amount("BLOCK_REWARD", reward)?,
        },
        signaling: SignalingParameters { n: signaling.rules.n(), m: signaling.rules.m() },
        governance: GovernanceParameters::from(present.governance.configuration),
        rollup,
        origin: Create2Origin::default(),
    };
    Ok(Some((parameters, initial_holder_has)))
}

fn amount(what: &'static str, word: U256) -> Result<Amount, Error> {
    Amount::try_from(word).in_range(what)
}
