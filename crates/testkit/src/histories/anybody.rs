//! Ordinary uses of the asset, and calls that most accounts aren't allowed to make.

use super::{Director, Foreign, Step, call};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    AssetCall, Call, DistributorCall, GovernanceCall, IssuerCall, OwnershipCall, RegistryCall,
    RollupCall, SetState, Timestamp,
};

impl Director {
    pub(super) fn handle_asset(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let at = set.addresses();
        let owner = self.anybody();
        let balance = set.asset().balance_of(owner);
        let spenders: Vec<Address> =
            set.rollups().map(|(rollup, _)| rollup).chain([at.governance]).collect();
        let nobody = self.rng.chance(1, 20);
        let spender = if nobody { Address::ZERO } else { *self.rng.pick(&spenders)? };
        let amount = self.part(balance);
        let to = match self.rng.below(10) {
            0 => Address::ZERO,
            1..4 => at.reward_distributor,
            _ => self.anybody(),
        };
        let request = match self.rng.below(6) {
            0 | 1 => AssetCall::Approve { spender, amount },
            2 | 3 => AssetCall::Transfer { to, amount: amount / U256::from(4) },
            4 => AssetCall::TransferFrom { from: self.anybody(), to, amount },
            _ => {
                let deadline = now.to_word() + U256::from(self.rng.below(3)) - U256::from(1);
                let (v, r, s) = self.permit(set, owner, spender, amount, deadline)?;
                let permit = AssetCall::Permit { owner, spender, value: amount, deadline, v, r, s };
                return Some(call(self.anybody(), at.asset, permit));
            }
        };
        Some(call(owner, at.asset, request))
    }

    /// A call by any account of a function that only Governance or the Proposals contract may call,
    /// or that anyone may call but rarely does.
    pub(super) fn trespass(&mut self, set: &SetState, foreign: &Foreign) -> Option<Step> {
        let at = *set.addresses();
        let caller = self.anybody();
        let target = self.anybody();
        let (rollup, _) = self.some_rollup(set)?;
        let owned = [at.asset, at.issuer, at.registry, at.reward_distributor, rollup];
        let some_owned = *self.rng.pick(&owned)?;
        let amount = U256::from(self.rng.below(1000));
        let attester = self.rng.pick(&self.accounts.stakers)?.attester;
        let (contract, request): (Address, Call) = match self.rng.below(16) {
            0 => (at.asset, AssetCall::Mint { to: target, amount }.into()),
            1 => (at.issuer, IssuerCall::Mint { to: target, amount }.into()),
            2 => (at.issuer, IssuerCall::AcceptAsset.into()),
            3 => (at.registry, RegistryCall::Upgrade { rollup: target }.into()),
            4 => (at.reward_distributor, DistributorCall::Claim { to: target }.into()),
            5 => {
                let new_registry = at.registry;
                (at.reward_distributor, DistributorCall::UpdateRegistry { new_registry }.into())
            }
            6 => (rollup, RollupCall::Slash { attester, amount }.into()),
            7 => (at.governance, GovernanceCall::Propose { payload: target }.into()),
            8 => {
                let count = set.governance().proposals().len() as u64;
                let id = U256::from(self.rng.below(count + 1));
                (at.governance, GovernanceCall::InvalidateBallots { id }.into())
            }
            9 => {
                let new_governance_proposer = target;
                let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer };
                (at.governance, replace.into())
            }
            10 => {
                let target = if self.rng.chance(1, 2) { some_owned } else { target };
                (at.governance, GovernanceCall::AcceptOwnership { target }.into())
            }
            11 => (some_owned, OwnershipCall::TransferOwnership { new_owner: caller }.into()),
            12 => (some_owned, OwnershipCall::AcceptOwnership.into()),
            13 | 14 => (at.expect, self.expectation(set, foreign)?.into()),
            _ => (some_owned, OwnershipCall::RenounceOwnership.into()),
        };
        Some(call(caller, contract, request))
    }
}
