//! What holders do.

use super::{Director, Step, call};
use crate::{
    governance::{GovernanceCall, Payment, ProposalState, Support},
    registry::RegistryCall,
    signature::{Ballot, Permit, signing_domain},
    units::Timestamp,
    world::World,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256, uint},
    sol_types::SolStruct,
};

/// The order of secp256k1.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

impl Director {
    pub(super) fn lock_asset(&mut self, world: &World) -> Option<Step> {
        let holder = *self.rng.pick(&self.cast.holders)?;
        let at = world.addresses();
        let on_behalf_of = match self.rng.below(20) {
            0 => at.governance,
            1 => Address::ZERO,
            2..5 => self.anybody(),
            _ => holder,
        };
        let amount = self.part(world.asset().balance_of(holder));
        if self.rng.chance(1, 4) {
            let deadline = U256::MAX;
            let (v, r, s) = self.permit(world, holder, at.governance, amount, deadline)?;
            let deposit =
                GovernanceCall::DepositWithPermit { on_behalf_of, amount, deadline, v, r, s };
            return Some(call(holder, at.governance, deposit));
        }
        Some(call(holder, at.governance, GovernanceCall::Deposit { on_behalf_of, amount }))
    }

    /// `owner`'s permit, in three parts.
    pub(super) fn permit(
        &mut self,
        world: &World,
        owner: Address,
        spender: Address,
        value: U256,
        deadline: U256,
    ) -> Option<(u8, B256, B256)> {
        let (asset, at) = (world.asset(), world.addresses());
        let nonce = asset.nonce(owner).to_word();
        let message = Permit { owner, spender, value, nonce, deadline };
        let domain = signing_domain(asset.names().0, at.chain_id, at.asset);
        let signature = self.signature(owner, message.eip712_signing_hash(&domain));
        let (r, rest) = signature.split_first_chunk::<32>()?;
        let (s, v) = rest.split_first_chunk::<32>()?;
        let (v, r, s) = (*v.first()?, B256::from(r), B256::from(s));
        Some(match self.rng.below(24) {
            0 => (v - 27, r, s),
            // As good as the other half to the curve, but not to anybody else.
            1 => (55 - v, r, (ORDER - U256::from_be_bytes(s.0)).into()),
            _ => (v, r, s),
        })
    }

    pub(super) fn leave(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let governance = world.governance();
        let due = governance.withdrawals().iter().enumerate().filter(|(_, withdrawal)| {
            withdrawal.payment == Payment::Due && withdrawal.unlocks_at <= now
        });
        let due: Vec<U256> = due.map(|(id, _)| U256::from(id)).collect();
        let contract = world.addresses().governance;
        if self.rng.chance(1, 2) {
            let any = U256::from(self.rng.below(governance.withdrawals().len() as u64 + 1));
            let id = if self.rng.chance(3, 4) { *self.rng.pick(&due)? } else { any };
            return Some(call(self.anybody(), contract, GovernanceCall::FinaliseWithdraw { id }));
        }
        let holder = *self.rng.pick(&self.cast.holders)?;
        let to = if self.rng.chance(1, 20) { Address::ZERO } else { holder };
        // Nobody leaves altogether, or there would be no votes.
        let amount = self.part(governance.power(holder)) / U256::from(self.rng.between(1, 4));
        Some(call(holder, contract, GovernanceCall::InitiateWithdraw { to, amount }))
    }

    /// A proposal in `state`, mostly; sometimes any, or none.
    fn proposal_in(&mut self, world: &World, now: Timestamp, state: ProposalState) -> Option<U256> {
        let governance = world.governance();
        let proposals = governance.proposals();
        if self.rng.chance(1, 10) {
            return Some(U256::from(self.rng.below(proposals.len() as u64 + 1)));
        }
        let those: Vec<U256> = (0u64..)
            .zip(proposals)
            .filter(|(_, proposal)| governance.state(proposal, now) == state)
            .map(|(id, _)| U256::from(id))
            .collect();
        self.rng.pick(&those).copied()
    }

    /// Carries out what can be, or supports what would be rejected.
    pub(super) fn urgent(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let governance = world.governance();
        let any = |state| {
            governance.proposals().iter().any(|proposal| governance.state(proposal, now) == state)
        };
        if any(ProposalState::Executable) {
            return self.execute(world, now);
        }
        let (id, proposal) = (0u64..).zip(governance.proposals()).find(|(_, proposal)| {
            governance.state(proposal, now) == ProposalState::Active
                && !governance.tabulation(proposal).is_accepted()
        })?;
        let holders = self.cast.holders.iter().copied();
        let holder = holders.max_by_key(|holder| governance.castable(proposal, *holder))?;
        let amount = governance.castable(proposal, holder).to_word();
        let id = U256::from(id);
        let vote = GovernanceCall::Vote { id, amount, support: Support::Yea };
        Some(call(holder, world.addresses().governance, vote))
    }

