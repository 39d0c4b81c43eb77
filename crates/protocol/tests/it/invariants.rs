//! The invariants of every history.

use crate::{
    chain::{ASSET, Chain, GOVERNANCE, ISSUER},
    lock_path::is_open_later,
};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Amount, Call, Ending, Event, Finality, GovernanceCall, GovernanceEvent, Origin, ProposalId,
    ProposalState, Pushed, Rollup, RollupEvent, SetState, Support, Tally, Timestamp, Warning,
};
use std::collections::{BTreeMap, BTreeSet};

/// The facts of a history's past that the invariants need.
#[derive(Debug)]
pub(crate) struct Guard {
    owners: BTreeMap<Address, Address>,
    /// The contracts and the accounts that they go to by the previews of executed proposals.
    offered: BTreeSet<(Address, Address)>,
    executed: BTreeSet<ProposalId>,
    /// The time at which each withdrawal was started.
    left: Vec<Timestamp>,
    versions: u64,
    /// The state of each proposal after the previous step.
    states: Vec<ProposalState>,
    /// Proposals that a ballot has turned from Queued to Rejected.
    tipped: BTreeSet<ProposalId>,
    /// The power cast against each proposal, by the events.
    against: BTreeMap<ProposalId, U256>,
    /// The ballots on each proposal in the second half of its execution delay.
    finals: BTreeMap<ProposalId, Tally>,
}

impl Guard {
    pub(crate) fn new(set: &SetState) -> Self {
        let at = set.addresses();
        let owned = [at.asset, at.issuer, at.registry, at.reward_distributor];
        let owned = owned.into_iter().chain(set.rollups().map(|(rollup, _)| rollup));
        Self {
            owners: owned.map(|contract| (contract, regular_owner(contract))).collect(),
            offered: BTreeSet::new(),
            executed: BTreeSet::new(),
            left: Vec::new(),
            versions: set.registry().number_of_versions(),
            states: Vec::new(),
            tipped: BTreeSet::new(),
            against: BTreeMap::new(),
            finals: BTreeMap::new(),
        }
    }

    pub(crate) fn deployed(&mut self, set: &SetState, contract: Address) {
        if set.rollup(contract).is_some() {
            self.owners.insert(contract, GOVERNANCE);
        }
    }

    /// Checks an accepted call.
    pub(crate) fn called(
        &mut self,
        before: &SetState,
        chain: &Chain,
        call: Option<&Call>,
        events: &[Event],
    ) {
        let mut paid = None;
        for event in events {
            match event {
                Event::Governance(GovernanceEvent::WithdrawInitiated { amount, .. }) => {
                    self.left.push(chain.now());
                    paid = Some(*amount);
                }
                Event::Governance(GovernanceEvent::ProposalFrozen {
                    proposal_id,
                    proposer,
                    ..
                }) => {
                    let (_, proposal) =
                        chain.set.governance().proposal(proposal_id.to_word()).unwrap();
                    let lock = proposal.configuration().propose_config.lock_amount;
                    let through_the_lock = *proposer == GOVERNANCE;
                    assert!(!through_the_lock || paid.take() == Some(lock), "the lock is paid");
                    assert_eq!(through_the_lock, proposal.origin() == Origin::Lock);
                }
                Event::Governance(GovernanceEvent::ProposalExecuted { proposal_id }) => {
                    assert!(self.executed.insert(*proposal_id), "nothing is executed twice");
                    check_acceptance(chain, *proposal_id);
                    self.check_no_majority_against(chain, *proposal_id);
                    self.check_preview(before, chain, *proposal_id);
                }
                Event::Governance(GovernanceEvent::VoteCast {
                    proposal_id,
                    support: Support::Nea,
                    amount,
                    ..
                }) => {
                    *self.against.entry(*proposal_id).or_default() += amount.to_word();
                }
                Event::Rollup(RollupEvent::SeedRecorded { seed, .. }) => {
                    assert_eq!(*seed, chain.prevrandao(), "nobody chooses the seed");
                }
                _ => {}
            }
        }
        self.check_owners(&chain.set);
        if let Some(call) = call {
            check_published_actions(chain, call);
        }
        check_draws(before, chain);
        self.check_rejections(before, chain, events);
        let versions = chain.set.registry().number_of_versions();
        assert!(versions >= self.versions, "the registry only grows");
        assert_eq!(
            before.registry().snapshots(),
            &chain.set.registry().snapshots()[..before.registry().snapshots().len()]
        );
        self.versions = versions;
    }

