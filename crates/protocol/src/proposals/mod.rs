//! Proposals: signals of sequencers, counted per round of the canonical rollup, and pushed to
//! Governance.

mod messages;
mod pushing;
mod rounds;
mod signaling;
mod status;
mod won;

pub use messages::{ProposalsCall, ProposalsEvent, ProposalsRefusal};
pub use pushing::PushCandidate;
pub use rounds::{InvalidRoundRules, LIFETIME_IN_ROUNDS, PushWindow, RoundRules};
pub use status::{PushableRound, SignalingStatus};
pub use won::WonRound;

use crate::{
    apply_error::{Applied, ApplyError, Subject},
    call_frame::{CallFrame, Decision},
    pending::{Pending, Pin, Push},
    stored::{Restored, require, stored},
    units::{ProposalId, Round, Slot},
};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The record of a payload in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadPin {
    /// Its code hash at the first signal. The lowest 24 bits are zero, because the contract doesn't store
    /// them.
    pub code_hash: B256,
    /// The number of its signals.
    pub count: u32,
}

/// The payload with the most signals. If several have as many, it is the one that reached the number first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// The payload.
    #[serde(with = "crate::text::address")]
    pub payload: Address,
    /// The number of its signals.
    pub count: u32,
}

/// The destination to which the winner of a round was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pushed {
    /// Governance, where it is this proposal.
    Proposal(ProposalId),
    /// This contract, which owned the Registry then and isn't part of the set. The events of the set don't
    /// contain its proposal there, if there is one at all.
    Elsewhere(#[serde(with = "crate::text::address")] Address),
}

/// The record of a round of one rollup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTally {
    /// The last slot that was used in it.
    pub last_slot: Option<Slot>,
    /// The leader.
    pub leader: Option<Leader>,
    /// The destination to which it was pushed, if it was.
    pub pushed: Option<Pushed>,
    /// All payloads with signals, with their records.
    pub payloads: BTreeMap<Address, PayloadPin>,
}

/// The record of one rollup's signals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Instance {
    newest_slot: Option<Slot>,
    rounds: BTreeMap<Round, RoundTally>,
}

/// State of a Proposals contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Proposals {
    registry: Address,
    rules: RoundRules,
    instances: BTreeMap<Address, Instance>,
    /// The newest proposal of Governance that was pushed for a payload.
    latest: BTreeMap<Address, ProposalId>,
}

/// The facts that an event of a Proposals contract lacks and the set knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventContext {
    /// The contract.
    pub(crate) this: Address,
    /// The canonical rollup.
    pub(crate) instance: Address,
    /// The owner of the Registry if it isn't Governance.
    pub(crate) elsewhere: Option<Address>,
}

stored!(Proposals);

impl Proposals {
    fn restore(&self) -> Restored {
        for (rollup, instance) in &self.instances {
            let newest = instance.rounds.values().next_back().and_then(|tally| tally.last_slot);
            require(newest.is_some() && newest == instance.newest_slot, || {
                format!("the newest slot of {rollup} isn't the last of its rounds")
            })?;
            for (round, tally) in &instance.rounds {
                require(tally.is_consistent(*round, &self.rules), || {
                    format!("round {round} of {rollup} doesn't add up")
                })?;
            }
        }
        Ok(())
    }

    pub(crate) const fn new(registry: Address, rules: RoundRules) -> Self {
        Self { registry, rules, instances: BTreeMap::new(), latest: BTreeMap::new() }
    }

    /// The Registry, which names the canonical rollup.
    pub const fn registry(&self) -> Address {
        self.registry
    }

    /// N, M, and the rules that follow from them.
    pub const fn rules(&self) -> &RoundRules {
        &self.rules
    }

    /// The record of a round of `instance`, or `None` if there are no signals in it.
    pub fn round(&self, instance: Address, round: Round) -> Option<&RoundTally> {
        self.instances.get(&instance)?.rounds.get(&round)
    }

    /// The rounds of `instance` with signals, oldest first.
    pub fn rounds(&self, instance: Address) -> impl Iterator<Item = (Round, &RoundTally)> {
        let rounds = self.instances.get(&instance).map(|instance| &instance.rounds);
        rounds.into_iter().flatten().map(|(round, tally)| (*round, tally))
    }

    /// The rounds of `instance` with signals that weren't pushed and can be pushed in round `present` or
    /// once that is over, oldest first.
    fn waiting(
        &self,
        instance: Address,
        present: Round,
    ) -> impl Iterator<Item = (Round, &RoundTally)> {
        RoundRules::push_candidates(present)
            .filter_map(move |round| Some((round, self.round(instance, round)?)))
            .filter(|(_, tally)| tally.pushed.is_none())
    }

    /// The rollups with signals.
    pub fn instances(&self) -> impl Iterator<Item = Address> {
        self.instances.keys().copied()
    }

    /// The number of signals for `payload` in a round.
    pub fn yea_count(&self, instance: Address, round: Round, payload: Address) -> u32 {
        let tally = self.round(instance, round);
        tally.and_then(|tally| tally.payloads.get(&payload)).map_or(0, |pin| pin.count)
    }

    /// The newest slot of `instance` that was used for a signal.
    pub fn newest_slot(&self, instance: Address) -> Option<Slot> {
        self.instances.get(&instance)?.newest_slot
    }

