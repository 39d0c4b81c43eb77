//! The identity of a set: its contracts.

use alloy_primitives::{Address, B256, ChainId, keccak256};
use alloy_sol_types::SolEvent;
use canon_abi::{Contract, init_code};
use canon_chain::deploy::Create2Origin;
use canon_protocol::{Addresses, BlockNumber, Constructor};
use canon_views::SetAddresses;
use serde::{Deserialize, Serialize};

/// The addresses, the first block and the origins that a set's state is folded by. Sets with equal identities have
/// equal states at equal blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetIdentity {
    /// The chain, and the contracts that the set has one of.
    pub addresses: Addresses,
    /// The block of the set's first event, or one before it.
    pub first_block: BlockNumber,
    /// The factories and salts that create Rollups and Proposals of the set. A contract that emits their events
    /// from an address that follows from none of these isn't of the set.
    pub origins: Vec<Create2Origin>,
}

impl SetIdentity {
    /// The identity of a set whose contracts have one origin. Its Expect is where that origin puts it.
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

    /// Whether the set's Expect is where one of its origins puts it.
    pub(crate) fn expect_follows(&self) -> bool {
        self.origins.iter().any(|origin| expect_of(origin) == self.addresses.expect)
    }

    /// The first topics of the events by which new contracts of the set show themselves.
    pub(crate) const fn deployment_topics() -> [B256; 2] {
        [
            canon_abi::Rollup::RollupDeployed::SIGNATURE_HASH,
            canon_abi::Proposals::ProposalsDeployed::SIGNATURE_HASH,
        ]
    }

    /// The first topics of events that every active set emits all the time and hardly anything else does, and
    /// of those by which new contracts show themselves.
    ///
    /// They mark ranges of logs: a node that gives such a log in a range has all blocks up to it.
    pub(crate) const fn marker_topics() -> [B256; 4] {
        let [rollup, proposals] = Self::deployment_topics();
        [
            rollup,
            proposals,
            canon_abi::Rollup::SeedRecorded::SIGNATURE_HASH,
            canon_abi::Proposals::SlotUsed::SIGNATURE_HASH,
        ]
    }

    /// Whether `constructor` created the contract at this address, in one of the ways of the set.
    pub(crate) fn is_genuine(&self, contract: Address, constructor: &Constructor) -> bool {
        let init_code_hash = keccak256(init_code(constructor));
        let created_by = |origin: &Create2Origin| {
            origin.factory.create2(origin.salt, init_code_hash) == contract
        };
        self.origins.iter().any(created_by)
    }

    /// The contracts that the set has one of.
    pub(crate) const fn fixed(&self) -> [Address; 6] {
        let Addresses { asset, registry, governance, issuer, reward_distributor, expect, .. } =
            self.addresses;
        [asset, registry, governance, issuer, reward_distributor, expect]
    }
}

/// The address at which an origin puts Expect.
fn expect_of(origin: &Create2Origin) -> Address {
    origin.create2(Contract::Expect.artifact().creation_code()).address()
}
