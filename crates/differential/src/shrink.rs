//! Shrinking of a history that shows a difference.
//!
//! Steps are left out or replaced by simpler ones, as long as the remaining steps show the same
//! difference: the same function and the same errors or events that differ, whatever the values. Times
//! don't change, so that a step stays before or after the deadlines that it was chosen for; ids, callers
//! and signatures are adapted (see [`crate::replay`]). Candidates are tried in a fixed order without
//! randomness, so the same history always gives the same steps.
//!
//! One round leaves out the refused steps and those that a reorganization took back, then all calls of
//! one function or of one caller. It then replaces complex steps by simpler ones: a pushed proposal by
//! one made through the lock, signed calls by plain ones, several ballots by one of a voter's whole
//! power, several payloads by one. At last it leaves out halves, quarters and so on down to single steps,
//! and single steps without adapting the others. Rounds are repeated until one leaves out nothing.
//! Finally amounts are lowered, after which further steps may be unnecessary. All of this takes at most
//! 1,000 replays, for most histories 20 to 250; the steps found by then are the result.

use crate::{
    history::{Difference, RecordedAction, RecordedStep, Shrunk},
    lockstep::Lockstep,
    mismatch::Mismatch,
    replay::{Entry, Proposed, Replayer},
};
use alloy_primitives::{Address, U256};
use canon_protocol::{Amount, AssetCall, Call, GovernanceCall, ProposalsCall, RollupCall};
use canon_testkit::histories::Step;
use std::collections::BTreeSet;

/// The largest number of replays.
const MAX_REPLAYS: usize = 1000;

impl Difference {
    /// Returns the same difference with fewer and simpler steps, found in at most 1,000 replays. The
    /// result depends only on the difference and its steps.
    #[must_use]
    pub fn shrink(self) -> Self {
        self.shrink_with(|_, _| {})
    }

    /// As [`Self::shrink`], for a history that was run with `before_step`.
    #[must_use]
    pub fn shrink_with(self, before_step: impl FnMut(&Lockstep, u64)) -> Self {
        let Self { history, mismatch, steps, .. } = self;
        let from = steps.len();
        let entries = steps.into_iter().map(Entry::verbatim).collect();
        let mut shrinker = Shrinker {
            replayer: Replayer::new(history),
            mismatch,
            entries,
            replays: 0,
            needed: BTreeSet::new(),
            before_step,
        };
        shrinker.shrink();
        let steps = shrinker.entries.into_iter().map(|entry| entry.recorded).collect();
        let shrunk = Some(Shrunk { from, replays: shrinker.replays });
        Self { history, mismatch: shrinker.mismatch, steps, shrunk }
    }

    /// Replays the steps. Returns the first difference, or `None` if there is none.
    pub fn replay(&self) -> Option<Mismatch> {
        self.replay_with(|_, _| {})
    }

    /// As [`Self::replay`], for a history that was run with `before_step`.
    pub fn replay_with(&self, mut before_step: impl FnMut(&Lockstep, u64)) -> Option<Mismatch> {
        let entries: Vec<_> = self.steps.iter().cloned().map(Entry::verbatim).collect();
        let shown = Replayer::new(self.history).replay(&entries, true, &mut before_step);
        shown.map(|(mismatch, _)| mismatch)
    }
}

struct Shrinker<M> {
    replayer: Replayer,
    /// The difference that the present steps show.
    mismatch: Mismatch,
    /// The present steps.
    entries: Vec<Entry>,
    replays: usize,
    /// The indices of refused steps that are needed to show the difference.
    needed: BTreeSet<u64>,
    before_step: M,
}

impl<M: FnMut(&Lockstep, u64)> Shrinker<M> {
    fn shrink(&mut self) {
        // Records the meaning of every step.
        if !self.attempt(self.entries.clone()) {
            return;
        }
        self.drop_tail();
        loop {
            let before = self.entries.len();
            self.drop_refused();
            self.drop_abandoned();
            self.drop_alike(|recorded| Some(function(recorded)));
            self.drop_alike(caller);
            self.propose_through_lock();
            self.take_simpler_steps();
            self.cast_whole_votes();
            self.share_payloads();
            self.drop_parts();
            self.drop_literally();
            if self.entries.len() == before || self.replays >= MAX_REPLAYS {
                break;
            }
        }
        self.lower_amounts();
        self.drop_parts();
        self.drop_literally();
    }

