//! Views made from the fold of the set's events.

use crate::{
    present::{
        AttesterView, BallotView, BlockView, GovernanceView, HolderView, PayloadView, Present,
        ProposalView, RollupView, SeedStatus, SetAddresses, SetView, SignalingView,
    },
    question::Question,
};
use alloy_primitives::Address;
use canon_protocol::{
    Code, CodeKind, ExternalContracts, Governance, Origin, Proposal, ProposalId, Rollup, Seconds,
    SetState, Slot, Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl SetView {
    /// The set at `block`, with its history. `state` is folded from all events up to the block, and
    /// `external` answers as of the block. The next block is expected `block_time` after it.
    pub fn of_state(
        state: Arc<SetState>,
        external: &dyn ExternalContracts,
        block: BlockView,
        question: &Question,
        block_time: Seconds,
    ) -> Self {
        let present = Present::of_state(&state, external, block, question, block_time);
        Self { present, history: Some(state) }
    }
}

impl Present {
    /// The set at `block`. `state` is folded from all events up to the block, and `external` answers as
    /// of the block. The next block is expected `block_time` after it.
    ///
    /// Rollups and Proposals contracts outside the set count as not answering, since their events aren't
    /// known.
    pub fn of_state(
        state: &SetState,
        external: &dyn ExternalContracts,
        block: BlockView,
        question: &Question,
        block_time: Seconds,
    ) -> Self {
        let (now, next) = (block.timestamp, block.timestamp + block_time);
        let maker = ViewMaker { state, external, now, next };
        let rollups = maker.rollups(question);
        let signaling = maker.signaling();
        let governance = state.governance();
        let withdrawal =
            |id| Some((*governance.withdrawals().get(usize::try_from(id).ok()?)?).into());
        let withdrawals = question.withdrawals.iter();
        Self {
            chain_id: state.addresses().chain_id,
            block,
            next,
            addresses: SetAddresses::of_state(state),
            governance: maker.governance(),
            payloads: (question.payloads.iter())
                .map(|payload| (*payload, maker.payload(*payload, signaling.as_ref(), &rollups)))
                .collect(),
            signaling,
            rollups,
            holders: (question.holders.iter())
                .map(|(holder, asked)| (*holder, maker.holder(*holder, asked)))
                .collect(),
            withdrawals: withdrawals.filter_map(|id| Some((*id, withdrawal(id.get())?))).collect(),
        }
    }
}

impl SetAddresses {
    /// The addresses of the contracts in use in `state`.
    pub fn of_state(state: &SetState) -> Self {
        let at = state.addresses();
        let rollup = state.canonical_rollup();
        Self {
            registry: at.registry,
            governance: at.governance,
            proposals: state.governance().governance_proposer(),
            asset: at.asset,
            issuer: state.ownership(at.asset).owner(),
            rollup: state.registry().rollup(),
            reward_distributor: rollup.map(|(_, rollup)| rollup.parameters().reward_distributor),
        }
    }
}

/// A state, and the times of the two blocks for which a view of it is made.
#[derive(Clone, Copy)]
struct ViewMaker<'a> {
    state: &'a SetState,
    external: &'a dyn ExternalContracts,
    /// The time of the block.
    now: Timestamp,
    next: Timestamp,
}

