//! Reads the chain once per block.

use crate::view::{Block, PayloadStatus, RollupView, Seed, Signaling, View};
use alloy_eips::BlockId;
use alloy_primitives::{
    Address,
    map::{AddressMap, AddressSet, HashMap},
};
use canon_chain::{Client, Deployment, Error, ProposalSnapshot, Result, RollupRules};
use canon_protocol::{Epoch, ProposalId, ProposalState, Round, RoundRules, Slot, Timestamp};
use canon_views::BlockView;
use std::sync::Arc;

/// Of how many blocks the receipts are kept, so that nobody misses one who missed a view.
const WINDOW: usize = 8;

/// How many blocks it reads receipts of when it comes late. A daemon that slept longer starts from
/// the state alone.
const CATCH_UP: u64 = 64;

/// Reads what agents need to know of each block, once for all of them.
#[derive(Debug)]
pub struct Watcher {
    client: Client,
    registry: Address,
    rollups: AddressSet,
    payloads: AddressSet,
    recent: Vec<Block>,
    reorganizations: u64,
    deployment: Option<Deployment>,
    rollup_rules: AddressMap<RollupRules>,
    round_rules: AddressMap<RoundRules>,
    leaders: HashMap<(Address, Address, Round), Option<Address>>,
    proposals: Vec<ProposalSnapshot>,
    recorded: AddressMap<Epoch>,
}

impl Watcher {
    /// Watches the set of a Registry. The canonical rollup is always watched.
    pub fn new(client: Client, registry: Address) -> Self {
        Self {
            client,
            registry,
            rollups: AddressSet::default(),
            payloads: AddressSet::default(),
            recent: Vec::new(),
            reorganizations: 0,
            deployment: None,
            rollup_rules: AddressMap::default(),
            round_rules: AddressMap::default(),
            leaders: HashMap::default(),
            proposals: Vec::new(),
            recorded: AddressMap::default(),
        }
    }

    /// Also watches a rollup that isn't canonical (yet, or any more).
    pub fn watch_rollup(&mut self, rollup: Address) {
        self.rollups.insert(rollup);
    }

    /// Watches a payload.
    pub fn watch_payload(&mut self, payload: Address) {
        self.payloads.insert(payload);
    }

    /// Reads the newest block; `next` is the expected time of the one after it.
    ///
    /// A rollup that doesn't answer is left out of the view: governance has to work whatever a
    /// rollup does.
    ///
    /// # Errors
    ///
    /// If the endpoint or the set's own contracts don't answer.
    pub async fn look(&mut self, next: Timestamp) -> Result<View> {
        let head = self.client.head().await?;
        self.follow(head).await?;
        let deployment = self.deployment(&head).await?;
        let at = BlockId::from(head.hash);
        self.read_proposals(at, &deployment).await?;
        let mut rollups = AddressMap::default();
        let watched: Vec<_> = self.rollups.iter().copied().chain([deployment.rollup]).collect();
        for rollup in watched {
            if let Some(view) = answer(self.rollup(at, rollup, next).await)? {
                rollups.insert(rollup, view);
            }
        }
        let signaling = answer(self.signaling(at, &deployment).await)?;
        let mut payloads = AddressMap::default();
        if let (Some(signaling), Some(rollup)) = (&signaling, rollups.get(&deployment.rollup)) {
            for payload in self.payloads.clone() {
                let status = self.payload(at, &deployment, signaling, rollup.slot, payload).await?;
                payloads.insert(payload, status);
            }
        }
        let (proposals, blocks) = (self.proposals.clone(), self.recent.clone());
        let reorganizations = self.reorganizations;
        Ok(View {
            head,
            next,
            deployment,
            rollups,
            signaling,
            proposals,
            payloads,
            blocks,
            reorganizations,
        })
    }

    /// The set, read in full only when what it hangs on has changed.
    async fn deployment(&mut self, head: &BlockView) -> Result<Deployment> {
        let at = BlockId::from(head.hash);
        if let Some(known) = self.deployment {
            let rollup = self.client.canonical_rollup(at, self.registry).await?;
            let (governance, proposals) = self.client.governance_of(at, self.registry).await?;
            if (known.rollup, known.governance, known.proposals) == (rollup, governance, proposals)
            {
                return Ok(known);
            }
        }
        let read = Deployment::at(&self.client, self.registry, at).await?;
        if self.deployment.is_some_and(|known| known.governance != read.governance) {
            self.proposals.clear();
        }
        if self.deployment.is_some_and(|known| known.proposals != read.proposals) {
            // Proposals of the replaced contract are dropped now, also those that had ended.
            let at = BlockId::from(head.hash);
            for proposal in &mut self.proposals {
                if !is_stored(proposal) {
                    *proposal = self.client.proposal(at, read.governance, proposal.id).await?;
                }
            }
        }
        self.deployment = Some(read);
        Ok(read)
    }

