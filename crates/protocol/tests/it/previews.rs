//! What previews report about a list of actions before it is executed.

use crate::chain::{
    ASSET, Chain, GOVERNANCE, PROPOSALS, REGISTRY, ROLLUP, action, configuration, contract,
    harmless, named, tokens, update,
};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Action, AssetCall, GovernanceCall, GovernanceEvent, GovernanceRefusal, OwnershipCall,
    ProposalId, Reaction, RegistryCall, Warning,
};

#[test]
fn a_preview_says_what_reviewers_must_know() {
    let mut chain = Chain::voting(5000, 0);
    let pushed = chain.push(contract(9), harmless());
    let stranger = named("stranger");
    let (foreign, twin, next) = (contract(5), contract(6), contract(7));
    chain.foreign.deploy(foreign);
    chain.foreign.answer(foreign, "getCurrentSlot()", U256::ZERO);
    chain.foreign.answer(foreign, "getCurrentProposer()", U256::ZERO);
    chain.deploy_proposals(twin);
    chain.deploy_rollup(next);

    let appoint = |new_governance_proposer| {
        action(GOVERNANCE, GovernanceCall::UpdateGovernanceProposer { new_governance_proposer })
    };
    let offer =
        |contract, new_owner| action(contract, OwnershipCall::TransferOwnership { new_owner });
    let upgrade = |rollup| action(REGISTRY, RegistryCall::Upgrade { rollup });
    let id = ProposalId::try_from(pushed).unwrap();
    let offered = |contract, new_owner| Warning::OwnershipOffered { contract, new_owner };
    for (actions, warnings) in [
        (update(configuration()), vec![]),
        (vec![appoint(twin)], vec![Warning::ProposalDropped { id }]),
        (
            vec![appoint(foreign)],
            vec![
                Warning::UnknownProposals { governance_proposer: foreign },
                Warning::ProposalDropped { id },
            ],
        ),
        (vec![offer(REGISTRY, stranger)], vec![offered(REGISTRY, stranger)]),
        (vec![offer(ROLLUP, stranger)], vec![offered(ROLLUP, stranger)]),
        (vec![offer(REGISTRY, GOVERNANCE)], vec![]),
        (vec![offer(REGISTRY, Address::ZERO)], vec![]),
        (vec![upgrade(next)], vec![]),
        (vec![upgrade(foreign)], vec![Warning::UnknownRollup { rollup: foreign }]),
        // What is undone again is nothing to warn of.
        (vec![appoint(twin), appoint(PROPOSALS)], vec![Warning::ProposalDropped { id }]),
        (vec![offer(REGISTRY, stranger), offer(REGISTRY, Address::ZERO)], vec![]),
    ] {
        let preview = chain.set.preview(&actions, chain.block, &chain.foreign);
        assert_eq!(preview.warnings, warnings, "{actions:?}");
        assert!(preview.outcome.is_ok());
    }
}

#[test]
fn what_is_executed_is_not_dropped_by_it() {
    let mut chain = Chain::voting(5000, 0);
    let twin = contract(6);
    chain.deploy_proposals(twin);
    let appoint = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: twin };
    let first = chain.push(contract(8), vec![action(GOVERNANCE, appoint.clone())]);
    let second = chain.push(contract(9), vec![action(GOVERNANCE, appoint)]);
    let [first, second] = [first, second].map(|id| ProposalId::try_from(id).unwrap());
    for (id, other) in [(first, second), (second, first)] {
        let preview = chain.set.preview_proposal(id, chain.block, &chain.foreign).unwrap();
        assert_eq!(preview.warnings, [Warning::ProposalDropped { id: other }]);
        let events = preview.outcome.unwrap();
        let executed = GovernanceEvent::ProposalExecuted { proposal_id: id };
        assert_eq!(events[0].event, executed.into());
        assert_eq!(events.len(), 2);
    }
    let id = ProposalId::of(second.get() + 1);
    let unknown = GovernanceRefusal::UnknownProposal { id: id.to_word(), count: id.to_word() };
    let preview = chain.set.preview_proposal(id, chain.block, &chain.foreign);
    assert_eq!(preview, Err(unknown));
}

#[test]
fn a_taker_that_waits_is_found() {
    let mut chain = Chain::voting(5000, 0);
    let taker = contract(5);
    chain.foreign.deploy(taker);
    let accept = action(REGISTRY, OwnershipCall::AcceptOwnership);
    chain.foreign.reactions.insert(taker, Reaction::Calls(vec![accept]));
    let give = vec![
        action(REGISTRY, OwnershipCall::TransferOwnership { new_owner: taker }),
        Action { target: taker, data: Default::default() },
    ];
    let preview = chain.set.preview(&give, chain.block, &chain.foreign);
    let lost = Warning::OwnershipLost { contract: REGISTRY, new_owner: taker };
    assert_eq!(preview.warnings, [lost]);
}

#[test]
fn a_preview_that_reverts_says_why() {
    let chain = Chain::voting(5000, 0);
    let actions = vec![action(ASSET, AssetCall::Approve { spender: ROLLUP, amount: tokens(1) })];
    let preview = chain.set.preview(&actions, chain.block, &chain.foreign);
    let index = U256::ZERO;
    let refusal = GovernanceRefusal::ActionOnAsset { index };
    assert_eq!(preview.outcome, Err(refusal.into()));
    assert_eq!(preview.warnings, []);
}
