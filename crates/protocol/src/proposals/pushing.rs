//! Pushing: the winner of a round becomes a proposal of Governance.

use super::{
    LIFETIME_IN_ROUNDS, Leader, Proposals, ProposalsEvent, ProposalsRefusal, Pushed, RoundRules,
    RoundTally, pinned_code_hash, signaling,
};
use crate::{
    call_frame::{CallFrame, Decision},
    governance::{self, ProposalState},
    questions,
    refusal::Refusal,
    units::{ProposalId, Round},
};
use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

pub(super) fn push(frame: CallFrame<'_>, proposals: &Proposals, round: U256) -> Decision {
    let instance = signaling::canonical(frame, proposals)?;
    let present = signaling::present_round(frame, proposals, instance)?;
    let owner = governance_of(frame, proposals)?;
    let (round, leader) = winner(frame, proposals, instance, round, present, owner)?;
    let payload = leader.payload;

    let mut logs = vec![frame.log(ProposalsEvent::ProposalPushed { payload, round })];
    logs.extend(governance::propose(frame.calling(owner), &frame.set.governance, payload)?);
    Ok(logs)
}

/// Returns the leader of round `number` if it can be pushed to `owner` in round `current_round`. Rounds are
/// words, because a dishonest rollup may report any slot.
pub(super) fn winner(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    instance: Address,
    number: U256,
    current_round: U256,
    owner: Address,
) -> Result<(Round, Leader), Refusal> {
    require_open(number, current_round)?;
    let known = Round::try_from(number).ok();
    let (round, tally) = known
        .and_then(|round| Some((round, proposals.round(instance, round)?)))
        .ok_or(ProposalsRefusal::NoLeader { round: number })?;
    match tally.pushed {
        Some(Pushed::Elsewhere(governance)) => return Err(Refusal::OutsideTheSet(governance)),
        Some(Pushed::Proposal(id)) => {
            let proposal_id = id.to_word();
            return Err(ProposalsRefusal::AlreadyPushed { round: number, proposal_id }.into());
        }
        None => {}
    }
    let candidate = proposals
        .candidate(round, tally, |payload| frame.code(payload).hash)
        .ok_or(ProposalsRefusal::NoLeader { round: number })?;
    let leader = candidate.require_won(&proposals.rules)?;
    // If another contract owns the Registry, it decides whether its last proposal is over.
    if owner != frame.set.addresses().governance {
        return Err(Refusal::OutsideTheSet(owner));
    }
    candidate.require_over(|id| frame.set.governance.state_of(id, frame.now()))?;
    Ok((round, leader))
}

/// Refuses round `number` if it isn't over in round `present`, or is too old then.
fn require_open(number: U256, present: U256) -> Result<(), ProposalsRefusal> {
    let current_round = present;
    if number >= present {
        return Err(ProposalsRefusal::RoundNotOver { round: number, current_round });
    }
    if present - number > U256::from(LIFETIME_IN_ROUNDS) {
        return Err(ProposalsRefusal::RoundExpired { round: number, current_round });
    }
    Ok(())
}

impl Proposals {
    /// The facts that decide whether a round can still be pushed, or `None` if it has no signals.
    /// `code_hash` has to return the result of `EXTCODEHASH`.
    pub(super) fn candidate(
        &self,
        round: Round,
        tally: &RoundTally,
        code_hash: impl FnOnce(Address) -> B256,
    ) -> Option<PushCandidate> {
        let leader = tally.leader?;
        let pin = tally.payloads.get(&leader.payload).map(|pin| pin.code_hash);
        Some(PushCandidate {
            round,
            leader,
            expected_code: pin.unwrap_or_default(),
            found_code: pinned_code_hash(code_hash(leader.payload)),
            latest: self.latest_proposal_of(leader.payload),
        })
    }
}

/// A round with signals that wasn't pushed, and all facts that decide whether `pushProposal` accepts it,
/// except for the present round and the states of proposals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushCandidate {
    /// The round.
    pub round: Round,
    /// Its leader.
    pub leader: Leader,
    /// The leader's code hash at its first signal in the round, with the lowest 24 bits zero.
    pub expected_code: B256,
    /// The leader's code hash now, with the lowest 24 bits zero.
    pub found_code: B256,
    /// The newest proposal that was pushed for the leader.
    pub latest: Option<ProposalId>,
}

impl PushCandidate {
    /// Returns the leader if `pushProposal` accepts the round in round `present`; the error is the refusal.
    /// `state` has to return the state of a proposal at that time. Whether Governance accepts the winner
    /// isn't checked.
    pub fn winner(
        &self,
        rules: &RoundRules,
        present: Round,
        state: impl FnOnce(ProposalId) -> Option<ProposalState>,
    ) -> Result<Leader, ProposalsRefusal> {
        require_open(self.round.to_word(), present.to_word())?;
        let leader = self.require_won(rules)?;
        self.require_over(state)?;
        Ok(leader)
    }

    /// Returns the leader if it has the signals that it needs and its code hash is the pinned one.
    fn require_won(&self, rules: &RoundRules) -> Result<Leader, ProposalsRefusal> {
        let Leader { payload, count } = self.leader;
        if !rules.is_won(count) {
            let (count, needed) = (U256::from(count), U256::from(rules.n()));
            return Err(ProposalsRefusal::QuorumNotReached { leader: payload, count, needed });
        }
        let (expected, found) = (self.expected_code, self.found_code);
        if found != expected {
            return Err(ProposalsRefusal::CodeChanged { payload, expected, found });
        }
        Ok(self.leader)
    }

    /// Refuses the round while the last proposal that was pushed for its leader is live.
    fn require_over(
        &self,
        state: impl FnOnce(ProposalId) -> Option<ProposalState>,
    ) -> Result<(), ProposalsRefusal> {
        match self.latest {
            Some(id) if state(id).is_some_and(ProposalState::is_live) => {
                let payload = self.leader.payload;
                Err(ProposalsRefusal::ProposalLive { payload, proposal_id: id.to_word() })
            }
            _ => Ok(()),
        }
    }
}

/// The owner of the Registry, to which winners are pushed.
pub(super) fn governance_of(
    frame: CallFrame<'_>,
    proposals: &Proposals,
) -> Result<Address, Refusal> {
    Ok(frame.address_word(proposals.registry, questions::GOVERNANCE)?)
}
