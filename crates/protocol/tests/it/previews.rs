//! Previews of a list of actions before it is executed.

use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, GOVERNANCE, M, N, PROPOSALS, REGISTRY, ROLLUP, action,
    configuration, contract, harmless, named, tokens, update,
};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Action, ApplyError, AssetCall, Constructor, DistributorCall, GovernanceCall, GovernanceEvent,
    GovernanceRefusal, OwnershipCall, ProposalId, RawRollupParameters, Reaction, RegistryCall,
    Warning,
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
        // There is no warning about a change that is undone in the same list.
        (vec![appoint(twin), appoint(PROPOSALS)], vec![Warning::ProposalDropped { id }]),
        (vec![offer(REGISTRY, stranger), offer(REGISTRY, Address::ZERO)], vec![]),
    ] {
        let preview = chain.set.preview(&actions, chain.block, &chain.foreign);
        assert_eq!(preview.warnings, warnings, "{actions:?}");
        assert!(preview.outcome.is_ok());
    }
}

#[test]
fn a_new_rollup_of_another_owner_is_reported() {
    let mut chain = Chain::voting(5000, 0);
    let stranger = named("stranger");
    let [governed, foreign, coming, taker] = [5, 6, 7, 8].map(contract);
    chain.deploy_rollup(governed);
    let parameters = RawRollupParameters { owner: stranger, ..chain.rollup_parameters() };
    for rollup in [foreign, coming] {
        chain.deploy(rollup, Constructor::Rollup(parameters));
    }
    let transfer = |new_owner| OwnershipCall::TransferOwnership { new_owner };
    chain.send(stranger, coming, transfer(GOVERNANCE)).unwrap();
    chain.foreign.deploy(taker);
    let takes = action(governed, OwnershipCall::AcceptOwnership);
    chain.foreign.reactions.insert(taker, Reaction::Calls(vec![takes]));

    let upgrade = |rollup| action(REGISTRY, RegistryCall::Upgrade { rollup });
    let accept = |target| action(GOVERNANCE, GovernanceCall::AcceptOwnership { target });
    let offer = |new_owner| action(governed, transfer(new_owner));
    let take = Action { target: taker, data: Default::default() };
    let owned = |rollup, owner| Warning::ForeignRollupOwner { rollup, owner };
    let lost = Warning::OwnershipLost { contract: governed, new_owner: taker };
    let offered = Warning::OwnershipOffered { contract: governed, new_owner: taker };
    for (actions, warnings) in [
        (vec![upgrade(governed)], vec![]),
        (vec![upgrade(foreign)], vec![owned(foreign, stranger)]),
        // An offer to Governance that it doesn't accept, or accepts before or after the upgrade.
        (vec![upgrade(coming)], vec![owned(coming, stranger)]),
        (vec![accept(coming), upgrade(coming)], vec![]),
        (vec![upgrade(coming), accept(coming)], vec![]),
        // Given away by the list itself.
        (vec![upgrade(governed), offer(taker)], vec![offered]),
        (vec![upgrade(governed), offer(taker), take.clone()], vec![lost, owned(governed, taker)]),
        (vec![offer(taker), take], vec![lost]),
        // Only the rollup that is canonical in the end counts.
        (vec![upgrade(foreign), upgrade(governed)], vec![]),
        (vec![upgrade(governed), upgrade(foreign)], vec![owned(foreign, stranger)]),
    ] {
        let preview = chain.set.preview(&actions, chain.block, &chain.foreign);
        assert_eq!(preview.warnings, warnings, "{actions:?}");
        assert!(preview.outcome.is_ok());
    }

    // Once it is canonical, there is no warning about it for a list that doesn't change that.
    chain.govern(contract(9), vec![upgrade(foreign)]).unwrap();
    let preview = chain.set.preview(&update(configuration()), chain.block, &chain.foreign);
    assert_eq!(preview.warnings, []);
}

#[test]
fn a_rollup_given_away_before_it_becomes_canonical_is_reported() {
    let mut chain = Chain::voting(5000, 0);
    let (rollup, stranger) = (contract(5), named("stranger"));
    chain.deploy_rollup(rollup);
    let offer = OwnershipCall::TransferOwnership { new_owner: stranger };
    chain.govern(contract(8), vec![action(rollup, offer)]).unwrap();
    chain.send(stranger, rollup, OwnershipCall::AcceptOwnership).unwrap();
    let upgrade = vec![action(REGISTRY, RegistryCall::Upgrade { rollup })];
    let preview = chain.set.preview(&upgrade, chain.block, &chain.foreign);
    assert_eq!(preview.warnings, [Warning::ForeignRollupOwner { rollup, owner: stranger }]);
}

#[test]
fn another_registry_of_the_distributor_is_reported() {
    let mut chain = Chain::voting(5000, 0);
    let [first, second] = [5, 6].map(contract);
    for registry in [first, second] {
        chain.foreign.deploy(registry);
    }
    let ask = |new_registry| action(DISTRIBUTOR, DistributorCall::UpdateRegistry { new_registry });
    let unknown = |registry| Warning::UnknownRegistry { registry };
    let warnings = |chain: &Chain, actions: &[Action]| {
        let preview = chain.set.preview(actions, chain.block, &chain.foreign);
        assert!(preview.outcome.is_ok());
        preview.warnings
    };
    assert_eq!(warnings(&chain, &[ask(first)]), [unknown(first)]);
    assert_eq!(warnings(&chain, &[ask(REGISTRY)]), []);
    assert_eq!(warnings(&chain, &[ask(first), ask(second)]), [unknown(second)]);
    // There is no warning about a change that is undone in the same list.
    assert_eq!(warnings(&chain, &[ask(first), ask(REGISTRY)]), []);

    chain.govern(contract(8), vec![ask(first)]).unwrap();
    assert_eq!(warnings(&chain, &update(configuration())), []);
    assert_eq!(warnings(&chain, &[ask(first)]), [], "it is asked already");
    assert_eq!(warnings(&chain, &[ask(second)]), [unknown(second)]);
    assert_eq!(warnings(&chain, &[ask(REGISTRY)]), []);
}

#[test]
fn proposals_with_another_registry_are_unknown() {
    let mut chain = Chain::voting(5000, 0);
    let [registry, governance_proposer] = [5, 6].map(contract);
    chain.foreign.deploy(registry);
    chain.foreign.deploy(governance_proposer);
    let (n, m) = (U256::from(N), U256::from(M));
    let constructor = Constructor::Proposals { registry, n, m };
    for log in chain.try_deploy(governance_proposer, &constructor).unwrap() {
        let (emitter, event) = (log.emitter, log.event.name());
        let refused = Err(ApplyError::UnexpectedDeployment { emitter, event });
        assert_eq!(chain.set.clone().evolve(&log, chain.block), refused);
    }
    let appoint =
        GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: governance_proposer };
    let actions = [action(GOVERNANCE, appoint)];
    let preview = chain.set.preview(&actions, chain.block, &chain.foreign);
    assert_eq!(preview.warnings, [Warning::UnknownProposals { governance_proposer }]);
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
