//! The calls of holders.

use super::{Behavior, Director, Foreign, Put, Step, call};
use alloy_primitives::{Address, B256, Bytes, U256, uint};
use canon_protocol::{
    Action, Amount, Configuration, Ending, Governance, GovernanceCall, Payment, ProposalId,
    ProposalState, RegistryCall, Seconds, SetState, Support, Timestamp, signature_parts,
};

/// The largest number of signed ballots that are kept for later.
const MAX_SIGNED_BALLOTS: usize = 12;

/// The order of secp256k1.
const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

impl Director {
    pub(super) fn lock_asset(&mut self, set: &SetState) -> Option<Step> {
        let holder = *self.rng.pick(&self.accounts.holders)?;
        let at = set.addresses();
        let on_behalf_of = match self.rng.below(20) {
            0 => at.governance,
            1 => Address::ZERO,
            2..5 => self.anybody(),
            _ => holder,
        };
        let amount = self.part(set.asset().balance_of(holder));
        if self.rng.chance(1, 4) {
            let deadline = U256::MAX;
            let (v, r, s) = self.permit(set, holder, at.governance, amount, deadline)?;
            let deposit =
                GovernanceCall::DepositWithPermit { on_behalf_of, amount, deadline, v, r, s };
            return Some(call(holder, at.governance, deposit));
        }
        Some(call(holder, at.governance, GovernanceCall::Deposit { on_behalf_of, amount }))
    }

    /// The parts of `owner`'s permit signature: v, r and s.
    pub(super) fn permit(
        &mut self,
        set: &SetState,
        owner: Address,
        spender: Address,
        value: U256,
        deadline: U256,
    ) -> Option<(u8, B256, B256)> {
        let digest = set.permit_hash(owner, spender, value, deadline);
        let (v, r, s) = signature_parts(&self.signature(owner, digest))?;
        Some(match self.rng.below(24) {
            0 => (v - 27, r, s),
            // The curve accepts this signature too, but the contract requires the lower half of s.
            1 => (55 - v, r, (ORDER - U256::from_be_bytes(s.0)).into()),
            _ => (v, r, s),
        })
    }

    pub(super) fn leave(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let governance = set.governance();
        let due = governance.withdrawals().iter().enumerate().filter(|(_, withdrawal)| {
            withdrawal.payment == Payment::Due && withdrawal.unlocks_at <= now
        });
        let due: Vec<U256> = due.map(|(id, _)| U256::from(id)).collect();
        let contract = set.addresses().governance;
        if self.rng.chance(1, 2) {
            let any = U256::from(self.rng.below(governance.withdrawals().len() as u64 + 1));
            let id = if self.rng.chance(3, 4) { *self.rng.pick(&due)? } else { any };
            return Some(call(self.anybody(), contract, GovernanceCall::FinaliseWithdraw { id }));
        }
        let holder = *self.rng.pick(&self.accounts.holders)?;
        let to = if self.rng.chance(1, 20) { Address::ZERO } else { holder };
        // No holder withdraws everything, because votes need power.
        let amount = self.part(governance.power(holder)) / U256::from(self.rng.between(1, 4));
        Some(call(holder, contract, GovernanceCall::InitiateWithdraw { to, amount }))
    }