    /// Whether `candidate` shows the difference. If it does, its steps become the present steps.
    fn attempt(&mut self, candidate: Vec<Entry>) -> bool {
        if self.replays >= MAX_REPLAYS {
            return false;
        }
        self.replays += 1;
        let thorough = !matches!(self.mismatch, Mismatch::Outcome { .. });
        let shown = self.replayer.replay(&candidate, thorough, &mut self.before_step);
        let Some((mismatch, entries)) = shown.filter(|(found, _)| found.is_like(&self.mismatch))
        else {
            return false;
        };
        self.mismatch = mismatch;
        self.entries = entries;
        true
    }

    /// Leaves out the steps for which `leaves_out` is true, if the others show the difference, and then
    /// those that are refused without them. Returns whether it did.
    fn do_without(&mut self, mut leaves_out: impl FnMut(usize, &Entry) -> bool) -> bool {
        let kept = self.entries.iter().enumerate();
        let kept = kept.filter(|(index, entry)| !leaves_out(*index, entry));
        let kept: Vec<_> = kept.map(|(_, entry)| entry.clone()).collect();
        let shown = kept.len() < self.entries.len() && self.attempt(kept);
        if shown {
            self.drop_refused();
        }
        shown
    }

    /// Leaves out the steps after the one that shows the difference.
    fn drop_tail(&mut self) {
        while self.entries.len() > 1 {
            let last = self.entries.len() - 1;
            if !self.attempt(self.entries[..last].to_vec()) {
                break;
            }
        }
    }

    /// Leaves out refused steps, which change nothing.
    fn drop_refused(&mut self) {
        let last = self.entries.len().saturating_sub(1);
        let refused = |entry: &Entry| entry.meaning.as_ref().is_some_and(|known| known.refused);
        let before = self.entries[..last].iter().filter(|entry| refused(entry));
        let indices: BTreeSet<_> = before.map(|entry| entry.recorded.index).collect();
        if indices.is_subset(&self.needed) {
            return;
        }
        let others = self.entries.iter().filter(|entry| !indices.contains(&entry.recorded.index));
        if !self.attempt(others.cloned().collect()) {
            self.needed.extend(indices);
        }
    }

    /// Leaves out the steps that a reorganization took back, with the reorganization.
    fn drop_abandoned(&mut self) {
        let mut end = self.entries.len();
        while let Some(to) = self.entries[..end]
            .iter()
            .rposition(|entry| entry.recorded.action == RecordedAction::Reorganize)
        {
            end = to;
            // Checkpoints used by reorganizations in between don't count.
            let mut used = 0;
            let from = self.entries[..to].iter().rposition(|entry| match entry.recorded.action {
                RecordedAction::Checkpoint if used == 0 => true,
                RecordedAction::Checkpoint => {
                    used -= 1;
                    false
                }
                RecordedAction::Reorganize => {
                    used += 1;
                    false
                }
                _ => false,
            });
            if let Some(from) = from
                && self.do_without(|index, _| (from..=to).contains(&index))
            {
                end = from.min(self.entries.len());
            }
        }
    }

    /// For each value of `feature`, leaves out all steps that have it.
    fn drop_alike<F: Ord>(&mut self, feature: impl Fn(&RecordedStep) -> Option<F>) {
        let features: BTreeSet<_> =
            self.entries.iter().filter_map(|entry| feature(&entry.recorded)).collect();
        for common in features {
            self.do_without(|_, entry| feature(&entry.recorded).as_ref() == Some(&common));
        }
    }

    /// Leaves out parts of the steps, latest first: halves, then smaller ones, until no single step can
    /// be left out.
    fn drop_parts(&mut self) {
        let mut part = self.entries.len().div_ceil(2);
        while part > 0 {
            let mut any = false;
            let mut to = self.entries.len();
            while to > 0 {
                let from = to.saturating_sub(part);
                any |= self.do_without(|index, _| (from..to).contains(&index));
                to = from.min(self.entries.len());
            }
            part = if part == 1 && any { 1 } else { part / 2 };
        }
    }

    /// Leaves out single steps and takes the others exactly as recorded. This helps where an id itself
    /// shows the difference, even if it then belongs to something else.
    fn drop_literally(&mut self) {
        let mut index = self.entries.len();
        while index > 0 {
            index -= 1;
            let others = self.entries.iter().enumerate().filter(|(other, _)| *other != index);
            let others = others.map(|(_, entry)| Entry::verbatim(entry.recorded.clone()));
            if self.attempt(others.collect()) {
                // Later steps may not be needed without it.
                index = self.entries.len();
            }
        }
    }

