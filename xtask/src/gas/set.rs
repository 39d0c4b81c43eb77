//! What the two systems have in common.

use std::collections::HashMap;

use alloy::{
    primitives::{Address, U256, utils::Unit},
    signers::local::PrivateKeySigner,
};
use canon_bindings::{Asset, Governance, Rollup};
use eyre::Result;

use super::chain::Chain;

/// Stakers of the canonical rollup.
pub(super) const STAKERS: usize = 48;
/// Signals that win a round.
pub(super) const N: u64 = 6;
/// Slots of a round.
pub(super) const M: u64 = 10;
/// Seconds of a slot.
pub(super) const SLOT: u64 = 24;
/// Slots of an epoch.
pub(super) const EPOCH: u64 = 16;

/// A deployed system. The calls that are measured have the same signatures in both, so both are
/// called through our bindings.
#[derive(Debug)]
pub(super) struct Set {
    /// Tells the accounts of the two systems apart.
    pub(super) name: &'static str,
    pub(super) asset: Address,
    pub(super) rollup: Address,
    pub(super) proposals: Address,
    pub(super) governance: Address,
    pub(super) configuration: Governance::Configuration,
    /// When slot 0 of the rollup began.
    pub(super) genesis: u64,
    /// Holds the asset.
    pub(super) treasury: PrivateKeySigner,
    /// The keys that signal, by address.
    pub(super) proposers: HashMap<Address, PrivateKeySigner>,
    pub(super) payloads: Payloads,
    /// Whether signals can be given by signature.
    pub(super) signed: bool,
}

/// What is signalled for.
#[derive(Debug)]
pub(super) struct Payloads {
    /// Signalled for before and after those that are measured.
    pub(super) earlier: Address,
    /// Each with the Proposals contract that its only action appoints.
    pub(super) replacing: [(Address, Address); 2],
    /// They make another rollup canonical, if there is a payload that does.
    pub(super) upgrading: Option<([Address; 2], Upgrade)>,
}

/// What an upgrade does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upgrade {
    pub(super) registry: Address,
    pub(super) new_rollup: Address,
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
) -> Result<HashMap<Address, PrivateKeySigner>> {
    let amount = chain.ask(rollup, &Rollup::MINIMUM_STAKECall {})?;
    let all = amount * U256::from(STAKERS);
    chain.send(treasury, asset, &Asset::approveCall { spender: rollup, amount: all })?;
    let mut proposers = HashMap::new();
    for staker in 0..STAKERS {
        let attester = chain.account(&format!("{label} attester {staker}"))?.address();
        let withdrawer = chain.account(&format!("{label} withdrawer {staker}"))?.address();
        let key = chain.account(&format!("{label} proposer {staker}"))?;
        let proposer = key.address();
        chain
            .send(
                treasury,
                rollup,
                &Rollup::depositCall { attester, proposer, withdrawer, amount },
            )?
            .emitted(rollup, &Rollup::Deposit { attester, proposer, withdrawer, amount })?;
        proposers.insert(proposer, key);
    }
    Ok(proposers)
}
