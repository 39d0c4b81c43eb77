//! Attacks: each test fails, and so shows a break.

use super::*;

/// An endpoint whose history is pruned: `earliest` is the first block that it has, as in geth
/// (`EthAPIBackend.HeaderByNumber`: `HistoryPruningCutoff()`) and in reth.
fn prune(world: &World) {
    world.faults.answer(|request| {
        let params = canon_faults::params(request);
        match request.method() == "eth_getBlockByNumber" && params[0] == "earliest" {
            true => canon_faults::Answer::Asked(serde_json::json!(["0x1", params[1]])),
            false => canon_faults::Answer::Node,
        }
    });
}

/// The first run is killed once the lock is sent, at an archive node. The second goes to a node without old history.
#[tokio::test]
async fn an_endpoint_with_pruned_history_does_not_make_a_killed_command_send_twice() {
    let world = World::new("pruned").await;
    let mut sends = 0;
    world.faults.set(FaultPlan::by(move |packet| {
        let is_send = packet.as_single().is_some_and(|one| one.method() == "eth_sendRawTransaction");
        sends += u32::from(is_send);
        (is_send && sends == 2).then_some(Fault::KilledAfter)
    }));
    let first = world.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    world.faults.end();
    world.chain.mine().unwrap();
    assert_eq!(world.power().await, FIVE);
    prune(&world);
    let shown = Shown::default();
    ended_well(world.run(COMMAND, FIVE, &shown).await, "the same command again");
    let files: Vec<_> = fs::read_dir(&world.folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(world.power().await, FIVE, "it locked twice; {:?}; {files:?}", shown.told.borrow());
}

/// Two processes for one account: one at a pruned endpoint, one at an archive.
#[tokio::test]
async fn two_endpoints_of_one_chain_share_the_lock_of_an_account() {
    let world = World::new("pruned-lock").await;
    let earliest = alloy_eips::BlockId::earliest();
    let mut genesis = vec![world.client.block(earliest).await.unwrap().hash];
    prune(&world);
    genesis.push(world.client.block(earliest).await.unwrap().hash);
    let files =
        |genesis| AccountFiles::new(&world.folder, world.client.chain_id(), genesis, world.account());
    let _first = files(genesis[0]).journal("canon lock 5").unwrap();
    let second = files(genesis[1]).journal("canon lock 5");
    assert!(second.is_err(), "both hold 'the' journal of one account on one chain");
}

/// `--confirmations 5`: the lock fails in a block that is replaced at once, and succeeds in the other one.
#[tokio::test]
async fn a_failure_in_a_block_that_is_replaced_ends_no_command_that_waits_for_confirmations() {
    let world = World::new("failed-reorg").await;
    let governance = world.set.governance;
    let plan = async |planned| world.plan(planned, FIVE).await;
    let chain = world.chain.clone();
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
    let sending = Sending { confirmations: 5, consent: Consent::Given, ..world.asking(&yes) };
    let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    let begun = world.begun_files();
    // The block is replaced.
    chain.revert(replaced.lock().unwrap().take().unwrap()).unwrap();
    chain.mine().unwrap();
    assert_eq!(world.power().await, FIVE, "the lock that `failed` succeeded");
    // The script tries again.
    let again = world.run(COMMAND, FIVE, &Shown::default()).await;
    assert_eq!(
        world.power().await,
        FIVE,
        "locked twice after {:#}; the command was remembered: {}; {again:?}",
        failure.report,
        !begun.is_empty()
    );
}

/// What was agreed to is `costs up to`; a contract that is called uses more gas in the next block.
#[tokio::test]
async fn a_transaction_never_costs_more_than_what_was_shown_as_its_most() {
    let world = World::new("cost").await;
    let governance = world.set.governance;
    // Allowed beforehand, so that the lock is simulated before the question.
    let mut wallet = Sender::new(world.client.clone(), world.chain.dev_accounts().remove(0));
    let next = world.client.next_block().await.unwrap();
    let call = canon_chain::calls::approve(world.set.asset, governance, FIVE);
    let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
    world.chain.mine().unwrap();
    let code = {
        use alloy_provider::Provider as _;
        world.client.provider().get_code_at(governance).await.unwrap()
    };
    let plan = async |planned| world.plan(planned, FIVE).await;
    let shown = RefCell::new(String::new());
    let chain = world.chain.clone();
    let ask = async |text: &str, _: &str| {
        shown.borrow_mut().push_str(text);
        // The front-runner's turn: 400,000 rounds of 26 gas, then the genuine code.
        let genuine = Address::repeat_byte(0x77);
        chain.set_code(genuine, code.clone()).unwrap();
        // Only where there is more gas than views have.
        let mut burner = vec![0x62, 0x2d, 0xc6, 0xc0, 0x5a, 0x10, 0x60, 23, 0x57];
        burner.extend([0x62, 0x06, 0x1a, 0x80]);
        burner.extend([0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 13, 0x57, 0x50, 0x5b]);
        burner.extend([0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x73]);
        burner.extend(genuine.as_slice());
        burner.extend([0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e, 0x60]);
        burner.push(burner.len() as u8 + 5);
        burner.extend([0x57, 0x3d, 0x5f, 0xfd, 0x5b, 0x3d, 0x5f, 0xf3]);
        chain.set_code(governance, burner).unwrap();
        chain.mine().unwrap();
        Ok(Answer::Yes)
    };
    let result = RefCell::new(String::new());
    let sending = Sending {
        result: &|text| {
            result.borrow_mut().push_str(text);
            Ok(())
        },
        ..world.asking(&ask)
    };
    let ran = sending.run(world.mining(), std::future::pending(), &plan).await;
    let line = |text: &str, word: &str| {
        text.lines().find(|line| line.contains(word)).unwrap_or_default().trim().to_owned()
    };
    let number = |line: String| -> f64 {
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(f64::NAN)
    };
    let most = line(&shown.borrow(), "costs up to");
    let fee = line(&result.borrow(), "fee");
    let gas = line(&result.borrow(), "gas");
    assert!(
        number(fee.clone()) <= number(most.clone()),
        "agreed to: {most}\npaid: {fee}; {gas}; {ran:?}"
    );
}

/// `--confirmations 64`: the approval is final before the lock is mined, and somebody presses Ctrl-C in between. The
/// second run must send nothing but the lock.
#[tokio::test]
async fn a_command_whose_first_step_is_final_does_not_send_it_again() {
    let world = World::new("final").await;
    let nonce = world.chain.nonce(world.account());
    let plan = async |planned| world.plan(planned, FIVE).await;
    let sending = Sending { confirmations: 64, consent: Consent::Given, ..world.asking(&yes) };
    let pressed = tokio::sync::Notify::new();
    let (chain, account) = (world.chain.clone(), world.account());
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
    world.faults.end();
    let chain = world.chain.clone();
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
    let power = world.power().await;
    let head = world.client.head().await.unwrap().hash;
    let left = world.client.allowance(head.into(), world.set.asset, world.account(), world.set.governance);
    assert_eq!(
        (world.chain.nonce(world.account()), left.await.unwrap()),
        (nonce + 2, alloy_primitives::U256::ZERO),
        "transactions, and what Governance may still take: {told:?}"
    );
    assert!(
        matches!(ran, Ok(Exit::Success)),
        "waits for ever: {} blocks, power {power}, told {told:?}: {ran:?}",
        blocks.into_inner()
    );
}

/// Another wallet with the same key has a transaction in the pool that isn't mined: waiting must have an end.
#[tokio::test]
async fn a_command_does_not_wait_for_ever_for_a_transaction_of_another_wallet() {
    let world = World::new("foreign-pool").await;
    let mut wallet = Sender::new(world.client.clone(), world.chain.dev_accounts().remove(0));
    let next = world.client.next_block().await.unwrap();
    let call = canon_chain::calls::approve(world.set.asset, Address::with_last_byte(9), FIVE);
    let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
    let plan = async |planned| world.plan(planned, FIVE).await;
    let chain = world.chain.clone();
    let blocks = std::sync::atomic::AtomicU32::new(0);
    let wait = |_| {
        // The pool is left as it is.
        chain.mine_unsigned(&[]).unwrap();
        std::future::ready(match blocks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 1000 {
            true => Waited::Again,
            false => Waited::GiveUp,
        })
    };
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { tell: &tell, ..world.asking(&yes) };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    let blocks = blocks.into_inner();
    assert!(blocks < 200, "it waited for {blocks} blocks until the test gave up; told {told:?}; {ran:?}");
}

/// The user speeds a stuck lock up with the same key in a wallet: the same call, under the same nonce, for more.
#[tokio::test]
async fn a_lock_that_a_wallet_sped_up_is_not_sent_once_more() {
    let world = World::new("sped-up").await;
    let governance = world.set.governance;
    let mut wallet = Sender::new(world.client.clone(), world.chain.dev_accounts().remove(0));
    let mut by_wallet = async |call| {
        let next = world.client.next_block().await.unwrap();
        // It offers more.
        let next = canon_chain::NextBlock { base_fee: 3 * next.base_fee, ..next };
        let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
        world.chain.mine().unwrap();
    };
    by_wallet(canon_chain::calls::approve(world.set.asset, governance, Amount::of(100))).await;
    world.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledBefore));
    let first = world.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    world.faults.end();
    by_wallet(canon_chain::calls::lock(governance, world.account(), FIVE)).await;
    assert_eq!(world.power().await, FIVE);
    let shown = Shown::default();
    let ran = world.run(COMMAND, FIVE, &shown).await;
    assert_eq!(world.power().await, FIVE, "locked twice: {:?} {ran:?}", shown.told.borrow());
}

