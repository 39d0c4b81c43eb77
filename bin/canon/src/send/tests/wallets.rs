//! Tests with a wallet that has the same key.

use super::*;

/// The user speeds a stuck lock up with the same key in a wallet: the same call, under the same nonce, for more.
#[tokio::test]
async fn a_lock_that_a_wallet_sped_up_is_not_sent_once_more() {
    let setup = SendSetup::new("sped-up").await;
    let governance = setup.set.governance;
    let mut wallet = Sender::new(setup.client.clone(), setup.chain.dev_accounts().remove(0));
    let mut by_wallet = async |call| {
        let next = setup.client.next_block().await.unwrap();
        // It offers more.
        let next = canon_chain::NextBlock { base_fee: 3 * next.base_fee, ..next };
        let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
        setup.chain.mine().unwrap();
    };
    by_wallet(canon_chain::calls::approve(setup.set.asset, governance, Amount::of(100))).await;
    setup.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledBefore));
    let first = setup.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    setup.faults.end();
    by_wallet(canon_chain::calls::lock(governance, setup.account(), FIVE)).await;
    assert_eq!(setup.power().await, FIVE);
    let shown = Shown::default();
    let ran = setup.run(COMMAND, FIVE, &shown).await;
    assert_eq!(setup.power().await, FIVE, "locked twice: {:?} {ran:?}", shown.told.borrow());
}

/// The pool has a lock that another program signed with the same key, whose effect this command would repeat.
#[tokio::test]
async fn nothing_is_sent_beside_a_transaction_in_the_pool_that_something_else_sent() {
    let setup = SendSetup::new("overtaken").await;
    let account = setup.account();
    let nothing = serde_json::json!({ "from": account, "to": account });
    let _: B256 = setup.chain.client().request("eth_sendTransaction", (nothing,)).await.unwrap();
    let nonce = setup.chain.nonce(account);
    let Ran::Ended(Err(failure)) = setup.run(COMMAND, FIVE, &Shown::default()).await else {
        panic!()
    };
    let said = format!("{:#}", failure.report);
    assert!(said.contains("if something else uses the key, wait until"), "{said}");
    setup.chain.mine().unwrap();
    assert_eq!(setup.chain.nonce(account), nonce + 1, "only the other one is mined");
    ended_well(setup.run(COMMAND, FIVE, &Shown::default()).await, "afterwards");
    assert_eq!(setup.power().await, FIVE);
}
