//! Signatures in place of callers: signals, ballots and permits.

use crate::chain::{
    ASSET, Chain, EXPECT, GOVERNANCE, ISSUER, PROPOSALS, ROLLUP, SLOT, action, contract, named,
    sign, tokens,
};
use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::SolStruct,
};
use canon_protocol::{
    Action, Amount, AssetCall, AssetEvent, AssetRefusal, Ballot, Code, CodeKind, CommonRefusal,
    Event, ExpectCall, GovernanceCall, GovernanceEvent, GovernanceRefusal, Nonce, Permit,
    ProposalId, ProposalsCall, ProposalsEvent, ProposalsRefusal, Seconds, Signal, Support,
    signing_domain,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);
const CHAIN_ID: u64 = 31337;

fn harmless() -> Vec<Action> {
    vec![action(EXPECT, ExpectCall::OwnerIs { target: ASSET, expected: ISSUER })]
}

/// Three stakers at the first slot of a round, and a payload.
fn signalling() -> Chain {
    let mut chain = Chain::staked(3);
    chain.foreign.list(PAYLOAD, harmless());
    chain.next_round();
    chain
}

fn signal_digest(chain: &Chain) -> B256 {
    let signal = Signal { payload: PAYLOAD, slot: chain.slot().to_word(), instance: ROLLUP };
    signal.eip712_signing_hash(&signing_domain("Proposals", CHAIN_ID, PROPOSALS))
}

const fn vote_with_sig(signature: Bytes) -> ProposalsCall {
    ProposalsCall::VoteWithSig { payload: PAYLOAD, signature }
}

#[test]
fn anyone_may_submit_the_proposers_signal() {
    let mut chain = signalling();
    let signature = sign(&chain.proposer_name(), signal_digest(&chain));
    let voter = chain.proposer();
    let events = chain.ok("anyone", PROPOSALS, vote_with_sig(signature.clone()));
    let round = chain.world.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot());
    let cast = ProposalsEvent::VoteCast { payload: PAYLOAD, round, voter };
    assert_eq!(events.last(), Some(&Event::from(cast)));
    // Not twice, and not in another slot.
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
    let mut chain = signalling();
    let name = chain.proposer_name();
    let proposer = chain.proposer();
    let slot = chain.slot().to_word();
    let right = Signal { payload: PAYLOAD, slot, instance: ROLLUP };
    let domain = |name, id, contract| signing_domain(name, id, contract);
    let wrong = [
        right.eip712_signing_hash(&domain("Proposals", 1, PROPOSALS)),
        right.eip712_signing_hash(&domain("Proposals", CHAIN_ID, GOVERNANCE)),
        right.eip712_signing_hash(&domain("Governance", CHAIN_ID, PROPOSALS)),
        Signal { payload: ROLLUP, ..right.clone() }.eip712_signing_hash(&domain(
            "Proposals",
            CHAIN_ID,
            PROPOSALS,
        )),
        Signal { slot: slot + U256::from(1), ..right.clone() }.eip712_signing_hash(&domain(
            "Proposals",
            CHAIN_ID,
            PROPOSALS,
        )),
        Signal { instance: contract(1), ..right }.eip712_signing_hash(&domain(
            "Proposals",
            CHAIN_ID,
            PROPOSALS,
        )),
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
        let mut chain = signalling();
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

/// A chain with an active proposal 0 and 100 power of alice.
fn voting() -> Chain {
    let mut chain = Chain::voting(1000, 10);
    chain.lock_propose(PAYLOAD, harmless());
    chain.wait(101);
    chain
}

fn ballot(amount: u128, nonce: u64, deadline: U256) -> Ballot {
    Ballot {
        proposalId: U256::ZERO,
        amount: tokens(amount),
        support: true,
        voter: named("alice"),
        nonce: U256::from(nonce),
        deadline,
    }
}

fn signed(by: &str, ballot: &Ballot) -> GovernanceCall {
    let domain = signing_domain("Governance", CHAIN_ID, GOVERNANCE);
    GovernanceCall::VoteWithSig {
        proposal_id: ballot.proposalId,
        amount: ballot.amount,
        support: if ballot.support { Support::Yea } else { Support::Nea },
        voter: ballot.voter,
        deadline: ballot.deadline,
        signature: sign(by, ballot.eip712_signing_hash(&domain)),
    }
}

#[test]
fn anyone_may_submit_a_holders_ballot_once() {
    let mut chain = voting();
    let deadline = (chain.now() + Seconds::of(10)).to_word();
    let call = signed("alice", &ballot(7, 0, deadline));
    let events = chain.ok("anyone", GOVERNANCE, call.clone());
    let voter = named("alice");
    assert_eq!(
        events,
        [
            GovernanceEvent::NonceUsed { holder: voter, nonce: Nonce::ZERO },
            GovernanceEvent::VoteCast {
                proposal_id: ProposalId::ZERO,
                voter,
                support: Support::Yea,
                amount: Amount::of(7 * Amount::TOKEN.get()),
            },
        ]
        .map(Event::from)
    );
    let nonce = U256::from(1);
    let invalid = GovernanceRefusal::InvalidSignature { voter, nonce };
    chain.refused("anyone", GOVERNANCE, call, invalid.clone());
    let stranger = signed("bob", &ballot(7, 1, deadline));
    chain.refused("anyone", GOVERNANCE, stranger, invalid);

    let next = signed("alice", &ballot(7, 1, deadline));
    chain.jump(canon_protocol::Timestamp::try_from(deadline).unwrap());
    chain.ok("anyone", GOVERNANCE, next);
    let late = signed("alice", &ballot(0, 2, deadline));
    chain.wait(1);
    let timestamp = chain.now().to_word();
    let expired = GovernanceRefusal::SignatureExpired { timestamp, deadline };
    chain.refused("anyone", GOVERNANCE, late, expired);
}

#[test]
fn a_nonce_can_be_made_unusable() {
    let mut chain = voting();
    let call = signed("alice", &ballot(7, 0, U256::MAX));
    chain.ok("alice", GOVERNANCE, GovernanceCall::InvalidateNonce);
    let voter = named("alice");
    let invalid = GovernanceRefusal::InvalidSignature { voter, nonce: U256::from(1) };
    chain.refused("anyone", GOVERNANCE, call, invalid);
}

#[test]
fn a_refused_ballot_uses_no_nonce() {
    let mut chain = voting();
    let call = signed("alice", &ballot(501, 0, U256::MAX));
    let too_much = GovernanceRefusal::InsufficientPower {
        holder: named("alice"),
        available: tokens(500),
        needed: tokens(501),
    };
    chain.refused("anyone", GOVERNANCE, call, too_much);
    assert_eq!(chain.world.governance().nonce(named("alice")), Nonce::ZERO);
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
    let digest = permit.eip712_signing_hash(&signing_domain("Canon", CHAIN_ID, ASSET));
    let signature = sign("alice", digest);
    (signature[64], B256::from_slice(&signature[..32]), B256::from_slice(&signature[32..64]))
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
    let power = chain.world.governance().power(named("alice"));
    assert_eq!(power, Amount::of(10 * Amount::TOKEN.get()));

    // Without an allowance it fails for want of that.
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