    /// Checks that contracts are given away only as the preview of an executed proposal says. What happens
    /// to them there isn't Governance's decision any more.
    fn check_owners(&mut self, set: &SetState) {
        for (contract, owner) in &mut self.owners {
            let new_owner = set.ownership(*contract).owner();
            let may = *owner != regular_owner(*contract)
                || self.offered.contains(&(*contract, new_owner));
            assert!(new_owner == *owner || may, "{contract} goes to {new_owner}");
            *owner = new_owner;
        }
    }

    /// Checks the preview of an executed proposal.
    fn check_preview(&mut self, before: &SetState, chain: &Chain, id: ProposalId) {
        let preview = before.preview_proposal(id, chain.block, &chain.foreign).unwrap();
        for warning in preview.warnings {
            if let Warning::OwnershipOffered { contract, new_owner }
            | Warning::OwnershipLost { contract, new_owner } = warning
            {
                self.offered.insert((contract, new_owner));
            }
        }
    }

    /// Checks that only a ballot against a proposal, in time, turns it from Queued to Rejected, and that no
    /// ballot turns Rejected into another state.
    fn check_rejections(&mut self, before: &SetState, chain: &Chain, events: &[Event]) {
        let now = chain.now();
        let (old, new) = (before.governance(), chain.set.governance());
        for (number, was) in (0..).zip(old.proposals()) {
            let id = ProposalId::of(number);
            let states = (old.state(was, now), new.state_of(id, now).unwrap());
            let is_against = |event: &Event| {
                matches!(event, Event::Governance(GovernanceEvent::VoteCast { proposal_id, support, .. })
                    if *proposal_id == id && *support == Support::Nea)
            };
            if states == (ProposalState::Queued, ProposalState::Rejected) {
                assert!(events.iter().any(is_against), "{id} was tipped by a ballot against it");
                assert!(now <= was.deadlines().objections_until, "{id} was tipped in time");
                self.tipped.insert(id);
            }
            if states.0 == ProposalState::Rejected {
                let kept = matches!(states.1, ProposalState::Rejected | ProposalState::Dropped);
                assert!(kept, "{id} was rejected and became {}", states.1);
            }
        }
    }

    /// Checks that no proposal is executed if a majority of the snapshot's power was cast against it in
    /// time.
    fn check_no_majority_against(&self, chain: &Chain, id: ProposalId) {
        let governance = chain.set.governance();
        let (_, proposal) = governance.proposal(id.to_word()).unwrap();
        let snapshot = proposal.deadlines().pending;
        let total = governance.total_power_at(snapshot, chain.now()).unwrap().to_word();
        let against = self.against.get(&id).copied().unwrap_or_default();
        assert!(against * U256::from(2) <= total, "{against} of {total} against {id}");
    }

    /// Checks that states only advance, and that the result doesn't change from the second half of the
    /// execution delay on.
    fn check_state_changes(&mut self, chain: &Chain) {
        use ProposalState::{
            Active, Dropped, Executable, Executed, Expired, Pending, Queued, Rejected,
        };

        let now = chain.now();
        let governance = chain.set.governance();
        for (number, proposal) in (0..).zip(governance.proposals()) {
            let id = ProposalId::of(number);
            let state = governance.state(proposal, now);
            let index = usize::try_from(number).unwrap();
            let before = self.states.get(index).copied().unwrap_or(Pending);
            let goes_on = match before {
                Pending => true,
                Active => state != Pending,
                Queued => !matches!(state, Pending | Active),
                Executable => matches!(state, Executable | Executed | Expired | Dropped),
                Rejected => matches!(state, Rejected | Dropped),
                Expired => matches!(state, Expired | Dropped),
                Executed | Dropped => state == before,
            };
            assert!(goes_on, "{id} was {before} and became {state}");
            if (before, state) == (Queued, Rejected) {
                assert!(self.tipped.contains(&id), "{id} became {state} without a ballot");
            }
            match self.states.get_mut(index) {
                Some(last) => *last = state,
                None => self.states.push(state),
            }
            if now > proposal.deadlines().objections_until {
                let last = *self.finals.entry(id).or_insert_with(|| proposal.tally());
                assert_eq!(last, proposal.tally(), "ballots on {id} in the second half");
            }
        }
    }

    /// Proposals that were turned from Queued to Rejected.
    pub(crate) fn tipped(&self) -> usize {
        self.tipped.len()
    }

    /// Checks the invariants of a state. Called after every step.
    pub(crate) fn check(&mut self, chain: &Chain) {
        let set = &chain.set;
        for (contract, owner) in &self.owners {
            assert_eq!(set.ownership(*contract).owner(), *owner, "the owner of {contract}");
        }
        let supply = set.asset().total_supply();
        let is_open = is_open_later(set.governance(), supply);
        assert!(is_open, "the holders of all of the asset can use the lock");
        self.check_state_changes(chain);
        check_solvency(set);
        check_power(set, chain.now());
        check_ballots(set, chain.now());
        check_signals(set);
    }

