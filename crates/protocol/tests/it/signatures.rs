//! Signatures in place of callers: signals, ballots and permits.

use crate::chain::{
    ASSET, Chain, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, ROLLUP, SLOT, action, contract, named,
    sign, tokens,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolStruct;
use canon_protocol::{
    Action, Amount, AssetCall, AssetEvent, AssetRefusal, Ballot, Code, CodeKind, CommonRefusal,
    Event, ExpectCall, GovernanceCall, GovernanceEvent, GovernanceRefusal, Nonce, Permit,
    ProposalId, ProposalsCall, ProposalsEvent, ProposalsRefusal, Seconds, Signal, Support,
    signature_parts, signing_domain,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);
const CHAIN_ID: u64 = 31337;

fn harmless() -> Vec<Action> {
    vec![action(EXPECT, ExpectCall::OwnerIs { target: ASSET, expected: ISSUER })]
}

/// A set with three stakers at the first slot of a round, and a payload.
fn signaling() -> Chain {
    let mut chain = Chain::staked(3);
    chain.foreign.list(PAYLOAD, harmless());
    chain.next_round();
    chain
}

fn signal_digest(chain: &Chain) -> B256 {
    let signal = Signal { payload: PAYLOAD, slot: chain.slot().to_word(), instance: ROLLUP };
    signal.signing_hash(CHAIN_ID, PROPOSALS)
}

const fn vote_with_sig(signature: Bytes) -> ProposalsCall {
    ProposalsCall::VoteWithSig { payload: PAYLOAD, signature }
}

#[test]
fn anyone_may_submit_the_proposers_signal() {
    let mut chain = signaling();
    let signature = sign(&chain.proposer_name(), signal_digest(&chain));
    let voter = chain.proposer();
    let events = chain.ok("anyone", PROPOSALS, vote_with_sig(signature.clone()));
    let round = chain.set.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot());
    let cast = ProposalsEvent::VoteCast { payload: PAYLOAD, round, voter };
    assert_eq!(events.last(), Some(&Event::from(cast)));
    // The signature can't be used twice, nor in another slot.
    let slot = chain.slot().to_word();
    let used = ProposalsRefusal::SlotAlreadyUsed { slot, newest_slot: slot };
    chain.refused("anyone", PROPOSALS, vote_with_sig(signature.clone()), used);
    while {
        chain.wait(SLOT);
        chain.proposer() != voter
    } {}
    let invalid = ProposalsRefusal::InvalidSignature { proposer: voter };
    chain.refused("anyone", PROPOSALS, vote_with_sig(signature), invalid);
}

#[test]
fn a_signature_is_bound_to_chain_contract_rollup_slot_and_payload() {
    let mut chain = signaling();
    let name = chain.proposer_name();
    let proposer = chain.proposer();
    let slot = chain.slot().to_word();
    let right = Signal { payload: PAYLOAD, slot, instance: ROLLUP };
    let next = slot + U256::from(1);
    let wrong = [
        right.signing_hash(1, PROPOSALS),
        right.signing_hash(CHAIN_ID, GOVERNANCE),
        right.eip712_signing_hash(&signing_domain("Governance", CHAIN_ID, PROPOSALS)),
        Signal { payload: ROLLUP, ..right.clone() }.signing_hash(CHAIN_ID, PROPOSALS),
        Signal { slot: next, ..right.clone() }.signing_hash(CHAIN_ID, PROPOSALS),
        Signal { instance: contract(1), ..right }.signing_hash(CHAIN_ID, PROPOSALS),
    ];
    for digest in wrong {
        let call = vote_with_sig(sign(&name, digest));
        let invalid = ProposalsRefusal::InvalidSignature { proposer };
        chain.refused("anyone", PROPOSALS, call, invalid);
    }
    let stranger = vote_with_sig(sign("stranger", signal_digest(&chain)));
    let invalid = ProposalsRefusal::InvalidSignature { proposer };
    chain.refused("anyone", PROPOSALS, stranger, invalid);
}

