//! Pushes while the Registry belongs to a contract outside the set. Winners are pushed to that contract,
//! and the rules don't know the proposals they become.

use crate::chain::{
    Chain, EPOCH_SECONDS, GOVERNANCE, N, PROPOSALS, REGISTRY, ROLLUP, action, contract, harmless,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_protocol::{
    Action, Constructor, GovernanceCall, Leader, Log, OwnershipCall, ProposalId, ProposalsCall,
    ProposalsEvent, ProposalsRefusal, Pushed, RawRollupParameters, Reaction, Refusal, RollupCall,
    Round, RoundTally,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);

fn other() -> Address {
    contract(5)
}

fn push(round: Round) -> ProposalsCall {
    ProposalsCall::PushProposal { round: round.to_word() }
}

/// A set whose Registry belongs to a contract that claims to be a Governance.
fn given_away() -> Chain {
    let mut chain = Chain::voting(50_000, 0);
    chain.foreign.list(PAYLOAD, harmless());
    chain.foreign.deploy(other());
    chain.foreign.answer(other(), "governanceProposer()", PROPOSALS.into_word().into());
    chain.foreign.answer(other(), "proposalCount()", U256::from(7));
    let offer = OwnershipCall::TransferOwnership { new_owner: other() };
    chain.govern(contract(1), vec![action(REGISTRY, offer)]).unwrap();
    chain.send(other(), REGISTRY, OwnershipCall::AcceptOwnership).unwrap();
    chain
}

fn return_registry(chain: &mut Chain) {
    let back = OwnershipCall::TransferOwnership { new_owner: GOVERNANCE };
    chain.send(other(), REGISTRY, back).unwrap();
    chain.ok("anyone", GOVERNANCE, GovernanceCall::AcceptOwnership { target: REGISTRY });
}

fn tally(chain: &Chain, round: Round) -> &RoundTally {
    chain.set.proposals(PROPOSALS).unwrap().round(ROLLUP, round).unwrap()
}

fn pushable(chain: &Chain) -> Result<Vec<Round>, Refusal> {
    let rounds = chain.set.pushable_rounds(PROPOSALS, chain.now(), &chain.foreign)?;
    Ok(rounds.iter().map(|pushable| pushable.round).collect())
}

#[test]
fn what_is_pushed_elsewhere_is_known_by_events_only() {
    let undecided = Refusal::OutsideTheSet(other());
    let mut chain = given_away();
    let round = chain.win(PAYLOAD);
    let winner = |chain: &Chain| chain.set.winner(PROPOSALS, round, chain.now(), &chain.foreign);
    assert_eq!(tally(&chain, round).leader, Some(Leader { payload: PAYLOAD, count: N }));
    chain.refused("anyone", PROPOSALS, push(round), undecided.clone());
    assert_eq!(winner(&chain), Err(undecided.clone()));
    assert_eq!(pushable(&chain), Err(undecided.clone()));

    // The rules decide what doesn't depend on the other contract.
    let current_round = round.next().to_word();
    let not_over = ProposalsRefusal::RoundNotOver { round: current_round, current_round };
    chain.refused("anyone", PROPOSALS, push(round.next()), not_over);

    let event = ProposalsEvent::ProposalPushed { payload: PAYLOAD, round }.into();
    chain.record(vec![Log { emitter: PROPOSALS, event }]);
    assert_eq!(tally(&chain, round).pushed, Some(Pushed::Elsewhere(other())));
    let latest =
        |chain: &Chain| chain.set.proposals(PROPOSALS).unwrap().latest_proposal_of(PAYLOAD);
    assert_eq!(latest(&chain), None);
    chain.refused("anyone", PROPOSALS, push(round), undecided.clone());
    assert_eq!(pushable(&chain), Ok(vec![]), "it was pushed, wherever to");

    // The proposal's number there isn't known either after the Registry is back.
    return_registry(&mut chain);
    chain.refused("anyone", PROPOSALS, push(round), undecided);
    assert_eq!(pushable(&chain), Ok(vec![]));
    let round = chain.win(PAYLOAD);
    assert_eq!(pushable(&chain), Ok(vec![round]));
    let id = ProposalId::of(chain.set.governance().proposals().len() as u64);
    chain.ok("anyone", PROPOSALS, push(round));
    assert_eq!(tally(&chain, round).pushed, Some(Pushed::Proposal(id)));
    assert_eq!(latest(&chain), Some(id));
}

#[test]
fn a_round_without_a_winner_is_not_pushable_anywhere() {
    let mut chain = given_away();
    assert_eq!(pushable(&chain), Ok(vec![]));
    chain.next_round();
    for _ in 1..N {
        chain.signal(PAYLOAD);
    }
    chain.next_round();
    assert_eq!(pushable(&chain), Ok(vec![]));
    // The other contract has no Proposals contract of the set.
    chain.win(PAYLOAD);
    chain.foreign.answer(other(), "governanceProposer()", U256::ZERO);
    assert_eq!(pushable(&chain), Ok(vec![]));
}

#[test]
fn an_action_that_is_not_told_is_not_taken_for_one_that_failed() {
    let mut chain = given_away();
    let pusher = contract(2);
    chain.foreign.deploy(pusher);
    let act = Action { target: pusher, data: Bytes::new() };
    let id = chain.lock_propose(contract(3), vec![act]);
    chain.pass(id, 20_000);
    let round = chain.win(PAYLOAD);
    chain.foreign.reactions.insert(pusher, Reaction::Calls(vec![action(PROPOSALS, push(round))]));
    let undecided = Refusal::OutsideTheSet(other());
    chain.refused("anyone", GOVERNANCE, GovernanceCall::Execute { id }, undecided);
}

#[test]
fn a_reward_that_is_not_told_is_not_taken_for_one_that_failed() {
    let mut chain = given_away();
    let (rollup, distributor) = (contract(2), contract(3));
    let parameters =
        RawRollupParameters { reward_distributor: distributor, ..chain.rollup_parameters() };
    chain.deploy(rollup, Constructor::Rollup(parameters));
    chain.stake(rollup, 7);
    chain.wait(2 * EPOCH_SECONDS);
    let round = chain.win(PAYLOAD);
    let pushes = Reaction::Calls(vec![action(PROPOSALS, push(round))]);
    chain.foreign.reactions.insert(distributor, pushes);
    let block = RollupCall::ProposeBlock { block_hash: B256::ZERO };
    chain.refused("proposer 7", rollup, block, Refusal::OutsideTheSet(other()));
}
