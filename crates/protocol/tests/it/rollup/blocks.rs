//! Blocks and their rewards.

use super::{NEXT, attester, block, finalize, moves::upgraded, rollup, withdraw};
use crate::chain::{
    ASSET, Chain, DISTRIBUTOR, EPOCH_SECONDS, EXIT_DELAY, ROLLUP, SLOT, T, action, contract, named,
    tokens,
};
use alloy_primitives::{Address, B256, Bytes};
use canon_protocol::{
    Amount, AssetCall, AssetEvent, AttesterStatus, CommonRefusal, DistributorEvent, Event,
    Reaction, RollupBlock, RollupCall, RollupEvent, RollupRefusal,
};

#[test]
fn the_slots_proposer_proposes_one_block_and_is_paid() {
    let mut chain = Chain::staked(2);
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    let (caller, proposer) = (named("anyone"), chain.proposer());
    let not_proposer = RollupRefusal::NotProposer { caller, proposer };
    chain.refused("anyone", ROLLUP, block(1), not_proposer);

    let slot = chain.slot();
    let events = chain.send(proposer, ROLLUP, block(1)).unwrap();
    let amount = Amount::of(5 * T);
    let to = proposer;
    let member = rollup(&chain).set().find(|member| member.proposer() == proposer).unwrap();
    assert_eq!(
        events,
        [
            RollupEvent::BlockProposed {
                block_number: RollupBlock::of(1),
                slot,
                attester: member.attester(),
                proposer,
                block_hash: B256::repeat_byte(1),
            }
            .into(),
            DistributorEvent::RewardPaid { rollup: ROLLUP, slot, to, amount }.into(),
            Event::from(AssetEvent::Transfer { from: DISTRIBUTOR, to, amount }),
        ]
    );
    let again = RollupRefusal::SlotAlreadyProposed { slot: slot.to_word() };
    assert_eq!(chain.send(proposer, ROLLUP, block(2)), Err(again.into()));

    // The distributor pays the rest of its balance, then nothing. The blocks are accepted.
    for (number, paid) in [(2, Some(3 * T)), (3, Some(0))] {
        chain.wait(SLOT);
        let proposer = chain.proposer();
        let events = chain.send(proposer, ROLLUP, block(2)).unwrap();
        let rewards: Vec<u128> = events
            .iter()
            .filter_map(|event| match event {
                Event::Distributor(DistributorEvent::RewardPaid { amount, .. }) => {
                    Some(amount.get())
                }
                _ => None,
            })
            .collect();
        assert_eq!(rewards.first().copied(), paid);
        assert_eq!(rollup(&chain).head().unwrap().number, RollupBlock::of(number));
    }
}

#[test]
fn rewards_go_to_the_coinbase() {
    let mut chain = Chain::staked(1);
    let set = |coinbase| RollupCall::SetCoinbase { attester: attester(0), coinbase };
    let (caller, withdrawer) = (named("anyone"), named("withdrawer 0"));
    let not_withdrawer = RollupRefusal::NotWithdrawer { caller, withdrawer };
    chain.refused("anyone", ROLLUP, set(caller), not_withdrawer);
    chain.refused("withdrawer 0", ROLLUP, set(Address::ZERO), CommonRefusal::ZeroAddress);
    chain.ok("withdrawer 0", ROLLUP, set(named("coinbase")));
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    chain.ok("proposer 0", ROLLUP, block(1));
    assert_eq!(chain.set.asset().balance_of(named("coinbase")), Amount::of(5 * T));
}

#[test]
fn an_empty_set_proposes_nothing() {
    let mut chain = Chain::deployed();
    let (caller, proposer) = (named("anyone"), Address::ZERO);
    let not_proposer = RollupRefusal::NotProposer { caller, proposer };
    chain.refused("anyone", ROLLUP, block(1), not_proposer);
    assert_eq!(
        chain.send(Address::ZERO, ROLLUP, block(1)),
        Err(RollupRefusal::NotProposer { caller: Address::ZERO, proposer }.into())
    );
}

/// A set with a second rollup whose distributor, which is returned too, is foreign code.
fn paid_by_anybody() -> (Chain, Address) {
    let mut chain = Chain::deployed();
    chain.is_kept = true;
    let distributor = contract(1);
    let mut parameters = chain.rollup_parameters();
    parameters.reward_distributor = distributor;
    chain.deploy(NEXT, canon_protocol::Constructor::Rollup(parameters));
    (chain, distributor)
}

#[test]
fn a_block_stands_whatever_the_distributor_does() {
    for reaction in [
        Reaction::Calls(Vec::new()),
        Reaction::Reverts(Bytes::from_static(b"no")),
        Reaction::Calls(vec![action(ROLLUP, block(9))]),
        Reaction::Calls(vec![action(ROLLUP, RollupCall::SetupEpoch)]),
    ] {
        let (mut chain, distributor) = paid_by_anybody();
        chain.stake(NEXT, 0);
        chain.foreign.reactions.insert(distributor, reaction);
        chain.wait(2 * EPOCH_SECONDS);
        chain.ok("proposer 0", NEXT, block(1));
        assert_eq!(chain.set.rollup(NEXT).unwrap().head().unwrap().number, RollupBlock::of(1));
    }
}

#[test]
fn a_rollup_that_is_not_canonical_works_on_and_earns_nothing() {
    let mut chain = upgraded();
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(8) });
    let this = rollup(&chain);
    let proposer = this.member_at(chain.now(), chain.now()).unwrap().unwrap().proposer();
    chain.send(proposer, ROLLUP, block(1)).unwrap();
    assert_eq!(rollup(&chain).head().unwrap().number, RollupBlock::of(1));
    assert_eq!(chain.set.asset().balance_of(DISTRIBUTOR), Amount::of(8 * T));
    chain.stake(ROLLUP, 7);
}

#[test]
fn nobody_is_paid_in_the_middle_of_a_block() {
    let (mut chain, distributor) = paid_by_anybody();
    chain.stake(NEXT, 0);
    chain.stake(NEXT, 1);
    chain.ok("withdrawer 1", NEXT, withdraw(1));
    chain.wait(EXIT_DELAY);
    // Anyone could end the exit now, but not during another call of the rollup.
    let again = Reaction::Calls(vec![action(NEXT, finalize(1))]);
    chain.foreign.reactions.insert(distributor, again);
    chain.ok("proposer 0", NEXT, block(1));
    let leaving = chain.set.rollup(NEXT).unwrap().member(attester(1)).unwrap();
    assert_eq!(leaving.status(), AttesterStatus::Exiting);
    chain.ok("anyone", NEXT, finalize(1));
}