    /// The newest proposal of Governance that was pushed for `payload`.
    pub fn latest_proposal_of(&self, payload: Address) -> Option<ProposalId> {
        self.latest.get(&payload).copied()
    }

    /// The newest proposal that was pushed for each payload.
    pub(crate) fn latest_proposals(&self) -> impl Iterator<Item = (Address, ProposalId)> {
        self.latest.iter().map(|(payload, id)| (*payload, *id))
    }

    /// Applies `event`. Returns the facts that the next event completes.
    pub(crate) fn evolve(
        &mut self,
        event: &ProposalsEvent,
        at: EventContext,
    ) -> Result<Option<Pending>, ApplyError> {
        let EventContext { this: proposals, instance, elsewhere } = at;
        Ok(match *event {
            ProposalsEvent::Deployed { .. } | ProposalsEvent::QuorumReached { .. } => None,
            ProposalsEvent::PayloadSeen { payload, code_hash } => {
                Some(Pending::Pin { proposals, pin: Pin { payload, code_hash } })
            }
            ProposalsEvent::SlotUsed { slot } => {
                Some(Pending::Signal { proposals, slot, pin: None })
            }
            ProposalsEvent::VoteCast { .. } => {
                let event = format!("Proposals.{}", event.name());
                return Err(ApplyError::MissingPredecessor { emitter: proposals, event });
            }
            ProposalsEvent::ProposalPushed { payload, round } => {
                let tally = self.tally_mut(instance, round)?;
                if let Some(owner) = elsewhere {
                    tally.pushed = Some(Pushed::Elsewhere(owner));
                    return Ok(None);
                }
                Some(Pending::Push(Push { proposals, instance, round, payload }))
            }
        })
    }

    /// Counts a signal for `payload` in `slot` of `instance`. The first one in a round pins `code_hash`.
    pub(crate) fn count(
        &mut self,
        instance: Address,
        slot: Slot,
        round: Round,
        payload: Address,
        code_hash: Option<B256>,
    ) -> Applied {
        let expected = self.rules.round_of(slot);
        if round != expected {
            return Err(ApplyError::WrongRound { expected, found: round });
        }
        let instance = self.instances.entry(instance).or_default();
        let tally = instance.rounds.entry(round).or_default();
        tally.count(payload, code_hash)?;
        tally.last_slot = Some(slot);
        instance.newest_slot = Some(slot);
        Ok(())
    }

    /// Records that the winner of a round became proposal `id` of Governance.
    pub(crate) fn become_proposal(&mut self, push: Push, id: ProposalId) -> Applied {
        self.tally_mut(push.instance, push.round)?.pushed = Some(Pushed::Proposal(id));
        self.latest.insert(push.payload, id);
        Ok(())
    }

    fn tally_mut(
        &mut self,
        instance: Address,
        round: Round,
    ) -> Result<&mut RoundTally, ApplyError> {
        let rounds = self.instances.get_mut(&instance).map(|instance| &mut instance.rounds);
        rounds
            .and_then(|rounds| rounds.get_mut(&round))
            .ok_or(ApplyError::Unknown(Subject::Round { instance, round }))
    }
}

impl RoundTally {
    /// Whether signals in `round` can lead to this record.
    fn is_consistent(&self, round: Round, rules: &RoundRules) -> bool {
        let counts = || self.payloads.values().map(|pin| pin.count);
        let leader = self.leader.and_then(|leader| {
            let pin = self.payloads.get(&leader.payload)?;
            Some(pin.count).filter(|count| *count == leader.count)
        });
        self.last_slot.is_some_and(|slot| rules.round_of(slot) == round)
            && counts().all(|count| count > 0)
            && counts().map(u64::from).sum::<u64>() <= u64::from(rules.m())
            && leader == counts().max()
    }

    /// Counts a signal for `payload`. The first one pins `code_hash`. The leader changes only if another
    /// payload has strictly more signals.
    fn count(&mut self, payload: Address, code_hash: Option<B256>) -> Applied {
        if let Some(code_hash) = code_hash {
            let code_hash = pinned_code_hash(code_hash);
            self.payloads.insert(payload, PayloadPin { code_hash, count: 0 });
        }
        let pin = self.payloads.get_mut(&payload);
        let pin = pin.ok_or(ApplyError::Unknown(Subject::Payload(payload)))?;
        pin.count += 1;
        let count = pin.count;
        if self.leader.is_none_or(|leader| count > leader.count) {
            self.leader = Some(Leader { payload, count });
        }
        Ok(())
    }
}

/// The part of a code hash that Proposals pins: its highest 232 bits.
pub fn pinned_code_hash(code_hash: B256) -> B256 {
    let mut pinned = code_hash;
    pinned[29..].fill(0);
    pinned
}

pub(crate) fn decide(
    frame: CallFrame<'_>,
    proposals: &Proposals,
    call: &ProposalsCall,
) -> Decision {
    match call {
        ProposalsCall::Vote { payload } => signaling::vote(frame, proposals, *payload),
        ProposalsCall::VoteWithSig { payload, signature } => {
            signaling::vote_with_sig(frame, proposals, *payload, signature)
        }
        ProposalsCall::PushProposal { round } => pushing::push(frame, proposals, *round),
    }
}
