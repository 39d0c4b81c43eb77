//! The identity of a set, which determines its contracts.

use alloy_primitives::{Address, B256, ChainId, keccak256};
use alloy_sol_types::SolEvent;
use canon_abi::{Contract, init_code};
use canon_chain::deploy::Create2Origin;
use canon_protocol::{Addresses, BlockNumber, Constructor};
use canon_views::SetAddresses;
use serde::{Deserialize, Serialize};

/// The addresses, the first block and the origins from which the state of a set is folded. Sets with equal
/// identities have equal states at equal blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetIdentity {
    /// The chain, and the contracts of which the set has only one.
    pub addresses: Addresses,
    /// The block of the set's first event, or an earlier one.
    pub first_block: BlockNumber,
    /// The factories and salts that create Rollups and Proposals of the set. A contract that emits their events
    /// from an address that follows from none of these isn't of the set.
    pub origins: Vec<Create2Origin>,
}

impl SetIdentity {
    /// The identity of a set whose contracts have one origin. Expect is at the address that follows from
    /// that origin.
    ///
    /// Returns `None` if the canonical rollup doesn't name its RewardDistributor.
    pub fn of(
        chain_id: ChainId,
        set: &SetAddresses,
        origin: Create2Origin,
        first_block: BlockNumber,
    ) -> Option<Self> {
        let expect = expect_of(&origin);
        let addresses = Addresses {
            chain_id,
            asset: set.asset,
            registry: set.registry,
            governance: set.governance,
            issuer: set.issuer,
            reward_distributor: set.reward_distributor?,
            expect,
        };
        Some(Self { addresses, first_block, origins: vec![origin] })
    }

    /// Whether the address of Expect follows from one of the origins.
    pub(crate) fn expect_follows(&self) -> bool {
        self.origins.iter().any(|origin| expect_of(origin) == self.addresses.expect)
    }

    /// The signature hashes of the events that announce new contracts of the set.
    pub(crate) const fn deployment_topics() -> [B256; 2] {
        [
            canon_abi::Rollup::RollupDeployed::SIGNATURE_HASH,
            canon_abi::Proposals::ProposalsDeployed::SIGNATURE_HASH,
        ]
    }

    /// The signature hashes of the events that announce new contracts, and of events that every active set
    /// emits regularly and other contracts rarely do.
    ///
    /// They mark ranges of logs: a node that returns such a log in a range has all blocks up to it.
    pub(crate) const fn marker_topics() -> [B256; 4] {
        let [rollup, proposals] = Self::deployment_topics();
        [
            rollup,
            proposals,
            canon_abi::Rollup::SeedRecorded::SIGNATURE_HASH,
            canon_abi::Proposals::SlotUsed::SIGNATURE_HASH,
        ]
    }

    /// Whether `constructor` created the contract at this address, with one of the set's origins.
    pub(crate) fn is_genuine(&self, contract: Address, constructor: &Constructor) -> bool {
        let init_code_hash = keccak256(init_code(constructor));
        let created_by = |origin: &Create2Origin| {
            origin.factory.create2(origin.salt, init_code_hash) == contract
        };
        self.origins.iter().any(created_by)
    }

    /// The contracts of which the set has only one.
    pub(crate) const fn fixed(&self) -> [Address; 6] {
        let Addresses { asset, registry, governance, issuer, reward_distributor, expect, .. } =
            self.addresses;
        [asset, registry, governance, issuer, reward_distributor, expect]
    }
}

/// The address of Expect that follows from an origin.
fn expect_of(origin: &Create2Origin) -> Address {
    origin.create2(Contract::Expect.artifact().creation_code()).address()
}