/// `canon lock all`: somebody sends the account 1 base unit of the asset in the block of the approval.
#[tokio::test]
async fn dust_that_a_stranger_sends_does_not_stop_a_lock_of_all() {
    use canon_devchain::UnsignedCall;
    let world = World::new("dust").await;
    let (asset, account) = (world.set.asset, world.account());
    let stranger = Address::repeat_byte(0x99);
    let send = |from, to, amount| UnsignedCall {
        from,
        to: Some(asset),
        input: canon_chain::calls::transfer(asset, to, amount).input().clone(),
    };
    world.chain.mine_unsigned(&[send(account, stranger, Amount::of(1000))]).unwrap();
    // As `canon lock all` plans it.
    let plan = async |planned: Planned| {
        let head = world.client.head().await.unwrap();
        let mut question = Question::default();
        question.holders.insert(planned.account, Default::default());
        let view =
            world.client.view(world.set.registry, &question, head.hash.into(), BLOCK_TIME).await;
        let balance = view.unwrap().holders[&planned.account].balance;
        world.plan(planned, balance).await
    };
    let chain = world.chain.clone();
    let wait = move |_| {
        let is_approval = chain.pool_size() > 0;
        chain.mine().unwrap();
        if is_approval {
            chain.mine_unsigned(&[send(stranger, account, Amount::of(1))]).unwrap();
        }
        std::future::ready(Waited::Again)
    };
    let mut ends = Vec::new();
    for _ in 0..4 {
        let sending = Sending { consent: Consent::Given, ..world.asking(&yes) };
        let ended = sending.run(wait.clone(), std::future::pending(), &plan).await;
        ends.push(ended.map_err(|failure| format!("{:#}", failure.report)));
    }
    assert!(world.power().await > Amount::ZERO, "4 runs, nothing locked: {ends:#?}");
}

