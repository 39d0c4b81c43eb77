//! Tests of commands on a chain that changes between their steps.

use super::*;
use canon_chain::{L1_SLOT, calls};
use canon_devchain::UnsignedCall;

/// `canon setup-epoch` once an epoch: a run is killed once it has sent; the next one is an epoch later.
#[tokio::test]
async fn a_command_in_a_later_epoch_sends_what_is_due_besides_reporting_an_earlier_one() {
    let setup = SendSetup::new("epochs").await;
    let command = "canon setup-epoch";
    let rollup = setup.set.rollup;
    let missing = async || {
        let head = setup.client.head().await.unwrap();
        let question = Question::default();
        let view =
            setup.client.view(setup.set.registry, &question, head.hash.into(), L1_SLOT).await;
        view.unwrap().rollups[&rollup].seed
    };
    let plan = async |planned: Planned| {
        let _ = planned;
        let canon_views::SeedStatus::Missing(epoch) = missing().await else {
            return Ok(Vec::new());
        };
        let set = SetId { chain_id: setup.client.chain_id(), governance: setup.set.governance };
        let action = IntendedAction::RecordSeed { rollup, epoch };
        let intent = Intent { set, action, until: None };
        Ok(vec![Step::new(intent, vec![format!("record the seed of {epoch}")])])
    };
    let to_a_missing_one = async || {
        for _ in 0..10_000 {
            if matches!(missing().await, canon_views::SeedStatus::Missing(_)) {
                // Not in the epoch's first slot, in which none is recorded.
                setup.chain.increase_time(48);
                setup.chain.mine_unsigned(&[]).unwrap();
                return;
            }
            setup.chain.increase_time(24);
            setup.chain.mine_unsigned(&[]).unwrap();
        }
        panic!("none is missing");
    };
    to_a_missing_one().await;
    let sending = Sending { command, consent: Consent::Given, ..setup.asking(&yes) };
    setup.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledAfter));
    tokio::select! {
        biased;
        ended = sending.run(setup.mining(), std::future::pending(), &plan) => panic!("{ended:?}"),
        () = setup.faults.killed() => {}
    }
    setup.faults.end();
    setup.chain.mine().unwrap();
    to_a_missing_one().await;
    let due = missing().await;
    let ran = sending.run(setup.mining(), std::future::pending(), &plan).await;
    assert_ne!(missing().await, due, "{ran:?}, and the seed that is due isn't recorded");
}

/// The lock is refused after the approval was sent.
#[tokio::test]
async fn a_failure_after_a_sent_step_does_not_say_that_nothing_was_sent() {
    let setup = SendSetup::new("nothing").await;
    let nonce = setup.chain.nonce(setup.account());
    let (asset, account) = (setup.set.asset, setup.account());
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let balance = setup.holding().await.balance;
    let chain = setup.chain.clone();
    let wait = move |_| {
        chain.mine().unwrap();
        let call = calls::transfer(asset, Address::repeat_byte(0x99), balance);
        let input = call.input().clone();
        chain.mine_unsigned(&[UnsignedCall { from: account, to: Some(asset), input }]).unwrap();
        std::future::ready(Waited::Again)
    };
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { tell: &tell, ..setup.asking(&yes) };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    let said = format!("{:#}", ran.unwrap_err().report);
    assert!(setup.chain.nonce(account) > nonce);
    assert!(!said.contains("nothing was sent"), "the approval was mined, and it says: {said}");
    assert!(said.starts_with(&format!("only a part is done: approve {FIVE} (0x")), "{said}");
    let undo = format!("cast send {asset} 'approve(address,uint256)' {} 0", setup.set.governance);
    let told = told.borrow();
    assert!(told.iter().any(|line| line.ends_with(&undo)), "{told:?}");
}
