//! Tests with blocks that are replaced, final or wrong.

use super::*;

/// `--confirmations 5`: the lock fails in a block that is replaced at once, and succeeds in the other one.
#[tokio::test]
async fn a_failure_in_a_block_that_is_replaced_ends_no_command_that_waits_for_confirmations() {
    let setup = SendSetup::new("failed-reorg").await;
    let governance = setup.set.governance;
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let chain = setup.chain.clone();
    let replaced = std::sync::Mutex::new(None);
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        // 1: the approval, 2..5: its confirmations, 6: the lock.
        if blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 5 {
            assert!(chain.pool_size() > 0);
            *replaced.lock().unwrap() = Some(chain.snapshot());
            chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        }
        chain.mine().unwrap();
        std::future::ready(Waited::Again)
    };
    let sending = Sending { confirmations: 5, consent: Consent::Given, ..setup.asking(&yes) };
    let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    let begun = setup.begun_files();
    // The block is replaced.
    chain.revert(replaced.lock().unwrap().take().unwrap()).unwrap();
    chain.mine().unwrap();
    assert_eq!(setup.power().await, FIVE, "the lock that `failed` succeeded");
    // The script tries again.
    let again = setup.run(COMMAND, FIVE, &Shown::default()).await;
    assert_eq!(
        setup.power().await,
        FIVE,
        "locked twice after {:#}; the command was remembered: {}; {again:?}",
        failure.report,
        !begun.is_empty()
    );
}

/// A node's pending block has a wrong time once, while a transaction with a last useful second is in flight.
#[tokio::test]
async fn one_wrong_time_of_a_pending_block_does_not_cancel_what_is_in_flight() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };
    let setup = SendSetup::new("pending-time").await;
    let until = Timestamp::of(setup.chain.timestamp() + 100_000);
    let plan = async |planned: Planned| {
        let mut steps = setup.plan(planned, FIVE).await?;
        steps.truncate(1);
        steps.iter_mut().for_each(|step| step.intent.until = Some(until));
        Ok(steps)
    };
    let lies = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&lies);
    setup.faults.answer(move |request| {
        let is_pending = request.method() == "eth_getBlockByNumber"
            && canon_faults::params(request)[0] == "pending";
        match is_pending && asked.swap(false, Relaxed) {
            true => canon_faults::Answer::Changed(Box::new(|mut block| {
                block["timestamp"] = "0x7fffffff".into();
                block
            })),
            false => canon_faults::Answer::Node,
        }
    });
    let chain = setup.chain.clone();
    let is_first = AtomicBool::new(true);
    let wait = |_| {
        match chain.pool_size() > 0 && is_first.swap(false, Relaxed) {
            true => {
                // It isn't in the next block.
                chain.mine_unsigned(&[]).unwrap();
                lies.store(true, Relaxed);
            }
            false => drop(chain.mine().unwrap()),
        }
        std::future::ready(Waited::Again)
    };
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { tell: &tell, ..setup.asking(&yes) };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    let left = until.get() - setup.chain.timestamp();
    let is_given_up =
        told.borrow().iter().any(|line| line.contains("an empty transfer replaces it"));
    assert!(!is_given_up, "given up {left} s before its time is over: {told:?} {ran:?}");
}

