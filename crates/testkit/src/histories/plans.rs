//! The actions that payloads list, and the contracts of the set that are deployed for them.

use super::{Director, Foreign, Step};
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_protocol::{
    Action, Amount, AssetCall, Call, Constructor, Create2, DistributorCall, ExpectCall,
    GovernanceCall, IssuerCall, OwnershipCall, RawConfiguration, RawRollupParameters, RegistryCall,
    RollupCall, RollupParameters, RoundRules, SetState, Timestamp,
};

/// The largest number of rollups, and of Proposals contracts, that a history deploys.
const MAX_DEPLOYED_PER_KIND: usize = 5;

impl Director {
    /// An action of Governance, sensible or not.
    pub(super) fn plan(&mut self, set: &SetState, foreign: &Foreign) -> Option<Action> {
        let at = *set.addresses();
        let canonical = set.registry().rollup();
        let (target, call): (Address, Call) = match self.rng.below(36) {
            0..6 => (at.registry, RegistryCall::Upgrade { rollup: self.candidate(set)? }.into()),
            6..10 => {
                let configuration = Box::new(self.configuration(set));
                (at.governance, GovernanceCall::UpdateConfiguration { configuration }.into())
            }
            10..13 => {
                let proposals: Vec<_> = set.all_proposals().map(|(address, _)| address).collect();
                let known = *self.rng.pick(&proposals)?;
                let others = [at.governance, self.anybody(), at.registry];
                let other = *self.rng.pick(&others)?;
                let new_governance_proposer = if self.rng.chance(8, 9) { known } else { other };
                let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
                (at.governance, replace.into())
            }
            13 | 14 => {
                let tokens = self.rng.pick(&[0_u64, 1, 50, 1_000_000_000]).copied()?;
                let amount = U256::from(tokens) * Amount::TOKEN.to_word();
                let to = if self.rng.chance(1, 8) { Address::ZERO } else { self.anybody() };
                (at.issuer, IssuerCall::Mint { to, amount }.into())
            }
            15..18 => {
                let attester = self.rng.pick(&self.accounts.stakers)?.attester;
                let tokens = if self.rng.chance(1, 3) { 0 } else { self.rng.below(120) };
                let amount = U256::from(tokens) * Amount::TOKEN.to_word();
                (canonical, RollupCall::Slash { attester, amount }.into())
            }
            18 => {
                let registries = [at.registry, at.registry, self.candidate(set)?, self.anybody()];
                let new_registry = *self.rng.pick(&registries)?;
                (at.reward_distributor, DistributorCall::UpdateRegistry { new_registry }.into())
            }
            19 => {
                let spender = self.anybody();
                (at.asset, AssetCall::Approve { spender, amount: U256::MAX }.into())
            }
            20 => return Some(Action { target: self.anybody(), data: Bytes::new() }),
            21 => {
                let count = set.governance().proposals().len() as u64;
                let id = U256::from(self.rng.below(count + 1));
                (at.governance, GovernanceCall::Execute { id }.into())
            }
            22 => return Some(Action { target: at.registry, data: Bytes::from([0xde, 0xad]) }),
            23 => {
                let target = self.payload()?;
                return Some(Action { target, data: Bytes::new() });
            }
            24..28 => self.handover(set)?,
            _ => (at.expect, self.expectation(set, foreign)?.into()),
        };
        Some(Action { target, data: call.abi_encode() })
    }

    /// The list of an `UpgradePayload` for the next rollup. Sometimes it names another canonical rollup
    /// or other init code.
    pub(super) fn upgrade(&mut self, set: &SetState, foreign: &Foreign) -> Option<Vec<Action>> {
        let at = *set.addresses();
        let unlisted = |rollup: &Address| set.registry().version_for(*rollup).is_err();
        let next = set.rollups().map(|(rollup, _)| rollup).find(unlisted)?;
        let mut creation = foreign.creation(next)?;
        let mut expected = set.registry().rollup();
        match self.rng.below(6) {
            0 => creation.init_code_hash.0[31] ^= 1,
            1 => expected = set.registry().snapshots().first()?.rollup,
            _ => {}
        }
        let Create2 { factory, salt, init_code_hash } = creation;
        let calls: [(Address, Call); 4] = [
            (at.expect, ExpectCall::CanonicalIs { registry: at.registry, expected }.into()),
            (
                at.expect,
                ExpectCall::CreatedBy { target: next, factory, salt, init_code_hash }.into(),
            ),
            (at.expect, ExpectCall::OwnerIs { target: next, expected: at.governance }.into()),
            (at.registry, RegistryCall::Upgrade { rollup: next }.into()),
        ];
        Some(calls.map(|(target, call)| Action { target, data: call.abi_encode() }).into())
    }

    /// A rollup that may become canonical, or a contract that claims to be one.
    fn candidate(&mut self, set: &SetState) -> Option<Address> {
        let unlisted = |next: &Address| set.registry().version_for(*next).is_err();
        let next = set.rollups().map(|(rollup, _)| rollup).find(unlisted);
        match self.rng.below(10) {
            0 => Some(set.addresses().governance),
            1 => self.payload(),
            2 => Some(set.registry().rollup()),
            3..6 => self.impostor_address().or(next),
            _ => next.or_else(|| self.impostor_address()),
        }
    }