    pub(super) fn vote(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let id = self.proposal_in(world, now, ProposalState::Active)?;
        let governance = world.governance();
        let castable = |voter: Address| {
            let proposal = governance.proposal(id);
            proposal.map(|(_, proposal)| governance.castable(proposal, voter)).unwrap_or_default()
        };
        let holders = &self.cast.holders;
        let mut voters: Vec<_> =
            holders.iter().filter(|voter| !castable(**voter).is_zero()).collect();
        if voters.is_empty() || self.rng.chance(1, 8) {
            voters = holders.iter().collect();
        }
        let voter = **self.rng.pick(&voters)?;
        let castable = castable(voter);
        let amount = self.part(castable);
        // Most proposals find friends.
        let support = if self.rng.chance(5, 6) { Support::Yea } else { Support::Nea };
        let at = world.addresses();
        if !self.rng.chance(1, 5) {
            let vote = GovernanceCall::Vote { id, amount, support };
            return Some(call(voter, at.governance, vote));
        }
        let deadline = now.to_word() + U256::from(self.rng.below(4)) - U256::from(1);
        let message = Ballot {
            proposalId: id,
            amount,
            support: support == Support::Yea,
            voter,
            nonce: governance.nonce(voter).to_word(),
            deadline,
        };
        let domain = signing_domain("Governance", at.chain_id, at.governance);
        let signature = self.signature(voter, message.eip712_signing_hash(&domain));
        let proposal_id = id;
        let vote = GovernanceCall::VoteWithSig {
            proposal_id,
            amount,
            support,
            voter,
            deadline,
            signature,
        };
        Some(call(self.anybody(), at.governance, vote))
    }

    pub(super) fn execute(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        let id = self.proposal_in(world, now, ProposalState::Executable)?;
        let contract = world.addresses().governance;
        let caller = self.anybody();
        if !self.rng.chance(1, 3) {
            let execute = call(caller, contract, GovernanceCall::Execute { id });
            return Some(self.around_upgrade(world, now, id, execute));
        }
        let (_, proposal) = world.governance().proposal(id).ok()?;
        let mut actions = proposal.actions().to_vec();
        if self.rng.chance(1, 6) {
            actions.pop();
        }
        Some(call(caller, contract, GovernanceCall::ExecuteWith { id, actions }))
    }

    /// If `id` makes another rollup canonical, the old one's block may come just before it, and
    /// whatever the new one does just after it: in one L1 block, if that is possible.
    fn around_upgrade(&mut self, world: &World, now: Timestamp, id: U256, execute: Step) -> Step {
        let proposal = world.governance().proposal(id).ok();
        let mut actions = proposal.iter().flat_map(|(_, proposal)| proposal.actions());
        let upgrade = actions.find_map(|action| {
            RegistryCall::abi_decode(&action.data).map(|RegistryCall::Upgrade { rollup }| rollup)
        });
        let Some(target) = upgrade.filter(|_| self.rng.chance(2, 3)) else { return execute };
        let caller = self.anybody();
        let act = Step::Transaction { caller, target, data: Bytes::new() };
        self.agenda.extend([act.clone(), act]);
        match self.propose_block(world, now) {
            Some(block) => {
                self.agenda.push_front(execute);
                block
            }
            None => execute,
        }
    }

    pub(super) fn drop_proposal(&mut self, world: &World) -> Option<Step> {
        let count = world.governance().proposals().len() as u64;
        let id = U256::from(self.rng.below(count + 1));
        let contract = world.addresses().governance;
        let drop = call(self.anybody(), contract, GovernanceCall::DropProposal { id });
        if self.rng.chance(1, 2) {
            self.agenda.push_back(drop.clone());
        }
        Some(drop)
    }

    pub(super) fn propose_with_lock(&mut self, world: &World) -> Option<Step> {
        let payload = match self.rng.below(12) {
            0 => self.anybody(),
            1 => world.registry().rollup(),
            _ => self.payload()?,
        };
        let holder = *self.rng.pick(&self.cast.holders)?;
        let to = if self.rng.chance(1, 20) { Address::ZERO } else { holder };
        let contract = world.addresses().governance;
        Some(call(holder, contract, GovernanceCall::ProposeWithLock { payload, to }))
    }
}
