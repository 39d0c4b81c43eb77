//! Replays of a history without some of its steps.
//!
//! The meaning of a step depends on the steps before it. If a proposal is left out, proposal 7 is
//! another one or doesn't exist; another proposer draws the slot; a signature is for another number. So
//! a replay rewrites each step to keep its meaning: it refers to the proposal that the same step made,
//! it is sent by the account that draws the slot, and valid signatures are made again.

use crate::{
    genesis::KeyedAccounts,
    history::{History, RecordedAction, RecordedStep, take},
    lockstep::Lockstep,
    mismatch::Mismatch,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_protocol::{
    AssetCall, Call, GovernanceCall, ProposalsCall, Role, RollupCall, Round, SetState, Signal,
    Timestamp, signature_parts,
};
use canon_testkit::histories::Step;
use std::collections::BTreeMap;

/// A step and its meaning when it was last taken.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) recorded: RecordedStep,
    /// `None` if the step hasn't been taken, or is to be taken exactly as recorded.
    pub(crate) meaning: Option<Meaning>,
}

impl Entry {
    /// A step that is taken exactly as recorded.
    pub(crate) const fn verbatim(recorded: RecordedStep) -> Self {
        Self { recorded, meaning: None }
    }
}

/// The things that a step referred to, and its outcome.
#[derive(Clone, Default)]
pub(crate) struct Meaning {
    /// The number of proposals before the step, and after it.
    proposals: (usize, usize),
    /// The number of withdrawals before the step, and after it.
    withdrawals: (usize, usize),
    /// Whether it called the Proposals contract in force or the canonical rollup.
    to_current: bool,
    /// Whether its caller drew the slot.
    caller_draws: bool,
    /// The number of rounds between the round that it pushed and the present round.
    rounds_ago: Option<u64>,
    /// Whether its signature was valid.
    signed: bool,
    /// Whether the rules refused it.
    pub(crate) refused: bool,
    /// The proposal that it made.
    pub(crate) proposed: Option<Proposed>,
    /// The proposer that drew the slot of the canonical rollup.
    pub(crate) drawn: Option<Address>,
    /// Its calldata, decoded as a call of the contract of the set that it called.
    pub(crate) decoded: Option<Call>,
    /// Whether it is a ballot of all power that its voter could still cast.
    pub(crate) is_whole: bool,
}

/// A proposal.
#[derive(Clone, Copy)]
pub(crate) struct Proposed {
    /// The Governance contract in which it was made.
    pub(crate) governance: Address,
    /// The payload that lists its actions.
    pub(crate) payload: Address,
}

/// The inputs of a replay, which are the same for all replays.
pub(crate) struct Replayer {
    history: History,
    accounts: KeyedAccounts,
    sign: Box<dyn Fn(Address, B256) -> Option<Bytes>>,
}

/// The present ids of proposals and withdrawals, by their ids in the last replay.
#[derive(Default)]
struct Numbers {
    proposals: BTreeMap<usize, usize>,
    withdrawals: BTreeMap<usize, usize>,
}

impl Replayer {
    pub(crate) fn new(history: History) -> Self {
        let accounts = KeyedAccounts::new();
        let sign = Box::new(accounts.signer());
        Self { history, accounts, sign }
    }

    /// The accounts that can propose through the lock.
    pub(crate) fn holders(&self) -> &[Address] {
        &self.accounts.all.holders
    }

    /// Takes the steps. Returns the first difference and the steps up to it, as they were taken. If
    /// `thorough`, views and the state folded from the events are compared at the end.
    pub(crate) fn replay(
        &self,
        entries: &[Entry],
        thorough: bool,
        before_step: &mut impl FnMut(&Lockstep, u64),
    ) -> Option<(Mismatch, Vec<Entry>)> {
        let mut done = Vec::with_capacity(entries.len());
        let mut lockstep = match self.accounts.lockstep(self.history.supply()) {
            Ok(lockstep) => lockstep,
            Err(mismatch) => return Some((mismatch, done)),
        };
        let mut numbers = Numbers::default();
        for entry in entries {
            before_step(&lockstep, entry.recorded.index);
            let mut recorded = entry.recorded.clone();
            let now = lockstep.time_of_step(recorded.time);
            let old = entry.meaning.as_ref();
            if let (RecordedAction::Step(step), Some(meaning)) = (&mut recorded.action, old) {
                self.bind(step, meaning, &numbers, lockstep.set(), now);
            }
            let mut meaning = match &recorded.action {
                RecordedAction::Step(step) => self.meaning(step, lockstep.set(), now),
                _ => Meaning::default(),
            };
            let outcome = take(&mut lockstep, &recorded);
            meaning.record_outcome(&recorded, &lockstep);
            if let Some(old) = old {
                numbers.learn(old, &meaning);
            }
            done.push(Entry { recorded, meaning: Some(meaning) });
            if let Err(mismatch) = outcome {
                return Some((mismatch, done));
            }
        }
        let end = if thorough {
            lockstep.compare().and_then(|()| lockstep.compare_events())
        } else {
            lockstep.flush()
        };
        end.err().map(|mismatch| (mismatch, done))
    }

