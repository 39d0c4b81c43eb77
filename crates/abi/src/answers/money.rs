//! Answers of Asset, Issuer, RewardDistributor and Registry.

use super::{Walk, number};
use crate::{Asset, Issuer, Registry, RewardDistributor};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};
use canon_protocol::{Amount, CommonRefusal, Refusal, Role, Version};

impl Walk<'_> {
    pub(super) fn asset(&mut self) {
        let (set, at) = (self.set, *self.set.addresses());
        let asset = set.asset();
        let (name, symbol) = asset.names();
        self.same(at.asset, Asset::nameCall {}, name.to_owned());
        self.same(at.asset, Asset::symbolCall {}, symbol.to_owned());
        self.same(at.asset, Asset::decimalsCall {}, 18);
        self.same(at.asset, Asset::totalSupplyCall {}, asset.total_supply().to_word());
        self.same(at.asset, Asset::MAX_SUPPLYCall {}, Amount::MAX.to_word());
        self.ownership(at.asset);
        let accounts = self.accounts();
        let rollups = set.rollups().map(|(rollup, _)| rollup);
        let spenders: Vec<_> = rollups.chain([at.governance]).collect();
        for account in &accounts {
            let account = *account;
            let balance = asset.balance_of(account).to_word();
            self.same(at.asset, Asset::balanceOfCall { owner: account }, balance);
            let nonce = asset.nonce(account).to_word();
            self.same(at.asset, Asset::noncesCall { owner: account }, nonce);
            // Accounts allow these contracts to transfer; some of these contracts allow a transfer
            // as well.
            for spender in &spenders {
                for (owner, spender) in [(account, *spender), (*spender, account)] {
                    let allowance = asset.allowance(owner, spender);
                    self.same(at.asset, Asset::allowanceCall { owner, spender }, allowance);
                }
            }
        }
    }

    pub(super) fn issuer(&mut self) {
        let (at, issuer) = (*self.set.addresses(), self.set.issuer());
        self.same(at.issuer, Issuer::ASSETCall {}, at.asset);
        self.same(at.issuer, Issuer::RATECall {}, issuer.rate().to_word());
        let limit = canon_protocol::Issuer::ACCRUAL_LIMIT.to_word();
        self.same(at.issuer, Issuer::ACCRUAL_LIMITCall {}, limit);
        let last_mint = issuer.time_of_last_mint().to_word();
        self.same(at.issuer, Issuer::timeOfLastMintCall {}, last_mint);
        let available = issuer.mint_available(self.now);
        self.same(at.issuer, Issuer::mintAvailableCall {}, available);
        self.ownership(at.issuer);
    }

    pub(super) fn distributor(&mut self) {
        let (set, at) = (self.set, *self.set.addresses());
        let distributor = set.distributor();
        self.same(at.reward_distributor, RewardDistributor::ASSETCall {}, at.asset);
        let reward = distributor.block_reward().to_word();
        self.same(at.reward_distributor, RewardDistributor::BLOCK_REWARDCall {}, reward);
        self.same(
            at.reward_distributor,
            RewardDistributor::registryCall {},
            distributor.registry(),
        );
        let canonical = self.canonical_by(distributor.registry());
        self.ask(at.reward_distributor, RewardDistributor::canonicalRollupCall {}, canonical);
        let last_payment = distributor.last_payment_time().to_word();
        self.same(at.reward_distributor, RewardDistributor::lastPaymentTimeCall {}, last_payment);
        for snapshot in set.registry().snapshots() {
            let rollup = snapshot.rollup;
            let slot = distributor.last_paid_slot(rollup);
            self.same(
                at.reward_distributor,
                RewardDistributor::lastPaidSlotCall { rollup },
                RewardDistributor::lastPaidSlotReturn {
                    exists: slot.is_some(),
                    slot: slot.unwrap_or_default().to_word(),
                },
            );
        }
        self.ownership(at.reward_distributor);
    }

    /// The canonical rollup by the answer of `registry`, which may be any account; the refusal if
    /// it gives no valid answer.
    fn canonical_by(&self, registry: Address) -> Result<Address, Refusal> {
        let selector = Registry::getRollupCall::SELECTOR;
        let answer = match self.set.role_of(registry) {
            Some(Role::Registry) => return Ok(self.set.registry().rollup()),
            Some(_) => None,
            None => self.external.ask(registry, &selector).ok(),
        };
        let answer = answer.and_then(|answer| Address::abi_decode_validate(&exactly(answer)?).ok());
        let no_answer = CommonRefusal::NoAnswer { target: registry, selector: selector.into() };
        answer.ok_or_else(|| no_answer.into())
    }

    pub(super) fn registry(&mut self) {
        let (set, at) = (self.set, self.set.addresses().registry);
        let registry = set.registry();
        let versions = registry.number_of_versions();
        self.same(at, Registry::numberOfVersionsCall {}, U256::from(versions));
        self.same(at, Registry::getRollupCall {}, registry.rollup());
        self.same(at, Registry::getGovernanceCall {}, set.ownership(at).owner());
        let current = registry.current_snapshot();
        self.same(
            at,
            Registry::getCurrentSnapshotCall {},
            Registry::getCurrentSnapshotReturn {
                rollup: current.rollup,
                blockNumber: current.block_number.to_word(),
            },
        );
        // The last version doesn't exist.
        for version in 0..=versions {
            let snapshot = registry.snapshot(Version::of(version));
            self.same(
                at,
                Registry::getSnapshotCall { version: U256::from(version) },
                Registry::getSnapshotReturn {
                    rollup: snapshot.map_or(Address::ZERO, |snapshot| snapshot.rollup),
                    blockNumber: snapshot.map_or(U256::ZERO, |found| found.block_number.to_word()),
                },
            );
        }
        let rollups = set.rollups().map(|(rollup, _)| rollup);
        let listed = registry.snapshots().iter().map(|snapshot| snapshot.rollup);
        for rollup in rollups.chain(listed).chain([Address::ZERO]).collect::<Vec<_>>() {
            let version = registry.version_for(rollup);
            self.same(at, Registry::isRollupRegisteredCall { rollup }, version.is_ok());
            let version = version.map(Version::to_word).map_err(Refusal::from);
            self.ask(at, Registry::getVersionForCall { rollup }, version);
        }
        self.same(at, Registry::numberOfVersionsCall {}, number(registry.snapshots().len()));
        self.ownership(at);
    }
}

/// `answer`, if it is exactly one word.
fn exactly(answer: Bytes) -> Option<Bytes> {
    (answer.len() == 32).then_some(answer)
}