#[test]
fn wallets_and_delegations_sign_too() {
    for (kind, ecdsa, erc1271, valid) in [
        (CodeKind::None, true, false, true),
        (CodeKind::None, false, true, false),
        (CodeKind::Delegation, true, false, true),
        (CodeKind::Delegation, false, true, false),
        (CodeKind::Contract, false, true, true),
        (CodeKind::Contract, false, false, false),
        (CodeKind::Contract, true, false, true),
    ] {
        let mut chain = signaling();
        let proposer = chain.proposer();
        let digest = signal_digest(&chain);
        chain.foreign.code.insert(proposer, Code { kind, hash: B256::ZERO });
        if erc1271 {
            chain.foreign.accepted.insert((proposer, digest));
        }
        let signature =
            if ecdsa { sign(&chain.proposer_name(), digest) } else { Bytes::from_static(b"?") };
        let result = chain.send(named("anyone"), PROPOSALS, vote_with_sig(signature));
        assert_eq!(result.is_ok(), valid, "{kind:?}, ECDSA {ecdsa}, ERC-1271 {erc1271}");
    }
}

/// A chain with two active proposals, 0 and 1, in which alice has 500 power.
fn voting() -> Chain {
    let mut chain = Chain::voting(1500, 10);
    chain.lock_propose(PAYLOAD, harmless());
    chain.lock_propose(contract(1), [harmless(), harmless()].concat());
    chain.wait(101);
    chain
}

/// `alice`'s ballot on proposal `id`.
fn ballot(chain: &Chain, id: u64, amount: u128, nonce: u64, deadline: U256) -> Ballot {
    let id = U256::from(id);
    let (_, proposal) = chain.set.governance().proposal(id).unwrap();
    Ballot {
        proposalId: id,
        actionsHash: proposal.actions_hash(),
        amount: tokens(amount),
        support: true,
        voter: named("alice"),
        nonce: U256::from(nonce),
        deadline,
    }
}

fn signed(by: &str, ballot: &Ballot) -> GovernanceCall {
    GovernanceCall::VoteWithSig {
        proposal_id: ballot.proposalId,
        amount: ballot.amount,
        support: if ballot.support { Support::Yea } else { Support::Nea },
        voter: ballot.voter,
        deadline: ballot.deadline,
        signature: sign(by, ballot.signing_hash(CHAIN_ID, GOVERNANCE)),
    }
}

fn next_nonce(chain: &Chain, id: u64) -> u64 {
    chain.set.governance().ballot_nonce(U256::from(id), named("alice")).get()
}

fn invalid(nonce: u64) -> GovernanceRefusal {
    GovernanceRefusal::InvalidSignature { voter: named("alice"), nonce: U256::from(nonce) }
}

#[test]
fn anyone_may_submit_a_holders_ballot_once() {
    let mut chain = voting();
    let deadline = (chain.now() + Seconds::of(10)).to_word();
    let call = signed("alice", &ballot(&chain, 0, 7, 0, deadline));
    let events = chain.ok("anyone", GOVERNANCE, call.clone());
    let (voter, proposal_id) = (named("alice"), ProposalId::ZERO);
    assert_eq!(
        events,
        [
            GovernanceEvent::NonceUsed { proposal_id, holder: voter, nonce: Nonce::ZERO },
            GovernanceEvent::VoteCast {
                proposal_id,
                voter,
                support: Support::Yea,
                amount: Amount::of(7 * Amount::TOKEN.get()),
            },
        ]
        .map(Event::from)
    );
    chain.refused("anyone", GOVERNANCE, call, invalid(1));
    let stranger = signed("bob", &ballot(&chain, 0, 7, 1, deadline));
    chain.refused("anyone", GOVERNANCE, stranger, invalid(1));

    let next = signed("alice", &ballot(&chain, 0, 7, 1, deadline));
    chain.jump(canon_protocol::Timestamp::try_from(deadline).unwrap());
    chain.ok("anyone", GOVERNANCE, next);
    let late = signed("alice", &ballot(&chain, 0, 0, 2, deadline));
    chain.wait(1);
    let timestamp = chain.now().to_word();
    let expired = GovernanceRefusal::SignatureExpired { timestamp, deadline };
    chain.refused("anyone", GOVERNANCE, late, expired);
}

