//! How a history that shows a difference is made short.
//!
//! Steps are left out, or simpler ones take their place, as long as what is left shows the same
//! difference: the same function and the same errors or events that differ, whatever the values. Times
//! stay as they are, so that what is left still happens before or after the deadlines that it was meant
//! for; numbers, callers and signatures follow what is left (see [`crate::replay`]). Candidates are tried
//! in a fixed order, and nothing is drawn: the same history gives the same steps.
//!
//! One round leaves out what was refused and what a reorganization took back; all calls of one function
//! or of one caller; then replaces what needs much by what needs less: a pushed proposal by one made
//! through the lock, signed calls by plain ones, several ballots by one of a voter's whole power,
//! several payloads by one; and at last leaves out halves, quarters and so on down to single steps,
//! single ones also without changing what the others say. Rounds are repeated until one shortens
//! nothing. In the end amounts are lowered, which may make single steps needless again. All of it takes
//! at most 1,000 replays, most histories 20 to 250; what is left by then is the result.

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

/// Replays that shrinking may take.
const MAX_REPLAYS: usize = 1000;

impl Difference {
    /// The same difference shown by fewer and simpler steps, found in at most 1,000 replays. The same
    /// difference and steps always give the same result.
    #[must_use]
    pub fn shrink(self) -> Self {
        self.shrink_with(|_, _| {})
    }

    /// The same for a history that was run with `before_step`.
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

    /// The first difference that the steps show when they are taken again; `None` if they show none.
    pub fn replay(&self) -> Option<Mismatch> {
        self.replay_with(|_, _| {})
    }

    /// The same for a history that was run with `before_step`.
    pub fn replay_with(&self, mut before_step: impl FnMut(&Lockstep, u64)) -> Option<Mismatch> {
        let entries: Vec<_> = self.steps.iter().cloned().map(Entry::verbatim).collect();
        let shown = Replayer::new(self.history).replay(&entries, true, &mut before_step);
        shown.map(|(mismatch, _)| mismatch)
    }
}

struct Shrinker<M> {
    replayer: Replayer,
    /// The difference, as the steps show it.
    mismatch: Mismatch,
    /// The steps that show it.
    entries: Vec<Entry>,
    replays: usize,
    /// Turns of refused steps without which the difference isn't shown.
    needed: BTreeSet<u64>,
    before_step: M,
}

impl<M: FnMut(&Lockstep, u64)> Shrinker<M> {
    fn shrink(&mut self) {
        // What every step means.
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

    /// Whether `candidate` shows the difference; if so, its steps are the steps from now on.
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

    /// Whether the steps can do without those that `leaves_out` says. What is refused without them is
    /// left out as well.
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

    /// The step that shows the difference is the last one, not one after it in which it was seen.
    fn drop_tail(&mut self) {
        while self.entries.len() > 1 {
            let last = self.entries.len() - 1;
            if !self.attempt(self.entries[..last].to_vec()) {
                break;
            }
        }
    }

    /// What is refused changes nothing.
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

    /// What a reorganization takes back.
    fn drop_abandoned(&mut self) {
        let mut end = self.entries.len();
        while let Some(to) = self.entries[..end]
            .iter()
            .rposition(|entry| entry.recorded.action == RecordedAction::Reorganize)
        {
            end = to;
            // Those before it that were used by reorganizations in between don't count.
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

    /// Steps that have the same `feature`, all together.
    fn drop_alike<F: Ord>(&mut self, feature: impl Fn(&RecordedStep) -> Option<F>) {
        let features: BTreeSet<_> =
            self.entries.iter().filter_map(|entry| feature(&entry.recorded)).collect();
        for common in features {
            self.do_without(|_, entry| feature(&entry.recorded).as_ref() == Some(&common));
        }
    }

    /// Parts of the steps: halves first, then ever smaller ones, the latest first, until no single
    /// step can be left out.
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

    /// Single steps, the others as they are: where a number itself shows the difference, it may stay
    /// and be another thing's.
    fn drop_literally(&mut self) {
        let mut index = self.entries.len();
        while index > 0 {
            index -= 1;
            let others = self.entries.iter().enumerate().filter(|(other, _)| *other != index);
            let others = others.map(|(_, entry)| Entry::verbatim(entry.recorded.clone()));
            if self.attempt(others.collect()) {
                // Without it, a later one may not be needed any more.
                index = self.entries.len();
            }
        }
    }

    /// A proposal that was pushed can be made through the lock: without signals.
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

    /// The proposal that step `index` pushed.
    fn pushed(&self, index: usize) -> Option<Proposed> {
        let entry = self.entries.get(index)?;
        match call(&entry.recorded)? {
            Call::Proposals(_) => entry.meaning.as_ref()?.proposed,
            _ => None,
        }
    }

    /// Those who sign can call, calldata that the contract understands can be what it means, and the
    /// list of an execution can be left to the payload: all at once if possible.
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

    /// A ballot of all its voter's power can replace the others on the proposal, or at least does
    /// without what made a smaller one suffice.
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

    /// One unit or one token does where the amount doesn't matter.
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

    /// Several proposals may have the same payload.
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

/// Makes a step a simpler one that does the same, if there is one.
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

/// The proposal that a ballot is cast on.
fn proposal_voted_on(recorded: &RecordedStep) -> Option<U256> {
    match call(recorded)? {
        Call::Governance(
            GovernanceCall::Vote { id, .. } | GovernanceCall::VoteWithSig { proposal_id: id, .. },
        ) => Some(*id),
        _ => None,
    }
}

/// The amount that a step names.
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

/// Writes `to` where a call names the payload `from`.
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

/// Where code is put.
fn put(recorded: &RecordedStep) -> Option<Address> {
    let RecordedAction::Step(step) = &recorded.action else { return None };
    match &**step {
        Step::Put(account, _) => Some(*account),
        _ => None,
    }
}

/// What a step does, without whom and with what.
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

/// Who takes a step, or where it is taken.
fn caller(recorded: &RecordedStep) -> Option<Address> {
    let RecordedAction::Step(step) = &recorded.action else { return None };
    match &**step {
        Step::Call { caller, .. } | Step::Transaction { caller, .. } => Some(*caller),
        Step::Put(account, _) => Some(*account),
        Step::Deploy(_) => None,
    }
}