    /// The id of a proposal: mostly of one in `state`, sometimes of any one or of none.
    fn proposal_in(
        &mut self,
        set: &SetState,
        now: Timestamp,
        state: ProposalState,
    ) -> Option<U256> {
        let governance = set.governance();
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

    /// Drops or executes a proposal if one is ready, otherwise votes for one that would be rejected.
    pub(super) fn urgent(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let governance = set.governance();
        let any = |state| {
            governance.proposals().iter().any(|proposal| governance.state(proposal, now) == state)
        };
        let dropped = (0u64..).zip(governance.proposals()).find(|(_, proposal)| {
            governance.state(proposal, now) == ProposalState::Dropped
                && proposal.ending() == Ending::Open
        });
        if let Some((id, _)) = dropped
            && self.rng.chance(1, 10)
        {
            let drop = GovernanceCall::DropProposal { id: U256::from(id) };
            return Some(call(self.anybody(), set.addresses().governance, drop));
        }
        if any(ProposalState::Executable) {
            return self.execute(set, now);
        }
        let (id, proposal) = (0u64..).zip(governance.proposals()).find(|(_, proposal)| {
            governance.state(proposal, now) == ProposalState::Active
                && !governance.tabulation(proposal).is_accepted()
        })?;
        let holders = self.accounts.holders.iter().copied();
        let holder = holders.max_by_key(|holder| governance.castable(proposal, *holder))?;
        let amount = governance.castable(proposal, holder).to_word();
        let id = U256::from(id);
        let vote = GovernanceCall::Vote { id, amount, support: Support::Yea };
        Some(call(holder, set.addresses().governance, vote))
    }

    pub(super) fn vote(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        if self.rng.chance(1, 12) {
            return self.signed_votes(set, now);
        }
        let id = self.proposal_in(set, now, ProposalState::Active)?;
        let (voter, amount) = self.voter(set, id)?;
        // Most ballots are for the proposal.
        let support = if self.rng.chance(5, 6) { Support::Yea } else { Support::Nea };
        if self.rng.chance(1, 3) {
            return self.signed_vote(set, now, id, (voter, amount), support);
        }
        let vote = GovernanceCall::Vote { id, amount, support };
        Some(call(voter, set.addresses().governance, vote))
    }

    /// Ballots against an accepted proposal: by one holder, or by all that have power left, which may
    /// overturn it.
    pub(super) fn object(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let id = self.proposal_in(set, now, ProposalState::Queued)?;
        let governance = set.governance();
        let contract = set.addresses().governance;
        if self.rng.chance(1, 2) {
            let (voter, amount) = self.voter(set, id)?;
            // Ballots for it are refused in this state.
            let support = if self.rng.chance(7, 8) { Support::Nea } else { Support::Yea };
            if self.rng.chance(1, 3) {
                return self.signed_vote(set, now, id, (voter, amount), support);
            }
            return Some(call(voter, contract, GovernanceCall::Vote { id, amount, support }));
        }
        let (_, proposal) = governance.proposal(id).ok()?;
        let castable = |holder: &Address| governance.castable(proposal, *holder);
        let holders = self.accounts.holders.iter().copied();
        let left = holders.filter(|holder| !castable(holder).is_zero()).map(|holder| {
            let (amount, support) = (castable(&holder).to_word(), Support::Nea);
            call(holder, contract, GovernanceCall::Vote { id, amount, support })
        });
        let left: Vec<_> = left.collect();
        self.then(left);
        self.first_of_agenda()
    }

    /// A voter, mostly with power left for proposal `id`, and an amount of that power.
    fn voter(&mut self, set: &SetState, id: U256) -> Option<(Address, U256)> {
        let governance = set.governance();
        let castable = |voter: Address| {
            let proposal = governance.proposal(id);
            proposal.map(|(_, proposal)| governance.castable(proposal, voter)).unwrap_or_default()
        };
        let holders = &self.accounts.holders;
        let mut voters: Vec<_> =
            holders.iter().filter(|voter| !castable(**voter).is_zero()).collect();
        if voters.is_empty() || self.rng.chance(1, 8) {
            voters = holders.iter().collect();
        }
        let voter = **self.rng.pick(&voters)?;
        if self.rng.chance(1, 4)
            && let Some(amount) = self.decisive(governance, id, castable(voter))
        {
            return Some((voter, amount));
        }
        Some((voter, self.part(castable(voter))))
    }

    /// The least amount with which proposal `id` is accepted, or one unit less, so that both sides of
    /// every rounding are reached. `None` if it is accepted already, or isn't even with `most`.
    fn decisive(&mut self, governance: &Governance, id: U256, most: Amount) -> Option<U256> {
        let (_, proposal) = governance.proposal(id).ok()?;
        let is_accepted = |amount: u128| {
            let tally = proposal.tally().checked_add(Support::Yea, Amount::of(amount));
            tally.is_some_and(|tally| governance.tabulation_of(proposal, tally).is_accepted())
        };
        if is_accepted(0) || !is_accepted(most.get()) {
            return None;
        }
        // It is accepted with `enough` and not with `missing`.
        let (mut missing, mut enough) = (0, most.get());
        while enough - missing > 1 {
            let middle = missing.midpoint(enough);
            *(if is_accepted(middle) { &mut enough } else { &mut missing }) = middle;
        }
        Some(U256::from(if self.rng.chance(1, 2) { enough } else { missing }))
    }

    /// A signed ballot that another account submits, now or later. Some are submitted too late.
    fn signed_vote(
        &mut self,
        set: &SetState,
        now: Timestamp,
        id: U256,
        (voter, amount): (Address, U256),
        support: Support,
    ) -> Option<Step> {
        if self.rng.chance(1, 2) {
            let deadline = now.to_word() + U256::from(self.rng.below(4)) - U256::from(1);
            return Some(self.signed_ballot(set, id, (voter, amount), support, deadline));
        }
        let deadline = match self.rng.below(4) {
            0 => U256::MAX,
            _ => now.to_word() + U256::from(self.rng.below(600)),
        };
        let submit = self.signed_ballot(set, id, (voter, amount), support, deadline);
        if self.signed.len() >= MAX_SIGNED_BALLOTS {
            self.signed.remove(0);
        }
        self.signed.push((ProposalId::try_from(id).unwrap_or_default(), submit.clone()));
        if !self.rng.chance(1, 6) {
            return None;
        }
        self.then([submit]);
        let contract = set.addresses().governance;
        Some(call(voter, contract, GovernanceCall::InvalidateBallots { id }))
    }

    /// Signed ballots of one holder on all Active proposals, submitted from the newest proposal to the
    /// oldest.
    fn signed_votes(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let governance = set.governance();
        let voter = *self.rng.pick(&self.accounts.holders)?;
        let active = (0u64..).zip(governance.proposals()).filter(|(_, proposal)| {
            governance.state(proposal, now) == ProposalState::Active
                && !governance.castable(proposal, voter).is_zero()
        });
        let active: Vec<u64> = active.map(|(id, _)| id).collect();
        for id in active.into_iter().rev() {
            let amount = U256::from(1);
            let ballot = (voter, amount);
            let submit = self.signed_ballot(set, U256::from(id), ballot, Support::Yea, U256::MAX);
            self.then([submit]);
        }
        self.first_of_agenda()
    }

    /// The submission of a ballot that `voter` signs now.
    fn signed_ballot(
        &mut self,
        set: &SetState,
        id: U256,
        (voter, amount): (Address, U256),
        support: Support,
        deadline: U256,
    ) -> Step {
        let (at, governance) = (set.addresses(), set.governance());
        let digest = match governance.proposal(id) {
            Ok((id, proposal)) => {
                let mut message = proposal.ballot_message(id, voter, amount, support, deadline);
                // The signature may be for the actions of another proposal, as if this one had its id
                // before a reorganization.
                if self.rng.chance(1, 12)
                    && let Some(other) = self.rng.pick(governance.proposals())
                {
                    message.actionsHash = other.actions_hash();
                }
                message.signing_hash(at.chain_id, at.governance)
            }
            // There is no ballot message for an unknown proposal, so something else is signed.
            Err(_) => B256::ZERO,
        };
        let signature = self.signature(voter, digest);
        let proposal_id = id;
        let vote = GovernanceCall::VoteWithSig {
            proposal_id,
            amount,
            support,
            voter,
            deadline,
            signature,
        };
        call(self.anybody(), at.governance, vote)
    }

    /// Submits a ballot that was signed earlier and may have been submitted before: mostly on a proposal
    /// that still accepts it.
    pub(super) fn submit_signed(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let in_time = self.rng.chance(4, 5);
        let is_due = |ballot: &(ProposalId, Step)| {
            let state = set.governance().state_of(ballot.0, now);
            !in_time || matches!(state, Some(ProposalState::Active | ProposalState::Queued))
        };
        let due = (0..).zip(&self.signed).filter(|(_, ballot)| is_due(ballot));
        let due: Vec<usize> = due.map(|(index, _)| index).collect();
        let index = *self.rng.pick(&due)?;
        let (_, submit) = self.signed.get(index)?.clone();
        if self.rng.chance(2, 3) {
            self.signed.remove(index);
        }
        Some(submit)
    }

    pub(super) fn execute(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let id = self.proposal_in(set, now, ProposalState::Executable)?;
        let contract = set.addresses().governance;
        let caller = self.anybody();
        if !self.rng.chance(1, 3) {
            let execute = call(caller, contract, GovernanceCall::Execute { id });
            return Some(self.around_upgrade(set, now, id, execute));
        }
        let (_, proposal) = set.governance().proposal(id).ok()?;
        let mut actions = proposal.actions().to_vec();
        if self.rng.chance(1, 6) {
            actions.pop();
        }
        Some(call(caller, contract, GovernanceCall::ExecuteWith { id, actions }))
    }

    /// If `id` makes another rollup canonical, the old rollup's block may come just before the execution,
    /// and calls to the new one just after it: in one L1 block if possible.
    fn around_upgrade(&mut self, set: &SetState, now: Timestamp, id: U256, execute: Step) -> Step {
        let proposal = set.governance().proposal(id).ok();
        let mut actions = proposal.iter().flat_map(|(_, proposal)| proposal.actions().iter());
        let upgrade = actions.find_map(|action| {
            RegistryCall::abi_decode(&action.data).map(|RegistryCall::Upgrade { rollup }| rollup)
        });
        let Some(target) = upgrade.filter(|_| self.rng.chance(2, 3)) else { return execute };
        let caller = self.anybody();
        let act = Step::Transaction { caller, target, data: Bytes::new() };
        self.then([act.clone(), act]);
        match self.propose_block(set, now) {
            Some(block) => {
                self.agenda.push_front((Seconds::ZERO, execute));
                block
            }
            None => execute,
        }
    }

    pub(super) fn drop_proposal(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let dropped = self.proposal_in(set, now, ProposalState::Dropped);
        let count = set.governance().proposals().len() as u64;
        let id = dropped.unwrap_or_else(|| U256::from(self.rng.below(count + 1)));
        let contract = set.addresses().governance;
        let drop = call(self.anybody(), contract, GovernanceCall::DropProposal { id });
        if self.rng.chance(1, 2) {
            self.then([drop.clone()]);
        }
        Some(drop)
    }

    /// Proposes a list through the lock as the holder with the most power, accepts it with all holders'
    /// power, and executes it as soon as possible.
    pub(super) fn pass_list(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let actions = match self.rng.below(6) {
            0 | 1 if self.taker.is_none() => return self.write_taker(set, now),
            0 | 1 => self.handover_to_taker()?,
            2 => self.rival_claims(set)?,
            3 => {
                let rollup = self.impostor_address()?;
                let data = RegistryCall::Upgrade { rollup }.abi_encode();
                vec![Action { target: set.addresses().registry, data }]
            }
            _ => self.list(set, foreign),
        };
        let (contract, governance) = (set.addresses().governance, set.governance());
        let lock_amount = governance.configuration().propose_config.lock_amount;
        let mut powers: Vec<_> = (self.accounts.holders.iter())
            .map(|holder| (governance.power(*holder), *holder))
            .collect();
        powers.sort_unstable();
        let (power, proposer) = powers.pop()?;
        powers.push((power.checked_sub(lock_amount)?, proposer));

        let payload = self.new_address();
        let propose = GovernanceCall::ProposeWithLock { payload, to: proposer };
        self.then([call(proposer, contract, propose)]);
        let id = U256::from(governance.proposals().len());
        let Configuration { voting_delay, voting_duration, execution_delay, .. } =
            governance.configuration();
        let mut wait = voting_delay + Seconds::SECOND;
        for (power, holder) in powers.into_iter().filter(|(power, _)| !power.is_zero()) {
            let vote = GovernanceCall::Vote { id, amount: power.to_word(), support: Support::Yea };
            self.agenda.push_back((wait, call(holder, contract, vote)));
            wait = Seconds::ZERO;
        }
        let execute = call(self.anybody(), contract, GovernanceCall::Execute { id });
        self.agenda.push_back((voting_duration + execution_delay, execute));
        Some(Step::Put(payload, Put::Program(Behavior::payload(&actions).into())))
    }

    pub(super) fn propose_with_lock(&mut self, set: &SetState) -> Option<Step> {
        let payload = match self.rng.below(12) {
            0 => self.anybody(),
            1 => set.registry().rollup(),
            _ => self.payload()?,
        };
        let holder = *self.rng.pick(&self.accounts.holders)?;
        let to = if self.rng.chance(1, 20) { Address::ZERO } else { holder };
        let contract = set.addresses().governance;
        Some(call(holder, contract, GovernanceCall::ProposeWithLock { payload, to }))
    }
}