    async fn read_proposals(&mut self, at: BlockId, set: &Deployment) -> Result<()> {
        for proposal in &mut self.proposals {
            if is_over(proposal) {
                continue;
            }
            let state = self.client.proposal_state(at, set.governance, proposal.id).await?;
            // That a proposal is dropped is stored later than it is so.
            if state != proposal.state || state == ProposalState::Dropped {
                *proposal = self.client.proposal(at, set.governance, proposal.id).await?;
            }
        }
        let count = self.client.proposal_count(at, set.governance).await?;
        for id in self.proposals.len() as u64..count {
            let proposal = self.client.proposal(at, set.governance, ProposalId::of(id)).await?;
            self.proposals.push(proposal);
        }
        Ok(())
    }

    async fn rollup(
        &mut self,
        at: BlockId,
        rollup: Address,
        next: Timestamp,
    ) -> Result<RollupView> {
        let rules = match self.rollup_rules.get(&rollup) {
            Some(rules) => *rules,
            None => {
                let rules = self.client.rollup_rules(at, rollup).await?;
                self.rollup_rules.insert(rollup, rules);
                rules
            }
        };
        let slot = rules.clock.slot_at(next);
        let proposer = match slot {
            Some(_) => self.client.proposer_at(at, rollup, next).await?,
            None => None,
        };
        let (block, block_slot) = self.client.newest_block(at, rollup).await?;
        let seed = match slot {
            Some(slot) => self.seed(at, rollup, slot, block_slot, &rules).await?,
            None => Seed::NotYet,
        };
        Ok(RollupView { rules, slot, proposer, block, block_slot, seed })
    }

    /// Whether the seed of the epoch after `slot`'s is recorded. A block after the epoch's first slot
    /// proves it without asking.
    async fn seed(
        &mut self,
        at: BlockId,
        rollup: Address,
        slot: Slot,
        block_slot: Option<Slot>,
        rules: &RollupRules,
    ) -> Result<Seed> {
        let epoch = rules.clock.epoch_of(slot);
        let first = rules.clock.first_slot(epoch).unwrap_or(Slot::MAX);
        if slot == first {
            return Ok(Seed::NotYet);
        }
        let next = epoch.next();
        let known = self.recorded.get(&rollup).is_some_and(|recorded| *recorded >= next);
        let by_block = block_slot.is_some_and(|slot| slot > first);
        if known || by_block || self.client.is_seed_recorded(at, rollup, next).await? {
            self.recorded.insert(rollup, next);
            return Ok(Seed::Recorded);
        }
        Ok(Seed::Missing(next))
    }

    async fn signaling(&mut self, at: BlockId, set: &Deployment) -> Result<Signaling> {
        let rules = match self.round_rules.get(&set.proposals) {
            Some(rules) => *rules,
            None => {
                let rules = self.client.round_rules(at, set.proposals).await?;
                self.round_rules.insert(set.proposals, rules);
                rules
            }
        };
        let status = self.client.signal_status(at, set.proposals).await?;
        let mut pushable = Vec::new();
        for round in self.client.pushable_rounds(at, set.proposals).await? {
            if let Some(leader) = self.leader(at, set, round).await? {
                pushable.push((round, leader));
            }
        }
        Ok(Signaling { rules, status, pushable })
    }

    /// Who leads a round that is over: that doesn't change any more.
    async fn leader(
        &mut self,
        at: BlockId,
        set: &Deployment,
        round: Round,
    ) -> Result<Option<Address>> {
        let key = (set.proposals, set.rollup, round);
        if let Some(leader) = self.leaders.get(&key) {
            return Ok(*leader);
        }
        let leader = self.client.round(at, set.proposals, set.rollup, round).await?.leader;
        self.leaders.insert(key, leader);
        Ok(leader)
    }