    /// The meaning of `step` in the state `set`.
    fn meaning(&self, step: &Step, set: &SetState, now: Timestamp) -> Meaning {
        let governance = set.governance();
        let proposals = governance.proposals().len();
        let withdrawals = governance.withdrawals().len();
        let mut meaning = Meaning {
            proposals: (proposals, proposals),
            withdrawals: (withdrawals, withdrawals),
            drawn: drawn(set, set.registry().rollup(), now),
            ..Meaning::default()
        };
        let (caller, contract, call) = match step {
            Step::Call { caller, contract, call } => (caller, contract, call),
            Step::Transaction { target, data, .. } => {
                let role = set.role_of(*target);
                meaning.decoded = role.and_then(|role| Call::abi_decode(role, data));
                return meaning;
            }
            Step::Put(..) | Step::Deploy(_) => return meaning,
        };
        meaning.to_current = current_contract(call, set) == Some(*contract);
        meaning.caller_draws = drawer(*contract, call, set, now) == Some(*caller);
        if let Call::Proposals(ProposalsCall::PushProposal { round }) = call
            && let Some(present) = present_round(set, *contract, now)
            && let Ok(round) = u64::try_from(*round)
        {
            meaning.rounds_ago = present.get().checked_sub(round);
        }
        let again = self.sign_again(*caller, *contract, call, set, now);
        meaning.signed = again.is_some_and(|again| again == *call);
        if let Some((id, voter, amount)) = ballot(*caller, call)
            && let Ok((_, proposal)) = governance.proposal(id)
        {
            let castable = governance.castable(proposal, voter);
            meaning.is_whole = amount == castable.to_word() && !castable.is_zero();
        }
        meaning
    }

    /// Rewrites `step` so that it keeps its meaning in the state `set`.
    fn bind(
        &self,
        step: &mut Step,
        meaning: &Meaning,
        numbers: &Numbers,
        set: &SetState,
        now: Timestamp,
    ) {
        let Step::Call { caller, contract, call } = step else { return };
        let governance = set.governance();
        if meaning.to_current
            && let Some(current) = current_contract(call, set)
        {
            *contract = current;
        }
        if meaning.caller_draws
            && let Some(drawn) = drawer(*contract, call, set, now)
        {
            *caller = drawn;
        }
        if let Some(id) = proposal_of(call) {
            let present = governance.proposals().len();
            *id = renumbered(*id, meaning.proposals.0, &numbers.proposals, present);
        }
        if let Some(id) = withdrawal_of(call) {
            let present = governance.withdrawals().len();
            *id = renumbered(*id, meaning.withdrawals.0, &numbers.withdrawals, present);
        }
        if let Call::Proposals(ProposalsCall::PushProposal { round }) = call
            && let Some(present) = present_round(set, *contract, now)
            && let Some(ago) = meaning.rounds_ago
        {
            *round = U256::from(present.get().saturating_sub(ago));
        }
        if meaning.is_whole
            && let Some((id, voter, _)) = ballot(*caller, call)
            && let Ok((_, proposal)) = governance.proposal(id)
        {
            let castable = governance.castable(proposal, voter);
            if !castable.is_zero() {
                set_amount(call, castable.to_word());
            }
        }
        if meaning.signed
            && let Some(again) = self.sign_again(*caller, *contract, call, set, now)
        {
            *call = again;
        }
    }

    /// The same call with a valid signature; `None` if the call has no signature, or no key is known
    /// for the signer.
    fn sign_again(
        &self,
        caller: Address,
        contract: Address,
        call: &Call,
        set: &SetState,
        now: Timestamp,
    ) -> Option<Call> {
        let at = set.addresses();
        let mut call = call.clone();
        match &mut call {
            Call::Governance(GovernanceCall::VoteWithSig {
                proposal_id,
                amount,
                support,
                voter,
                deadline,
                signature,
            }) => {
                let (id, proposal) = set.governance().proposal(*proposal_id).ok()?;
                let ballot = proposal.ballot_message(id, *voter, *amount, *support, *deadline);
                *signature = (self.sign)(*voter, ballot.signing_hash(at.chain_id, contract))?;
            }
            Call::Proposals(ProposalsCall::VoteWithSig { payload, signature }) => {
                let (instance, rollup) = set.canonical_rollup()?;
                let slot = rollup.slot_at(now).ok()?.to_word();
                let signal = Signal { payload: *payload, slot, instance };
                let signer = drawn(set, instance, now)?;
                *signature = (self.sign)(signer, signal.signing_hash(at.chain_id, contract))?;
            }
            Call::Governance(GovernanceCall::DepositWithPermit {
                amount,
                deadline,
                v,
                r,
                s,
                ..
            }) => {
                (*v, *r, *s) = self.permit(set, caller, contract, *amount, *deadline)?;
            }
            Call::Asset(AssetCall::Permit { owner, spender, value, deadline, v, r, s }) => {
                (*v, *r, *s) = self.permit(set, *owner, *spender, *value, *deadline)?;
            }
            _ => return None,
        }
        Some(call)
    }

