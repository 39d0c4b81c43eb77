//! Typed reads, and finding the set.

use crate::test_chain::{TestChain, chain, deployed};
use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, address, bytes};
use canon_abi::Contract;
use canon_chain::{
    Deployment, Error, NoWait, calls,
    deploy::{ContractPlan, Create2Origin, DeployedSet, Upgrade, deploy_upgrade_payload},
};
use canon_protocol::{
    Amount, AttesterStatus, Epoch, ProposalId, ProposalState, Round, Seconds, Slot, Support, Tally,
    Timestamp, actions_hash,
};

const NOBODY: Address = address!("0x00000000000000000000000000000000000000aa");

#[tokio::test]
async fn the_set_is_not_found_from_a_wrong_address() {
    let chain = chain().await;
    let find = async |address| Deployment::from_registry(&chain.client, address).await;
    assert!(matches!(find(NOBODY).await, Err(Error::NoCode { what: "the Registry", .. })));
    let delegation = bytes!("ef0100000000000000000000000000000000000000000b");
    chain.devchain.set_code(NOBODY, delegation).unwrap();
    assert!(matches!(find(NOBODY).await, Err(Error::NoCode { what: "the Registry", .. })));
    chain.devchain.set_code(NOBODY, bytes!("60006000fd")).unwrap();
    assert!(matches!(find(NOBODY).await, Err(Error::Refused { .. })));
    chain.devchain.set_code(NOBODY, bytes!("00")).unwrap();
    assert!(matches!(find(NOBODY).await, Err(Error::BadAnswer { .. })));
}

#[tokio::test]
async fn no_contract_of_the_set_may_lose_its_code() {
    let (chain, set) = deployed().await;
    let found = set.deployment;
    for (what, address) in [
        ("the RewardDistributor", set.reward_distributor),
        ("the Issuer", found.issuer),
        ("Proposals", found.proposals),
        ("the canonical rollup", found.rollup),
        ("Governance", found.governance),
    ] {
        chain.devchain.set_code(address, Bytes::new()).unwrap();
        let error = Deployment::from_registry(&chain.client, found.registry).await.unwrap_err();
        let Error::NoCode { what: missing, .. } = error else { panic!("{error}") };
        assert_eq!(missing, what);
    }
}

#[tokio::test]
async fn proposals_of_another_registry_are_another_set() {
    let (chain, set) = deployed().await;
    let arguments = canon_abi::Proposals::constructorCall {
        registry: set.expect,
        n: alloy_primitives::U256::from(6),
        m: alloy_primitives::U256::from(10),
    };
    let call = canon_chain::ContractCall::create(Contract::Proposals, &arguments);
    let other = chain.send(0, call).await.unwrap().created.unwrap();
    let code = chain.client.code(BlockId::latest(), other).await.unwrap().unwrap();
    chain.devchain.set_code(set.deployment.proposals, code).unwrap();
    let error =
        Deployment::from_registry(&chain.client, set.deployment.registry).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { found, .. } if found == set.expect), "{error}");
}