    /// Checks that no holder has its tokens back before a proposal on which its ballot counts could be
    /// executed.
    pub(crate) fn end(&self, chain: &Chain) {
        let governance = chain.set.governance();
        let withdrawals = governance.withdrawals().iter().zip(&self.left);
        for (withdrawal, started) in withdrawals {
            for proposal in governance.proposals() {
                let deadlines = proposal.deadlines();
                let counts = *started > deadlines.pending
                    && proposal.ballot(withdrawal.holder).cast() != Some(Amount::ZERO);
                if counts {
                    assert!(withdrawal.unlocks_at >= deadlines.earliest_execution());
                }
            }
        }
    }
}

/// The owner of `contract` unless a proposal changes it.
fn regular_owner(contract: Address) -> Address {
    if contract == ASSET { ISSUER } else { GOVERNANCE }
}

/// Checks that an executed proposal was accepted, is executed in time, and originates from N signals of one
/// round or from the lock.
fn check_acceptance(chain: &Chain, id: ProposalId) {
    let set = &chain.set;
    let governance = set.governance();
    let (_, proposal) = governance.proposal(id.to_word()).unwrap();
    let deadlines = proposal.deadlines();
    assert!(chain.now() >= deadlines.earliest_execution(), "not early");
    assert!(chain.now() <= deadlines.executable, "not after it expired");
    assert!(governance.tabulation(proposal).is_accepted(), "the holders accepted");
    assert_eq!(proposal.ending(), Ending::Executed);
    assert_eq!(proposal.execution(), Some(chain.block), "in this block");
    match proposal.origin() {
        // The payment of its lock was checked when it was created.
        Origin::Lock => {}
        Origin::Pushed { by, .. } => {
            let proposals = set.proposals(by).unwrap();
            let rounds = proposals.instances().flat_map(|instance| proposals.rounds(instance));
            let mut pushed = rounds.filter(|(_, tally)| tally.pushed == Some(Pushed::Proposal(id)));
            let (_, tally) = pushed.next().expect("a round was pushed");
            let leader = tally.leader.unwrap();
            assert_eq!(leader.payload, proposal.payload());
            assert!(leader.count >= proposals.rules().n(), "N signals of one round");
        }
    }
}

/// Checks that only the actions published at the proposal's creation are executed.
fn check_published_actions(chain: &Chain, call: &Call) {
    let (id, actions) = match call {
        Call::Governance(GovernanceCall::ExecuteWith { id, actions }) => (id, actions.clone()),
        Call::Governance(GovernanceCall::Execute { id }) => {
            let (_, proposal) = chain.set.governance().proposal(*id).unwrap();
            (id, chain.listed(proposal.payload()))
        }
        _ => return,
    };
    let (_, proposal) = chain.set.governance().proposal(*id).unwrap();
    assert_eq!(proposal.actions()[..], actions);
}

/// Checks that no call changes the sets that draw the slots of the current and the next epoch. Without a
/// seed there are no proposers, and no seed is recorded in an epoch's first slot.
fn check_draws(before: &SetState, chain: &Chain) {
    let now = chain.now();
    for (address, rollup) in before.rollups() {
        let after = chain.set.rollup(address).unwrap();
        let present = rollup.clock().epoch_at(now).unwrap();
        assert_eq!(draws(rollup, now, 0), draws(after, now, 0), "the draws of {present}");
        assert_eq!(members(rollup, now), members(after, now), "the set after {present}");
        if rollup.finality(present.next(), now) == Ok(Finality::Final) {
            assert_eq!(draws(rollup, now, 1), draws(after, now, 1), "the draws after {present}");
        }
        for (later, epoch) in (0..).zip([present, present.next()]) {
            let seed = after.seed(epoch, now).unwrap();
            let somebody_draws = draws(after, now, later).iter().any(Option::is_some);
            assert!(seed.is_some() || !somebody_draws, "{epoch} has no seed");
            if seed != rollup.seed(epoch, now).unwrap() {
                let slot = after.slot_at(now).unwrap();
                assert!(!after.clock().is_first_of_epoch(slot), "recorded in {slot}");
                assert_eq!(epoch, present.next());
            }
        }
    }
}