#[test]
fn ballots_on_different_proposals_do_not_wait_for_each_other() {
    let mut chain = voting();
    let calls: Vec<_> = [(1, 1), (0, 0), (1, 0), (0, 1)]
        .map(|(id, nonce)| signed("alice", &ballot(&chain, id, 3, nonce, U256::MAX)))
        .into();
    let [second_of_1, first_of_0, first_of_1, second_of_0] = calls.as_slice() else { panic!() };
    chain.refused("anyone", GOVERNANCE, second_of_1.clone(), invalid(0));
    for (call, nonces) in
        [(first_of_0, (1, 0)), (first_of_1, (1, 1)), (second_of_1, (1, 2)), (second_of_0, (2, 2))]
    {
        chain.ok("anyone", GOVERNANCE, call.clone());
        assert_eq!((next_nonce(&chain, 0), next_nonce(&chain, 1)), nonces);
    }
    // A direct ballot uses no nonce, ballots of others don't change it, and an unknown proposal has nonce
    // 0.
    let (id, amount, support) = (U256::ZERO, tokens(1), Support::Nea);
    chain.ok("alice", GOVERNANCE, GovernanceCall::Vote { id, amount, support });
    assert_eq!(next_nonce(&chain, 0), 2);
    let governance = chain.set.governance();
    assert_eq!(governance.ballot_nonce(U256::ZERO, named("bob")), Nonce::ZERO);
    assert_eq!(governance.ballot_nonce(U256::MAX, named("alice")), Nonce::ZERO);
    assert_eq!(governance.ballot_nonce(U256::from(2), named("alice")), Nonce::ZERO);
}

#[test]
fn a_ballot_names_the_actions() {
    let mut chain = voting();
    let right = signed("alice", &ballot(&chain, 0, 7, 0, U256::MAX));
    // Before a reorganization, another proposal had the number.
    let other = ballot(&chain, 1, 7, 0, U256::MAX).actionsHash;
    let ballot = Ballot { actionsHash: other, ..ballot(&chain, 0, 7, 0, U256::MAX) };
    let swapped = signed("alice", &ballot);
    chain.refused("anyone", GOVERNANCE, swapped, invalid(0));
    assert_eq!(
        Ballot::eip712_encode_type(),
        "Ballot(uint256 proposalId,bytes32 actionsHash,uint256 amount,bool support,address voter,\
         uint256 nonce,uint256 deadline)"
    );
    chain.ok("anyone", GOVERNANCE, right);
}

#[test]
fn all_ballots_on_a_proposal_can_be_invalidated() {
    let mut chain = voting();
    let invalidate = GovernanceCall::InvalidateBallots { id: U256::ZERO };
    let calls: Vec<_> =
        (0..3).map(|nonce| signed("alice", &ballot(&chain, 0, 7, nonce, U256::MAX))).collect();
    chain.ok("anyone", GOVERNANCE, calls[0].clone());
    let events = chain.ok("alice", GOVERNANCE, invalidate.clone());
    let next: u64 = (1 << 32) + 1;
    let (proposal_id, holder) = (ProposalId::ZERO, named("alice"));
    let next_nonce_is = Nonce::of(next);
    let event =
        GovernanceEvent::BallotsInvalidated { proposal_id, holder, next_nonce: next_nonce_is };
    assert_eq!(events, [Event::from(event)]);
    for call in &calls {
        chain.refused("anyone", GOVERNANCE, call.clone(), invalid(next));
    }
    assert_eq!((next_nonce(&chain, 0), next_nonce(&chain, 1)), (next, 0));
    chain.ok("anyone", GOVERNANCE, signed("alice", &ballot(&chain, 0, 7, next, U256::MAX)));
    chain.ok("anyone", GOVERNANCE, signed("alice", &ballot(&chain, 1, 7, 0, U256::MAX)));

    // Ballots can be invalidated in any state of an existing proposal.
    chain.wait(100_000);
    chain.ok("alice", GOVERNANCE, invalidate);
    let (id, count) = (U256::from(2), U256::from(2));
    let unknown = GovernanceRefusal::UnknownProposal { id, count };
    chain.refused("alice", GOVERNANCE, GovernanceCall::InvalidateBallots { id }, unknown);
}