/// `--confirmations 64`: the approval is final before the lock is mined, and somebody presses Ctrl-C in between. The
/// second run must send nothing but the lock.
#[tokio::test]
async fn a_command_whose_first_step_is_final_does_not_send_it_again() {
    let setup = SendSetup::new("final").await;
    let nonce = setup.chain.nonce(setup.account());
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let sending = Sending { confirmations: 64, consent: Consent::Given, ..setup.asking(&yes) };
    let pressed = tokio::sync::Notify::new();
    let (chain, account) = (setup.chain.clone(), setup.account());
    let left_out = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        let is_lock = chain.nonce(account) == nonce + 1 && chain.pool_size() > 0;
        match is_lock {
            true => {
                // It isn't in the next blocks.
                chain.mine_unsigned(&[]).unwrap();
                if left_out.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 3 {
                    pressed.notify_one();
                }
            }
            false => drop(chain.mine().unwrap()),
        }
        async {
            tokio::task::yield_now().await;
            Waited::Again
        }
    };
    let ended = sending.run(wait, pressed.notified(), &plan).await;
    assert!(ended.is_err(), "{ended:?}");
    setup.faults.end();
    let chain = setup.chain.clone();
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        chain.mine().unwrap();
        std::future::ready(match blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 500 {
            true => Waited::Again,
            false => Waited::GiveUp,
        })
    };
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { tell: &tell, ..sending };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    let power = setup.power().await;
    let head = setup.client.head().await.unwrap().hash;
    let left =
        setup.client.allowance(head.into(), setup.set.asset, setup.account(), setup.set.governance);
    assert_eq!(
        (setup.chain.nonce(setup.account()), left.await.unwrap()),
        (nonce + 2, alloy_primitives::U256::ZERO),
        "transactions, and what Governance may still take: {told:?}"
    );
    assert!(
        matches!(ran, Ok(Exit::Success)),
        "waits for ever: {} blocks, power {power}, told {told:?}: {ran:?}",
        blocks.into_inner()
    );
}

/// The lock fails in a block that stays.
#[tokio::test]
async fn a_command_that_failed_begins_anew_when_it_is_run_again() {
    use alloy_provider::Provider as _;
    let setup = SendSetup::new("failed-again").await;
    let governance = setup.set.governance;
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let code = setup.client.provider().get_code_at(governance).await.unwrap();
    let chain = setup.chain.clone();
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        // The first block has the approval, the second one the lock.
        let is_lock = blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1;
        if is_lock {
            chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        }
        chain.mine().unwrap();
        if is_lock {
            chain.set_code(governance, code.clone()).unwrap();
        }
        std::future::ready(Waited::Again)
    };
    let sending = Sending { consent: Consent::Given, ..setup.asking(&yes) };
    let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    let said = format!("{:#}", failure.report);
    assert!(said.starts_with("only a part is done: approve 5 (0x"), "{said}");
    assert!(said.contains(": the transaction failed: deposit"), "{said}");
    let nonce = setup.chain.nonce(setup.account());
    let shown = Shown::default();
    ended_well(setup.run(COMMAND, FIVE, &shown).await, "again");
    assert_eq!((setup.power().await, setup.chain.nonce(setup.account())), (FIVE, nonce + 1));
    let told = shown.told.take();
    assert!(told.iter().all(|line| line.starts_with("sent 0x")), "{told:?}");
    assert!(setup.begun_files().is_empty());
}

/// The lock fails in a block that is replaced after the command has ended, and another command is next.
#[tokio::test]
async fn another_command_reports_what_became_of_a_failure_whose_block_was_replaced() {
    let setup = SendSetup::new("failed-other").await;
    let governance = setup.set.governance;
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let chain = setup.chain.clone();
    let replaced = std::sync::Mutex::new(None);
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        // The first block has the approval, the second one the lock.
        if blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
            *replaced.lock().unwrap() = Some(chain.snapshot());
            chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        }
        chain.mine().unwrap();
        std::future::ready(Waited::Again)
    };
    let sending = Sending { consent: Consent::Given, ..setup.asking(&yes) };
    sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    chain.revert(replaced.lock().unwrap().take().unwrap()).unwrap();
    chain.mine().unwrap();
    assert_eq!(setup.power().await, FIVE);
    let shown = Shown::default();
    ended_well(setup.run("canon lock 7", Amount::of(7), &shown).await, "another one");
    assert_eq!(setup.power().await, Amount::of(12));
    let told = shown.told.take().join("\n");
    assert!(told.starts_with("the block in which 0x"), "{told}");
    assert!(told.contains(&format!(": lock {FIVE}")) && told.contains("done in 0x"), "{told}");
}
