//! Which contracts are the set's.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolEvent;
use canon_abi::init_code;
use canon_chain::deploy::Create2Origin;
use canon_protocol::{
    Addresses, BlockNumber, Constructor, Event, ProposalsEvent, Role, RollupEvent,
};
use serde::{Deserialize, Serialize};

/// What tells a set from all others: equal identities have equal states at equal blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetIdentity {
    /// The chain, and the contracts that the set has one of.
    pub addresses: Addresses,
    /// The block of the set's first event, or one before it.
    pub first_block: BlockNumber,
    /// How Rollups and Proposals of the set are created: what says it is one and isn't at the address
    /// that follows from its constructor's arguments is none.
    pub origins: Vec<Create2Origin>,
}

impl SetIdentity {
    /// The first topics of the events by which new contracts of the set show themselves.
    pub(crate) fn birth_topics() -> [B256; 2] {
        [
            canon_abi::Rollup::RollupDeployed::SIGNATURE_HASH,
            canon_abi::Proposals::ProposalsDeployed::SIGNATURE_HASH,
        ]
    }

    /// The role of `emitter`, if `log` is its birth and it is a genuine Rollup or Proposals of the set.
    pub(crate) fn newborn(&self, log: &alloy_primitives::Log) -> Option<Role> {
        let emitter = log.address;
        let genuine = |constructor: &Constructor| {
            let init_code_hash = keccak256(init_code(constructor));
            let created_by = |origin: &Create2Origin| {
                origin.factory.create2(origin.salt, init_code_hash) == emitter
            };
            self.origins.iter().any(created_by)
        };
        if let Some(Event::Rollup(RollupEvent::Deployed { parameters })) =
            Event::from_log_data(Role::Rollup, &log.data)
        {
            let belongs = parameters.asset == self.addresses.asset;
            return (belongs && genuine(&Constructor::Rollup((*parameters).into())))
                .then_some(Role::Rollup);
        }
        if let Some(Event::Proposals(ProposalsEvent::Deployed { registry, n, m })) =
            Event::from_log_data(Role::Proposals, &log.data)
        {
            let belongs = registry == self.addresses.registry;
            let constructor =
                Constructor::Proposals { registry, n: U256::from(n), m: U256::from(m) };
            return (belongs && genuine(&constructor)).then_some(Role::Proposals);
        }
        None
    }

    /// The contracts that the set has one of.
    pub(crate) fn fixed(&self) -> [Address; 6] {
        let Addresses { asset, registry, governance, issuer, distributor, expect, .. } =
            self.addresses;
        [asset, registry, governance, issuer, distributor, expect]
    }
}
