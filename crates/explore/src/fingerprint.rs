//! Fingerprints, by which the search recognizes states that it needn't distinguish.
//!
//! The rules and the properties read only a part of the state. Two states with the same fingerprint
//! agree in everything that a step allowed in their scope can still read:
//!
//! | left out or merged | why no step can tell the states apart |
//! | --- | --- |
//! | the present time, in scopes without an end | all deadlines are written relative to the present; slots, epochs and rounds repeat after six slots, so the position among those is written |
//! | proposals that are stored as executed or dropped, or past their last deadline | no ballot, execution or push reads them again. Those that can still be dropped are counted by origin |
//! | power in the past, except at the snapshots of open proposals | no other past power is read; before a snapshot only the present power matters |
//! | withdrawals that were paid; the identities of the holders | a paid withdrawal can't be paid again; both holders may take the same steps |
//! | rounds before the last five, pushed rounds, past rounds without a leader, signals of rollups that are not canonical any more | they can't be pushed, and a rollup becomes canonical once at most |
//! | the staker of each seat | all stakers may take the same steps, and no step depends on the one that draws a slot |
//! | events, nonces, configurations that no open proposal keeps, block numbers, the history of the seeds | no step of these scopes reads them |
//!
//! `tests/it/reduction.rs` checks this: it explores without merging states and compares the steps
//! that are possible in states with the same fingerprint.

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

/// The first 128 bits of the hash of everything that the search distinguishes. The probability that
/// two different states of 10^8 have the same fingerprint is below 10^-22.
pub(crate) fn fingerprint(scope: &Scope, end: Timestamp, state: &State) -> u128 {
    let mut out = Encoder { bytes: Vec::with_capacity(512), now: state.now };
    if scope.seconds.is_some() {
        out.number(end.since(state.now).unwrap_or_default().get());
    }
    if scope.has_slots() {
        slots(&mut out, state, scope.seconds.is_none());
    }
    governance(&mut out, state);
    let hash = keccak256(&out.bytes);
    u128::from_be_bytes(*hash.first_chunk().expect("a hash has 32 bytes"))
}

/// An encoding of numbers with seven bits in each byte, so that different sequences of numbers have
/// different bytes.
struct Encoder {
    bytes: Vec<u8>,
    now: Timestamp,
}

