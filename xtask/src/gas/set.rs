//! The parts that both systems have in common.

use std::collections::HashMap;

use alloy_primitives::{Address, U256, utils::Unit};
use alloy_signer_local::PrivateKeySigner;
use canon_abi::{Asset, Governance, Rollup};
use eyre::Result;

use super::{
    chain::{Chain, Sent},
    payload,
};

/// The number of stakers of the canonical rollup.
pub(super) const STAKERS: usize = 48;
/// The number of signals that win a round.
pub(super) const N: u64 = 6;
/// The number of slots in a round.
pub(super) const M: u64 = 10;
/// The length of a slot in seconds.
pub(super) const SLOT: u64 = 24;
/// The length of an epoch in slots.
pub(super) const EPOCH: u64 = 16;

/// A deployed system. The measured calls have the same signatures in both systems, so both are
/// called through our bindings.
#[derive(Debug)]
pub(super) struct Set {
    /// A name that distinguishes the accounts of the two systems.
    pub(super) name: &'static str,
    pub(super) asset: Address,
    pub(super) rollup: Address,
    pub(super) proposals: Address,
    pub(super) governance: Address,
    pub(super) configuration: Governance::Configuration,
    /// The time at which slot 0 of the rollup began.
    pub(super) genesis: u64,
    /// The account that holds the asset.
    pub(super) treasury: PrivateKeySigner,
    /// The stakers of the rollup, by proposer.
    pub(super) stakers: HashMap<Address, Staker>,
    /// A payload that is signaled for before and after the measured ones.
    pub(super) other_payload: Address,
    /// The measured payloads, two of each kind.
    pub(super) payloads: Vec<(PayloadKind, [Payload; 2])>,
    /// Whether this is our system, which has calls that the earlier one lacks.
    pub(super) is_ours: bool,
}

/// A staker's accounts.
#[derive(Debug)]
pub(super) struct Staker {
    pub(super) attester: Address,
    pub(super) proposer: PrivateKeySigner,
    pub(super) withdrawer: PrivateKeySigner,
}

/// The kind of a payload: its effect and its implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PayloadKind {
    /// Replaces Proposals: the earlier system's published payload, the same code in both systems.
    Published,
    /// Replaces Proposals, from constants.
    Replacing,
    /// Changes one field of the configuration, from constants.
    ChangingOne,
    /// Changes every field of the configuration, from constants.
    ChangingAll,
    /// Our `UpgradePayload`.
    Upgrading,
}

/// A payload, and the event that shows its execution.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub(super) address: Address,
    pub(super) emitter: Address,
    pub(super) effect: Effect,
}

/// The effect of an execution.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// This contract becomes the Proposals contract.
    Proposals(Address),
    /// The configuration changes.
    Configuration,
    /// This rollup becomes canonical as version 2.
    Canonical(Address),
}

/// The present configuration with one field changed, and with all of them changed.
pub(super) fn changed(present: &Governance::Configuration) -> [Governance::Configuration; 2] {
    let mut one = present.clone();
    one.votingDuration += U256::ONE;
    let mut all = one.clone();
    for field in [
        &mut all.votingDelay,
        &mut all.executionDelay,
        &mut all.gracePeriod,
        &mut all.proposeConfig.lockDelay,
    ] {
        *field += U256::ONE;
    }
    // Shares and amounts stay within the bounds of both systems.
    for field in [
        &mut all.proposeConfig.lockAmount,
        &mut all.quorum,
        &mut all.voteDifferential,
        &mut all.minimumVotes,
    ] {
        *field -= U256::ONE;
    }
    [one, all]
}

/// Deploys a payload that changes the configuration.
pub(super) fn changing(
    chain: &Chain,
    label: &str,
    governance: Address,
    configuration: &Governance::Configuration,
) -> Result<Payload> {
    let call = Governance::updateConfigurationCall { configuration: configuration.clone() };
    let address = chain.deploy(label, payload::constant(governance, &call))?;
    Ok(Payload { address, emitter: governance, effect: Effect::Configuration })
}

/// `count` times 10^18.
pub(super) fn tokens(count: u64) -> U256 {
    U256::from(count) * Unit::ETHER.wei()
}

/// Registers all stakers of a rollup. Returns the keys of their proposers by address.
pub(super) fn stake(
    chain: &Chain,
    label: &str,
    asset: Address,
    rollup: Address,
    treasury: &PrivateKeySigner,
) -> Result<HashMap<Address, Staker>> {
    let amount = chain.ask(rollup, &Rollup::MINIMUM_STAKECall {})?;
    let all = amount * U256::from(STAKERS);
    chain.send(treasury, asset, &Asset::approveCall { spender: rollup, amount: all })?;
    let mut stakers = HashMap::new();
    for number in 0..STAKERS {
        let staker = staker(chain, &format!("{label} {number}"))?;
        deposit(chain, rollup, treasury, &staker, amount)?;
        stakers.insert(staker.proposer.address(), staker);
    }
    Ok(stakers)
}

/// The accounts of a staker.
pub(super) fn staker(chain: &Chain, label: &str) -> Result<Staker> {
    Ok(Staker {
        attester: chain.account(&format!("{label} attester"))?.address(),
        proposer: chain.account(&format!("{label} proposer"))?,
        withdrawer: chain.account(&format!("{label} withdrawer"))?,
    })
}

/// Registers a staker with the treasury's tokens.
pub(super) fn deposit(
    chain: &Chain,
    rollup: Address,
    treasury: &PrivateKeySigner,
    staker: &Staker,
    amount: U256,
) -> Result<Sent> {
    let attester = staker.attester;
    let (proposer, withdrawer) = (staker.proposer.address(), staker.withdrawer.address());
    let call = Rollup::depositCall { attester, proposer, withdrawer, amount };
    chain
        .send(treasury, rollup, &call)?
        .emitted(rollup, &Rollup::Deposit { attester, proposer, withdrawer, amount })
}