/// `canon setup-epoch` once an epoch: a run is killed once it has sent; the next one is an epoch later.
#[tokio::test]
async fn a_command_of_a_later_epoch_does_what_is_due_and_not_only_report_an_earlier_one() {
    let world = World::new("epochs").await;
    let command = "canon setup-epoch";
    let rollup = world.set.rollup;
    let missing = async || {
        let head = world.client.head().await.unwrap();
        let question = Question::default();
        let view =
            world.client.view(world.set.registry, &question, head.hash.into(), BLOCK_TIME).await;
        view.unwrap().rollups[&rollup].seed
    };
    let plan = async |planned: Planned| {
        let _ = planned;
        let canon_views::SeedStatus::Missing(epoch) = missing().await else {
            return Ok(Vec::new());
        };
        let set = SetId { chain_id: world.client.chain_id(), governance: world.set.governance };
        let action = IntendedAction::RecordSeed { rollup, epoch };
        let intent = Intent { set, action, until: None };
        Ok(vec![Step::new(intent, vec![format!("record the seed of {epoch}")])])
    };
    let to_a_missing_one = async || {
        for _ in 0..10_000 {
            if matches!(missing().await, canon_views::SeedStatus::Missing(_)) {
                // Not in the epoch's first slot, in which none is recorded.
                world.chain.increase_time(48);
                world.chain.mine_unsigned(&[]).unwrap();
                return;
            }
            world.chain.increase_time(24);
            world.chain.mine_unsigned(&[]).unwrap();
        }
        panic!("none is missing");
    };
    to_a_missing_one().await;
    let sending = Sending { command, consent: Consent::Given, ..world.asking(&yes) };
    world.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledAfter));
    tokio::select! {
        biased;
        ended = sending.run(world.mining(), std::future::pending(), &plan) => panic!("{ended:?}"),
        () = world.faults.killed() => {}
    }
    world.faults.end();
    world.chain.mine().unwrap();
    to_a_missing_one().await;
    let due = missing().await;
    let ran = sending.run(world.mining(), std::future::pending(), &plan).await;
    assert_ne!(missing().await, due, "{ran:?}, and the seed that is due isn't recorded");
}