/// The proposers of the slots of the epoch that is `later` epochs after the present one.
fn draws(rollup: &Rollup, now: Timestamp, later: u64) -> Vec<Option<Address>> {
    let clock = rollup.clock();
    let present = clock.epoch_at(now).unwrap();
    let epoch = if later == 0 { present } else { present.next() };
    let first = clock.first_slot(epoch).unwrap().get();
    (first..first + clock.epoch_duration.get())
        .map(|slot| {
            let time = clock.slot_start(canon_protocol::Slot::of(slot)).unwrap();
            rollup.member_at(time, now).unwrap().map(|member| member.proposer())
        })
        .collect()
}

/// The set of the next epoch, by seat.
fn members(rollup: &Rollup, now: Timestamp) -> Vec<(Address, Address)> {
    let epoch = rollup.clock().epoch_at(now).unwrap().next();
    (0..rollup.set_size(epoch, now).unwrap())
        .map(|index| rollup.member_of(epoch, index, now).unwrap())
        .map(|member| (member.attester(), member.proposer()))
        .collect()
}

fn sum(amounts: impl Iterator<Item = Amount>) -> U256 {
    amounts.map(Amount::to_word).sum()
}

/// Checks that every contract has the tokens that it owes.
fn check_solvency(set: &SetState) {
    let governance = set.governance();
    let due = governance.withdrawals().iter();
    let due = due.filter(|due| due.payment == canon_protocol::Payment::Due);
    let owed = governance.total_power().to_word() + sum(due.map(|due| due.amount));
    assert!(set.asset().balance_of(GOVERNANCE).to_word() >= owed, "Governance is solvent");
    for (address, rollup) in set.rollups() {
        let owed = sum(rollup.registrations().iter().map(|member| member.stake()));
        assert!(set.asset().balance_of(address).to_word() >= owed, "{address} is solvent");
    }
    let balances = sum(set.asset().balances().map(|(_, balance)| balance));
    assert_eq!(balances, set.asset().total_supply().to_word());
}

/// Checks that total power is the sum of the holders' power, now and at every snapshot.
fn check_power(set: &SetState, now: Timestamp) {
    let governance = set.governance();
    let holders: Vec<Address> = governance.holders().map(|(holder, _)| holder).collect();
    let snapshots = governance.proposals().iter().rev().take(4);
    let times = snapshots.map(|proposal| proposal.deadlines().pending).filter(|at| *at <= now);
    for time in times.chain([now]) {
        let power = |holder: &Address| governance.power_at(*holder, time, now).unwrap();
        let total = governance.total_power_at(time, now).unwrap();
        assert_eq!(sum(holders.iter().map(power)), total.to_word(), "power at {time}");
    }
    let creations = governance.proposals().iter().map(|proposal| proposal.creation());
    assert!(creations.is_sorted(), "creation times don't decrease");
}

/// Checks that no holder casts more power than it had, and that the tallies are the sums of the ballots.
fn check_ballots(set: &SetState, now: Timestamp) {
    let governance = set.governance();
    for proposal in governance.proposals() {
        let snapshot = proposal.deadlines().pending;
        let tally = proposal.tally();
        assert_eq!(sum(proposal.ballots().map(|(_, ballot)| ballot.yea)), tally.yea.to_word());
        assert_eq!(sum(proposal.ballots().map(|(_, ballot)| ballot.nea)), tally.nea.to_word());
        if snapshot >= now {
            assert_eq!(proposal.ballots().count(), 0, "no ballots before the snapshot");
            continue;
        }
        assert!(tally.cast().unwrap() <= governance.total_power_at(snapshot, now).unwrap());
        for (holder, ballot) in proposal.ballots() {
            let power = governance.power_at(holder, snapshot, now).unwrap();
            assert!(ballot.cast().unwrap() <= power, "{holder} cast what it had");
        }
    }
}

/// Checks that there is at most one signal per slot, and at most one payload that wins a round.
fn check_signals(set: &SetState) {
    for (_, proposals) in set.all_proposals() {
        let rules = proposals.rules();
        for (_, tally) in proposals.instances().flat_map(|instance| proposals.rounds(instance)) {
            let counts = || tally.payloads.values().map(|pin| pin.count);
            assert!(counts().sum::<u32>() <= rules.m(), "one signal per slot");
            assert!(counts().filter(|count| *count >= rules.n()).count() <= 1, "one winner");
            let leader = tally.leader.unwrap();
            assert_eq!(Some(leader.count), counts().max());
            assert_eq!(tally.payloads[&leader.payload].count, leader.count);
            if let Some(Pushed::Proposal(id)) = tally.pushed {
                assert!(leader.count >= rules.n());
                let (_, proposal) = set.governance().proposal(id.to_word()).unwrap();
                assert_eq!(proposal.payload(), leader.payload);
            }
        }
    }
}
