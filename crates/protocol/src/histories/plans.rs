//! What payloads list, and what is deployed for them.

use super::{Director, Step};
use crate::{
    asset::AssetCall,
    deployment::Deployment,
    distributor::DistributorCall,
    expect::ExpectCall,
    governance::GovernanceCall,
    issuer::IssuerCall,
    messages::Call,
    outside::Action,
    registry::RegistryCall,
    rollup::{RawRollupParameters, RollupCall},
    units::{Amount, Timestamp},
    world::World,
};
use alloy::primitives::{Address, Bytes, U256};

/// Contracts of a kind that are deployed at most: enough for every order of them.
const MOST: usize = 5;
/// Payloads that are deployed at most.
const MOST_PAYLOADS: usize = 64;

impl Director {
    pub(super) fn list_payload(&mut self, world: &World) -> Option<Step> {
        if self.payloads.len() >= MOST_PAYLOADS {
            return None;
        }
        // Some list nothing.
        let count = self.rng.pick(&[0, 1, 1, 1, 1, 1, 2, 3]).copied()?;
        let actions: Vec<Action> = (0..count).filter_map(|_| self.plan(world)).collect();
        Some(Step::Payload(actions))
    }

    /// Something that Governance may want to do, or should not.
    fn plan(&mut self, world: &World) -> Option<Action> {
        let at = *world.addresses();
        let registry = world.registry();
        let canonical = registry.rollup();
        let (target, call): (Address, Call) = match self.rng.below(24) {
            0..4 => {
                let next = world.rollups().map(|(rollup, _)| rollup);
                let next = next.into_iter().find(|next| registry.version_for(*next).is_err());
                let rollup = if self.rng.chance(1, 12) { at.governance } else { next? };
                (at.registry, RegistryCall::Upgrade { rollup }.into())
            }
            4..8 => {
                let configuration = Box::new(self.configuration());
                (at.governance, GovernanceCall::UpdateConfiguration { configuration }.into())
            }
            8..11 => {
                let proposals: Vec<_> = world.all_proposals().map(|(address, _)| address).collect();
                let new_governance_proposer = *self.rng.pick(&proposals)?;
                let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
                (at.governance, replace.into())
            }
            11 | 12 => {
                let tokens = self.rng.pick(&[0_u64, 1, 50, 1_000_000_000]).copied()?;
                let amount = U256::from(tokens) * Amount::TOKEN.to_word();
                (at.issuer, IssuerCall::Mint { to: self.anybody(), amount }.into())
            }
            13 | 14 => {
                let attester = self.rng.pick(&self.cast.stakers)?.attester;
                let amount = U256::from(self.rng.below(120)) * Amount::TOKEN.to_word();
                (canonical, RollupCall::Slash { attester, amount }.into())
            }
            15 => {
                let new_registry = at.registry;
                (at.distributor, DistributorCall::UpdateRegistry { new_registry }.into())
            }
            16 => {
                let spender = self.anybody();
                (at.asset, AssetCall::Approve { spender, amount: U256::MAX }.into())
            }
            17 => return Some(Action { target: self.anybody(), data: Bytes::new() }),
            18 => {
                let id =
                    U256::from(self.rng.below(world.governance().proposals().len() as u64 + 1));
                (at.governance, GovernanceCall::Execute { id }.into())
            }
            19 => return Some(Action { target: at.registry, data: Bytes::from([0xde, 0xad]) }),
            _ => {
                let registry = at.registry;
                let expected = if self.rng.chance(2, 3) { canonical } else { at.registry };
                (at.expect, ExpectCall::CanonicalIs { registry, expected }.into())
            }
        };
        Some(Action { target, data: call.abi_encode() })
    }

    pub(super) fn deploy(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let at = world.addresses();
        if self.rng.chance(1, 2) {
            if world.all_proposals().count() >= MOST {
                return None;
            }
            let m = self.rng.between(2, 6);
            let least = (m / 2 + 1).max(2);
            let n = self.rng.between(least - 1, m);
            let (n, m) = (U256::from(n), U256::from(m));
            return Some(Step::Deploy(Deployment::Proposals { registry: at.registry, n, m }));
        }
        if world.rollups().count() >= MOST {
            return None;
        }
        let (_, rollup) = world.rollups().next()?;
        let first = RawRollupParameters::from(*rollup.parameters());
        let age = self.rng.below(500);
        let parameters = RawRollupParameters {
            owner: at.governance,
            genesis_time: now.to_word() - U256::from(age),
            slot_duration: U256::from(self.rng.between(12, 36)),
            epoch_duration: U256::from(self.rng.between(1, 5)),
            // Too short for some, since two epochs may last six minutes.
            exit_delay: U256::from(self.rng.between(200, 600)),
            ..first
        };
        Some(Step::Deploy(Deployment::Rollup(parameters)))
    }
}