    async fn payload(
        &self,
        at: BlockId,
        set: &Deployment,
        signaling: &Signaling,
        slot: Option<Slot>,
        payload: Address,
    ) -> Result<PayloadStatus> {
        let of_payload = || self.proposals.iter().rev().filter(|p| p.payload == payload);
        let executed = of_payload().find(|p| p.state == ProposalState::Executed);
        if let Some(proposal) = executed {
            return Ok(PayloadStatus::Executed { id: proposal.id });
        }
        // Proposals through the lock neither hinder nor replace a signal.
        let pushed = of_payload().find(|p| p.proposer != set.governance);
        if let Some(live) = pushed.filter(|p| p.state.is_live()) {
            return Ok(PayloadStatus::Live { id: live.id, state: live.state });
        }
        if let Some((round, _)) = signaling.pushable.iter().find(|(_, leader)| *leader == payload) {
            return Ok(PayloadStatus::QuorumReached { round: *round });
        }
        if let Some(round) = slot.map(|slot| signaling.rules.round_of(slot)) {
            let count = self.client.signals(at, set.proposals, set.rollup, round, payload).await?;
            if count >= signaling.rules.n() {
                return Ok(PayloadStatus::QuorumReached { round });
            }
            if count > 0 {
                return Ok(PayloadStatus::Signaling { round, count });
            }
            // Just over, and not pushable before the head is in the next round.
            if round != signaling.status.round {
                let before = signaling.status;
                let won = before.leader == Some(payload) && before.count >= signaling.rules.n();
                if won {
                    return Ok(PayloadStatus::QuorumReached { round: before.round });
                }
            }
        }
        Ok(pushed.map_or(PayloadStatus::None, |proposal| match proposal.state {
            ProposalState::Rejected => PayloadStatus::Rejected { id: proposal.id },
            ProposalState::Expired => PayloadStatus::Expired { id: proposal.id },
            ProposalState::Dropped => PayloadStatus::Dropped { id: proposal.id },
            ProposalState::Executed => PayloadStatus::Executed { id: proposal.id },
            state @ (ProposalState::Pending
            | ProposalState::Active
            | ProposalState::Queued
            | ProposalState::Executable) => PayloadStatus::Live { id: proposal.id, state },
        }))
    }

    /// Reads the receipts of the blocks up to `head`. If they don't follow on those that were seen,
    /// the chain was reorganized, and all that was read is read again.
    async fn follow(&mut self, head: BlockView) -> Result<()> {
        let Some(last) = self.recent.last().map(|block| block.head) else {
            return self.start(head, head.number.get()).await;
        };
        if last.hash == head.hash {
            return Ok(());
        }
        let missed = head.number.steps_since(last.number).unwrap_or_default();
        if missed > CATCH_UP {
            return self.start(head, head.number.get()).await;
        }
        let mut new = Vec::new();
        let mut child = head;
        while child.number > last.number.next() {
            new.push(child);
            child = self.client.block(child.parent.into()).await?;
        }
        if child.parent != last.hash {
            self.forget();
            let window = u64::try_from(WINDOW).unwrap_or(u64::MAX);
            return self.start(head, head.number.get().saturating_sub(window - 1)).await;
        }
        new.push(child);
        let keep = WINDOW.max(new.len());
        for head in new.into_iter().rev() {
            self.read_block(head).await?;
        }
        self.recent.drain(..self.recent.len().saturating_sub(keep));
        Ok(())
    }

    /// Begins with the blocks from `first` to `head`.
    async fn start(&mut self, head: BlockView, first: u64) -> Result<()> {
        self.recent.clear();
        for number in first..head.number.get() {
            let head = self.client.block(number.into()).await?;
            self.read_block(head).await?;
        }
        self.read_block(head).await
    }

    async fn read_block(&mut self, head: BlockView) -> Result<()> {
        let receipts = Arc::new(self.client.receipts(head.hash.into()).await?);
        self.recent.push(Block { head, receipts });
        Ok(())
    }

    /// What blocks decided that aren't on the chain any more.
    fn forget(&mut self) {
        self.reorganizations += 1;
        self.deployment = None;
        self.leaders.clear();
        self.proposals.clear();
        self.recorded.clear();
    }
}

/// The contract will never store anything else.
const fn is_stored(proposal: &ProposalSnapshot) -> bool {
    matches!(proposal.stored, ProposalState::Executed | ProposalState::Dropped)
}

/// Time won't change its state; replacing Proposals may.
const fn is_over(proposal: &ProposalSnapshot) -> bool {
    is_stored(proposal)
        || matches!(proposal.state, ProposalState::Rejected | ProposalState::Expired)
}

/// A contract's refusal or nonsense is an answer; an endpoint's failure is an error.
fn answer<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(
            Error::Refused { .. }
            | Error::BadAnswer { .. }
            | Error::OutOfRange { .. }
            | Error::NoCode { .. },
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
