//! Queries of clients about signals: the status of the round, and the rounds that can be pushed.

use super::{Leader, Proposals, PushCandidate, RoundRules, pushing, signaling};
use crate::{
    call_frame::{CallFrame, Context, L1Block, ReentrancyGuard},
    external::ExternalContracts,
    questions,
    refusal::Refusal,
    rollup::SlotClock,
    set_state::SetState,
    units::{Round, Slot, Timestamp},
};
use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// The status of signaling at a time: the result of `currentStatus()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalingStatus {
    /// The canonical rollup.
    #[serde(with = "crate::text::address")]
    pub instance: Address,
    /// Its slot.
    pub slot: Slot,
    /// Its round.
    pub round: Round,
    /// The leader of the round.
    pub leader: Option<Leader>,
    /// The first slot that can still be signaled in: the present one, or the next if the present
    /// one was used.
    pub first_free_slot: Slot,
}

impl SignalingStatus {
    /// The slot at `time`, but not before the slot of the status. It is the slot of the status if the
    /// rollup's clock isn't known.
    pub fn slot_at(&self, clock: Option<&SlotClock>, time: Timestamp) -> Slot {
        let slot = clock.and_then(|clock| clock.slot_at(time));
        slot.map_or(self.slot, |slot| slot.max(self.slot))
    }

    /// Whether `slot`, which is the present one or a later one, can still be signaled in.
    pub fn is_free(&self, slot: Slot) -> bool {
        slot >= self.first_free_slot
    }

    /// Whether a payload with `count` signals in the round has won it or still can.
    pub const fn can_win(&self, rules: &RoundRules, count: u32) -> bool {
        rules.can_win(count, self.round, self.first_free_slot)
    }
}

/// A round that can be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushableRound {
    /// The round.
    pub round: Round,
    /// The payload that won it, with the number of its signals.
    pub winner: Leader,
    /// The last second in which it can be pushed, if nothing else happens. `None` if the rollup isn't part
    /// of the set, or if no block can be that late.
    pub until: Option<Timestamp>,
}

impl RoundRules {
    /// A round that can be pushed, and its winner. `clock` is that of the rollup, if it is known.
    pub fn pushable(
        &self,
        round: Round,
        winner: Leader,
        clock: Option<&SlotClock>,
    ) -> PushableRound {
        let until = clock.and_then(|clock| self.push_until(round, clock));
        PushableRound { round, winner, until }
    }
}

impl SetState {
    /// The status of signaling at `proposals` at `now`. Refused when `currentStatus()` reverts.
    pub fn signaling(
        &self,
        proposals: Address,
        now: Timestamp,
        external: &dyn ExternalContracts,
    ) -> Result<SignalingStatus, Refusal> {
        self.ask(proposals, now, external, |frame, proposals| {
            let instance = signaling::canonical(frame, proposals)?;
            let slot = signaling::present_slot(frame, proposals, instance)?;
            // No signal is accepted in a slot beyond 64 bits.
            let slot = Slot::try_from(slot).unwrap_or(Slot::MAX);
            let round = proposals.rules.round_of(slot);
            let tally = proposals.round(instance, round);
            let used = proposals.newest_slot(instance) == Some(slot);
            Ok(SignalingStatus {
                instance,
                slot,
                round,
                leader: tally.and_then(|tally| tally.leader),
                first_free_slot: if used { slot.next() } else { slot },
            })
        })
    }

    /// The winner of `round` of the canonical rollup if `pushProposal` accepts it at `now`, as returned by
    /// `winnerOf(round)`. The error is the refusal. Whether Governance accepts the winner isn't checked.
    pub fn winner(
        &self,
        proposals: Address,
        round: Round,
        now: Timestamp,
        external: &dyn ExternalContracts,
    ) -> Result<Leader, Refusal> {
        self.ask(proposals, now, external, |frame, proposals| {
            let instance = signaling::canonical(frame, proposals)?;
            let present = signaling::present_round(frame, proposals, instance)?;
            let owner = pushing::governance_of(frame, proposals)?;
            let round = round.to_word();
            let (_, leader) = pushing::winner(frame, proposals, instance, round, present, owner)?;
            Ok(leader)
        })
    }

    /// The rounds that have a [winner](Self::winner) at `now`, oldest first, with the times until which
    /// they can be pushed, as returned by `pushableRounds()`. A winner whose actions Governance can't read
    /// is included. If Governance has another Proposals contract, the list is empty.
    pub fn pushable_rounds(
        &self,
        proposals: Address,
        now: Timestamp,
        external: &dyn ExternalContracts,
    ) -> Result<Vec<PushableRound>, Refusal> {
        let status = self.signaling(proposals, now, external)?;
        let governance_proposer = self.ask(proposals, now, external, |frame, state| {
            let owner = pushing::governance_of(frame, state)?;
            Ok(frame.address_word(owner, questions::GOVERNANCE_PROPOSER)?)
        })?;
        if governance_proposer != proposals {
            return Ok(Vec::new());
        }
        let clock = self.rollup(status.instance).map(|rollup| rollup.clock());
        let state = self.proposals(proposals).ok_or(Refusal::OutsideTheSet(proposals))?;
        let mut pushable = Vec::new();
        for (round, _) in state.waiting(status.instance, status.round) {
            match self.winner(proposals, round, now, external) {
                Ok(winner) => pushable.push(state.rules.pushable(round, winner, clock)),
                Err(undecided @ Refusal::OutsideTheSet(_)) => return Err(undecided),
                Err(_) => {}
            }
        }
        Ok(pushable)
    }

    /// The facts that decide which rounds can be pushed at `now` or once the present round is over, oldest
    /// first. Only rounds with signals that weren't pushed are included. Refused like [`Self::signaling`],
    /// and if the Registry belongs to a contract other than this set's Governance.
    pub fn push_candidates(
        &self,
        proposals: Address,
        now: Timestamp,
        external: &dyn ExternalContracts,
    ) -> Result<Vec<PushCandidate>, Refusal> {
        let SignalingStatus { instance, round: present, .. } =
            self.signaling(proposals, now, external)?;
        self.ask(proposals, now, external, |frame, state| {
            let owner = pushing::governance_of(frame, state)?;
            if owner != self.addresses().governance {
                return Err(Refusal::OutsideTheSet(owner));
            }
            let code_hash = |payload| frame.code(payload).hash;
            let waiting = state.waiting(instance, present);
            Ok(waiting
                .filter_map(|(round, tally)| state.candidate(round, tally, code_hash))
                .collect())
        })
    }

    /// Runs a query about a Proposals contract of the set at `now`.
    fn ask<T>(
        &self,
        contract: Address,
        now: Timestamp,
        external: &dyn ExternalContracts,
        question: impl FnOnce(CallFrame<'_>, &Proposals) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let proposals = self.proposals(contract).ok_or(Refusal::OutsideTheSet(contract))?;
        let block = L1Block { timestamp: now, ..self.block() };
        let caller = Address::ZERO;
        let context = Context { caller, block, prevrandao: U256::ZERO, external };
        let guard = ReentrancyGuard::default();
        question(self.frame(contract, &context, &guard), proposals)
    }
}