#[tokio::test]
async fn a_set_at_rest() {
    let (chain, set) = deployed().await;
    let (client, found) = (&chain.client, set.deployment);
    let at = BlockId::from(client.head().await.unwrap().hash);
    let status = client.signal_status(at, found.proposals).await.unwrap();
    assert_eq!(
        (status.slot, status.round, status.leader, status.count),
        (Slot::ZERO, Round::ZERO, None, 0)
    );
    assert_eq!(status.first_free_slot, Slot::ZERO);
    assert_eq!(client.pushable_rounds(at, found.proposals).await.unwrap(), []);
    let round = client.round(at, found.proposals, found.rollup, Round::ZERO).await.unwrap();
    assert_eq!((round.leader, round.count, round.proposal), (None, 0, None));
    let attester = client.attester(at, found.rollup, NOBODY).await.unwrap();
    assert_eq!(
        (attester.status, attester.exit, attester.moving),
        (AttesterStatus::None, None, None)
    );
    assert_eq!(client.proposal_count(at, found.governance).await.unwrap(), 0);
    let error = client.proposal(at, found.governance, ProposalId::ZERO).await.unwrap_err();
    assert_eq!(error.as_revert().unwrap().name(), Some("Governance__UnknownProposal"));
    let configuration = client.configuration(at, found.governance).await.unwrap();
    assert_eq!(configuration, crate::test_chain::parameters().configuration());
    assert_eq!(client.canonical_rollup(at, found.registry).await.unwrap(), found.rollup);
    let now = Timestamp::of(chain.devchain.timestamp());
    assert_eq!(client.proposer_at(at, found.rollup, now).await.unwrap(), None);
    let (number, slot) = client.newest_block(at, found.rollup).await.unwrap();
    assert_eq!((number.get(), slot), (0, None));
    let power = client.total_power(at, found.governance, now).await.unwrap();
    assert_eq!(power, Amount::ZERO);
}

#[tokio::test]
async fn an_attester_through_its_life() {
    let (chain, set) = deployed().await;
    let (client, found) = (&chain.client, set.deployment);
    let stake = Amount::of(100 * Amount::TOKEN.get());
    let withdrawer = chain.accounts[0].address();
    chain.send(0, calls::approve(found.asset, found.rollup, stake)).await.unwrap();
    chain.send(0, calls::stake(found.rollup, NOBODY, NOBODY, withdrawer, stake)).await.unwrap();
    let read = async || {
        let at = BlockId::from(client.head().await.unwrap().hash);
        client.attester(at, found.rollup, NOBODY).await.unwrap()
    };
    let attester = read().await;
    assert_eq!((attester.status, attester.stake), (AttesterStatus::Validating, stake));
    assert_eq!((attester.withdrawer, attester.proposer), (withdrawer, NOBODY));
    chain.send(0, calls::announce_move(found.rollup, NOBODY, set.expect)).await.unwrap();
    let ready = Timestamp::of(chain.devchain.timestamp()) + Seconds::HOUR;
    assert_eq!(read().await.moving, Some((set.expect, ready)));
    chain.send(0, calls::unstake(found.rollup, NOBODY, withdrawer)).await.unwrap();
    let attester = read().await;
    assert_eq!((attester.status, attester.moving), (AttesterStatus::Exiting, None));
    let exitable = Timestamp::of(chain.devchain.timestamp()) + Seconds::HOUR;
    assert_eq!(attester.exit, Some((exitable, withdrawer)));
}

#[tokio::test]
async fn a_set_draws_from_the_epoch_after_the_next_one_on() {
    let (chain, set) = deployed().await;
    let (client, found) = (&chain.client, set.deployment);
    let stake = Amount::of(100 * Amount::TOKEN.get());
    let owner = chain.accounts[0].address();
    chain.send(0, calls::approve(found.asset, found.rollup, stake)).await.unwrap();
    chain.send(0, calls::stake(found.rollup, NOBODY, NOBODY, owner, stake)).await.unwrap();
    let epoch = 16 * 24;
    for (present, sizes) in [(0, [0, 0]), (1, [0, 1]), (2, [1, 1])] {
        let at = BlockId::from(client.head().await.unwrap().hash);
        let size = async |epoch| client.set_size(at, found.rollup, Epoch::of(epoch)).await;
        assert_eq!(size(present).await.unwrap(), sizes[0], "of epoch {present} in it");
        assert_eq!(size(present + 1).await.unwrap(), sizes[1], "of the one after {present}");
        assert!(size(present + 2).await.unwrap_err().as_revert().is_some());
        chain.devchain.increase_time(epoch);
        chain.devchain.mine().unwrap();
    }
}