#[test]
fn nonces_end_with_64_bits() {
    let mut chain = voting();
    let (proposal_id, holder) = (ProposalId::ZERO, named("alice"));
    let id = U256::ZERO;
    let mut raise = |next_nonce: u64| {
        let next_nonce = Nonce::of(next_nonce);
        let event = GovernanceEvent::BallotsInvalidated { proposal_id, holder, next_nonce };
        chain.record(vec![canon_protocol::Log { emitter: GOVERNANCE, event: event.into() }]);
        chain.clone()
    };
    let max = U256::from(u64::MAX);
    let too_large = |value| CommonRefusal::ValueTooLarge { value, max };
    let step: u64 = 1 << 32;
    let mut chain = raise(u64::MAX - step);
    chain.ok("alice", GOVERNANCE, GovernanceCall::InvalidateBallots { id });
    let mut chain = raise(u64::MAX - step + 1);
    let refusal = too_large(max + U256::from(1));
    chain.refused("alice", GOVERNANCE, GovernanceCall::InvalidateBallots { id }, refusal);
    let mut chain = raise(u64::MAX - 1);
    chain.ok("anyone", GOVERNANCE, signed("alice", &ballot(&chain, 0, 7, u64::MAX - 1, U256::MAX)));
    let last = signed("alice", &ballot(&chain, 0, 7, u64::MAX, U256::MAX));
    chain.refused("anyone", GOVERNANCE, last, too_large(max + U256::from(1)));
}

#[test]
fn checks_of_a_signed_ballot_come_in_their_order() {
    let mut chain = voting();
    let wrong = |ballot: &Ballot| signed("bob", ballot);
    let id = U256::from(9);
    let unknown = GovernanceRefusal::UnknownProposal { id, count: U256::from(2) };
    let lost = Ballot { proposalId: id, ..ballot(&chain, 0, 0, 0, U256::ZERO) };
    chain.refused("anyone", GOVERNANCE, wrong(&lost), unknown);
    // These ballots have several defects. The refusal is that of the first check.
    let mut over = chain.clone();
    over.wait(100_000);
    let (state, id) = (canon_protocol::ProposalState::Rejected, U256::ZERO);
    let hopeless = ballot(&over, 0, 0, 0, U256::ZERO);
    over.refused("anyone", GOVERNANCE, wrong(&hopeless), invalid(0));
    let not_active = GovernanceRefusal::NotActive { id, state };
    over.refused("anyone", GOVERNANCE, signed("alice", &hopeless), not_active);
    let (timestamp, deadline) = (chain.now().to_word(), U256::ZERO);
    let expired = GovernanceRefusal::SignatureExpired { timestamp, deadline };
    chain.refused("anyone", GOVERNANCE, signed("alice", &hopeless), expired);
    let empty = ballot(&chain, 0, 0, 0, timestamp);
    chain.refused("anyone", GOVERNANCE, signed("alice", &empty), GovernanceRefusal::ZeroAmount);
}

#[test]
fn a_refused_ballot_uses_no_nonce() {
    let mut chain = voting();
    let call = signed("alice", &ballot(&chain, 0, 501, 0, U256::MAX));
    let too_much = GovernanceRefusal::InsufficientPower {
        holder: named("alice"),
        available: tokens(500),
        needed: tokens(501),
    };
    chain.refused("anyone", GOVERNANCE, call, too_much);
    assert_eq!(next_nonce(&chain, 0), 0);
}

