//! Which states are the same.
//!
//! The rules and the properties read less than the set remembers. Two states with the same
//! fingerprint agree in everything that a step allowed in their scope can still read:
//!
//! | left out or merged | why nothing can tell the difference |
//! | --- | --- |
//! | how late it is, in scopes without an end | all deadlines are kept relative to the present; slots, epochs and rounds repeat after six slots, so the place among those is kept |
//! | proposals that are stored as executed or dropped, or past their last deadline | no ballot, execution or push reads them again. Of those that can still be dropped, it is kept that they can |
//! | power in the past, except at the snapshots of open proposals | nothing else is looked up; at a snapshot still to come it is what it is now |
//! | withdrawals that were paid; who is who among the holders | a paid withdrawal can't be paid again; both holders may take the same steps |
//! | rounds before the last five, pushed rounds, past rounds without a leader, signals of rollups that are not canonical any more | they can't be pushed, and a rollup becomes canonical once at most |
//! | which staker has which seat | all stakers may take the same steps, and no step depends on which of them draws a slot |
//! | events, nonces, configurations that no open proposal keeps, block numbers, the history of the seeds | no step of these scopes reads them |
//!
//! `tests/it/reduction.rs` checks this: it explores without merging anything and compares what the
//! states that share a fingerprint can do next.

use crate::{
    accounts::{GOVERNANCE, Holder, Staker},
    scope::{EPOCH, M, SLOT, Scope},
    state::State,
    steps::present_round,
};
use alloy_primitives::{Address, keccak256};
use canon_protocol::{
    Ending, LIFETIME_IN_ROUNDS, Member, Origin, Payment, Proposal, Proposals, Round, Tally,
    Timestamp,
};
use core::hash::{Hash, Hasher};

/// 128 bits of the hash of everything that makes a difference. Two different states of 10^8 share
/// them with a probability below 10^-22.
pub(crate) fn fingerprint(scope: &Scope, end: Timestamp, state: &State) -> u128 {
    let mut text = Text { bytes: Vec::with_capacity(512), now: state.now };
    if scope.seconds.is_some() {
        text.number(end.since(state.now).unwrap_or_default().get());
    }
    if scope.has_slots() {
        slots(&mut text, state, scope.seconds.is_none());
    }
    governance(&mut text, state);
    let hash = keccak256(&text.bytes);
    u128::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}

/// Numbers in seven bits a byte, so that no two sequences of numbers have the same bytes.
struct Text {
    bytes: Vec<u8>,
    now: Timestamp,
}