    /// An offer or a renunciation of ownership. Only Governance, and a contract written for it, accept an
    /// offer.
    fn handover(&mut self, set: &SetState) -> Option<(Address, Call)> {
        if self.rng.chance(1, 2)
            && let Some((target, call)) = self.offer()
        {
            return Some((target, call.into()));
        }
        let at = *set.addresses();
        let owned = [at.registry, at.issuer, at.reward_distributor, set.registry().rollup()];
        let target = *self.rng.pick(&owned)?;
        let new_owner = *self.rng.pick(&[at.governance, Address::ZERO, at.expect])?;
        let call = match self.rng.below(5) {
            0 => OwnershipCall::RenounceOwnership,
            1 => OwnershipCall::AcceptOwnership,
            _ => OwnershipCall::TransferOwnership { new_owner },
        };
        Some((target, call.into()))
    }

    /// An assertion that a payload may make, and that may be false.
    pub(super) fn expectation(&mut self, set: &SetState, foreign: &Foreign) -> Option<ExpectCall> {
        let at = *set.addresses();
        let right = self.rng.chance(2, 3);
        let wrong = self.anybody();
        let address = |address: Address| if right { address } else { wrong };
        Some(match self.rng.below(9) {
            8 => {
                let (rollup, _) = self.any_rollup(set)?;
                let Create2 { factory, salt, init_code_hash } = foreign.creation(rollup)?;
                ExpectCall::CreatedBy { target: address(rollup), factory, salt, init_code_hash }
            }
            0 => ExpectCall::CodeHashIs { target: at.registry, expected: B256::ZERO },
            1 => {
                let owned =
                    [at.registry, at.issuer, at.reward_distributor, at.asset, at.governance];
                let target = *self.rng.pick(&owned)?;
                let expected = address(set.ownership(target).owner());
                ExpectCall::OwnerIs { target, expected }
            }
            2 => {
                let mut expected =
                    Box::new(RawConfiguration::from(set.governance().configuration()));
                if !right {
                    expected.quorum += U256::from(1);
                }
                ExpectCall::ConfigurationIs { governance: at.governance, expected }
            }
            3 => {
                let expected = address(set.governance().governance_proposer());
                ExpectCall::ProposalsIs { governance: at.governance, expected }
            }
            4 => ExpectCall::CanonicalIs { registry: wrong, expected: at.registry },
            _ => {
                let expected = address(set.registry().rollup());
                ExpectCall::CanonicalIs { registry: at.registry, expected }
            }
        })
    }

    pub(super) fn deploy(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let at = set.addresses();
        if self.rng.chance(1, 2) {
            if set.all_proposals().count() >= MAX_DEPLOYED_PER_KIND {
                return None;
            }
            let m = self.rng.between(2, 6);
            let least = u64::from(RoundRules::min_n(m as u32));
            let n = self.rng.between(least - 1, m);
            let (n, m) = match self.rng.below(12) {
                0 => (U256::from(1) << 23, U256::from(1) << 24),
                _ => (U256::from(n), U256::from(m)),
            };
            return Some(Step::Deploy(Constructor::Proposals { registry: at.registry, n, m }));
        }
        if set.rollups().count() >= MAX_DEPLOYED_PER_KIND {
            return None;
        }
        let (_, rollup) = set.rollups().next()?;
        let first = RawRollupParameters::from(*rollup.parameters());
        let age = self.rng.below(500);
        let mut parameters = RawRollupParameters {
            owner: at.governance,
            genesis_time: now.to_word() - U256::from(age),
            slot_duration: U256::from(self.rng.between(12, 36)),
            epoch_duration: U256::from(self.rng.between(1, 5)),
            // Too short in some cases, since two epochs may last six minutes.
            exit_delay: U256::from(self.rng.between(200, 600)),
            ..first
        };
        match self.rng.below(24) {
            0 => parameters.genesis_time = now.to_word() + U256::from(1),
            1 => parameters.slot_duration = U256::ZERO,
            2 => parameters.epoch_duration = U256::from(1) << 40,
            // One second too long, or too short.
            11 => {
                parameters.exit_delay = RollupParameters::MAX_EXIT_DELAY.to_word() + U256::from(1)
            }
            12 => {
                parameters.slot_duration = U256::from(23);
                parameters.epoch_duration = U256::from(2);
            }
            3 => parameters.minimum_stake = U256::ZERO,
            4 => parameters.owner = Address::ZERO,
            5 => parameters.registry = Address::ZERO,
            // Nobody pays the reward, or a contract that calls back.
            6 | 7 => parameters.reward_distributor = self.anybody(),
            8..11 => {
                parameters.reward_distributor =
                    self.impostor_address().or_else(|| self.payload())?;
            }
            _ => {}
        }
        Some(Step::Deploy(Constructor::Rollup(parameters)))
    }
}
