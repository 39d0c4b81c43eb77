//! The number of requests to the chain.

use crate::{
    process::{AnyRole, Process, is_done},
    test_chain::{BLOCK_HASH, TestChain, key, tokens},
    views::Maker,
};
use alloy_primitives::B256;
use canon_agents::{Holder, Mover, Sequencer};
use canon_faults::FaultPlan;
use canon_protocol::{ProposalId, Support};
use canon_views::{
    BlockDuty, IntentSubject, LockMethod, MovePlan, Order, OrderAmount, RequestId,
    SequencerIdentity,
};

/// The numbers of packets and requests since the last call.
fn taken(process: &Process) -> (u64, u64) {
    let packets = process.faults.packets();
    process.faults.set(FaultPlan::Never);
    (packets, process.faults.take_requests().values().sum())
}

#[tokio::test]
async fn whoever_has_nothing_to_do_asks_nothing() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let old = chain.addresses().rollup;
        chain.stake(old, 4).await;
        let (new, plan) = chain.upgrade("1").await;
        let mut process = Process::new(&chain, maker).await;
        for number in 0..4 {
            process.add_sequencer(number, old, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        }
        let signal = |subject| matches!(subject, IntentSubject::Signal { .. });
        process.run_until(&chain, 30, is_done(signal)).await;
        process.run_block(&chain).await;
        let idle = 4..304;
        for number in 0..100 {
            // All agents share a key, since they never sign.
            let key = key("idle", 0);
            let (proposer, blocks) = (key.address(), BlockDuty::Propose(BLOCK_HASH));
            let identity = SequencerIdentity { proposer, rollup: old, blocks };
            let sequencer = Sequencer { identity, plan: Some(plan) };
            process.add(AnyRole::Sequencer(sequencer), key.clone());
            let mut holder = Holder::new(key.address());
            let (id, support) = (ProposalId::of(7), Support::Yea);
            let actions_hash = B256::ZERO;
            let vote = Order::Vote { id, actions_hash, support, amount: OrderAmount::All };
            holder.add(vote, RequestId::default());
            process.add(AnyRole::Holder(holder), key.clone());
            let [attester, spare] = [number, 1_000 + number].map(crate::test_chain::attester);
            let withdrawer = key.address();
            let plan = MovePlan { withdrawer, attester, from: old, to: new, spare };
            process.add(AnyRole::Mover(Mover { plan }), key);
        }
        for _ in 0..4 {
            taken(&process);
            let view = process.look().await.unwrap();
            let (trips, _) = taken(&process);
            if maker == Maker::Reads {
                assert_eq!(trips, 2);
            }
            for actor in idle.clone() {
                process.tick(actor, &view).await;
            }
            assert_eq!(taken(&process), (0, 0));
            let before = process.entries.len();
            for actor in 0..4 {
                process.tick(actor, &view).await;
            }
            let (trips, _) = taken(&process);
            let (sent, done) = (process.sent_since(before), process.confirmed_since(before));
            match (sent.len(), done.len()) {
                // The payload's list; the first free nonce; an estimate, a simulation and the transaction
                // each; and the code of the rollup, whose function returns nothing.
                (2, 0) => assert_eq!(trips, 9),
                // A count of the account's transactions, and one batch of both receipts.
                (0, 2) => assert_eq!(trips, 2),
                _ => panic!("{}", process.log()),
            }
            chain.mine();
        }
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn a_transaction_costs_few_requests() {
    let mut chain = TestChain::new().await;
    let mut process = Process::new(&chain, Maker::Reads).await;
    for number in 0..20 {
        chain.endow(key("holder", number).address(), tokens(100)).await;
        let method = LockMethod::Permit;
        process.add_holder(number, [Order::Lock { amount: tokens(100), method }]);
    }
    // The first free nonce, an estimate, a simulation, the transaction, and the code of Governance, whose
    // function returns nothing. All together ask for the Asset and its name, which permits are signed for.
    assert_eq!(requests_of_all(&mut process, &chain).await, 20 * 5 + 2);
    assert_eq!(process.sent_since(0).len(), 20);
    // A count and a receipt each.
    assert_eq!(requests_of_all(&mut process, &chain).await, 20 * 2);
    assert_eq!(process.confirmed().len(), 20);
    assert_eq!(requests_of_all(&mut process, &chain).await, 0);
}

/// The number of requests that agents make in a block, without those for their view.
async fn requests_of_all(process: &mut Process, chain: &TestChain) -> u64 {
    let view = process.look().await.unwrap();
    taken(process);
    for actor in 0..process.actors.len() {
        process.tick(actor, &view).await;
    }
    chain.mine();
    let (_, requests) = taken(process);
    requests
}
