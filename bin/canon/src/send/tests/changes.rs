//! Tests of commands on a chain that changes between their steps.

use super::*;
use canon_chain::calls;
use canon_devchain::UnsignedCall;

/// `canon lock all`: somebody sends the account 1 base unit of the asset after the approval. The command may have been
/// killed before that.
#[tokio::test]
async fn dust_that_a_stranger_sends_does_not_stop_a_lock_of_all() {
    for is_killed in [false, true] {
        let world = World::new("dust").await;
        let (asset, account) = (world.set.asset, world.account());
        let stranger = Address::repeat_byte(0x99);
        let send = |from, to, amount| UnsignedCall {
            from,
            to: Some(asset),
            input: calls::transfer(asset, to, amount).input().clone(),
        };
        world.chain.mine_unsigned(&[send(account, stranger, Amount::of(1000))]).unwrap();
        let all = world.holding().await.balance;
        // As `canon lock all` plans it.
        let plan = async |planned: Planned| {
            let balance = world.holding().await.balance;
            match planned.amount(OrderAmount::All) {
                OrderAmount::All => world.plan(planned, balance).await,
                OrderAmount::Exactly(amount) => world.plan(planned, amount).await,
            }
        };
        let chain = world.chain.clone();
        let dust = || drop(chain.mine_unsigned(&[send(stranger, account, Amount::of(1))]).unwrap());
        let wait = |_| {
            let is_sent = chain.pool_size() > 0;
            chain.mine().unwrap();
            if is_sent {
                dust();
            }
            std::future::ready(Waited::Again)
        };
        let sending = Sending { consent: Consent::Given, ..world.asking(&yes) };
        if is_killed {
            world.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledAfter));
            tokio::select! {
                biased;
                ended = sending.run(wait, std::future::pending(), &plan) => panic!("{ended:?}"),
                () = world.faults.killed() => {}
            }
            world.faults.end();
            dust();
        }
        sending.run(wait, std::future::pending(), &plan).await.unwrap();
        assert_eq!(world.power().await, all, "{is_killed}");
    }
}