impl Text {
    fn number(&mut self, number: impl Into<u128>) {
        let mut rest = number.into();
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// How long it is until `time`; 0 if that is past.
    fn until(&mut self, time: Timestamp) {
        self.number(time.since(self.now).unwrap_or_default().get());
    }

    /// What `write` writes of each item; the same items in any order are the same.
    fn unordered<T>(&mut self, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let now = self.now;
        let part = |item| {
            let mut part = Self { bytes: Vec::with_capacity(32), now };
            write(&mut part, item);
            part.bytes
        };
        let mut parts: Vec<_> = items.map(part).collect();
        parts.sort_unstable();
        self.number(parts.len() as u64);
        for part in parts {
            self.number(part.len() as u64);
            self.bytes.extend(part);
        }
    }

    fn tally(&mut self, tally: Tally) {
        self.number(tally.yea.get());
        self.number(tally.nea.get());
    }
}

/// Values of one type have equally many bytes, so these sequences are as distinct.
impl Hasher for Text {
    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The bytes are read instead.
    fn finish(&self) -> u64 {
        0
    }
}

fn governance(text: &mut Text, state: &State) {
    let governance = state.governance();
    governance.configuration().hash(text);
    let floor = governance.exit_floor();
    if floor.until >= state.now {
        text.number(floor.delay.get() + 1);
        text.until(floor.until);
    } else {
        text.number(0u64);
    }
    text.bytes.push(governance.governance_proposer().0[19]);
    text.bytes.push(state.set.registry().rollup().0[19]);
    text.number(state.set.asset().balance_of(GOVERNANCE).get());

    let open: Vec<&Proposal> = state.open_proposals().collect();
    text.number(open.len() as u64);
    for proposal in &open {
        text.bytes.push(proposal.payload().0[19]);
        text.number(origin(state, proposal));
        text.until(proposal.deadlines().executable);
        proposal.configuration().hash(text);
        text.tally(proposal.tally());
        let snapshot = proposal.deadlines().pending;
        if let Ok(total) = governance.total_power_at(snapshot, state.now) {
            text.number(total.get());
        }
    }
    // Whether a closed proposal can be dropped, now or after a replacement.
    let is_open = |proposal: &&Proposal| open.iter().any(|it| std::ptr::eq(*it, *proposal));
    let closed =
        governance.proposals().iter().filter(|it| !is_open(it) && it.ending() == Ending::Open);
    let closed = closed.map(|proposal| origin(state, proposal)).filter(|origin| *origin > 0);
    text.unordered(closed, Text::number);

    text.unordered(Holder::ALL.into_iter(), |text, holder| {
        let holder = holder.address();
        text.number(state.set.asset().balance_of(holder).get());
        text.number(governance.power(holder).get());
        for proposal in &open {
            text.tally(proposal.ballot(holder));
            let snapshot = proposal.deadlines().pending;
            if let Ok(power) = governance.power_at(holder, snapshot, state.now) {
                text.number(power.get());
            }
        }
        let due = governance
            .withdrawals()
            .iter()
            .filter(|withdrawal| withdrawal.holder == holder && withdrawal.payment == Payment::Due);
        text.unordered(due, |text, withdrawal| {
            text.number(withdrawal.amount.get());
            text.until(withdrawal.unlocks_at);
        });
    });
}

/// Who made the proposal: 0 the lock; otherwise a Proposals contract that is in office since then,
/// or one that was replaced.
fn origin(state: &State, proposal: &Proposal) -> u64 {
    match proposal.origin() {
        Origin::Lock => 0,
        Origin::Pushed { .. } if state.is_dropped(proposal) => 1,
        Origin::Pushed { .. } => 2,
    }
}

fn slots(text: &mut Text, state: &State, write_place: bool) {
    let set = &state.set;
    let Some((canonical, rollup)) = set.canonical_rollup() else { return };
    let clock = rollup.clock();
    if write_place {
        let age = state.now.since(clock.genesis).unwrap_or_default().get();
        text.number(age % (SLOT * EPOCH * M));
    }
    let slot = clock.slot_at(state.now).unwrap_or_default();
    for (_, proposals) in set.all_proposals() {
        text.number(u8::from(proposals.newest_slot(canonical) == Some(slot)));
        signals(text, proposals, canonical, present_round(state));
    }
    for (_, rollup) in set.rollups() {
        let epoch = rollup.clock().epoch_of(slot);
        for epoch in [epoch, epoch.next()] {
            text.number(rollup.set_size(epoch, state.now).unwrap_or_default());
            text.number(u8::from(state.has_seed(rollup, epoch)));
        }
        text.number(rollup.set_size_now());
    }
    text.unordered(Staker::ALL.into_iter(), |text, staker| {
        for (_, rollup) in set.rollups() {
            let member = rollup.member(staker.address());
            text.number(member.map(Member::status).unwrap_or_default() as u8);
            if let Some(moving) = member.and_then(Member::moving) {
                text.until(moving.ready_at);
            }
        }
    });
}

/// The rounds of `canonical` up to the present one, number `present`, as far as they can be won or
/// pushed.
fn signals(text: &mut Text, proposals: &Proposals, canonical: Address, present: u64) {
    for back in 1..=LIFETIME_IN_ROUNDS {
        let round = present.checked_sub(back).map(Round::of);
        let tally = round.and_then(|round| proposals.round(canonical, round));
        let leader = tally.filter(|tally| tally.pushed.is_none()).and_then(|tally| tally.leader);
        text.bytes.push(leader.map_or(0, |leader| leader.payload.0[19]));
        // One without a quorum is kept as well: rules that let it be pushed would show only there.
        text.bytes.push(leader.map_or(0, |leader| u8::from(leader.count >= proposals.rules().n())));
    }
    let Some(tally) = proposals.round(canonical, Round::of(present)) else {
        return text.bytes.push(0);
    };
    text.bytes.push(tally.leader.map_or(0, |leader| leader.payload.0[19]));
    text.unordered(tally.payloads.iter(), |text, (payload, pin)| {
        text.bytes.push(payload.0[19]);
        text.number(pin.count);
    });
}
