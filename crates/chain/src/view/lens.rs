//! The questions to the lens, split into calls that it can answer.

use super::{ViewSubject, answers::Answers};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use canon_abi::{
    Contract, Governance, Registry,
    SetLens::{HolderQuestion, LensQuestion, RollupQuestion, constructorCall},
};
use canon_protocol::ProposalId;
use std::collections::BTreeSet;

/// The available bytes of a transcript. The lens returns at most 24,576 (EIP-170); the rest is for what it
/// reads in every call.
const ROOM: usize = 23_500;

// The bytes of entries: 25 each, the calldata, and the answer.

/// The bytes for Governance, the canonical rollup, and six rounds with leaders.
const GENERAL: usize = 8_000;
/// The bytes for a proposal, its state, the hash of its actions, and all power at its snapshot.
const PROPOSAL: usize = 541 + 93 + 93 + 93;
/// The bytes for eleven views of a rollup without arguments or with one.
const ROLLUP: usize = 970;
/// The bytes for an attester's status, exit and move.
const ATTESTER: usize = 189 + 125 + 125;
/// The bytes for a payload's account, its newest proposal, and its signals.
const PAYLOAD: usize = 54 + 125 + 157;
/// The bytes for a holder's balance, allowance, permit nonce and power.
const HOLDER: usize = 93 + 125 + 93 + 125;
/// The bytes for a ballot's cast power, its nonce, and the power at the snapshot.
const BALLOT: usize = 157 + 125 + 125;
/// The bytes for a withdrawal.
const WITHDRAWAL: usize = 189;

/// The number of newest proposals that are searched for those that take ballots now or later, if the
/// question has holders. Each costs some 20,000 gas.
const SEARCHED: u64 = 500;
/// The ballots of a holder in one call.
const BALLOTS_PER_CALL: usize = 50;
/// The number of proposals that the lens reads. Until they are read, the number that a contract returns may
/// be false. More proposals take more round trips.
const LENS_PROPOSALS: u64 = 2_000;
/// The attesters of a rollup in one call.
const ATTESTERS_PER_CALL: usize = 45;
/// The init code that reads `question`.
pub(super) fn init_code(question: LensQuestion) -> Bytes {
    Contract::SetLens.init_code(&constructorCall { question })
}

/// The question on which all others depend: the set's contracts, the number of proposals, and those that
/// take ballots.
pub(super) fn first_question(subject: &ViewSubject<'_>) -> LensQuestion {
    let searched = if subject.question.holders.is_empty() { 0 } else { SEARCHED };
    LensQuestion { searched: U256::from(searched), ..empty_question(subject) }
}

fn empty_question(subject: &ViewSubject<'_>) -> LensQuestion {
    LensQuestion {
        registry: subject.registry,
        next: subject.next.to_word(),
        general: false,
        firstProposal: U256::ZERO,
        endProposal: U256::ZERO,
        searched: U256::ZERO,
        rollups: Vec::new(),
        payloads: Vec::new(),
        holders: Vec::new(),
        withdrawals: Vec::new(),
    }
}

/// The proposals found before they are read in full.
#[derive(Debug, Default)]
pub(super) struct FoundProposals {
    /// The number of all proposals.
    count: u64,
    /// The proposals that take ballots now or later.
    open: Vec<ProposalId>,
}

impl FoundProposals {
    /// Reads the answers to [`first_question`].
    pub(super) fn of(registry: Address, answers: &Answers) -> Option<Self> {
        let governance = answer(answers, registry, &Registry::getGovernanceCall {})?;
        let count = answer(answers, governance, &Governance::proposalCountCall {})?;
        // The number is not yet proven.
        let count = count.saturating_to::<u64>();
        let ids = (count.saturating_sub(SEARCHED)..count).filter_map(ProposalId::new);
        let state = |id: &ProposalId| Governance::getProposalStateCall { id: id.to_word() };
        let open = ids.filter(|id| answer(answers, governance, &state(id)).is_some()).collect();
        Some(Self { count, open })
    }
}

fn answer<C: SolCall>(answers: &Answers, to: Address, call: &C) -> Option<C::Return> {
    let answer = answers.call(&(to, call.abi_encode().into()))??;
    C::abi_decode_returns_validate(answer).ok()
}