impl Encoder {
    fn number(&mut self, number: impl Into<u128>) {
        let mut rest = number.into();
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    /// The time left until `time`; 0 if that is past.
    fn until(&mut self, time: Timestamp) {
        self.number(time.since(self.now).unwrap_or_default().get());
    }

    /// Writes the items in an order that depends only on what `write` writes of each, and not on
    /// theirs.
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

/// All values of one type have the same number of bytes, so their encodings are distinct as well.
impl Hasher for Encoder {
    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Never used: the bytes are hashed instead.
    fn finish(&self) -> u64 {
        0
    }
}

fn governance(out: &mut Encoder, state: &State) {
    let governance = state.governance();
    governance.configuration().hash(out);
    let floor = governance.exit_floor();
    if floor.until >= state.now {
        out.number(floor.delay.get() + 1);
        out.until(floor.until);
    } else {
        out.number(0u64);
    }
    out.bytes.push(governance.governance_proposer().0[19]);
    out.bytes.push(state.set.registry().rollup().0[19]);
    out.number(state.set.asset().balance_of(GOVERNANCE).get());

    let open: Vec<&Proposal> = state.open_proposals().collect();
    out.number(open.len() as u64);
    for proposal in &open {
        out.bytes.push(proposal.payload().0[19]);
        out.number(origin(state, proposal));
        out.until(proposal.deadlines().executable);
        proposal.configuration().hash(out);
        out.tally(proposal.tally());
        let snapshot = proposal.deadlines().pending;
        if let Ok(total) = governance.total_power_at(snapshot, state.now) {
            out.number(total.get());
        }
    }
    // The origins of closed proposals that can still be dropped, now or after a replacement.
    let is_open = |proposal: &&Proposal| open.iter().any(|it| std::ptr::eq(*it, *proposal));
    let closed =
        governance.proposals().iter().filter(|it| !is_open(it) && it.ending() == Ending::Open);
    let closed = closed.map(|proposal| origin(state, proposal)).filter(|origin| *origin > 0);
    out.unordered(closed, Encoder::number);

    out.unordered(Holder::ALL.into_iter(), |out, holder| {
        let holder = holder.address();
        out.number(state.set.asset().balance_of(holder).get());
        out.number(governance.power(holder).get());
        for proposal in &open {
            out.tally(proposal.ballot(holder));
            let snapshot = proposal.deadlines().pending;
            if let Ok(power) = governance.power_at(holder, snapshot, state.now) {
                out.number(power.get());
            }
        }
        let due = governance
            .withdrawals()
            .iter()
            .filter(|withdrawal| withdrawal.holder == holder && withdrawal.payment == Payment::Due);
        out.unordered(due, |out, withdrawal| {
            out.number(withdrawal.amount.get());
            out.until(withdrawal.unlocks_at);
        });
    });
}

/// The origin of a proposal: 0 for the lock, 1 for a Proposals contract that was replaced, 2 for
/// one that has been in force since.
fn origin(state: &State, proposal: &Proposal) -> u64 {
    match proposal.origin() {
        Origin::Lock => 0,
        Origin::Pushed { .. } if state.is_dropped(proposal) => 1,
        Origin::Pushed { .. } => 2,
    }
}

fn slots(out: &mut Encoder, state: &State, write_place: bool) {
    let set = &state.set;
    let Some((canonical, rollup)) = set.canonical_rollup() else { return };
    let clock = rollup.clock();
    if write_place {
        let age = state.now.since(clock.genesis).unwrap_or_default().get();
        out.number(age % (SLOT * EPOCH * M));
    }
    let slot = clock.slot_at(state.now).unwrap_or_default();
    for (_, proposals) in set.all_proposals() {
        out.number(u8::from(proposals.newest_slot(canonical) == Some(slot)));
        signals(out, proposals, canonical, present_round(state));
    }
    for (_, rollup) in set.rollups() {
        let epoch = rollup.clock().epoch_of(slot);
        for epoch in [epoch, epoch.next()] {
            out.number(rollup.set_size(epoch, state.now).unwrap_or_default());
            out.number(u8::from(state.has_seed(rollup, epoch)));
        }
        out.number(rollup.set_size_now());
    }
    out.unordered(Staker::ALL.into_iter(), |out, staker| {
        for (_, rollup) in set.rollups() {
            let member = rollup.member(staker.address());
            out.number(member.map(Member::status).unwrap_or_default() as u8);
            if let Some(moving) = member.and_then(Member::moving) {
                out.until(moving.ready_at);
            }
        }
    });
}

/// Writes the signals of `canonical` in the rounds up to the present one, `present`, that can still
/// be won or pushed.
fn signals(out: &mut Encoder, proposals: &Proposals, canonical: Address, present: u64) {
    for back in 1..=LIFETIME_IN_ROUNDS {
        let round = present.checked_sub(back).map(Round::of);
        let tally = round.and_then(|round| proposals.round(canonical, round));
        let leader = tally.filter(|tally| tally.pushed.is_none()).and_then(|tally| tally.leader);
        out.bytes.push(leader.map_or(0, |leader| leader.payload.0[19]));
        // A round without a quorum is written as well: rules that let it be pushed would show only
        // there.
        out.bytes.push(leader.map_or(0, |leader| u8::from(leader.count >= proposals.rules().n())));
    }
    let Some(tally) = proposals.round(canonical, Round::of(present)) else {
        return out.bytes.push(0);
    };
    out.bytes.push(tally.leader.map_or(0, |leader| leader.payload.0[19]));
    out.unordered(tally.payloads.iter(), |out, (payload, pin)| {
        out.bytes.push(payload.0[19]);
        out.number(pin.count);
    });
}
