//! Proposals: signals of sequencers, counted per round of the canonical rollup, and pushed to
//! Governance.

mod messages;
mod pushing;
mod rounds;
mod signaling;
mod status;

pub use messages::{ProposalsCall, ProposalsEvent, ProposalsRefusal};
pub use pushing::PushCandidate;
pub use rounds::{InvalidRoundRules, LIFETIME_IN_ROUNDS, PushWindow, RoundRules};
pub use status::{PushableRound, SignalingStatus};

use crate::{
    call_frame::{CallFrame, Decision},
    refusal::{Applied, ApplyError},
    units::{ProposalId, Round, Slot},
};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of a payload in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadPin {
    /// Its code hash at the first signal, with the lowest 24 bits zero: what the contract keeps.
    pub code_hash: B256,
    /// Its signals.
    pub count: u32,
}

/// The payload with the most signals; of several, the one that had them first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// The payload.
    #[serde(with = "crate::json::checksummed")]
    pub payload: Address,
    /// Its signals.
    pub count: u32,
}

/// Where the winner of a round was pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pushed {
    /// To Governance, where it is this proposal.
    Proposal(ProposalId),
    /// To this contract, which had the Registry then and is not of the set: events of the set don't
    /// say which proposal it is there, if it is one at all.
    Elsewhere(#[serde(with = "crate::json::checksummed")] Address),
}

/// What is known of a round of one rollup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTally {
    /// The last slot that was used in it.
    pub last_slot: Option<Slot>,
    /// Who leads.
    pub leader: Option<Leader>,
    /// Whether it was pushed, and where to.
    pub pushed: Option<Pushed>,
    /// All that was signaled for.
    pub payloads: BTreeMap<Address, PayloadPin>,
}

/// What is known of one rollup's signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Instance {
    newest_slot: Option<Slot>,
    rounds: BTreeMap<Round, RoundTally>,
}

/// What the events before a `VoteCast` say about that signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PendingSignal {
    /// Its slot.
    slot: Option<Slot>,
    /// The code hash that it pins, if it is the payload's first in the round.
    pin: Option<B256>,
}

/// State of a Proposals contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposals {
    registry: Address,
    rules: RoundRules,
    instances: BTreeMap<Address, Instance>,
    /// The newest proposal of Governance that was pushed for a payload.
    latest: BTreeMap<Address, ProposalId>,
    /// The signal whose `VoteCast` follows.
    pending: PendingSignal,
}

/// What the set knows about an event of a Proposals contract, and the event doesn't say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventContext {
    /// The canonical rollup.
    pub(crate) instance: Address,
    /// Where a winner is pushed to, and what it becomes there.
    pub(crate) pushed: Pushed,
}

impl Proposals {
    pub(crate) fn new(registry: Address, rules: RoundRules) -> Self {
        Self {
            registry,
            rules,
            instances: BTreeMap::new(),
            latest: BTreeMap::new(),
            pending: PendingSignal::default(),
        }
    }

    /// Who says which rollup is canonical.
    pub const fn registry(&self) -> Address {
        self.registry
    }

    /// N, M, and what follows from them.
    pub const fn rules(&self) -> &RoundRules {
        &self.rules
    }

    /// A round of `instance`, if there was a signal in it.
    pub fn round(&self, instance: Address, round: Round) -> Option<&RoundTally> {
        self.instances.get(&instance)?.rounds.get(&round)
    }

    /// The rounds of `instance` with signals, oldest first.
    pub fn rounds(&self, instance: Address) -> impl Iterator<Item = (Round, &RoundTally)> {
        let rounds = self.instances.get(&instance).map(|instance| &instance.rounds);
        rounds.into_iter().flatten().map(|(round, tally)| (*round, tally))
    }

    /// The rounds of `instance` with signals from `first` to `last`, oldest first.
    fn rounds_between(
        &self,
        instance: Address,
        first: Round,
        last: Round,
    ) -> impl Iterator<Item = (Round, &RoundTally)> {
        let rounds =
            self.instances.get(&instance).map(|instance| instance.rounds.range(first..=last));
        rounds.into_iter().flatten().map(|(round, tally)| (*round, tally))
    }

    /// The rollups with signals.
    pub fn instances(&self) -> impl Iterator<Item = Address> {
        self.instances.keys().copied()
    }

    /// Signals for `payload` in a round.
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

    pub(crate) fn evolve(&mut self, event: &ProposalsEvent, at: EventContext) -> Applied {
        match event {
            ProposalsEvent::Deployed { .. } | ProposalsEvent::QuorumReached { .. } => {}
            ProposalsEvent::PayloadSeen { code_hash, .. } => {
                self.pending.pin = Some(pinned(*code_hash));
            }
            ProposalsEvent::SlotUsed { slot } => self.pending.slot = Some(*slot),
            ProposalsEvent::VoteCast { payload, round, .. } => {
                let PendingSignal { slot, pin } = core::mem::take(&mut self.pending);
                let slot = slot.ok_or(ApplyError::Unknown)?;
                let instance = self.instances.entry(at.instance).or_default();
                instance.newest_slot = Some(slot);
                let tally = instance.rounds.entry(*round).or_default();
                tally.last_slot = Some(slot);
                tally.count(*payload, pin)?;
            }
            ProposalsEvent::ProposalPushed { payload, round } => {
                let instance = self.instances.get_mut(&at.instance).ok_or(ApplyError::Unknown)?;
                let tally = instance.rounds.get_mut(round).ok_or(ApplyError::Unknown)?;
                tally.pushed = Some(at.pushed);
                if let Pushed::Proposal(id) = at.pushed {
                    self.latest.insert(*payload, id);
                }
            }
        }
        Ok(())
    }
}

impl RoundTally {
    /// One more signal for `payload`, which was pinned to `code_hash` if it is the first. The leader
    /// changes only on a strictly greater count.
    fn count(&mut self, payload: Address, code_hash: Option<B256>) -> Applied {
        if let Some(code_hash) = code_hash {
            self.payloads.insert(payload, PayloadPin { code_hash, count: 0 });
        }
        let pin = self.payloads.get_mut(&payload).ok_or(ApplyError::Unknown)?;
        pin.count += 1;
        let count = pin.count;
        if self.leader.is_none_or(|leader| count > leader.count) {
            self.leader = Some(Leader { payload, count });
        }
        Ok(())
    }
}

/// What is pinned of a code hash: its highest 232 bits.
pub(crate) fn pinned(code_hash: B256) -> B256 {
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