impl ViewMaker<'_> {
    fn governance(&self) -> GovernanceView {
        let governance = self.state.governance();
        let proposals = (0..).zip(governance.proposals()).filter_map(|(id, proposal)| {
            Some(self.proposal(governance, ProposalId::new(id)?, proposal))
        });
        GovernanceView {
            configuration: governance.configuration(),
            configuration_id: governance.configuration_id(),
            exit_floor: governance.exit_floor(),
            total_power: governance.total_power(),
            withdrawal_count: governance.withdrawals().len() as u64,
            proposals: proposals.collect(),
        }
    }

    fn proposal(
        &self,
        governance: &Governance,
        id: ProposalId,
        proposal: &Proposal,
    ) -> ProposalView {
        ProposalView {
            id,
            state: governance.state(proposal, self.now),
            ending: proposal.ending(),
            payload: proposal.payload(),
            pushed_by: match proposal.origin() {
                Origin::Lock => None,
                Origin::Pushed { by, .. } => Some(by),
            },
            creation: proposal.creation(),
            configuration: *proposal.configuration(),
            tally: proposal.tally(),
            actions_hash: proposal.actions_hash(),
            total_power: governance.total_power_on(proposal, self.now),
        }
    }

    fn signaling(&self) -> Option<SignalingView> {
        let contract = self.state.governance().governance_proposer();
        Some(SignalingView {
            rules: *self.state.proposals(contract)?.rules(),
            status: self.state.signaling(contract, self.now, self.external).ok()?,
            rounds: self.state.push_candidates(contract, self.now, self.external).ok()?,
        })
    }

    fn rollups(&self, question: &Question) -> BTreeMap<Address, RollupView> {
        let canonical = self.state.registry().rollup();
        let none = BTreeSet::new();
        let asked = question.rollups.iter().map(|(rollup, attesters)| (*rollup, attesters));
        // The rollups asked for come last, so that their attesters take precedence.
        let all = [(canonical, &none)].into_iter().chain(asked);
        let known = all.filter_map(|(address, attesters)| {
            Some((address, self.rollup(self.state.rollup(address)?, attesters)))
        });
        known.collect()
    }

    fn rollup(&self, rollup: &Rollup, attesters: &BTreeSet<Address>) -> RollupView {
        let clock = *rollup.clock();
        let slot = clock.slot_at(self.next);
        let epoch = slot.map(|slot| clock.epoch_of(slot));
        let size = |epoch| rollup.set_size(epoch, self.now).ok();
        let member = rollup.member_at(self.next, self.next).ok().flatten();
        RollupView {
            registry: Some(rollup.parameters().registry),
            clock,
            minimum_stake: rollup.parameters().minimum_stake,
            exit_delay: rollup.parameters().exit_delay,
            slot,
            proposer: member.map(|member| member.proposer()),
            head: rollup.head(),
            seed: slot.map_or(SeedStatus::NotYet, |slot| self.seed(rollup, slot)),
            set_size: epoch.and_then(size),
            next_set_size: epoch.and_then(|epoch| size(epoch.next())),
            attesters: (attesters.iter())
                .map(|attester| {
                    let member = rollup.member(*attester);
                    (*attester, member.map(AttesterView::from).unwrap_or_default())
                })
                .collect(),
        }
    }

    /// The status of the seed of the epoch after that of `slot`, the slot of the next block.
    fn seed(&self, rollup: &Rollup, slot: Slot) -> SeedStatus {
        let Some(epoch) = rollup.clock().recordable_epoch(slot) else { return SeedStatus::NotYet };
        if rollup.has_seed(epoch) { SeedStatus::Recorded } else { SeedStatus::Missing(epoch) }
    }

    fn payload(
        &self,
        payload: Address,
        signaling: Option<&SignalingView>,
        rollups: &BTreeMap<Address, RollupView>,
    ) -> PayloadView {
        let governance_proposer = self.state.governance().governance_proposer();
        let proposals = self.state.proposals(governance_proposer);
        let round = signaling.map(|SignalingView { rules, status, .. }| {
            let clock = rollups.get(&status.instance).map(|rollup| &rollup.clock);
            rules.round_of(status.slot_at(clock, self.next))
        });
        let signals = proposals.zip(signaling).zip(round).map(|((proposals, signaling), round)| {
            proposals.yea_count(signaling.status.instance, round, payload)
        });
        PayloadView { code: self.code(payload), round, signals: signals.unwrap_or_default() }
    }

    /// The code at `account`. A contract of the set has code of its own.
    fn code(&self, account: Address) -> Code {
        let code = self.external.code(account);
        match self.state.role_of(account) {
            Some(_) => Code { kind: CodeKind::Contract, ..code },
            None => code,
        }
    }

    fn holder(&self, holder: Address, asked: &BTreeSet<ProposalId>) -> HolderView {
        let (asset, governance) = (self.state.asset(), self.state.governance());
        let proposals = (0..).zip(governance.proposals());
        let ballots = proposals.filter_map(|(id, proposal)| {
            let id = ProposalId::new(id)?;
            let state = governance.state(proposal, self.now);
            let power = governance.power_on(proposal, holder, self.now);
            let (cast, nonce) = (proposal.ballot(holder), proposal.ballot_nonce(holder));
            let is_votable = proposal.deadlines().is_votable(state, self.now);
            (is_votable || asked.contains(&id)).then_some((id, BallotView { cast, power, nonce }))
        });
        HolderView {
            balance: asset.balance_of(holder),
            allowance: asset.allowance(holder, self.state.addresses().governance),
            permit_nonce: asset.nonce(holder),
            power: governance.power(holder),
            ballots: ballots.collect(),
        }
    }
}