    /// Replaces pushed proposals by proposals through the lock, which need no signals.
    fn propose_through_lock(&mut self) {
        let holders = self.replayer.holders().to_vec();
        let pushes: Vec<_> =
            (0..self.entries.len()).filter(|index| self.pushed(*index).is_some()).collect();
        let mut all = self.entries.clone();
        for (index, holder) in pushes.iter().zip(holders.iter().cycle()) {
            if let Some(proposed) = self.pushed(*index) {
                propose(&mut all[*index], proposed, *holder);
            }
        }
        if pushes.len() > 1 && self.attempt(all) {
            return;
        }
        for index in pushes {
            for holder in &holders {
                let mut candidate = self.entries.clone();
                let Some(proposed) = self.pushed(index) else { break };
                propose(&mut candidate[index], proposed, *holder);
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }

    /// The proposal that the step at `index` pushed.
    fn pushed(&self, index: usize) -> Option<Proposed> {
        let entry = self.entries.get(index)?;
        match call(&entry.recorded)? {
            Call::Proposals(_) => entry.meaning.as_ref()?.proposed,
            _ => None,
        }
    }

    /// Replaces steps by simpler ones ([`simplify`]): all at once if possible, otherwise one by one.
    fn take_simpler_steps(&mut self) {
        let mut all = self.entries.clone();
        let count = all.iter_mut().filter_map(simplify).count();
        if count > 1 && self.attempt(all) {
            return;
        }
        for index in 0..self.entries.len() {
            let mut candidate = self.entries.clone();
            if candidate.get_mut(index).and_then(simplify).is_some() {
                self.attempt(candidate);
            }
        }
    }

    /// Replaces the ballots on a proposal by one of a voter's whole power, or makes a ballot one of its
    /// voter's whole power, so that steps that made a smaller one suffice aren't needed.
    fn cast_whole_votes(&mut self) {
        let mut indices: Vec<_> = self.entries.iter().map(|entry| entry.recorded.index).collect();
        let last = indices.pop();
        for index in indices {
            let mut candidate = self.entries.clone();
            let Some(entry) = candidate.iter_mut().find(|entry| entry.recorded.index == index)
            else {
                continue;
            };
            let Some(id) = proposal_voted_on(&entry.recorded) else { continue };
            let Some(meaning) = &mut entry.meaning else { continue };
            let was_whole = core::mem::replace(&mut meaning.is_whole, true);
            let alone = candidate.iter().filter(|entry| {
                proposal_voted_on(&entry.recorded) != Some(id)
                    || [Some(index), last].contains(&Some(entry.recorded.index))
            });
            let alone: Vec<_> = alone.cloned().collect();
            let others = alone.len() < candidate.len();
            let replaces_others = others && self.attempt(alone);
            if !replaces_others && !was_whole {
                self.attempt(candidate);
            }
        }
    }

    /// Lowers amounts to one unit, or otherwise to one token.
    fn lower_amounts(&mut self) {
        for index in 0..self.entries.len() {
            for lower in [U256::ONE, Amount::TOKEN.to_word()] {
                let mut candidate = self.entries.clone();
                let Some(entry) = candidate.get_mut(index) else { return };
                let Some(amount) = amount(entry).filter(|amount| **amount > lower) else { break };
                *amount = lower;
                if let Some(meaning) = &mut entry.meaning {
                    meaning.is_whole = false;
                }
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }

    /// Gives several proposals the same payload.
    fn share_payloads(&mut self) {
        let payloads: Vec<_> =
            self.entries.iter().filter_map(|entry| put(&entry.recorded)).collect();
        for (number, payload) in payloads.iter().enumerate().skip(1) {
            for earlier in &payloads[..number] {
                let mut candidate = self.entries.clone();
                candidate.retain(|entry| put(&entry.recorded) != Some(*payload));
                for entry in &mut candidate {
                    rename(entry, *payload, *earlier);
                }
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }
}

fn propose(entry: &mut Entry, proposed: Proposed, holder: Address) {
    let Proposed { governance, payload } = proposed;
    let call = GovernanceCall::ProposeWithLock { payload, to: holder }.into();
    let step = Step::Call { caller: holder, contract: governance, call };
    entry.recorded.action = RecordedAction::Step(Box::new(step));
}

/// Replaces a step by a simpler one with the same effect: a signed call by a plain one, calldata by the
/// call that it encodes, an execution with a list by one that reads the payload. `None` if there is none.
fn simplify(entry: &mut Entry) -> Option<()> {
    let meaning = entry.meaning.as_ref()?;
    let RecordedAction::Step(step) = &mut entry.recorded.action else { return None };
    if let Step::Transaction { caller, target, .. } = **step {
        let call = meaning.decoded.clone()?;
        **step = Step::Call { caller, contract: target, call };
        return Some(());
    }
    let Step::Call { caller, call, .. } = &mut **step else { return None };
    *call = match call {
        Call::Governance(GovernanceCall::VoteWithSig {
            proposal_id,
            amount,
            support,
            voter,
            ..
        }) => {
            *caller = *voter;
            GovernanceCall::Vote { id: *proposal_id, amount: *amount, support: *support }.into()
        }
        Call::Governance(GovernanceCall::DepositWithPermit { on_behalf_of, amount, .. }) => {
            GovernanceCall::Deposit { on_behalf_of: *on_behalf_of, amount: *amount }.into()
        }
        Call::Governance(GovernanceCall::ExecuteWith { id, .. }) => {
            GovernanceCall::Execute { id: *id }.into()
        }
        Call::Proposals(ProposalsCall::VoteWithSig { payload, .. }) => {
            *caller = meaning.drawn?;
            ProposalsCall::Vote { payload: *payload }.into()
        }
        _ => return None,
    };
    Some(())
}

/// The id of the proposal that a ballot is cast on.
fn proposal_voted_on(recorded: &RecordedStep) -> Option<U256> {
    match call(recorded)? {
        Call::Governance(
            GovernanceCall::Vote { id, .. } | GovernanceCall::VoteWithSig { proposal_id: id, .. },
        ) => Some(*id),
        _ => None,
    }
}

/// The amount in the arguments of a step.
fn amount(entry: &mut Entry) -> Option<&mut U256> {
    let RecordedAction::Step(step) = &mut entry.recorded.action else { return None };
    let Step::Call { call, .. } = &mut **step else { return None };
    match call {
        Call::Asset(
            AssetCall::Approve { amount, .. }
            | AssetCall::Transfer { amount, .. }
            | AssetCall::TransferFrom { amount, .. }
            | AssetCall::Permit { value: amount, .. },
        )
        | Call::Governance(
            GovernanceCall::Deposit { amount, .. }
            | GovernanceCall::DepositWithPermit { amount, .. }
            | GovernanceCall::InitiateWithdraw { amount, .. }
            | GovernanceCall::Vote { amount, .. }
            | GovernanceCall::VoteWithSig { amount, .. },
        )
        | Call::Rollup(RollupCall::Deposit { amount, .. } | RollupCall::Slash { amount, .. }) => {
            Some(amount)
        }
        _ => None,
    }
}

/// Replaces the payload `from` by `to` in the arguments of a step.
fn rename(entry: &mut Entry, from: Address, to: Address) {
    let RecordedAction::Step(step) = &mut entry.recorded.action else { return };
    let Step::Call { call, .. } = &mut **step else { return };
    if let Call::Governance(
        GovernanceCall::ProposeWithLock { payload, .. } | GovernanceCall::Propose { payload },
    )
    | Call::Proposals(
        ProposalsCall::Vote { payload } | ProposalsCall::VoteWithSig { payload, .. },
    ) = call
        && *payload == from
    {
        *payload = to;
    }
}

fn call(recorded: &RecordedStep) -> Option<&Call> {
    let RecordedAction::Step(step) = &recorded.action else { return None };
    match &**step {
        Step::Call { call, .. } => Some(call),
        _ => None,
    }
}

/// The account at which a step puts code.
fn put(recorded: &RecordedStep) -> Option<Address> {
    let RecordedAction::Step(step) = &recorded.action else { return None };
    match &**step {
        Step::Put(account, _) => Some(*account),
        _ => None,
    }
}

/// The name of the function that a step calls, or of its kind.
fn function(recorded: &RecordedStep) -> String {
    let name = match &recorded.action {
        RecordedAction::Step(step) => match &**step {
            Step::Call { call, .. } => {
                let text = format!("{call:?}");
                return text.split([' ', '}']).next().unwrap_or_default().to_owned();
            }
            Step::Transaction { .. } => "transaction",
            Step::Put(..) => "put",
            Step::Deploy(_) => "deploy",
        },
        RecordedAction::Compare => "compare",
        RecordedAction::Checkpoint | RecordedAction::Reorganize => "reorg",
    };
    name.to_owned()
}

/// The caller of a step, or the account at which it puts code.
fn caller(recorded: &RecordedStep) -> Option<Address> {
    let RecordedAction::Step(step) = &recorded.action else { return None };
    match &**step {
        Step::Call { caller, .. } | Step::Transaction { caller, .. } => Some(*caller),
        Step::Put(account, _) => Some(*account),
        Step::Deploy(_) => None,
    }
}
