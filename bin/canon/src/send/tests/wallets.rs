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