/// A proposal through the lock by account 0, which holds all power; and its payload.
async fn propose(chain: &TestChain, set: &DeployedSet) -> Address {
    let found = set.deployment;
    let amount = Amount::of(10_000 * Amount::TOKEN.get());
    let holder = chain.accounts[0].address();
    let origin = Create2Origin::default();
    let upgrade = Upgrade {
        expect: set.expect,
        // It will do as a rollup: nobody executes it.
        new_rollup: ContractPlan::expect(origin).create2(),
        expected_canonical: found.rollup,
        uri: "about:blank".into(),
    };
    let sender = &mut chain.sender(0);
    let payload = deploy_upgrade_payload(sender, origin, &found, &upgrade, &mut NoWait).await;
    let payload = payload.unwrap().address();
    chain.send(0, calls::approve(found.asset, found.governance, amount)).await.unwrap();
    chain.send(0, calls::lock(found.governance, holder, amount)).await.unwrap();
    chain.send(0, calls::propose_with_lock(found.governance, payload, holder)).await.unwrap();
    payload
}

#[tokio::test]
async fn a_proposal_and_its_frozen_actions() {
    let (chain, set) = deployed().await;
    let (client, governance) = (&chain.client, set.deployment.governance);
    for _ in 0..5 {
        chain.devchain.mine().unwrap();
    }
    let payload = propose(&chain, &set).await;
    let created = Timestamp::of(chain.devchain.timestamp());
    chain.devchain.increase_time(3601);
    chain.devchain.mine().unwrap();
    let power = Amount::of(9_000 * Amount::TOKEN.get());
    let vote = calls::vote(governance, ProposalId::ZERO, power, Support::Nea);
    chain.send(0, vote).await.unwrap();

    let at = BlockId::from(client.head().await.unwrap().hash);
    // What was given up for the proposal is no power any more.
    let now = Timestamp::of(chain.devchain.timestamp());
    assert_eq!(client.total_power(at, governance, now).await.unwrap(), power);
    let proposal = client.proposal(at, governance, ProposalId::ZERO).await.unwrap();
    assert_eq!((proposal.payload, proposal.proposer), (payload, governance));
    assert_eq!((proposal.state, proposal.stored), (ProposalState::Active, ProposalState::Pending));
    assert_eq!(proposal.creation, created);
    assert_eq!(proposal.tally, Tally { yea: Amount::ZERO, nea: power });
    assert_eq!(proposal.deadlines().pending, created + Seconds::HOUR);
    let holder = chain.accounts[0].address();
    let cast = client.ballots(at, governance, ProposalId::ZERO, holder).await.unwrap();
    assert_eq!(cast, proposal.tally);

    let frozen = client.frozen_actions(governance, &proposal).await.unwrap();
    assert_eq!(actions_hash(&frozen), proposal.actions_hash);
    assert_eq!(frozen, client.payload_actions(at, payload).await.unwrap());
    let lying = canon_chain::ProposalSnapshot { actions_hash: Default::default(), ..proposal };
    let error = client.frozen_actions(governance, &lying).await.unwrap_err();
    assert!(matches!(error, Error::BadAnswer { what: "ProposalFrozen", .. }), "{error}");
}

#[tokio::test]
async fn a_block_is_found_by_its_time() {
    let chain = chain().await;
    let client = &chain.client;
    let mut times = vec![(0, Timestamp::of(chain.devchain.timestamp()))];
    for gap in [1, 7, 100, 1, 3, 9] {
        chain.devchain.increase_time(gap);
        let mined = chain.devchain.mine().unwrap();
        times.push((mined.number, Timestamp::of(mined.timestamp)));
    }
    for (number, time) in times {
        let block = client.block_at(time).await.unwrap().unwrap();
        assert_eq!((block.number.get(), block.timestamp), (number, time));
    }
    let latest = Timestamp::of(chain.devchain.timestamp());
    assert_eq!(client.block_at(latest + Seconds::SECOND).await.unwrap(), None);
    assert_eq!(client.block_at(Timestamp::of(latest.get() - 1)).await.unwrap(), None);
    assert_eq!(client.block_at(Timestamp::ZERO).await.unwrap(), None);
}
