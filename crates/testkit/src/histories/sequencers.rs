//! The calls of sequencers, and of accounts that push the winners of rounds.

use super::{Director, Foreign, Step, call};
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_protocol::{
    ProposalState, ProposalsCall, RollupCall, Round, SetState, Signal, Timestamp,
};

impl Director {
    pub(super) fn signal(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let instance = set.registry().rollup();
        let contract = self.some_proposals(set)?;
        let rules = set.proposals(contract)?.rules();
        // A rollup whose slot isn't known can still be signaled on.
        let slot = self.present_slot(set, now, foreign).unwrap_or_default();
        let is_used = set.proposals(contract)?.newest_slot(instance) >= Some(slot);
        if is_used && !self.rng.chance(1, 6) {
            return None;
        }
        // Most sequencers signal for the same payload, for two rounds each.
        let turn = (rules.round_of(slot).get() / 2) as usize;
        let payload = match self.rng.below(10) {
            0 => self.anybody(),
            1 | 2 => self.payload()?,
            _ => {
                let recent = self.recent_payloads();
                *recent.get(turn % recent.len().max(1))?
            }
        };
        let present = self.present_proposer(set, now, foreign).filter(|one| !one.is_zero());
        let proposer = match present {
            Some(proposer) if self.rng.chance(19, 20) => proposer,
            None if !self.rng.chance(1, 8) => return None,
            _ => self.anybody(),
        };
        if self.rng.chance(1, 5) {
            let message = Signal { payload, slot: slot.to_word(), instance };
            let digest = message.signing_hash(set.addresses().chain_id, contract);
            let signature = self.signature(proposer, digest);
            let vote = ProposalsCall::VoteWithSig { payload, signature };
            return Some(call(self.accounts.stranger, contract, vote));
        }
        Some(call(proposer, contract, ProposalsCall::Vote { payload }))
    }

    /// A signal of the slot's proposer for the leader of the round, if there is one.
    pub(super) fn follow(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let contract = set.governance().governance_proposer();
        let status = set.signaling(contract, now, &foreign.at(now)).ok()?;
        let leader = status.leader.filter(|_| status.first_free_slot == status.slot)?;
        let is_won = set.proposals(contract)?.rules().is_won(leader.count);
        let proposer = self.present_proposer(set, now, foreign)?;
        if is_won || proposer.is_zero() || !self.rng.chance(3, 4) {
            return None;
        }
        Some(call(proposer, contract, ProposalsCall::Vote { payload: leader.payload }))
    }

    /// A signature of `signer` over `digest`, or sometimes an invalid one.
    pub(super) fn signature(&mut self, signer: Address, digest: B256) -> Bytes {
        let digest = if self.rng.chance(1, 12) { B256::ZERO } else { digest };
        let signature = (self.sign)(signer, digest).unwrap_or_default();
        if self.rng.chance(1, 20) { signature.slice(..signature.len() / 2) } else { signature }
    }

    pub(super) fn push(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let contract = self.some_proposals(set)?;
        let proposals = set.proposals(contract)?;
        let instance = set.registry().rollup();
        let rules = proposals.rules();
        let present = rules.round_of(self.present_slot(set, now, foreign).unwrap_or_default());
        let won: Vec<Round> = proposals
            .rounds(instance)
            .filter(|(_, tally)| tally.leader.is_some_and(|leader| rules.is_won(leader.count)))
            .map(|(round, _)| round)
            .collect();
        let last = won.last().copied();
        let round = match self.rng.below(10) {
            0 => present.to_word(),
            1 => U256::from(present.get().saturating_sub(self.rng.below(8))),
            2 => U256::MAX,
            3 => self.rng.pick(&won)?.to_word(),
            // A round whose winner already has a live proposal.
            4 => {
                let is_live = |round: &&Round| {
                    let tally = proposals.round(instance, **round);
                    let leader = tally.filter(|tally| tally.pushed.is_none())?.leader?;
                    let id = proposals.latest_proposal_of(leader.payload)?;
                    set.governance().state_of(id, now).map(ProposalState::is_live)
                };
                won.iter().rev().find(|round| is_live(round) == Some(true))?.to_word()
            }
            _ => last?.to_word(),
        };
        let push = call(self.anybody(), contract, ProposalsCall::PushProposal { round });
        // The winner's code may change at the last moment.
        let winner = last.and_then(|round| proposals.round(instance, round)?.leader);
        match winner.filter(|winner| self.payloads.contains(&winner.payload)) {
            Some(winner) if self.rng.chance(1, 40) => {
                self.then([push]);
                Some(self.rewrite(set, now, foreign, winner.payload))
            }
            _ => Some(push),
        }
    }

    pub(super) fn propose_block(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let (contract, rollup) = self.some_rollup(set)?;
        let drawn = rollup.member_at(now, now).ok()??.proposer();
        let proposer = if self.rng.chance(9, 10) { drawn } else { self.anybody() };
        let block_hash = B256::from(U256::from(self.rng.next_u64()));
        Some(call(proposer, contract, RollupCall::ProposeBlock { block_hash }))
    }
}