/// A node's pending block has a wrong time once, while a transaction with a last useful second is in flight.
#[tokio::test]
async fn one_wrong_time_of_a_pending_block_does_not_cancel_what_is_in_flight() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    };
    let world = World::new("pending-time").await;
    let until = Timestamp::of(world.chain.timestamp() + 100_000);
    let plan = async |planned: Planned| {
        let mut steps = world.plan(planned, FIVE).await?;
        steps.truncate(1);
        steps.iter_mut().for_each(|step| step.intent.until = Some(until));
        Ok(steps)
    };
    let lies = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&lies);
    world.faults.answer(move |request| {
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
    let chain = world.chain.clone();
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
    let sending = Sending { tell: &tell, ..world.asking(&yes) };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    let left = until.get() - world.chain.timestamp();
    let is_given_up = told.borrow().iter().any(|line| line.contains("a transfer of nothing takes"));
    assert!(!is_given_up, "given up {left} s before its time is over: {told:?} {ran:?}");
}

/// The lock is refused after the approval was sent.
#[tokio::test]
async fn nobody_is_told_that_nothing_was_sent_after_something_was() {
    use canon_devchain::UnsignedCall;
    let world = World::new("nothing").await;
    let nonce = world.chain.nonce(world.account());
    let (asset, account) = (world.set.asset, world.account());
    let plan = async |planned| world.plan(planned, FIVE).await;
    let head = world.client.head().await.unwrap();
    let mut question = Question::default();
    question.holders.insert(account, Default::default());
    let view = world.client.view(world.set.registry, &question, head.hash.into(), BLOCK_TIME).await;
    let balance = view.unwrap().holders[&account].balance;
    let chain = world.chain.clone();
    let wait = move |_| {
        chain.mine().unwrap();
        let call = canon_chain::calls::transfer(asset, Address::repeat_byte(0x99), balance);
        let input = call.input().clone();
        chain.mine_unsigned(&[UnsignedCall { from: account, to: Some(asset), input }]).unwrap();
        std::future::ready(Waited::Again)
    };
    let ran = world.asking(&yes).run(wait, std::future::pending(), &plan).await;
    let said = format!("{:#}", ran.unwrap_err().report);
    assert!(world.chain.nonce(account) > nonce);
    assert!(!said.contains("nothing was sent"), "the approval was mined, and it says: {said}");
}