    fn permit(
        &self,
        set: &SetState,
        owner: Address,
        spender: Address,
        value: U256,
        deadline: U256,
    ) -> Option<(u8, B256, B256)> {
        let digest = set.permit_hash(owner, spender, value, deadline);
        signature_parts(&(self.sign)(owner, digest)?)
    }
}

impl Meaning {
    /// Records the outcome of the step.
    fn record_outcome(&mut self, recorded: &RecordedStep, lockstep: &Lockstep) {
        let governance = lockstep.set().governance();
        self.proposals.1 = governance.proposals().len();
        self.withdrawals.1 = governance.withdrawals().len();
        if self.proposals.1 > self.proposals.0 {
            let newest = governance.proposals().last();
            self.proposed = newest.map(|proposal| Proposed {
                governance: lockstep.set().addresses().governance,
                payload: proposal.payload(),
            });
        }
        self.refused =
            matches!(recorded.action, RecordedAction::Step(_)) && lockstep.refuses_newest();
    }
}

impl Numbers {
    /// Records the present ids of the proposals and withdrawals that a step made.
    fn learn(&mut self, old: &Meaning, new: &Meaning) {
        let made = |(from, to): (usize, usize)| from..to;
        self.proposals.extend(made(old.proposals).zip(made(new.proposals)));
        self.withdrawals.extend(made(old.withdrawals).zip(made(new.withdrawals)));
    }
}

/// The present id of what had `id` when there were `before` of its kind; there are `present` now. What
/// doesn't exist any more gets the next id, which isn't in use.
fn renumbered(id: U256, before: usize, numbers: &BTreeMap<usize, usize>, present: usize) -> U256 {
    match usize::try_from(id) {
        Ok(known) if known < before => {
            let now = numbers.get(&known).copied().filter(|now| *now < present);
            U256::from(now.unwrap_or(present))
        }
        _ => id.saturating_sub(U256::from(before)).saturating_add(U256::from(present)),
    }
}

/// The proposal, the voter and the amount of a ballot.
const fn ballot(caller: Address, call: &Call) -> Option<(U256, Address, U256)> {
    match call {
        Call::Governance(GovernanceCall::Vote { id, amount, .. }) => Some((*id, caller, *amount)),
        Call::Governance(GovernanceCall::VoteWithSig { proposal_id, voter, amount, .. }) => {
            Some((*proposal_id, *voter, *amount))
        }
        _ => None,
    }
}

/// Sets the amount of a ballot.
const fn set_amount(call: &mut Call, to: U256) {
    if let Call::Governance(
        GovernanceCall::Vote { amount, .. } | GovernanceCall::VoteWithSig { amount, .. },
    ) = call
    {
        *amount = to;
    }
}

/// The id of the proposal that `call` refers to.
const fn proposal_of(call: &mut Call) -> Option<&mut U256> {
    match call {
        Call::Governance(
            GovernanceCall::Vote { id, .. }
            | GovernanceCall::VoteWithSig { proposal_id: id, .. }
            | GovernanceCall::Execute { id }
            | GovernanceCall::ExecuteWith { id, .. }
            | GovernanceCall::DropProposal { id }
            | GovernanceCall::InvalidateBallots { id },
        ) => Some(id),
        _ => None,
    }
}

const fn withdrawal_of(call: &mut Call) -> Option<&mut U256> {
    match call {
        Call::Governance(GovernanceCall::FinaliseWithdraw { id }) => Some(id),
        _ => None,
    }
}

/// The address of the Proposals contract in force or of the canonical rollup, if `call` is a call of
/// such a contract.
fn current_contract(call: &Call, set: &SetState) -> Option<Address> {
    match call {
        Call::Proposals(_) => {
            let proposals = set.governance().governance_proposer();
            (set.role_of(proposals) == Some(Role::Proposals)).then_some(proposals)
        }
        Call::Rollup(_) => set.canonical_rollup().map(|(rollup, _)| rollup),
        _ => None,
    }
}

/// The account that may make `call`, if only the slot's proposer may.
fn drawer(contract: Address, call: &Call, set: &SetState, now: Timestamp) -> Option<Address> {
    match call {
        Call::Proposals(ProposalsCall::Vote { .. }) => drawn(set, set.registry().rollup(), now),
        Call::Rollup(RollupCall::ProposeBlock { .. }) => drawn(set, contract, now),
        _ => None,
    }
}

/// The proposer that draws the present slot of `rollup`.
fn drawn(set: &SetState, rollup: Address, now: Timestamp) -> Option<Address> {
    let member = set.rollup(rollup)?.member_at(now, now).ok()??;
    Some(member.proposer())
}

fn present_round(set: &SetState, contract: Address, now: Timestamp) -> Option<Round> {
    let (_, rollup) = set.canonical_rollup()?;
    Some(set.proposals(contract)?.rules().round_of(rollup.slot_at(now).ok()?))
}