/// `alice`'s permit for Governance.
fn permit(amount: u128, nonce: u64, deadline: U256) -> (u8, B256, B256) {
    let permit = Permit {
        owner: named("alice"),
        spender: GOVERNANCE,
        value: tokens(amount),
        nonce: U256::from(nonce),
        deadline,
    };
    let signature = sign("alice", permit.signing_hash(CHAIN_ID, ASSET, "Canon"));
    signature_parts(&signature).unwrap()
}

fn permit_call(amount: u128, deadline: U256, (v, r, s): (u8, B256, B256)) -> AssetCall {
    let (owner, spender, value) = (named("alice"), GOVERNANCE, tokens(amount));
    AssetCall::Permit { owner, spender, value, deadline, v, r, s }
}

fn deposit(amount: u128, deadline: U256, (v, r, s): (u8, B256, B256)) -> GovernanceCall {
    let (on_behalf_of, amount) = (named("alice"), tokens(amount));
    GovernanceCall::DepositWithPermit { on_behalf_of, amount, deadline, v, r, s }
}

#[test]
fn a_permit_gives_its_allowance_once() {
    let mut chain = Chain::deployed();
    let deadline = chain.now().to_word();
    let signature = permit(5, 0, deadline);
    let events = chain.ok("anyone", ASSET, permit_call(5, deadline, signature));
    let (owner, spender, amount) = (named("alice"), GOVERNANCE, tokens(5));
    assert_eq!(
        events,
        [
            AssetEvent::PermitUsed { owner, nonce: Nonce::ZERO },
            AssetEvent::Approval { owner, spender, amount },
        ]
        .map(Event::from)
    );
    let refusal = chain.send(named("anyone"), ASSET, permit_call(5, deadline, signature));
    let Err(canon_protocol::Refusal::Asset(AssetRefusal::InvalidSigner { owner: other, .. })) =
        refusal
    else {
        panic!("{refusal:?}");
    };
    assert_eq!(other, owner);

    let (v, r, _) = signature;
    let invalid = AssetRefusal::InvalidSignature;
    chain.refused("anyone", ASSET, permit_call(5, deadline, (v, r, B256::ZERO)), invalid.clone());
    chain.refused("anyone", ASSET, permit_call(5, deadline, (29, r, B256::ZERO)), invalid);
    let s = B256::repeat_byte(0xff);
    let high = AssetRefusal::InvalidSignatureS { s };
    chain.refused("anyone", ASSET, permit_call(5, deadline, (v, r, s)), high);
    chain.wait(1);
    let expired = AssetRefusal::PermitExpired { deadline };
    chain.refused("anyone", ASSET, permit_call(5, deadline, signature), expired);
}

#[test]
fn a_deposit_survives_a_permit_that_was_used_already() {
    let mut chain = Chain::deployed();
    chain.fund("alice", 20);
    let signature = permit(5, 0, U256::MAX);
    let events = chain.ok("alice", GOVERNANCE, deposit(5, U256::MAX, signature));
    assert_eq!(events.len(), 5, "PermitUsed, Approval twice, Transfer, Deposit");

    let signature = permit(5, 1, U256::MAX);
    chain.ok("thief", ASSET, permit_call(5, U256::MAX, signature));
    let events = chain.ok("alice", GOVERNANCE, deposit(5, U256::MAX, signature));
    assert_eq!(events.len(), 3, "Approval, Transfer, Deposit");
    let power = chain.set.governance().power(named("alice"));
    assert_eq!(power, Amount::of(10 * Amount::TOKEN.get()));

    // Without an allowance it fails because of that.
    let (spender, allowance, needed) = (GOVERNANCE, U256::ZERO, tokens(5));
    let missing = AssetRefusal::InsufficientAllowance { spender, allowance, needed };
    chain.refused("alice", GOVERNANCE, deposit(5, U256::MAX, signature), missing);
    chain.refused(
        "alice",
        GOVERNANCE,
        GovernanceCall::DepositWithPermit {
            on_behalf_of: Address::ZERO,
            amount: tokens(5),
            deadline: U256::ZERO,
            v: 0,
            r: B256::ZERO,
            s: B256::ZERO,
        },
        CommonRefusal::ZeroAddress,
    );
}