/// The whole `question`, split into calls of the lens.
pub(super) fn split(subject: &ViewSubject<'_>, found: &FoundProposals) -> Vec<LensQuestion> {
    let ViewSubject { question, .. } = subject;
    let proposals = found.count.min(LENS_PROPOSALS);
    let empty = empty_question(subject);
    let mut calls = Calls { full: Vec::new(), last: empty.clone(), empty, room: ROOM };
    calls.with_room(GENERAL).general = true;
    let mut first = 0;
    while first < proposals {
        let fitting = (calls.room / PROPOSAL).max(1);
        let end = proposals.min(first.saturating_add(fitting as u64));
        let call = calls.with_room(PROPOSAL * fitting);
        if call.endProposal.is_zero() {
            call.firstProposal = U256::from(first);
        }
        call.endProposal = U256::from(end);
        first = end;
    }
    for (rollup, attesters) in &question.rollups {
        let attesters: Vec<_> = attesters.iter().copied().collect();
        for part in parts(&attesters, ATTESTERS_PER_CALL) {
            let call = calls.with_room(ROLLUP + ATTESTER * part.len());
            call.rollups.push(RollupQuestion { rollup: *rollup, attesters: part.to_vec() });
        }
    }
    for payload in &question.payloads {
        calls.with_room(PAYLOAD).payloads.push(*payload);
    }
    for id in &question.withdrawals {
        calls.with_room(WITHDRAWAL).withdrawals.push(id.to_word());
    }
    for (holder, asked) in &question.holders {
        let asked = asked.iter().chain(&found.open).collect::<BTreeSet<_>>();
        let asked: Vec<_> = asked.into_iter().map(|id| id.to_word()).collect();
        for part in parts(&asked, BALLOTS_PER_CALL) {
            let call = calls.with_room(HOLDER + BALLOT * part.len());
            call.holders.push(HolderQuestion { holder: *holder, proposals: part.to_vec() });
        }
    }
    calls.full.push(calls.last);
    calls.full
}

/// Parts of at most `most` items; one empty part if there are none.
fn parts<T>(items: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    let empty = items.is_empty().then_some(items);
    empty.into_iter().chain(items.chunks(most))
}

/// The calls filled so far.
struct Calls {
    full: Vec<LensQuestion>,
    last: LensQuestion,
    empty: LensQuestion,
    /// The bytes left in the transcript of the last call.
    room: usize,
}

impl Calls {
    /// The last call if its transcript has room for `bytes`, otherwise a new one.
    fn with_room(&mut self, bytes: usize) -> &mut LensQuestion {
        if bytes > self.room && self.room < ROOM {
            self.full.push(core::mem::replace(&mut self.last, self.empty.clone()));
            self.room = ROOM;
        }
        self.room = self.room.saturating_sub(bytes);
        &mut self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{Timestamp, WithdrawalId};
    use canon_views::Question;

    /// The maximum length of init code (EIP-3860).
    const MAX_INIT_CODE: usize = 49_152;

    fn account(number: u64) -> Address {
        Address::from_word(U256::from(number).into())
    }

    fn question(size: u64) -> Question {
        let mut question = Question::default();
        for number in 0..size.min(9) {
            let attesters = (0..size >> number).map(account);
            question.rollups.insert(account(number), attesters.collect());
        }
        question.payloads = (0..size).map(account).collect();
        question.holders = (0..size)
            .map(|holder| (account(holder), (0..holder % 70).map(ProposalId::of).collect()))
            .collect();
        question.withdrawals = (0..size).map(WithdrawalId::of).collect();
        question
    }

    /// The bytes of the transcript.
    fn transcript_length(call: &LensQuestion) -> usize {
        let proposals = (call.endProposal - call.firstProposal).to::<usize>();
        let attesters = call.rollups.iter().map(|asked| asked.attesters.len()).sum::<usize>();
        let ballots = call.holders.iter().map(|asked| asked.proposals.len()).sum::<usize>();
        usize::from(call.general) * GENERAL
            + proposals * PROPOSAL
            + call.rollups.len() * ROLLUP
            + attesters * ATTESTER
            + call.payloads.len() * PAYLOAD
            + call.holders.len() * HOLDER
            + ballots * BALLOT
            + call.withdrawals.len() * WITHDRAWAL
    }

    #[test]
    fn everything_is_asked_in_calls_that_the_lens_can_answer() {
        let registry = account(77);
        for (count, size) in [(0, 0), (1, 1), (18, 0), (19, 3), (40, 60), (2_000, 300), (9_000, 2)]
        {
            let what = format!("{count} proposals, {size} of everything else");
            let open: Vec<_> = (0..count.min(5)).map(ProposalId::of).collect();
            let found = FoundProposals { count, open };
            let question = question(size);
            let next = Timestamp::of(9);
            let calls = split(&ViewSubject { registry, question: &question, next }, &found);
            assert_eq!(calls.iter().filter(|call| call.general).count(), 1, "{what}");
            let mut next = 0;
            let mut read = Question::default();
            for call in &calls {
                assert!(transcript_length(call) <= ROOM, "{what}: {}", transcript_length(call));
                assert!(init_code(call.clone()).len() <= MAX_INIT_CODE, "{what}");
                if !call.endProposal.is_zero() {
                    assert_eq!(call.firstProposal, U256::from(next), "{what}");
                    next = call.endProposal.to();
                }
                for RollupQuestion { rollup, attesters } in &call.rollups {
                    read.rollups.entry(*rollup).or_default().extend(attesters);
                }
                read.payloads.extend(&call.payloads);
                for HolderQuestion { holder, proposals } in &call.holders {
                    let ids = proposals.iter().map(|id| ProposalId::of(id.to()));
                    read.holders.entry(*holder).or_default().extend(ids);
                }
                let ids = call.withdrawals.iter().map(|id| WithdrawalId::of(id.to()));
                read.withdrawals.extend(ids);
            }
            assert_eq!(next, count.min(LENS_PROPOSALS), "{what}");
            let mut asked = question;
            for ids in asked.holders.values_mut() {
                ids.extend(&found.open);
            }
            assert_eq!(read, asked, "{what}");
        }
    }
}
